//! A proposed alarm → [`Outcome`]: a person asked for it, with their own credentials. The function never does.

use super::refused_or_retry;
use super::requests::put_metric_alarm;
use crate::alarms::{Standing, StandingAlarm};
use crate::aws::{Aws, CallError};
use crate::model::{AlarmActions, Change, Outcome, OutcomeStatus, PutMetricAlarm};
use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm};
use serde_json::{Map, Value, json};

/// What stands under this name.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn standing_alarm(aws: &Aws, name: &str) -> Result<Standing, CallError> {
    let output = aws
        .cloudwatch
        .describe_alarms()
        .alarm_names(name)
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm)
        .send()
        .await
        .map_err(|error| CallError::new("cloudwatch:DescribeAlarms", error))?;
    let is_asked = |found: Option<&str>| found == Some(name);
    if output.composite_alarms().iter().any(|alarm| is_asked(alarm.alarm_name())) {
        return Ok(Standing::Composite);
    }
    let metric = output.metric_alarms().iter().find(|alarm| is_asked(alarm.alarm_name()));
    Ok(metric.map_or(Standing::Nothing, |alarm| Standing::Metric(standing(alarm))))
}

/// Puts an alarm in place of what was `seen`, and leaves it what it does. It looks again first: what changed meanwhile is left alone.
///
/// # Errors
/// [`CallError`] where AWS failed in a way that may pass. What it refuses for good is the outcome `failed`.
pub async fn put_alarm(aws: &Aws, request: &PutMetricAlarm, seen: &Standing) -> Result<Outcome, CallError> {
    let now = standing_alarm(aws, &request.alarm_name).await?;
    let without_change = |status, words: &str| Ok(Outcome::without_change(status, words));
    if now == Standing::Composite {
        return without_change(OutcomeStatus::Refused, "a composite alarm has this name");
    }
    if now != *seen {
        return without_change(OutcomeStatus::Stale, "the alarm changed since it was read");
    }
    if now.difference(request).is_empty() {
        return without_change(OutcomeStatus::Unchanged, "the alarm stands like this");
    }
    if let Err(error) = put_metric_alarm(aws, request, &now.actions()).await {
        return refused_or_retry(error, Vec::new());
    }
    let before = if now == Standing::Nothing { "absent" } else { "another" };
    let change = Change {
        operation: "PutMetricAlarm".to_owned(),
        before: before.to_owned(),
        after: request.alarm_description.clone(),
    };
    Ok(Outcome { changes: vec![change], ..Outcome::without_change(OutcomeStatus::Applied, "the alarm was put") })
}

/// An alarm in the spelling of the request that would make it.
fn standing(alarm: &MetricAlarm) -> StandingAlarm {
    let dimensions: Vec<Value> = alarm
        .dimensions()
        .iter()
        .map(|dimension| json!({"Name": dimension.name(), "Value": dimension.value()}))
        .collect();
    // Metric math is told, not taken apart: whatever it is, the proposal has another metric.
    let math: Vec<&str> = alarm.metrics().iter().filter_map(|query| query.expression().or(query.id())).collect();
    let is_extended = alarm.extended_statistic().is_some();
    let some = |is_some: bool, value: Value| if is_some { value } else { Value::Null };
    let settings = [
        ("AlarmName", json!(alarm.alarm_name())),
        ("AlarmDescription", json!(alarm.alarm_description())),
        ("Namespace", json!(alarm.namespace())),
        ("MetricName", json!(alarm.metric_name())),
        ("Dimensions", some(!dimensions.is_empty(), Value::Array(dimensions))),
        // There is one of the two.
        ("Statistic", json!(alarm.statistic().filter(|_| !is_extended).map(|statistic| statistic.as_str()))),
        ("ExtendedStatistic", json!(alarm.extended_statistic())),
        ("Period", json!(alarm.period())),
        ("EvaluationPeriods", json!(alarm.evaluation_periods())),
        ("DatapointsToAlarm", json!(alarm.datapoints_to_alarm())),
        ("Threshold", json!(alarm.threshold())),
        ("ComparisonOperator", json!(alarm.comparison_operator().map(|operator| operator.as_str()))),
        ("TreatMissingData", json!(alarm.treat_missing_data())),
        ("EvaluateLowSampleCountPercentile", json!(alarm.evaluate_low_sample_count_percentile())),
        ("Unit", json!(alarm.unit().map(|unit| unit.as_str()))),
        ("Metrics", some(!math.is_empty(), json!(math))),
        ("ThresholdMetricId", json!(alarm.threshold_metric_id())),
    ];
    let is_said = |value: &Value| !value.is_null() && *value != json!("");
    let settings: Map<String, Value> = settings
        .into_iter()
        .filter(|(_, value)| is_said(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let actions = AlarmActions {
        actions_enabled: alarm.actions_enabled(),
        alarm_actions: alarm.alarm_actions().to_vec(),
        ok_actions: alarm.ok_actions().to_vec(),
        insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
    };
    StandingAlarm { settings, actions }
}
