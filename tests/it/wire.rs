//! What leaves for AWS, and what comes of each answer.

mod fake;

use crate::endpoint::{at, observed, settings};
use endpoint_advisor::advise::{Advice, AdviseError, advise};
use endpoint_advisor::aws::chain;
use endpoint_advisor::model::{Action, Observation, OutcomeStatus, Report, Verdict};
use endpoint_advisor::trigger::{Event, parse};
use fake::{Answer, Fake};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::LazyLock;

static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| observed("overload"));

const TOPICS: [(&str, &str); 2] = [
    ("ADVISOR_REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:reports"),
    ("ADVISOR_CHAT_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:chat"),
];
const APPLY: (&str, &str) = ("ADVISOR_MODE", "apply");
const THROTTLED: Answer = Answer::Error(400, "ThrottlingException", "Rate exceeded");
const DENIED: Answer = Answer::Error(400, "AccessDeniedException", "User is not authorized");

/// The alarm of the incident, fresh.
fn alarm() -> Value {
    let text = include_str!("../../events/eventbridge-single-metric.json");
    serde_json::from_str(text).unwrap()
}

fn by_hand() -> Value {
    json!({"advise": {"endpoint_name": "orders", "variant_name": "AllTraffic", "latency_slo_ms": 500}})
}

/// What the function answers to an event, and what it logged.
fn answer_at(
    fake: &Fake,
    variables: &[(&str, &str)],
    event: Value,
    now: Timestamp,
) -> (Result<Advice, AdviseError>, Vec<Report>) {
    let Event::One(trigger) = parse(event).unwrap() else { panic!("a batch") };
    let logged = RefCell::new(Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let aws = fake.aws();
    let settings = settings(variables);
    let log = |report: &Report| logged.borrow_mut().push(report.clone());
    let answer = runtime.block_on(advise(&aws, &settings, trigger, now, &log));
    (answer, logged.into_inner())
}

fn answer(fake: &Fake, variables: &[(&str, &str)], event: Value) -> Result<Advice, AdviseError> {
    answer_at(fake, variables, event, at()).0
}

fn report(fake: &Fake, variables: &[(&str, &str)], event: Value) -> Report {
    answer(fake, variables, event).unwrap_or_else(|error| panic!("{}", chain(&error))).reports.remove(0)
}

fn target(min: u32, max: u32) -> Value {
    json!({"ScalableTargets": [{
        "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/orders/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "MinCapacity": min, "MaxCapacity": max,
        "RoleARN": "arn:aws:iam::111122223333:role/x", "CreationTime": 1.0,
        "ScalableTargetARN": "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b",
    }]})
}

#[test]
fn recommend_reads_publishes_and_writes_nothing() {
    let fake = Fake::with(&OVERLOAD);
    let report = report(&fake, &TOPICS, alarm());
    assert_eq!((report.diagnosis.verdict, report.plan.action), (Verdict::Overload, Action::Scale));
    assert_eq!(report.outcome.status, OutcomeStatus::Recommended);
    assert_eq!(fake.writes(), []);
    assert_eq!(
        fake.operations(),
        [
            "DescribeEndpoint",
            "DescribeEndpointConfig",
            "DescribeModel",
            "DescribeScalableTargets",
            "DescribeScalingActivities",
            "DescribeScalingPolicies",
            "GetMetricData",
            "ListTags",
            "Publish",
        ]
    );
    assert!(fake.asked().len() <= 18, "{} calls", fake.asked().len());
    assert_eq!(fake.published().len(), 2);
}

#[test]
fn apply_writes_exactly_the_requests_of_the_plan() {
    let fake = Fake::with(&OVERLOAD);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    let plan = serde_json::to_value(&report.plan).unwrap();
    let mut untagged = plan["register_scalable_target"].clone();
    untagged.as_object_mut().unwrap().remove("Tags");
    // First with what is running, so that the endpoint stays InService until the policy is there.
    assert_eq!(plan["register_first"]["MinCapacity"], 2);
    let expected = vec![
        ("RegisterScalableTarget".to_owned(), plan["register_first"].clone()),
        ("PutScalingPolicy".to_owned(), plan["put_scaling_policies"][0].clone()),
        ("RegisterScalableTarget".to_owned(), untagged),
    ];
    assert_eq!(fake.writes(), expected);
    let changes: Vec<_> =
        report.outcome.changes.iter().map(|change| (change.operation.as_str(), change.before.as_str())).collect();
    assert_eq!(changes, [("PutScalingPolicy", "absent"), ("RegisterScalableTarget", "absent")]);
}

#[test]
fn what_was_there_is_saved_before_somebody_elses_target_is_raised() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    let report = report(&fake, &[APPLY, ("ADVISOR_EXISTING_TARGETS", "raise")], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    let writes: Vec<_> = fake.writes();
    let operations: Vec<_> = writes.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations, ["TagResource", "PutScalingPolicy", "RegisterScalableTarget"]);
    assert_eq!(writes[0].1["Tags"], json!({"endpoint-advisor:before": "min=1 max=3"}));
    assert!(writes[2].1.get("Tags").is_none(), "tags of an existing target are set by TagResource only");
}

