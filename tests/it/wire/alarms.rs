//! A proposed alarm on its way to CloudWatch: what is read first, what is written, and what is left alone.

use super::fake::{Answer, Fake};
use super::{OVERLOAD, run};
use ciborium::Value as Cbor;
use endpoint_advisor::act::{put_alarm, standing_alarm};
use endpoint_advisor::alarms::{PERCENTILES, Standing, propose};
use endpoint_advisor::model::{Metric, Outcome, OutcomeStatus, PutMetricAlarm, Statistic, TriggerKind, TriggerSummary};
use endpoint_advisor::observe::{ObjectiveFrom, Request, add_latency};
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:on-call";

fn proposed() -> PutMetricAlarm {
    propose(&OVERLOAD).put_metric_alarm.unwrap()
}

fn cbor(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(value) => Cbor::from(*value),
        Value::Number(number) => number.as_i64().map_or_else(|| Cbor::from(number.as_f64().unwrap()), Cbor::from),
        Value::String(text) => Cbor::from(text.as_str()),
        Value::Array(items) => Cbor::Array(items.iter().map(cbor).collect()),
        Value::Object(fields) => {
            Cbor::Map(fields.iter().map(|(name, value)| (Cbor::from(name.as_str()), cbor(value))).collect())
        }
    }
}

/// `DescribeAlarms` of this alarm.
fn described(alarm: &Value) -> Answer {
    Answer::Cbor(cbor(&json!({"MetricAlarms": [alarm]})))
}

/// The proposed alarm as it stands, with actions of a person.
fn standing() -> Value {
    let mut alarm = serde_json::to_value(proposed()).unwrap();
    let more = json!({
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:x", "ActionsEnabled": false, "AlarmActions": [TOPIC],
        "OKActions": [TOPIC], "InsufficientDataActions": ["arn:aws:lambda:us-east-1:111122223333:function:silence"],
        "StateValue": "OK", "StateReason": "Threshold Crossed", "Threshold": 500_000.0,
    });
    alarm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    alarm
}

/// What was seen, and what came of putting the proposed alarm then.
fn put(fake: &Fake) -> (Standing, Outcome) {
    run(async {
        let aws = fake.aws();
        let request = proposed();
        let seen = standing_alarm(&aws, &request.alarm_name).await.unwrap();
        let outcome = put_alarm(&aws, &request, &seen).await.unwrap();
        (seen, outcome)
    })
}

#[test]
fn a_new_alarm_is_put_exactly_as_it_was_proposed() {
    let fake = Fake::with(&OVERLOAD);
    let (seen, outcome) = put(&fake);
    assert_eq!((seen, outcome.status), (Standing::Nothing, OutcomeStatus::Applied));
    assert_eq!(fake.writes(), [("PutMetricAlarm".to_owned(), serde_json::to_value(proposed()).unwrap())]);
    let asked = fake.asked();
    let names: Vec<&Value> = asked.iter().filter_map(|(_, body)| body.get("AlarmNames")).collect();
    assert_eq!(names, [&json!(["endpoint-latency-orders-AllTraffic"]); 2], "read, and read again before it is written");
    assert!(fake.writes()[0].1.get("Unit").is_none(), "a wrong unit would silently match nothing");
}

#[test]
fn an_alarm_that_stands_like_this_is_unchanged() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("DescribeAlarms", vec![described(&standing())]);
    assert_eq!(put(&fake).1.status, OutcomeStatus::Unchanged);
    assert_eq!(fake.writes(), []);
}

#[test]
fn an_alarm_that_is_changed_keeps_what_it_does() {
    let fake = Fake::with(&OVERLOAD);
    let mut before = standing();
    before["Threshold"] = json!(900_000.0);
    before["Unit"] = json!("Seconds");
    fake.script("DescribeAlarms", vec![described(&before)]);
    let (seen, outcome) = put(&fake);
    assert_eq!(outcome.status, OutcomeStatus::Applied);
    assert_eq!(seen.difference(&proposed()), ["Threshold: 900000 -> 500000", "Unit: Seconds -> absent"]);
    let [(operation, body)] = &fake.writes()[..] else { panic!("{:?}", fake.writes()) };
    assert_eq!(operation, "PutMetricAlarm");
    for kept in ["ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions"] {
        assert_eq!(body[kept], before[kept], "{kept}");
    }
}

