//! CloudWatch alarms, in the two languages in which they arrive: EventBridge and the direct Lambda action share one
//! (`detail`, `alarmData`); SNS has its own.
//!
//! Everything but the alarm's name and state is optional here, because in real alarms everything else is sometimes
//! absent: descriptions are null, anomaly alarms have no threshold, composite alarms have no metric, metric-math alarms
//! have no metric of their own.

use super::{InvalidEvent, decode};
use crate::model::{
    AlarmMetric, AlarmTrigger, InvalidName, Origin, POLICY_NAME_PREFIX, Trigger, TriggerKind, Watched, alarm_name_of,
    alarms_in_rule, fires_on_high, keeps_the_unit, watched,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) const EVENTBRIDGE_DETAIL_TYPE: &str = "CloudWatch Alarm State Change";

/// The alarms that Application Auto Scaling makes for its target-tracking policies.
const TARGET_TRACKING_PREFIX: &str = "TargetTracking-";

/// EventBridge `detail` and the direct action's `alarmData`.
pub(super) fn state_change(kind: TriggerKind, origin: Origin, detail: Value) -> Result<Trigger, InvalidEvent> {
    let alarm: StateChange = decode("alarm state change", detail)?;
    if alarm.mute_detail.is_some() {
        return Ok(Trigger::Ignored(format!("alarm `{}` is muted", alarm.alarm_name)));
    }
    // `WaitPeriod` only waits for the suppressor to confirm; if it never does, no second event comes.
    if alarm.state.actions_suppressed_by.as_deref().is_some_and(|by| by != "WaitPeriod") {
        return Ok(Trigger::Ignored(format!("the actions of alarm `{}` are suppressed", alarm.alarm_name)));
    }
    let reason: ReasonData = lenient(alarm.state.reason_data.as_deref());
    let mut expressions = alarm.configuration.metrics.iter().filter_map(|entry| entry.expression.as_deref());
    let threshold = reason.threshold.filter(|_| expressions.all(keeps_the_unit));
    let accounts = alarm.configuration.metrics.iter().map(|entry| entry.account_id.clone());
    let origin = accounts.fold(origin, Origin::and_account);
    let metrics =
        alarm.configuration.metrics.into_iter().filter_map(|entry| entry.metric_stat).map(|stat| AlarmMetric {
            namespace: stat.metric.namespace,
            name: stat.metric.name,
            dimensions: stat.metric.dimensions,
            statistic: stat.stat.parse().ok(),
        });
    let children = reason.triggering_alarms.into_iter().filter_map(|child| alarm_name_of(&child.arn)).collect();
    interpret(Alarm {
        kind,
        origin,
        alarm_name: alarm.alarm_name,
        state: alarm.state.value,
        changed_at: alarm.state.timestamp.as_deref().and_then(timestamp),
        metrics: metrics.collect(),
        threshold,
        alarm_rule: alarm.configuration.alarm_rule,
        children,
    })
}

/// The message of an SNS notification.
pub(super) fn notification(message: Value) -> Result<Trigger, InvalidEvent> {
    if message.get("AlarmName").is_none() {
        let detail = "no `AlarmName`, so its message is not that of an alarm".to_owned();
        return Err(InvalidEvent::Refused { shape: "SNS", detail });
    }
    let alarm: Notification = decode("SNS alarm", message)?;
    let trigger = alarm.trigger.unwrap_or_default();
    let mut expressions = trigger.metrics.iter().filter_map(|entry| entry.expression.as_deref());
    let operator = trigger.comparison_operator.as_deref().unwrap_or_default();
    let threshold = trigger.threshold.filter(|_| fires_on_high(operator) && expressions.all(keeps_the_unit));
    let arn = Origin::default().and_arn(alarm.alarm_arn.as_deref()).and_account(alarm.aws_account_id);
    let origin = trigger.metrics.iter().map(|entry| entry.account_id.clone()).fold(arn, Origin::and_account);
    let statistic = trigger.extended_statistic.or(trigger.statistic);
    let own = trigger.metric_name.zip(trigger.namespace).map(|(name, namespace)| AlarmMetric {
        namespace,
        name,
        dimensions: by_name(trigger.dimensions),
        statistic: statistic.and_then(|text| text.parse().ok()),
    });
    let inner = trigger.metrics.into_iter().filter_map(|entry| entry.metric_stat).map(|stat| AlarmMetric {
        namespace: stat.metric.namespace,
        name: stat.metric.metric_name,
        dimensions: by_name(stat.metric.dimensions),
        statistic: stat.stat.parse().ok(),
    });
    interpret(Alarm {
        kind: TriggerKind::SnsAlarm,
        origin,
        alarm_name: alarm.alarm_name,
        state: alarm.new_state_value,
        changed_at: alarm.state_change_time.as_deref().and_then(timestamp),
        metrics: own.into_iter().chain(inner).collect(),
        threshold,
        alarm_rule: alarm.alarm_rule,
        children: alarm.triggering_children.iter().filter_map(child_name).collect(),
    })
}

