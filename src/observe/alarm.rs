//! What CloudWatch knows of an alarm beyond its event: `DescribeAlarms`.

use super::known;
use super::whose::Whose;
use crate::aws::{Aws, CallError};
use crate::model::{
    AlarmMetric, AlarmObjective, LatencyObjective, Metric, POLICY_NAME_PREFIX, Seconds, Statistic, Subject,
    alarms_in_rule, fires_on_high, keeps_the_unit, watched,
};
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, StateValue};
use std::collections::BTreeMap;

const ACTION: &str = "cloudwatch:DescribeAlarms";
/// Composite alarms nest; deeper than this nobody builds them.
const DEPTH: usize = 4;
/// `DescribeAlarms` takes this many names.
const NAMES: usize = 100;
/// As many alarms as names in one answer; the default would be half of that.
const RECORDS: i32 = 100;

/// The objective in an alarm's definition; none where it is no longer there or states none.
pub(super) async fn objective(aws: &Aws, name: &str) -> Result<Option<LatencyObjective>, CallError> {
    let found = find(aws, std::slice::from_ref(&name.to_owned())).await?;
    Ok(found.metric.iter().find_map(definition).and_then(|(_, objective)| known(objective)))
}

/// Whether an alarm is still in `ALARM`; none where it no longer exists.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn is_in_alarm(aws: &Aws, name: &str) -> Result<Option<bool>, CallError> {
    aws.round();
    let found = find(aws, std::slice::from_ref(&name.to_owned())).await?;
    let metric = found.metric.iter().map(|alarm| alarm.state_value() == Some(&StateValue::Alarm));
    Ok(metric.chain(found.composite.iter().map(|alarm| alarm.is_in_alarm)).next())
}

/// Which of these alarms exist, and whether each is in `ALARM`. One without data is neither that nor `OK`: it is left out, or
/// counts as not in `ALARM` where `silence_is_ok`.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn states(aws: &Aws, names: &[String], silence_is_ok: bool) -> Result<BTreeMap<String, bool>, CallError> {
    aws.round();
    let found = find(aws, names).await?;
    let metric = found.metric.iter().filter_map(|alarm| Some((alarm.alarm_name()?.to_owned(), alarm.state_value()?)));
    let metric = metric.filter_map(|(name, state)| match state {
        StateValue::Alarm => Some((name, true)),
        StateValue::Ok => Some((name, false)),
        StateValue::InsufficientData if silence_is_ok => Some((name, false)),
        _ => None,
    });
    let composite = found.composite.into_iter().map(|alarm| (alarm.name, alarm.is_in_alarm));
    Ok(metric.chain(composite).collect())
}

/// The subject and objective behind a composite alarm: those of the first child that watches a SageMaker metric,
/// children of children included; a `ModelLatency` alarm comes before any other.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn behind(aws: &Aws, children: &[String]) -> Result<Option<(Subject, AlarmObjective)>, CallError> {
    let mut names = children.to_vec();
    let mut second_best = None;
    for _ in 0..DEPTH {
        if names.is_empty() {
            break;
        }
        aws.round();
        let found = find(aws, &names).await?;
        for (subject, objective) in found.metric.iter().filter_map(definition) {
            if objective != AlarmObjective::NotOnModelLatency {
                return Ok(Some((subject, objective)));
            }
            second_best.get_or_insert((subject, objective));
        }
        names = found.composite.iter().flat_map(|alarm| alarms_in_rule(&alarm.rule)).collect();
    }
    Ok(second_best)
}

/// The strictest objective among the `ModelLatency` alarms with exactly this variant's dimensions.
pub(super) async fn strictest_objective(aws: &Aws, whose: &Whose) -> Result<Option<LatencyObjective>, CallError> {
    let alarms = of_metric(aws, whose, Metric::ModelLatency).await?;
    let subject = whose.subject();
    let of_subject = alarms.iter().filter_map(definition).filter(|(of, _)| *of == subject);
    let objectives = of_subject.filter_map(|(_, objective)| known(objective));
    Ok(objectives.min_by(|a, b| a.latency_slo_ms.0.total_cmp(&b.latency_slo_ms.0)))
}

