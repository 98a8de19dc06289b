//! Every file in `events/`, and what it is understood as.

use endpoint_advisor::model::{
    AlarmObjective, AlarmTrigger, Audit, Home, LatencyObjective, Milliseconds, ObjectiveSource, Statistic, Subject,
    Trigger, TriggerKind, Watched,
};
use endpoint_advisor::trigger::{Event, parse};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn events() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap())
        })
        .collect()
}

/// What an event is understood as, on one line.
fn understood(event: &Value) -> String {
    match parse(event.clone()) {
        Ok(Event::One(trigger)) => line(&trigger),
        Ok(Event::Queue(messages)) => {
            let lines = messages.iter().map(|message| match &message.trigger {
                Ok(trigger) => line(trigger),
                Err(error) => format!("error: {error}"),
            });
            format!("[{}]", lines.collect::<Vec<_>>().join(" | "))
        }
        Err(error) => format!("error: {error}"),
    }
}

fn line(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Alarm(alarm) | Trigger::AlarmOk(alarm) => {
            let state = if matches!(trigger, Trigger::AlarmOk(_)) { " OK" } else { "" };
            let kind = serde_json::to_value(alarm.kind).unwrap();
            let watched = match &alarm.watched {
                Watched::Children(names) => format!("children {names:?}"),
                Watched::Metric { subject, objective } => {
                    let objective = match objective {
                        AlarmObjective::Known(objective) => objective.to_string(),
                        other => format!("{other:?}"),
                    };
                    format!("{} {objective}", named(subject))
                }
            };
            format!("{}{state} {} {watched}", kind.as_str().unwrap(), alarm.alarm_name)
        }
        Trigger::Manual(manual) => format!(
            "advise {} {:?} at {:?}",
            named(&manual.subject),
            manual.objective.map(|objective| objective.to_string()),
            manual.at.map(|at| at.to_string())
        ),
        Trigger::FollowUp(follow_up) => format!("follow_up {} {:?}", named(&follow_up.subject), follow_up.looks),
        Trigger::Audit(audit) => match audit {
            Audit::Fleet => "audit of the fleet".to_owned(),
            Audit::Named(names) => {
                format!("audit of {}", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            Audit::Batch(part) => format!(
                "audit, part {} of {}: {} endpoints",
                part.batch.number,
                part.batch.of,
                part.endpoint_names.len()
            ),
            Audit::Collect(progress) => format!("audit {}, its {} parts", progress.id, progress.batches),
        },
        Trigger::Approval(approval) => format!("apply {} {}", named(&approval.subject), approval.plan_digest),
        Trigger::Ignored(reason) => format!("ignored: {reason}"),
    }
}

fn named(subject: &Subject) -> String {
    match subject {
        Subject::Endpoint(endpoint) => endpoint.to_string(),
        Subject::Variant(endpoint, variant) => format!("{endpoint}/{variant}"),
        Subject::InferenceComponent(component) => format!("component {component}"),
    }
}

#[test]
fn every_event_is_understood_as_written_beside_it() {
    let understood: String = events().iter().map(|(name, event)| format!("{name}: {}\n", understood(event))).collect();
    expect_test::expect_file!["../scenarios/events.txt"].assert_eq(&understood);
}

#[test]
fn every_shape_of_one_alarm_asks_the_same() {
    let expected = LatencyObjective {
        latency_slo_ms: Milliseconds(500.0),
        slo_statistic: Statistic::P90,
        source: ObjectiveSource::Alarm,
    };
    for (shape, kind) in [
        ("eventbridge-single-metric", TriggerKind::EventbridgeAlarm),
        ("eventbridge-metric-math", TriggerKind::EventbridgeAlarm),
        ("direct-action", TriggerKind::DirectAlarm),
        ("direct-action-metric-math", TriggerKind::DirectAlarm),
        ("sns-percentile", TriggerKind::SnsAlarm),
        ("sns-null-description", TriggerKind::SnsAlarm),
        ("sns-metric-math", TriggerKind::SnsAlarm),
        ("hostile-description", TriggerKind::EventbridgeAlarm),
    ] {
        let Ok(Event::One(Trigger::Alarm(alarm))) = parse(events()[shape].clone()) else { panic!("{shape}") };
        assert_eq!(alarm.kind, kind, "{shape}");
        let Watched::Metric { subject, objective } = alarm.watched else { panic!("{shape}") };
        assert_eq!(named(&subject), "orders/AllTraffic", "{shape}");
        assert_eq!(objective, AlarmObjective::Known(expected), "{shape}");
    }
}

#[test]
fn an_event_that_nobody_understands_is_an_error_that_says_what_was_expected() {
    for event in [
        "null",
        "42",
        "[]",
        "{}",
        r#"{"Records":[]}"#,
        r#"{"Records":[{"eventSource":"aws:s3"}]}"#,
        r#"{"alarmData":{}}"#,
        r#"{"advise":{}}"#,
        r#"{"advise":{"endpoint_name":"a b"}}"#,
        r#"{"advise":{"endpoint_name":"a","at":"yesterday"}}"#,
        r#"{"advise":{"endpoint_name":"a","latency_slo_ms":-1}}"#,
        r#"{"advise":{"endpoint_name":"a","latency_slo_ms":0}}"#,
        r#"{"advise":{"endpoint_name":"a","latency_slo_ms":60001}}"#,
        r#"{"advise":{"endpoint_name":"a","slo_statistic":"tm99"}}"#,
        r#"{"apply":{"endpoint_name":"a"}}"#,
        r#"{"detail-type":"Scheduled Event","detail":{}}"#,
        r#"{"detail-type":"CloudWatch Alarm State Change"}"#,
        r#"{"Type":"Notification"}"#,
        r#"{"AlarmName":"a"}"#,
        r#"{"detail-type":"CloudWatch Alarm State Change","detail":{"alarmName":"a","state":{"value":"FIRE"}}}"#,
    ] {
        let error = parse(serde_json::from_str(event).unwrap()).expect_err(event);
        let text = endpoint_advisor_chain(&error);
        assert!(text.len() > 20, "{event}: {text}");
    }
}

fn endpoint_advisor_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The same text with every account, or every Region, replaced.
fn moved(event: &Value, from: &str, to: &str) -> Value {
    serde_json::from_str(&event.to_string().replace(from, to)).unwrap()
}

#[test]
fn an_alarm_of_another_account_or_region_is_answered_by_nobody_here() {
    const ACCOUNT: &str = "111122223333";
    let home = Home::of_function(&format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:endpoint-advisor")).unwrap();
    let mut alarms = 0;
    for (name, event) in events() {
        let Ok(Event::One(trigger)) = parse(event.clone()) else { continue };
        trigger.at_home(&home).unwrap_or_else(|error| panic!("{name}: {error}"));
        if !matches!(trigger, Trigger::Alarm(_) | Trigger::AlarmOk(_)) {
            continue;
        }
        alarms += 1;
        for (from, to) in [(ACCOUNT, "444455556666"), ("us-east-1", "eu-west-1")] {
            let Ok(Event::One(trigger)) = parse(moved(&event, from, to)) else { panic!("{name}") };
            let refused = trigger.at_home(&home).unwrap_err().to_string();
            let words = format!(" is of {to}, and this function answers for {ACCOUNT} in us-east-1");
            assert!(refused.ends_with(&words), "{name}: {refused}");
        }
    }
    assert!(alarms > 10);
}

#[test]
fn so_is_an_alarm_of_ours_on_a_metric_of_a_monitored_account() {
    let home = Home::of_function("arn:aws:lambda:us-east-1:111122223333:function:endpoint-advisor").unwrap();
    for (name, metrics) in [
        ("eventbridge-metric-math", "/detail/configuration/metrics"),
        ("direct-action-metric-math", "/alarmData/configuration/metrics"),
    ] {
        let mut event = events().remove(name).unwrap();
        for metric in event.pointer_mut(metrics).unwrap().as_array_mut().unwrap() {
            metric["accountId"] = "444455556666".into();
        }
        let Ok(Event::One(trigger)) = parse(event) else { panic!("{name}") };
        assert!(trigger.at_home(&home).unwrap_err().to_string().contains("is of 444455556666"), "{name}");
    }
    let mut message: Value = serde_json::from_str(
        events().remove("sns-metric-math").unwrap().pointer("/Records/0/Sns/Message").unwrap().as_str().unwrap(),
    )
    .unwrap();
    for metric in message["Trigger"]["Metrics"].as_array_mut().unwrap() {
        metric["AccountId"] = "444455556666".into();
    }
    let Ok(Event::One(trigger)) = parse(message) else { panic!("sns-metric-math") };
    assert!(trigger.at_home(&home).unwrap_err().to_string().contains("is of 444455556666"));
}

#[test]
fn an_event_that_is_cut_short_is_named_by_its_shape() {
    for (event, shape) in [
        (r#"{"detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch"}"#, "EventBridge"),
        (r#"{"Type":"Notification","MessageId":"1"}"#, "SNS"),
        (r#"{"AlarmName":"a","AlarmDescription":"b"}"#, "SNS alarm"),
    ] {
        let error = endpoint_advisor_chain(&parse(serde_json::from_str(event).unwrap()).expect_err(event));
        assert!(error.contains(shape), "{error}");
    }
}

/// The message of `sns-metric` or `sns-metric-math`, changed.
fn notified(name: &str, change: impl Fn(&mut Value)) -> AlarmTrigger {
    let event = events().remove(name).unwrap();
    let message = event.pointer("/Records/0/Sns/Message").unwrap().as_str().unwrap();
    let mut message: Value = serde_json::from_str(message).unwrap();
    change(&mut message);
    match parse(message) {
        Ok(Event::One(Trigger::Alarm(alarm))) => Some(alarm),
        _ => None,
    }
    .unwrap()
}

#[test]
fn a_threshold_of_a_notification_is_an_objective_only_where_high_latency_crosses_it() {
    let known =
        |alarm: AlarmTrigger| matches!(alarm.watched, Watched::Metric { objective: AlarmObjective::Known(_), .. });
    assert!(known(notified("sns-metric", |_| {})));
    assert!(known(notified("sns-metric-math", |_| {})));
    let low = |message: &mut Value| message["Trigger"]["ComparisonOperator"] = "LessThanThreshold".into();
    assert!(!known(notified("sns-metric", low)));
    let in_seconds = |message: &mut Value| {
        for entry in message["Trigger"]["Metrics"].as_array_mut().unwrap() {
            if entry["Expression"].is_string() {
                entry["Expression"] = "m1/1000000".into();
            }
        }
    };
    assert!(!known(notified("sns-metric-math", in_seconds)), "its threshold is in another unit");
}

#[test]
fn when_the_state_changed_is_read_from_every_shape() {
    let changed_at = |event: Value| match parse(event) {
        Ok(Event::One(Trigger::Alarm(alarm))) => alarm.changed_at.map(|at| at.to_string()),
        _ => None,
    };
    for shape in ["eventbridge-single-metric", "direct-action", "sns-metric"] {
        let at = changed_at(events().remove(shape).unwrap());
        assert!(at.as_deref().is_some_and(|at| at.starts_with("2026-10-05T09:14:")), "{shape}: {at:?}");
    }
    let at = notified("sns-metric", |message| message["StateChangeTime"] = "yesterday".into()).changed_at;
    assert_eq!(at, None, "the alarm itself still stands");
}
