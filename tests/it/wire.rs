//! What leaves for AWS, and what comes of each answer.

mod alarms;
mod audit;
mod components;
mod deadline;
mod doctor;
mod fake;
mod form;
mod incidents;
mod lost;
mod parts;
mod protocol;
mod queue;
mod scaling;
mod serverless;
mod steps;
mod time;
mod writes;

use crate::endpoint::{at, observed, settings};
use endpoint_advisor::advise::{Advice, AdviseError, Host, advise};
use endpoint_advisor::aws::chain;
use endpoint_advisor::model::{
    Action, EndpointName, Observation, OutcomeStatus, Report, Subject, TriggerKind, TriggerSummary, Verdict,
};
use endpoint_advisor::observe::{ObjectiveFrom, Request, observe};
use endpoint_advisor::trigger::{Event, parse};
use fake::{Answer, Fake};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

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
    let answer = runtime.block_on(advise(
        &aws,
        &settings,
        trigger,
        now,
        &Host { log: &log, home: None, remaining: Arc::new(|| None) },
    ));
    (answer, logged.into_inner())
}

fn answer(fake: &Fake, variables: &[(&str, &str)], event: Value) -> Result<Advice, AdviseError> {
    answer_at(fake, variables, event, at()).0
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What is observed of the one variant.
fn observed_by(fake: &Fake) -> Observation {
    let request = Request {
        subject: Subject::Endpoint(EndpointName::parse("orders").unwrap()),
        described: None,
        at: at(),
        now: at(),
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective: None,
        objective_from: ObjectiveFrom::Nowhere,
        history_days: 1,
        has_hourly_limit: false,
    };
    run(observe(&fake.aws(), &request)).unwrap().remove(0)
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
            "DescribeScheduledActions",
            "GetMetricData",
            "ListTags",
            "Publish",
        ]
    );
    assert!(fake.asked().len() <= 18, "{} calls", fake.asked().len());
    assert_eq!(fake.published().len(), 2);
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
fn a_look_asks_for_as_many_metrics_as_its_costs_say() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &TOPICS, alarm());
    let asked = fake.asked();
    let queries = asked.iter().filter(|(operation, _)| operation == "GetMetricData");
    let statistics: usize = queries.map(|(_, body)| body["MetricDataQueries"].as_array().unwrap().len()).sum();
    let page = include_str!("../../docs/operate.md");
    assert!(page.contains(&format!("{statistics} statistics a look")), "{statistics}");
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
        ("DescribeScheduledActions", "application-autoscaling:DescribeScheduledActions", false),
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
                    if !["DescribeScalingActivities", "DescribeScheduledActions"].contains(&operation) {
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
    assert!(report.warnings.contains(&"The endpoint is Failed: no capacity.".to_owned()), "{:?}", report.warnings);
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
fn a_topic_is_told_in_its_own_region() {
    let fake = Fake::with(&OVERLOAD);
    let central = [("ADVISOR_REPORT_TOPIC_ARN", "arn:aws:sns:eu-west-1:444455556666:central"), TOPICS[1]];
    report(&fake, &central, alarm());
    let mut hosts = fake.hosts("Publish");
    hosts.sort();
    assert_eq!(hosts, ["sns.eu-west-1.amazonaws.com", "sns.us-east-1.amazonaws.com"]);
    assert_eq!(fake.hosts("DescribeEndpoint"), ["api.sagemaker.us-east-1.amazonaws.com"]);
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
    let product = json!({"terms": {"OnDemand": {"A": {"priceDimensions": {"B": {"unit": "Hrs", "pricePerUnit": {"USD": "0.25"}}}}}},
        "publicationDate": "2026-10-01T17:04:05Z"});
    for (answer, limit, status, max) in [
        (Answer::Json(json!({"PriceList": [product.to_string()]})), "0.80", OutcomeStatus::Applied, Some(3)),
        (Answer::Json(json!({"PriceList": [product.to_string()]})), "0.60", OutcomeStatus::Refused, None),
        (Answer::Json(json!({"PriceList": []})), "1.25", OutcomeStatus::Refused, None),
        (DENIED, "1.25", OutcomeStatus::Refused, None),
    ] {
        let fake = Fake::with(&OVERLOAD);
        fake.script("GetProducts", vec![answer]);
        let report = report(&fake, &[APPLY, ("ADVISOR_MAX_HOURLY_USD", limit)], alarm());
        assert_eq!(report.outcome.status, status, "{}", report.outcome.reason);
        let priced = "an instance costs 0.25 USD per hour (public on-demand price, AWS Price List of 2026-10-01)";
        assert_eq!(report.plan.reasoning.iter().any(|reason| reason.starts_with(priced)), max.is_some());
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