/// How long the oldest request of an asynchronous endpoint may wait: the lowest threshold among its alarms on
/// `ApproximateAgeOfOldestRequest`.
pub(super) async fn age_objective(aws: &Aws, whose: &Whose) -> Result<Option<Seconds>, CallError> {
    let alarms = of_metric(aws, whose, Metric::ApproximateAgeOfOldestRequest).await?;
    let seconds = alarms.iter().filter_map(|alarm| {
        let operator = alarm.comparison_operator().map(|operator| operator.as_str()).unwrap_or_default();
        let threshold = alarm.threshold().filter(|_| fires_on_high(operator) && alarm.metrics().is_empty())?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        let seconds = threshold.round() as u32;
        (seconds > 0).then_some(Seconds(seconds))
    });
    Ok(seconds.min_by_key(|seconds| seconds.0))
}

/// The alarms of people on a metric, with exactly the dimensions under which it is published.
async fn of_metric(aws: &Aws, whose: &Whose, metric: Metric) -> Result<Vec<MetricAlarm>, CallError> {
    let output = aws
        .cloudwatch
        .describe_alarms_for_metric()
        .namespace(metric.namespace())
        .metric_name(metric.name())
        .set_dimensions(Some(whose.dimensions(metric)))
        .send()
        .await
        .map_err(|error| CallError::new("cloudwatch:DescribeAlarmsForMetric", error))?;
    let is_of_people = |alarm: &&MetricAlarm| {
        let name = alarm.alarm_name().unwrap_or_default();
        !name.starts_with("TargetTracking-") && !name.starts_with(POLICY_NAME_PREFIX)
    };
    Ok(output.metric_alarms().iter().filter(is_of_people).cloned().collect())
}

struct Found {
    metric: Vec<MetricAlarm>,
    composite: Vec<Composite>,
}

struct Composite {
    name: String,
    rule: String,
    is_in_alarm: bool,
}

async fn find(aws: &Aws, names: &[String]) -> Result<Found, CallError> {
    let output = aws
        .cloudwatch
        .describe_alarms()
        .set_alarm_names(Some(names.iter().take(NAMES).cloned().collect()))
        .max_records(RECORDS)
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm)
        .send()
        .await
        .map_err(|error| CallError::new(ACTION, error))?;
    let composite = output.composite_alarms().iter().map(|alarm| Composite {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        rule: alarm.alarm_rule().unwrap_or_default().to_owned(),
        is_in_alarm: alarm.state_value() == Some(&StateValue::Alarm),
    });
    Ok(Found { composite: composite.collect(), metric: output.metric_alarms().to_vec() })
}

/// The subject and objective in an alarm's definition; none where it watches no SageMaker endpoint.
fn definition(alarm: &MetricAlarm) -> Option<(Subject, AlarmObjective)> {
    let own_statistic = alarm.extended_statistic().or(alarm.statistic().map(|statistic| statistic.as_str()));
    let own = alarm
        .metric_name()
        .zip(alarm.namespace())
        .map(|(name, namespace)| metric(namespace, name, alarm.dimensions(), own_statistic));
    let inner = alarm.metrics().iter().filter_map(|query| query.metric_stat()).filter_map(|stat| {
        let inner = stat.metric()?;
        Some(metric(inner.namespace()?, inner.metric_name()?, inner.dimensions(), stat.stat()))
    });
    let mut expressions = alarm.metrics().iter().filter_map(|query| query.expression());
    let operator = alarm.comparison_operator().map(|operator| operator.as_str()).unwrap_or_default();
    let threshold = alarm.threshold().filter(|_| fires_on_high(operator) && expressions.all(keeps_the_unit));
    watched(&own.into_iter().chain(inner).collect::<Vec<_>>(), threshold).ok().flatten()
}

fn metric(namespace: &str, name: &str, dimensions: &[Dimension], statistic: Option<&str>) -> AlarmMetric {
    let dimensions: BTreeMap<String, String> = dimensions
        .iter()
        .filter_map(|dimension| Some((dimension.name()?.to_owned(), dimension.value()?.to_owned())))
        .collect();
    let statistic = statistic.and_then(|text| text.parse::<Statistic>().ok());
    AlarmMetric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions, statistic }
}