#[test]
fn somebody_elses_target_is_left_alone_unless_the_settings_allow_it() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert!(report.outcome.reason.starts_with("existing_target"));
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_target_whose_tags_cannot_be_read_counts_as_somebody_elses() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 3));
    fake.script("ListTagsForResource", vec![DENIED]);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert!(report.warnings.iter().any(|warning| warning.contains("application-autoscaling:ListTagsForResource")));
    assert_eq!(fake.writes(), []);
}

#[test]
fn a_target_that_changed_since_it_was_read_is_stale() {
    let fake = Fake::with(&OVERLOAD);
    fake.script(
        "DescribeScalableTargets",
        vec![Answer::Json(json!({"ScalableTargets": []})), Answer::Json(target(1, 3))],
    );
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!((report.outcome.status, report.plan.action), (OutcomeStatus::Stale, Action::Scale));
    assert_eq!(fake.writes(), []);
}

#[test]
fn metrics_are_asked_for_by_the_minute_and_in_pages() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &[], alarm());
    let asked = fake.asked();
    let requests: Vec<_> =
        asked.iter().filter(|(operation, _)| operation == "GetMetricData").map(|(_, body)| body).collect();
    assert_eq!(requests.len(), 3, "two pages of 14 days of what sizing reads, one day of the rest");
    for body in &requests {
        assert_eq!(body["ScanBy"], "TimestampAscending");
        let minutes = (body["EndTime"].as_f64().unwrap() - body["StartTime"].as_f64().unwrap()) / 60.0;
        let queries = body["MetricDataQueries"].as_array().unwrap();
        assert!(minutes * queries.len() as f64 <= 100_800.0, "one page");
        for query in queries {
            assert_eq!(query["MetricStat"]["Period"], 60);
            assert!(query["MetricStat"].get("Unit").is_none(), "a wrong unit would silently match nothing");
            let dimensions = &query["MetricStat"]["Metric"]["Dimensions"];
            assert_eq!(
                *dimensions,
                json!([{"Name": "EndpointName", "Value": "orders"}, {"Name": "VariantName", "Value": "AllTraffic"}])
            );
        }
    }
}

#[test]
fn data_older_than_cloudwatch_keeps_is_never_asked_for() {
    let fake = Fake::with(&OVERLOAD);
    let mut event = by_hand();
    event["advise"]["at"] = json!("2026-09-25T00:00:00Z");
    report(&fake, &[("ADVISOR_HISTORY_DAYS", "15")], event);
    let oldest = (at().as_second() - 15 * 86_400) as f64;
    for (_, body) in fake.asked().iter().filter(|(operation, _)| operation == "GetMetricData") {
        assert!(body["StartTime"].as_f64().unwrap() > oldest);
    }
}

