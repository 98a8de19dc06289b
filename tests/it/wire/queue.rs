//! An asynchronous endpoint: how it is recognised, what is read of its queue, and what is written.

use super::fake::{Answer, Fake};
use super::{APPLY, DENIED, TOPICS, observed_by, report, target};
use crate::asynchronous::observed;
use ciborium::Value as Cbor;
use endpoint_advisor::model::{Hosting, InstanceCount, Observation, OutcomeStatus, Seconds, TriggerKind, Verdict};
use serde_json::{Value, json};

const RAISE: (&str, &str) = ("ADVISOR_EXISTING_TARGETS", "raise");

fn alarm() -> Value {
    serde_json::from_str(include_str!("../../../events/eventbridge-asynchronous.json")).unwrap()
}

/// AWS with an endpoint whose name does not say that it is asynchronous.
fn fake_of(observation: &Observation) -> Fake {
    let fake = Fake::with(observation);
    let count = observation.variant.current_instance_count.unwrap().0;
    let slots = observation.endpoint.max_concurrent_invocations_per_instance;
    fake.answer("DescribeEndpoint", json!({
        "EndpointName": "orders", "EndpointArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders",
        "EndpointConfigName": "orders-7", "EndpointStatus": "InService",
        "CreationTime": 1_780_000_000.0, "LastModifiedTime": 1_789_898_400.0,
        "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": count, "DesiredInstanceCount": count}],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": slots},
            "OutputConfig": {"S3OutputPath": "s3://orders-answers/"},
        },
    }));
    fake
}

fn growth() -> Fake {
    fake_of(&observed("growth", 3))
}

fn dimensions(query: &Value) -> Vec<&str> {
    let dimensions = query["MetricStat"]["Metric"]["Dimensions"].as_array().unwrap();
    dimensions.iter().map(|dimension| dimension["Name"].as_str().unwrap()).collect()
}

fn map(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (Cbor::from(name), value)).collect())
}

/// The alarms on the age of the oldest request, as `DescribeAlarmsForMetric` tells them.
fn age_alarms(alarms: &[(&str, &str, f64)]) -> Answer {
    let alarm = |(name, operator, threshold): &(&str, &str, f64)| {
        let dimension = map(vec![("Name", Cbor::from("EndpointName")), ("Value", Cbor::from("orders"))]);
        map(vec![
            ("AlarmName", Cbor::from(*name)),
            ("Namespace", Cbor::from("AWS/SageMaker")),
            ("MetricName", Cbor::from("ApproximateAgeOfOldestRequest")),
            ("Dimensions", Cbor::Array(vec![dimension])),
            ("Statistic", Cbor::from("Maximum")),
            ("Period", Cbor::from(60)),
            ("EvaluationPeriods", Cbor::from(3)),
            ("Threshold", Cbor::from(*threshold)),
            ("ComparisonOperator", Cbor::from(*operator)),
        ])
    };
    Answer::Cbor(map(vec![("MetricAlarms", Cbor::Array(alarms.iter().map(alarm).collect()))]))
}

#[test]
fn describe_calls_say_that_it_is_asynchronous_and_its_own_metrics_are_read() {
    let fake = growth();
    let report = report(&fake, &TOPICS, alarm());
    assert_eq!((report.hosting, report.diagnosis.verdict), (Hosting::Asynchronous, Verdict::Backlog));
    assert_eq!(
        (report.trigger.kind, report.outcome.status),
        (TriggerKind::EventbridgeAlarm, OutcomeStatus::Recommended)
    );
    assert_eq!(fake.writes(), []);
    let asked = fake.asked();
    let queries = asked.iter().filter(|(operation, _)| operation == "GetMetricData");
    let queries: Vec<&Value> = queries.flat_map(|(_, body)| body["MetricDataQueries"].as_array().unwrap()).collect();
    let name = |query: &Value| query["MetricStat"]["Metric"]["MetricName"].as_str().unwrap().to_owned();
    for query in &queries {
        let is_of_endpoint = name(query).starts_with("Approximate") || name(query) == "HasBacklogWithoutCapacity";
        let expected = if is_of_endpoint { vec!["EndpointName"] } else { vec!["EndpointName", "VariantName"] };
        assert_eq!(dimensions(query), expected, "{query}");
        let is_never_published = ["Invocations", "InvocationsPerInstance", "OverheadLatency"].contains(&&*name(query));
        assert!(!is_never_published, "{query}");
    }
    for metric in [
        "ApproximateBacklogSize",
        "ApproximateBacklogSizePerInstance",
        "HasBacklogWithoutCapacity",
        "InvocationsProcesssed",
    ] {
        assert!(queries.iter().any(|query| name(query) == metric), "{metric}");
    }
}

