//! Reading alarms: those that fire scaling policies, when observing and again before acting; and all of them.

use super::auto_scaling::Triggered;
use super::{Aws, CallError};
use crate::model::{CloudWatchAlarm, MetricDimension, POLICY_NAME_PREFIX, PolicyAlarm, Seconds, WatchedMetric};
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm};
use jiff::Timestamp;

const ACTION: &str = "cloudwatch:DescribeAlarms";
/// `DescribeAlarms` takes this many names.
const NAMES: usize = 100;
/// As many alarms as names in one answer; the default would be half of that.
const RECORDS: i32 = 100;

/// The settings of the alarms that trigger scaling policies: those that Application Auto Scaling makes, and a person's.
pub(crate) async fn of_policies(aws: &Aws, names: &[String]) -> Result<Vec<PolicyAlarm>, CallError> {
    let mut alarms = Vec::new();
    for names in names.chunks(NAMES) {
        let call = aws.cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec())).max_records(RECORDS);
        let output = call.send().await.map_err(|error| CallError::new(ACTION, error))?;
        alarms.extend(output.metric_alarms().iter().filter_map(policy_alarm));
    }
    Ok(alarms)
}

/// The alarms of ours that fire these policies; nothing is asked where there is none.
pub(crate) async fn ours(aws: &Aws, policies: &[Triggered]) -> Result<Vec<PolicyAlarm>, CallError> {
    let names = policies.iter().filter(|triggered| triggered.policy.is_ours()).flat_map(|policy| &policy.alarm_names);
    let names: Vec<String> = names.filter(|name| name.starts_with(POLICY_NAME_PREFIX)).cloned().collect();
    of_policies(aws, &names).await
}

/// Every metric alarm of the Region. There is no way to ask for those of one endpoint. An error where they are too many for the
/// time that there is: a part of them would make alarms look missing.
pub(crate) async fn all(aws: &Aws, is_time: &dyn Fn() -> bool) -> Result<Vec<CloudWatchAlarm>, CallError> {
    let request = aws.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm).max_records(RECORDS);
    let mut pages = request.into_paginator().send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CallError::new(ACTION, error))?;
        if !is_time() {
            return Err(CallError::out_of_time(ACTION));
        }
        alarms.extend(page.metric_alarms().iter().filter_map(standing));
    }
    Ok(alarms)
}

/// An alarm as it stands; none of one that watches no metric, as those on logs.
fn standing(alarm: &MetricAlarm) -> Option<CloudWatchAlarm> {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let evaluation_periods = number(alarm.evaluation_periods()).unwrap_or(1);
    let own = alarm.metric_name().zip(alarm.namespace()).map(|(name, namespace)| WatchedMetric {
        namespace: namespace.to_owned(),
        metric_name: name.to_owned(),
        dimensions: dimensions(alarm.dimensions()),
        statistic: statistic(alarm).unwrap_or_default().to_owned(),
        period: Seconds(number(alarm.period()).unwrap_or_default()),
        unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
    });
    let inner = alarm.metrics().iter().filter_map(|query| {
        let stat = query.metric_stat()?;
        let metric = stat.metric()?;
        Some(WatchedMetric {
            namespace: metric.namespace()?.to_owned(),
            metric_name: metric.metric_name()?.to_owned(),
            dimensions: dimensions(metric.dimensions()),
            statistic: stat.stat().unwrap_or_default().to_owned(),
            period: Seconds(number(stat.period()).unwrap_or_default()),
            unit: stat.unit().map(|unit| unit.as_str().to_owned()),
        })
    });
    let metrics: Vec<WatchedMetric> = own.into_iter().chain(inner).collect();
    let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
    (!metrics.is_empty()).then(|| CloudWatchAlarm {
        alarm_name: alarm.alarm_name().unwrap_or_default().to_owned(),
        description: alarm.alarm_description().map(str::to_owned),
        metrics,
        expressions: alarm.metrics().iter().filter_map(|query| query.expression().map(str::to_owned)).collect(),
        comparison_operator: alarm
            .comparison_operator()
            .map(|operator| operator.as_str())
            .unwrap_or_default()
            .to_owned(),
        threshold: alarm.threshold(),
        evaluation_periods,
        datapoints_to_alarm: number(alarm.datapoints_to_alarm()).unwrap_or(evaluation_periods),
        treat_missing_data: alarm.treat_missing_data().map(str::to_owned),
        evaluate_low_sample_count_percentile: alarm.evaluate_low_sample_count_percentile().map(str::to_owned),
        actions_enabled: alarm.actions_enabled().unwrap_or(true),
        alarm_actions: alarm.alarm_actions().to_vec(),
        ok_actions: alarm.ok_actions().to_vec(),
        insufficient_data_actions: alarm.insufficient_data_actions().to_vec(),
        state: alarm.state_value().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        state_since: since.and_then(|time| Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()),
    })
}

fn statistic(alarm: &MetricAlarm) -> Option<&str> {
    alarm.extended_statistic().or(alarm.statistic().map(|statistic| statistic.as_str()))
}

fn dimensions(dimensions: &[Dimension]) -> Vec<MetricDimension> {
    let named = dimensions.iter().filter_map(|dimension| {
        Some(MetricDimension { name: dimension.name()?.to_owned(), value: dimension.value()?.to_owned() })
    });
    named.collect()
}

fn policy_alarm(alarm: &MetricAlarm) -> Option<PolicyAlarm> {
    let positive = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0);
    let evaluation_periods = positive(alarm.evaluation_periods())?;
    let inner = alarm.metrics().iter().filter(|query| query.return_data() != Some(false));
    let inner = inner.filter_map(|query| query.metric_stat()).next();
    let of = |namespace: Option<&str>, name: Option<&str>| Some(format!("{}/{}", namespace?, name?));
    let metric = of(alarm.namespace(), alarm.metric_name()).or_else(|| {
        let metric = inner?.metric()?;
        of(metric.namespace(), metric.metric_name())
    });
    Some(PolicyAlarm {
        alarm_name: alarm.alarm_name()?.to_owned(),
        metric,
        statistic: statistic(alarm).or_else(|| inner?.stat()).map(str::to_owned),
        comparison_operator: alarm.comparison_operator()?.as_str().to_owned(),
        threshold: alarm.threshold()?,
        period: Seconds(positive(alarm.period().or_else(|| inner?.period()))?),
        evaluation_periods,
        datapoints_to_alarm: positive(alarm.datapoints_to_alarm()).unwrap_or(evaluation_periods),
        dimensions: dimensions(alarm.dimensions()),
        treat_missing_data: alarm.treat_missing_data().map(str::to_owned),
        description: alarm.alarm_description().map(str::to_owned),
    })
}