#[test]
fn only_the_endpoint_and_its_metrics_are_indispensable() {
    for (operation, action, is_needed) in [
        ("DescribeEndpoint", "sagemaker:DescribeEndpoint", true),
        ("GetMetricData", "cloudwatch:GetMetricData", true),
        ("DescribeEndpointConfig", "sagemaker:DescribeEndpointConfig", false),
        ("DescribeModel", "sagemaker:DescribeModel", false),
        ("ListTags", "sagemaker:ListTags", false),
        ("DescribeScalableTargets", "application-autoscaling:DescribeScalableTargets", false),
        ("DescribeScalingPolicies", "application-autoscaling:DescribeScalingPolicies", false),
        ("DescribeScalingActivities", "application-autoscaling:DescribeScalingActivities", false),
    ] {
        for (failure, error_type) in [(DENIED, "AccessDenied"), (THROTTLED, "Throttled")] {
            let fake = Fake::with(&OVERLOAD);
            fake.script(operation, vec![failure]);
            match answer(&fake, &[APPLY], alarm()) {
                Err(error) if is_needed => {
                    assert_eq!(error.error_type(), error_type, "{operation}");
                    assert!(chain(&error).contains(action), "{}", chain(&error));
                    assert_eq!(fake.writes(), []);
                }
                Ok(advice) if !is_needed => {
                    let report = &advice.reports[0];
                    assert_eq!(report.diagnosis.verdict, Verdict::Overload, "{operation}");
                    assert!(report.warnings.iter().any(|warning| warning.contains(action)), "{:?}", report.warnings);
                    // What might forbid writing, what would be overwritten, and what is hosted has to be known before.
                    if operation != "DescribeScalingActivities" {
                        assert_eq!(report.outcome.status, OutcomeStatus::Refused, "{operation}");
                        assert_eq!(fake.writes(), []);
                    }
                }
                other => panic!("{operation}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_write_that_aws_refuses_for_good_is_reported_and_not_tried_again() {
    for (operation, code, message) in [
        ("RegisterScalableTarget", "ValidationException", "Minimum capacity cannot be greater"),
        ("RegisterScalableTarget", "LimitExceededException", "too many scalable targets"),
        (
            "RegisterScalableTarget",
            "ValidationException",
            "not authorized to perform: sagemaker:UpdateEndpointWeightsAndCapacities",
        ),
        (
            "PutScalingPolicy",
            "ValidationException",
            "Only one TargetTrackingScaling policy for a given metric specification is allowed",
        ),
        ("PutScalingPolicy", "FailedResourceAccessException", "not authorized to perform: cloudwatch:PutMetricAlarm"),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script(operation, vec![Answer::Error(400, code, message)]);
        let report = report(&fake, &[APPLY, TOPICS[0]], alarm());
        assert_eq!(report.outcome.status, OutcomeStatus::Failed, "{code}");
        assert!(report.outcome.reason.contains(message), "{}", report.outcome.reason);
        assert_eq!(fake.published().len(), 1, "people hear of it");
        assert_eq!(fake.writes().iter().filter(|(asked, _)| asked == operation).count(), 1, "{code} is not retried");
    }
}

#[test]
fn a_write_that_may_pass_is_retried_and_then_fails_the_invocation() {
    for (operation, status, code, message) in [
        ("RegisterScalableTarget", 400, "ThrottlingException", "Rate exceeded"),
        ("RegisterScalableTarget", 500, "ConcurrentUpdateException", "again"),
        ("PutScalingPolicy", 500, "InternalServiceException", "again"),
        (
            "PutScalingPolicy",
            400,
            "FailedResourceAccessException",
            "Unable to create alarms: Rate exceeded (Service: AmazonCloudWatch)",
        ),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script(operation, vec![Answer::Error(status, code, message)]);
        let error = answer(&fake, &[APPLY, TOPICS[0]], alarm()).expect_err(code);
        assert_eq!(error.error_type(), "WriteFailed");
        assert_eq!(fake.writes().iter().filter(|(asked, _)| asked == operation).count(), 5, "{code} is retried");
        assert_eq!(fake.published().len(), 0);

        fake.script(
            operation,
            vec![Answer::Error(status, code, message), Answer::Json(json!({"PolicyARN": "arn:policy"}))],
        );
        assert_eq!(report(&fake, &[APPLY], alarm()).outcome.status, OutcomeStatus::Applied, "{code} passed");
    }
}

#[test]
fn a_target_deregistered_in_between_is_registered_once_more() {
    let fake = Fake::with(&OVERLOAD);
    let gone = Answer::Error(400, "ObjectNotFoundException", "No scalable target registered");
    fake.script("PutScalingPolicy", vec![gone, Answer::Json(json!({"PolicyARN": "arn:policy"}))]);
    assert_eq!(report(&fake, &[APPLY], alarm()).outcome.status, OutcomeStatus::Applied);
    let operations: Vec<_> = fake.writes().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(
        operations,
        [
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "RegisterScalableTarget"
        ]
    );
    assert_eq!(fake.writes()[2].1["Tags"]["endpoint-advisor:before"], "absent", "the memory survives");
}

#[test]
fn instances_start_only_once_the_policy_is_there() {
    // Were Min raised first, SageMaker would refuse the policy until the instances serve.
    let fake = Fake::with(&OVERLOAD);
    fake.script("PutScalingPolicy", vec![THROTTLED]);
    assert_eq!(answer(&fake, &[APPLY], alarm()).expect_err("throttled").error_type(), "WriteFailed");
    let registered: Vec<_> =
        fake.writes().into_iter().filter(|(operation, _)| operation == "RegisterScalableTarget").collect();
    assert_eq!(registered.len(), 1);
    assert_eq!(registered[0].1["MinCapacity"], 2, "as many as are running");
}

#[test]
fn a_second_delivery_while_our_instances_start_finds_everything_in_place() {
    let first = report(&Fake::with(&OVERLOAD), &[APPLY], alarm());
    let mut observation = OVERLOAD.clone();
    observation.endpoint.status.0 = "Updating".to_owned();
    let fake = Fake::with(&observation);
    let register = first.plan.register_scalable_target.unwrap();
    let policy = serde_json::to_value(&first.plan.put_scaling_policies[0]).unwrap();
    fake.answer("DescribeScalableTargets", target(register.min_capacity.0, register.max_capacity.0));
    fake.answer("ListTagsForResource", json!({"Tags": register.tags}));
    let mut standing = policy.as_object().unwrap().clone();
    standing.extend([("PolicyARN".to_owned(), json!("arn:policy")), ("CreationTime".to_owned(), json!(1.0))]);
    fake.answer("DescribeScalingPolicies", json!({"ScalingPolicies": [standing]}));
    let second = report(&fake, &[APPLY, TOPICS[0]], alarm());
    assert_eq!(second.outcome.status, OutcomeStatus::Unchanged, "{}", second.outcome.reason);
    assert_eq!(second.plan.relax.unwrap().min_capacity.0, 2, "what ran before is remembered");
    assert_eq!((fake.writes().len(), fake.published().len()), (0, 1));
}

#[test]
fn an_endpoint_that_failed_and_names_no_variants_still_gets_a_report() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer(
        "DescribeEndpoint",
        json!({
            "EndpointName": "orders", "EndpointArn": OVERLOAD.endpoint.arn, "EndpointConfigName": "orders-7",
            "EndpointStatus": "Failed", "FailureReason": "no capacity", "CreationTime": 1.0, "LastModifiedTime": 1.0,
        }),
    );
    let report = report(&fake, &[APPLY], json!({"advise": {"endpoint_name": "orders"}}));
    assert_eq!(report.variant_name.unwrap().as_str(), "AllTraffic");
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert_eq!(serde_json::to_value(report.diagnosis.blocked_by).unwrap(), "endpoint_not_in_service");
}

#[test]
fn advice_about_a_time_that_cloudwatch_has_forgotten_has_no_data() {
    let fake = Fake::with(&OVERLOAD);
    let mut event = by_hand();
    event["advise"]["at"] = json!("2026-08-01T00:00:00Z");
    assert_eq!(report(&fake, &[], event).diagnosis.verdict, Verdict::InsufficientData);
}

#[test]
fn a_report_that_cannot_be_delivered_is_logged_and_fails_the_invocation() {
    for (status, code) in
        [(404, "NotFound"), (403, "AuthorizationError"), (400, "InvalidParameter"), (500, "InternalError")]
    {
        let fake = Fake::with(&OVERLOAD);
        fake.script("Publish", vec![Answer::Error(status, code, "no")]);
        let (answer, logged) = answer_at(&fake, &TOPICS, alarm(), at());
        assert_eq!(answer.expect_err(code).error_type(), "DeliveryFailed");
        assert_eq!(logged.len(), 1);
    }
}

#[test]
fn an_endpoint_that_does_not_exist_is_an_error_to_a_person_and_nothing_to_an_alarm() {
    let fake = Fake::with(&OVERLOAD);
    fake.script(
        "DescribeEndpoint",
        vec![Answer::Error(400, "ValidationException", "Could not find endpoint \"arn:…\".")],
    );
    assert_eq!(answer(&fake, &TOPICS, by_hand()).expect_err("by hand").error_type(), "EndpointNotFound");
    assert!(answer(&fake, &TOPICS, alarm()).unwrap().ignored.is_some());
    assert_eq!(fake.published().len(), 0);
}

#[test]
fn an_old_event_writes_only_while_its_alarm_is_still_in_alarm() {
    let later = at().checked_add(SignedDuration::from_mins(30)).unwrap();
    let state = |state: &str| {
        let alarm = [("AlarmName", "endpoint-latency-orders"), ("StateValue", state)]
            .map(|(key, value)| (key.into(), value.into()));
        let alarms = ciborium::Value::Array(vec![ciborium::Value::Map(alarm.into())]);
        vec![Answer::Cbor(ciborium::Value::Map(vec![("MetricAlarms".into(), alarms)]))]
    };
    // The metrics end with the observation, so the window is judged half an hour later on the same minutes.
    let shifted = shifted(&OVERLOAD, 30);
    for (script, status) in [
        (state("ALARM"), OutcomeStatus::Applied),
        (state("OK"), OutcomeStatus::Refused),
        (vec![DENIED], OutcomeStatus::Refused),
    ] {
        let fake = Fake::with(&shifted);
        fake.script("DescribeAlarms", script);
        let (answer, _) = answer_at(&fake, &[APPLY], alarm(), later);
        let report = answer.unwrap().reports.remove(0);
        assert_eq!(report.outcome.status, status, "{}", report.outcome.reason);
        assert_eq!(fake.writes().is_empty(), status == OutcomeStatus::Refused);
    }
}

#[test]
fn advice_about_the_past_never_writes() {
    let fake = Fake::with(&OVERLOAD);
    let mut event = by_hand();
    event["advise"]["at"] = json!(at().to_string());
    let (answer, _) = answer_at(&fake, &[APPLY], event, at().checked_add(SignedDuration::from_mins(6)).unwrap());
    let report = answer.unwrap().reports.remove(0);
    assert_eq!((report.plan.action, report.outcome.status), (Action::Scale, OutcomeStatus::Refused));
    assert_eq!(fake.writes(), []);
}

#[test]
fn tags_of_the_endpoint_override_the_settings() {
    let tagged = |tags: Value| {
        let fake = Fake::with(&OVERLOAD);
        let tags: Vec<_> = tags
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| json!({"Key": format!("endpoint-advisor:{key}"), "Value": value}))
            .collect();
        fake.answer("ListTags", json!({"Tags": tags}));
        let advice = answer(&fake, &[APPLY, TOPICS[0]], alarm()).unwrap();
        (advice, fake)
    };
    let (advice, fake) = tagged(json!({"mode": "off"}));
    assert!(advice.reports.is_empty() && advice.ignored.is_some() && fake.published().is_empty());
    let (advice, fake) = tagged(json!({"mode": "recommend"}));
    assert_eq!((advice.reports[0].outcome.status, fake.writes().len()), (OutcomeStatus::Recommended, 0));
    let (advice, fake) = tagged(json!({"max-instances": "1"}));
    assert_eq!((advice.reports[0].outcome.status, fake.writes().len()), (OutcomeStatus::Refused, 0));
    assert!(advice.reports[0].outcome.reason.contains("guardrail_below_current"));
    let (advice, fake) = tagged(json!({"max-instances": "lots"}));
    assert_eq!((advice.reports[0].outcome.status, fake.writes().len()), (OutcomeStatus::Refused, 0));
    assert!(advice.reports[0].warnings.iter().any(|warning| warning.contains("endpoint-advisor:max-instances")));
    let (advice, _) = tagged(json!({"slo-ms": "400", "slo-statistic": "p90"}));
    assert_eq!(advice.reports[0].objective.unwrap().latency_slo_ms.0, 400.0);
}

#[test]
fn an_hourly_limit_asks_for_the_price_and_holds_where_there_is_none() {
    let product = json!({"terms": {"OnDemand": {"A": {"priceDimensions": {"B": {"unit": "Hrs", "pricePerUnit": {"USD": "0.25"}}}}}}});
    for (answer, limit, status, max) in [
        (Answer::Json(json!({"PriceList": [product.to_string()]})), "1.25", OutcomeStatus::Applied, Some(5)),
        (Answer::Json(json!({"PriceList": [product.to_string()]})), "0.60", OutcomeStatus::Refused, None),
        (Answer::Json(json!({"PriceList": []})), "1.25", OutcomeStatus::Refused, None),
        (DENIED, "1.25", OutcomeStatus::Refused, None),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script("GetProducts", vec![answer]);
        let report = report(&fake, &[APPLY, ("ADVISOR_MAX_HOURLY_USD", limit)], alarm());
        assert_eq!(report.outcome.status, status, "{}", report.outcome.reason);
        assert_eq!(report.plan.register_scalable_target.map(|register| register.max_capacity.0), max);
        let asked = fake.asked();
        let (_, body) = asked.iter().find(|(operation, _)| operation == "GetProducts").unwrap();
        assert_eq!(body["Filters"][1], json!({"Type": "TERM_MATCH", "Field": "instanceName", "Value": "ml.m5.xlarge"}));
    }
}

#[test]
fn an_approval_writes_only_the_plan_that_was_approved() {
    let alarms = || {
        let alarm: Vec<(ciborium::Value, ciborium::Value)> = vec![
            ("AlarmName".into(), "endpoint-latency-orders".into()),
            ("Namespace".into(), "AWS/SageMaker".into()),
            ("MetricName".into(), "ModelLatency".into()),
            ("ExtendedStatistic".into(), "p90".into()),
            ("Threshold".into(), 500_000.0.into()),
            (
                "Dimensions".into(),
                ciborium::Value::Array(
                    [("EndpointName", "orders"), ("VariantName", "AllTraffic")]
                        .map(|(name, value)| {
                            ciborium::Value::Map(vec![("Name".into(), name.into()), ("Value".into(), value.into())])
                        })
                        .into(),
                ),
            ),
        ];
        vec![Answer::Cbor(ciborium::Value::Map(vec![(
            "MetricAlarms".into(),
            ciborium::Value::Array(vec![ciborium::Value::Map(alarm)]),
        )]))]
    };
    let digest = report(&Fake::with(&OVERLOAD), &[], alarm()).plan.digest;
    let approve = |digest: &str| json!({"apply": {"endpoint_name": "orders", "variant_name": "AllTraffic", "plan_digest": digest}});
    for (digest, mode, status) in [
        (digest.as_str(), "apply", OutcomeStatus::Applied),
        ("000000000000", "apply", OutcomeStatus::Stale),
        (digest.as_str(), "recommend", OutcomeStatus::Refused),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script("DescribeAlarmsForMetric", alarms());
        fake.answer("ListTags", json!({"Tags": [{"Key": "endpoint-advisor:mode", "Value": "recommend"}]}));
        let report = report(&fake, &[("ADVISOR_MODE", mode)], approve(digest));
        assert_eq!(report.outcome.status, status, "{}", report.outcome.reason);
        assert_eq!(fake.writes().is_empty(), status != OutcomeStatus::Applied);
    }
}

#[test]
fn an_endpoint_that_is_updating_is_diagnosed_and_left_alone() {
    let mut observation = OVERLOAD.clone();
    observation.endpoint.status.0 = "Updating".to_owned();
    let fake = Fake::with(&observation);
    let report = report(&fake, &[APPLY], alarm());
    assert_eq!((report.diagnosis.verdict, report.outcome.status), (Verdict::Overload, OutcomeStatus::Refused));
    assert_eq!(serde_json::to_value(report.diagnosis.blocked_by).unwrap(), "endpoint_not_in_service");
    assert_eq!(fake.writes(), []);
}

/// The same observation, `minutes` later.
fn shifted(observation: &Observation, minutes: i64) -> Observation {
    let mut json = serde_json::to_value(observation).unwrap();
    let later = |time: &str| {
        time.parse::<Timestamp>().unwrap().checked_add(SignedDuration::from_mins(minutes)).unwrap().to_string()
    };
    json["at"] = later(json["at"].as_str().unwrap()).into();
    for series in json["metrics"].as_array_mut().unwrap() {
        series["start"] = later(series["start"].as_str().unwrap()).into();
    }
    serde_json::from_value(json).unwrap()
}
