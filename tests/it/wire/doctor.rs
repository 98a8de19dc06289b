//! What the doctor reads of a Region: every page, and as much of it as is allowed.

use super::fake::{Answer, Fake};
use super::{DENIED, OVERLOAD, run};
use ciborium::Value as Cbor;
use endpoint_advisor::model::{
    CloudWatchAlarm, EndpointName, InstanceCount, Seconds, Subject, TriggerKind, TriggerSummary,
};
use endpoint_advisor::observe::{ObjectiveFrom, Request, account, each};
use futures::StreamExt as _;
use serde_json::json;

fn map(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (Cbor::from(name), value)).collect())
}

fn texts(texts: &[&str]) -> Cbor {
    Cbor::Array(texts.iter().map(|text| Cbor::from(*text)).collect())
}

fn dimension(name: &str, value: &str) -> Cbor {
    map(vec![("Name", Cbor::from(name)), ("Value", Cbor::from(value))])
}

/// A page of `DescribeAlarms`.
fn page(alarms: Vec<Cbor>, next: Option<&str>) -> Answer {
    let next = next.map(|token| ("NextToken", Cbor::from(token)));
    Answer::Cbor(map([("MetricAlarms", Cbor::Array(alarms))].into_iter().chain(next).collect()))
}

fn latency_alarm(name: &str) -> Cbor {
    map(vec![
        ("AlarmName", Cbor::from(name)),
        ("AlarmDescription", Cbor::from("p90 above 500 ms")),
        ("ActionsEnabled", Cbor::from(true)),
        ("AlarmActions", texts(&["arn:aws:sns:us-east-1:111122223333:on-call"])),
        ("StateValue", Cbor::from("INSUFFICIENT_DATA")),
        ("StateTransitionedTimestamp", Cbor::Tag(1, Box::new(Cbor::from(1_790_000_000)))),
        ("Namespace", Cbor::from("AWS/SageMaker")),
        ("MetricName", Cbor::from("ModelLatency")),
        ("Dimensions", Cbor::Array(vec![dimension("EndpointName", "orders"), dimension("VariantName", "AllTraffic")])),
        ("ExtendedStatistic", Cbor::from("p90")),
        ("Unit", Cbor::from("Microseconds")),
        ("Period", Cbor::from(60)),
        ("EvaluationPeriods", Cbor::from(5)),
        ("DatapointsToAlarm", Cbor::from(3)),
        ("Threshold", Cbor::from(500_000.0)),
        ("ComparisonOperator", Cbor::from("GreaterThanThreshold")),
        ("TreatMissingData", Cbor::from("notBreaching")),
        ("EvaluateLowSampleCountPercentile", Cbor::from("ignore")),
    ])
}

/// Latency, but only under load.
fn math_alarm() -> Cbor {
    let metric = map(vec![
        ("Namespace", Cbor::from("AWS/SageMaker")),
        ("MetricName", Cbor::from("ModelLatency")),
        ("Dimensions", Cbor::Array(vec![dimension("EndpointName", "orders"), dimension("VariantName", "AllTraffic")])),
    ]);
    let stat = map(vec![("Metric", metric), ("Period", Cbor::from(60)), ("Stat", Cbor::from("p99"))]);
    map(vec![
        ("AlarmName", Cbor::from("under-load")),
        ("StateValue", Cbor::from("OK")),
        ("EvaluationPeriods", Cbor::from(3)),
        ("Threshold", Cbor::from(500_000.0)),
        ("ComparisonOperator", Cbor::from("GreaterThanThreshold")),
        (
            "Metrics",
            Cbor::Array(vec![
                map(vec![("Id", Cbor::from("e1")), ("Expression", Cbor::from("IF(m2 > 30, m1)"))]),
                map(vec![("Id", Cbor::from("m1")), ("MetricStat", stat), ("ReturnData", Cbor::from(false))]),
            ]),
        ),
    ])
}

fn target(resource_id: &str) -> serde_json::Value {
    json!({
        "ServiceNamespace": "sagemaker", "ResourceId": resource_id, "MinCapacity": 1, "MaxCapacity": 4,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "CreationTime": 1_780_000_000.0, "RoleARN": "arn:role",
    })
}

