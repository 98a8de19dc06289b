//! Reading the alarms that fire scaling policies: when observing, and again before acting.

use super::auto_scaling::Triggered;
use super::{Aws, CallError};
use crate::model::{MetricDimension, POLICY_NAME_PREFIX, PolicyAlarm, Seconds};
use aws_sdk_cloudwatch::types::MetricAlarm;

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
    let statistic = alarm.extended_statistic().or(alarm.statistic().map(|statistic| statistic.as_str()));
    Some(PolicyAlarm {
        alarm_name: alarm.alarm_name()?.to_owned(),
        metric,
        statistic: statistic.or_else(|| inner?.stat()).map(str::to_owned),
        comparison_operator: alarm.comparison_operator()?.as_str().to_owned(),
        threshold: alarm.threshold()?,
        period: Seconds(positive(alarm.period().or_else(|| inner?.period()))?),
        evaluation_periods,
        datapoints_to_alarm: positive(alarm.datapoints_to_alarm()).unwrap_or(evaluation_periods),
        dimensions: alarm
            .dimensions()
            .iter()
            .filter_map(|dimension| {
                Some(MetricDimension { name: dimension.name()?.to_owned(), value: dimension.value()?.to_owned() })
            })
            .collect(),
        treat_missing_data: alarm.treat_missing_data().map(str::to_owned),
        description: alarm.alarm_description().map(str::to_owned),
    })
}