#[test]
fn the_strictest_alarm_on_age_says_how_long_a_request_may_wait() {
    let fake = growth();
    let alarms = [
        ("orders-age-page", "GreaterThanThreshold", 3_600.0),
        ("orders-age", "GreaterThanOrEqualToThreshold", 900.0),
        ("orders-idle", "LessThanThreshold", 1.0),
        ("TargetTracking-orders", "GreaterThanThreshold", 5.0),
    ];
    fake.script("DescribeAlarmsForMetric", vec![age_alarms(&alarms)]);
    let observation = observed_by(&fake);
    assert_eq!(observation.age_objective, Some(Seconds(900)));
    let asked = fake.asked().into_iter().find(|(operation, _)| operation == "DescribeAlarmsForMetric").unwrap().1;
    assert_eq!(
        asked,
        json!({
            "Namespace": "AWS/SageMaker", "MetricName": "ApproximateAgeOfOldestRequest",
            "Dimensions": [{"Name": "EndpointName", "Value": "orders"}],
        })
    );
}

#[test]
fn an_age_alarm_that_cannot_be_read_is_a_warning() {
    let fake = growth();
    fake.script("DescribeAlarmsForMetric", vec![DENIED]);
    let report = report(&fake, &TOPICS, alarm());
    assert!(report.warnings.iter().any(|warning| warning.contains("DescribeAlarmsForMetric")), "{:?}", report.warnings);
    assert_eq!(report.diagnosis.verdict, Verdict::Backlog);
    assert!(report.plan.reasoning.iter().any(|line| line.contains("30 minutes are assumed")));
}

#[test]
fn a_policy_on_the_backlog_per_instance_is_written() {
    let fake = growth();
    let report = report(&fake, &[APPLY, TOPICS[0]], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied, "{}", report.outcome.reason);
    let written = fake.writes();
    let operations: Vec<&str> = written.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations, ["RegisterScalableTarget", "PutScalingPolicy"]);
    assert_eq!((&written[0].1["MinCapacity"], &written[0].1["MaxCapacity"]), (&json!(6), &json!(10)));
    let configuration = &written[1].1["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(
        configuration["CustomizedMetricSpecification"],
        json!({
            "MetricName": "ApproximateBacklogSizePerInstance", "Namespace": "AWS/SageMaker", "Statistic": "Average",
            "Dimensions": [{"Name": "EndpointName", "Value": "orders"}],
        })
    );
    assert!(configuration["TargetValue"].as_f64().unwrap() > 0.0 && configuration["DisableScaleIn"] == false);
}

#[test]
fn an_endpoint_at_zero_gets_both_policies_and_the_alarm_that_starts_it() {
    let mut observation = observed("no-capacity", 2);
    observation.variant.current_instance_count = Some(InstanceCount(0));
    let fake = fake_of(&observation);
    let arn = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:6d89:policyName/endpoint-advisor-from-zero";
    fake.answer("PutScalingPolicy", json!({"PolicyARN": arn}));
    fake.answer("DescribeScalableTargets", target(0, 4));
    let report = report(&fake, &[APPLY, RAISE, TOPICS[0]], alarm());
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("no_capacity"));
    assert_eq!(report.outcome.status, OutcomeStatus::Applied, "{}", report.outcome.reason);
    let written = fake.writes();
    let of = |operation: &str| -> Vec<&Value> {
        written.iter().filter(|(written, _)| written == operation).map(|(_, body)| body).collect()
    };
    assert!(of("RegisterScalableTarget").iter().all(|register| register["MinCapacity"] == 0), "{written:?}");
    let policies: Vec<_> = of("PutScalingPolicy").iter().map(|policy| policy["PolicyName"].clone()).collect();
    assert_eq!(policies, ["endpoint-advisor-backlog", "endpoint-advisor-from-zero"]);
    let alarm = of("PutMetricAlarm")[0];
    assert_eq!(
        (&alarm["MetricName"], &alarm["Threshold"], &alarm["EvaluationPeriods"], &alarm["TreatMissingData"]),
        (&json!("HasBacklogWithoutCapacity"), &json!(1.0), &json!(2), &json!("missing"))
    );
    assert_eq!(alarm["AlarmActions"], json!([arn]));
}