/// An alarm, whichever language it came in.
struct Alarm {
    kind: TriggerKind,
    origin: Origin,
    alarm_name: String,
    state: String,
    changed_at: Option<Timestamp>,
    metrics: Vec<AlarmMetric>,
    threshold: Option<f64>,
    alarm_rule: Option<String>,
    children: Vec<String>,
}

fn interpret(alarm: Alarm) -> Result<Trigger, InvalidEvent> {
    let name = &alarm.alarm_name;
    if name.starts_with(TARGET_TRACKING_PREFIX) {
        return Ok(Trigger::Ignored(format!("alarm `{name}` belongs to Application Auto Scaling")));
    }
    if name.starts_with(POLICY_NAME_PREFIX) {
        return Ok(Trigger::Ignored(format!("alarm `{name}` is ours, and fires a scaling policy by itself")));
    }
    let turned: fn(AlarmTrigger) -> Trigger = match alarm.state.as_str() {
        "ALARM" => Trigger::Alarm,
        "OK" => Trigger::AlarmOk,
        "INSUFFICIENT_DATA" => return Ok(Trigger::Ignored(format!("alarm `{name}` has INSUFFICIENT_DATA"))),
        other => {
            let detail = format!("state `{other}`, and `ALARM`, `OK` or `INSUFFICIENT_DATA` is expected");
            return Err(InvalidEvent::Refused { shape: "alarm", detail });
        }
    };
    let watched = if alarm.metrics.is_empty() {
        let children = if alarm.children.is_empty() {
            alarm.alarm_rule.as_deref().map(alarms_in_rule).unwrap_or_default()
        } else {
            alarm.children
        };
        if children.is_empty() {
            return Ok(Trigger::Ignored(format!("alarm `{name}` names neither a metric nor another alarm")));
        }
        Watched::Children(children)
    } else {
        let invalid = |error: InvalidName| InvalidEvent::Refused { shape: "alarm", detail: error.to_string() };
        match watched(&alarm.metrics, alarm.threshold).map_err(invalid)? {
            Some((subject, objective)) => Watched::Metric { subject, objective },
            None => return Ok(Trigger::Ignored(format!("alarm `{name}` watches no SageMaker endpoint"))),
        }
    };
    let Alarm { kind, origin, alarm_name, changed_at, .. } = alarm;
    Ok(turned(AlarmTrigger { kind, alarm_name, changed_at, origin, watched }))
}

/// `2026-10-05T09:14:21.989+0000` or RFC 3339.
fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Reads JSON inside a string; what is not understood there is absent, because the alarm itself still stands.
fn lenient<T: Default + for<'de> Deserialize<'de>>(text: Option<&str>) -> T {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// `TriggeringChildren` is documented as a list of names; real messages carry objects with `Arn`.
fn child_name(child: &Value) -> Option<String> {
    let text = child.get("Arn").unwrap_or(child).as_str()?;
    Some(alarm_name_of(text).unwrap_or_else(|| text.to_owned()))
}

fn by_name(dimensions: Vec<Dimension>) -> BTreeMap<String, String> {
    dimensions.into_iter().map(|dimension| (dimension.name, dimension.value)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateChange {
    alarm_name: String,
    state: State,
    #[serde(default)]
    configuration: Configuration,
    mute_detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    value: String,
    reason_data: Option<String>,
    timestamp: Option<String>,
    actions_suppressed_by: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    metrics: Vec<MetricEntry>,
    alarm_rule: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetricEntry {
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    account_id: Option<String>,
}

#[derive(Deserialize)]
struct MetricStat {
    metric: MetricName,
    stat: String,
}

#[derive(Deserialize)]
struct MetricName {
    namespace: String,
    name: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ReasonData {
    threshold: Option<f64>,
    #[serde(default)]
    triggering_alarms: Vec<TriggeringAlarm>,
}

#[derive(Deserialize)]
struct TriggeringAlarm {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    alarm_name: String,
    alarm_arn: Option<String>,
    #[serde(rename = "AWSAccountId")]
    aws_account_id: Option<String>,
    new_state_value: String,
    state_change_time: Option<String>,
    trigger: Option<NotificationTrigger>,
    alarm_rule: Option<String>,
    #[serde(default)]
    triggering_children: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct NotificationTrigger {
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    comparison_operator: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    threshold: Option<f64>,
    #[serde(default)]
    metrics: Vec<NotificationMetric>,
}

#[derive(Deserialize)]
struct Dimension {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationMetric {
    metric_stat: Option<NotificationMetricStat>,
    expression: Option<String>,
    account_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationMetricStat {
    metric: NotificationMetricName,
    stat: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NotificationMetricName {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}