fn region() -> Fake {
    let fake = Fake::with(&OVERLOAD);
    fake.answer(
        "ListEndpoints",
        json!({"Endpoints": [{
            "EndpointName": "orders", "EndpointArn": OVERLOAD.endpoint.arn, "EndpointStatus": "InService",
            "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_780_000_000.0,
        }]}),
    );
    fake.script(
        "DescribeScalableTargets",
        vec![
            Answer::Json(json!({"ScalableTargets": [target("endpoint/orders/variant/AllTraffic")], "NextToken": "2"})),
            Answer::Json(json!({"ScalableTargets": [target("endpoint/gone/variant/AllTraffic")]})),
        ],
    );
    fake.script("DescribeAlarms", vec![page(vec![latency_alarm("one")], Some("2")), page(vec![math_alarm()], None)]);
    fake
}

#[test]
fn a_region_is_read_to_its_last_page() {
    let fake = region();
    let account = run(account(&fake.aws()));
    assert_eq!(account.warnings, [""; 0]);
    assert_eq!(account.endpoints.unwrap(), ["orders".parse().unwrap()]);
    let targets = account.targets.unwrap();
    assert_eq!((targets.len(), targets[1].max_capacity), (2, InstanceCount(4)));
    assert_eq!(targets[1].key.resource_id, "endpoint/gone/variant/AllTraffic");
    assert_eq!(account.components, None, "no target is of one, so nobody asked");
    let alarms = account.alarms.unwrap();
    let [one, math] = alarms.as_slice() else { panic!("{alarms:?}") };
    let metric = one.only_metric().unwrap();
    assert_eq!(
        (metric.statistic.as_str(), metric.unit.as_deref(), metric.period),
        ("p90", Some("Microseconds"), Seconds(60))
    );
    assert_eq!((one.datapoints_to_alarm, one.evaluation_periods, one.threshold), (3, 5, Some(500_000.0)));
    assert_eq!(one.evaluate_low_sample_count_percentile.as_deref(), Some("ignore"));
    assert_eq!(
        (one.state.as_str(), one.state_since),
        ("INSUFFICIENT_DATA", Some("2026-09-21T14:13:20Z".parse().unwrap()))
    );
    assert_eq!(one.alarm_actions, ["arn:aws:sns:us-east-1:111122223333:on-call"]);
    assert_eq!((math.expressions.len(), math.metrics[0].statistic.as_str(), math.only_metric()), (1, "p99", None));
    let names: Vec<String> =
        OVERLOAD.alarms_among(&alarms).into_iter().map(|CloudWatchAlarm { alarm_name, .. }| alarm_name).collect();
    assert_eq!(names, ["one", "under-load"]);
    let asked: Vec<_> = fake.asked().into_iter().filter(|(operation, _)| operation == "DescribeAlarms").collect();
    assert_eq!(asked[0].1, json!({"AlarmTypes": ["MetricAlarm"], "MaxRecords": 100}));
    assert_eq!(asked[1].1["NextToken"], "2");
}

#[test]
fn what_may_not_be_listed_is_none_and_told() {
    let fake = region();
    fake.script("DescribeAlarms", vec![DENIED]);
    let account = run(account(&fake.aws()));
    assert_eq!(account.alarms, None, "not an empty list");
    assert!(account.endpoints.is_some() && account.targets.is_some());
    assert!(account.warnings[0].contains("cloudwatch:DescribeAlarms"), "{:?}", account.warnings);
}

#[test]
fn an_endpoint_that_cannot_be_read_does_not_keep_the_others_from_it() {
    let fake = Fake::with(&OVERLOAD);
    let request = |name: &str| Request {
        subject: Subject::Endpoint(EndpointName::parse(name).unwrap()),
        described: None,
        at: OVERLOAD.at,
        now: OVERLOAD.at,
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective: None,
        objective_from: ObjectiveFrom::AlarmsOfVariant,
        history_days: 1,
        has_hourly_limit: false,
    };
    fake.script("DescribeEndpoint", vec![
        Answer::Error(400, "ValidationException", "Could not find endpoint \"gone\"."),
        Answer::Json(json!({
            "EndpointName": "orders", "EndpointArn": OVERLOAD.endpoint.arn, "EndpointConfigName": "orders-7",
            "EndpointStatus": "InService", "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}],
        })),
    ]);
    let aws = fake.aws();
    let read: Vec<_> = run(each(&aws, vec![request("gone"), request("orders")]).collect());
    let [(_, gone), (_, orders)] = read.as_slice() else { panic!() };
    assert!(gone.as_ref().unwrap_err().to_string().contains("Could not find"));
    let orders = &orders.as_ref().unwrap()[0];
    assert_eq!(orders.variant.initial_instance_count, Some(InstanceCount(2)));
    assert_eq!(orders.alarms, None, "nobody listed them");
}