#[test]
fn an_alarm_that_changed_while_somebody_thought_about_it_is_left_alone() {
    let fake = Fake::with(&OVERLOAD);
    let (mut seen, mut now) = (standing(), standing());
    seen["Threshold"] = json!(900_000.0);
    now["Threshold"] = json!(800_000.0);
    fake.script("DescribeAlarms", vec![described(&seen), described(&now)]);
    assert_eq!(put(&fake).1.status, OutcomeStatus::Stale);
    // Somebody may also only have said whom to tell.
    let mut told = seen.clone();
    told["AlarmActions"] = json!([]);
    fake.script("DescribeAlarms", vec![described(&seen), described(&told)]);
    assert_eq!(put(&fake).1.status, OutcomeStatus::Stale);
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_composite_alarm_and_alarms_of_other_names_are_never_touched() {
    let fake = Fake::with(&OVERLOAD);
    let composite = json!({"CompositeAlarms": [{"AlarmName": proposed().alarm_name, "AlarmRule": "ALARM(a)"}]});
    fake.script("DescribeAlarms", vec![Answer::Cbor(cbor(&composite))]);
    let (seen, outcome) = put(&fake);
    assert_eq!((seen, outcome.status), (Standing::Composite, OutcomeStatus::Refused));
    assert_eq!(fake.writes(), []);
    let mut other = standing();
    other["AlarmName"] = json!("endpoint-latency-orders");
    fake.script("DescribeAlarms", vec![described(&other)]);
    assert_eq!(put(&fake).0, Standing::Nothing);
    assert!(fake.writes().iter().all(|(_, body)| body["AlarmName"] == "endpoint-latency-orders-AllTraffic"));
}

#[test]
fn what_cloudwatch_refuses_is_told_and_a_throttle_is_waited_for() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("PutMetricAlarm", vec![Answer::Error(400, "LimitExceededFault", "too many alarms")]);
    let outcome = put(&fake).1;
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert!(outcome.words().contains("too many alarms"), "{}", outcome.words());
    let throttled = Answer::Error(400, "ThrottlingException", "Rate exceeded");
    fake.script("PutMetricAlarm", vec![throttled, Answer::Cbor(cbor(&json!({})))]);
    assert_eq!(put(&fake).1.status, OutcomeStatus::Applied);
}

#[test]
fn every_statistic_that_an_alarm_may_be_on_is_read_over_the_whole_history() {
    let fake = Fake::with(&OVERLOAD);
    let request = Request {
        subject: endpoint_advisor::model::Subject::Endpoint(OVERLOAD.endpoint_name.clone()),
        described: None,
        at: OVERLOAD.at,
        now: OVERLOAD.at,
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective: None,
        objective_from: ObjectiveFrom::Nowhere,
        history_days: 14,
        has_hourly_limit: false,
    };
    let mut observation = OVERLOAD.clone();
    observation.metrics.0.retain(|series| series.statistic != Statistic::P99);
    let statistics: Vec<Statistic> = PERCENTILES.into_iter().chain([Statistic::Average]).collect();
    run(add_latency(&fake.aws(), &request, &statistics, &mut observation));
    let [(operation, body)] = &fake.asked()[..] else { panic!("one page: {:?}", fake.operations()) };
    assert_eq!(operation, "GetMetricData");
    assert_eq!(body["EndTime"].as_f64().unwrap() - body["StartTime"].as_f64().unwrap(), 14.0 * 86_400.0);
    let read = |statistic| observation.metrics.series(Metric::ModelLatency, statistic).is_some();
    assert!(read(Statistic::P99) && read(Statistic::Average) && read(Statistic::Maximum));
    let of_p90 = observation
        .metrics
        .0
        .iter()
        .filter(|series| (series.metric, series.statistic) == (Metric::ModelLatency, Statistic::P90));
    assert_eq!(of_p90.count(), 1, "in the place of what was there");

    // What cannot be read is no reason not to propose.
    fake.script("GetMetricData", vec![super::DENIED]);
    run(add_latency(&fake.aws(), &request, &statistics, &mut observation));
    assert!(observation.warnings.iter().any(|warning| warning.contains("cloudwatch:GetMetricData")));
    assert!(propose(&observation).put_metric_alarm.is_some());
}
