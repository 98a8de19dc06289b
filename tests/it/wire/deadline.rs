//! Lambda's deadline: whatever AWS does not answer, the function does, in time.

use super::fake::{Answer, Fake};
use super::incidents::settings_with;
use super::time::Time;
use super::*;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The least that the template allows, and what it gives.
const TIMEOUTS: [i64; 2] = [30, 60];
const LAST_DAY: i64 = 24 * 3_600;

struct Run {
    answer: Result<Advice, AdviseError>,
    took: SignedDuration,
}

/// What becomes of an event that may take so many seconds.
fn within(seconds: i64, fake: &Fake, variables: &[(&str, &str)], event: Value) -> Run {
    let time = Time::default();
    let clock = time.clone();
    let remaining = move || Some(SignedDuration::from_secs(seconds) - clock.now());
    until(&time, Arc::new(remaining), fake, variables, event)
}

fn until(
    time: &Time,
    remaining: endpoint_advisor::aws::Remaining,
    fake: &Fake,
    variables: &[(&str, &str)],
    event: Value,
) -> Run {
    let Event::One(trigger) = parse(event).unwrap() else { panic!("a batch") };
    let (aws, settings) = (fake.aws_in(time), settings(variables));
    let host = Host { log: &|_| {}, home: None, remaining };
    let answer = time.run(advise(&aws, &settings, trigger, at(), &host));
    Run { answer, took: time.now() }
}

/// Whether a request is for more than the last day of metrics.
fn is_history(operation: &str, body: &Value) -> bool {
    operation == "GetMetricData"
        && body["EndTime"].as_f64().unwrap() - body["StartTime"].as_f64().unwrap() > LAST_DAY as f64
}

fn in_time(seconds: i64) -> RangeInclusive<SignedDuration> {
    SignedDuration::ZERO..=SignedDuration::from_secs(seconds)
}

#[test]
fn without_a_fault_no_time_is_needed() {
    for seconds in TIMEOUTS {
        let run = within(seconds, &Fake::with(&OVERLOAD), &settings_with("apply"), alarm());
        let reports = run.answer.unwrap().reports;
        assert_eq!(reports[0].outcome.status, OutcomeStatus::Applied);
        assert_eq!(reports[0].warnings, [""; 0]);
        assert_eq!(run.took, SignedDuration::ZERO);
    }
}

#[test]
fn history_that_does_not_come_is_given_up_and_the_report_says_so() {
    for seconds in TIMEOUTS {
        let fake = Fake::with(&OVERLOAD);
        fake.never(is_history);
        let run = within(seconds, &fake, &settings_with("recommend"), alarm());
        let report = run.answer.unwrap().reports.remove(0);
        assert!(in_time(seconds).contains(&run.took), "{}", run.took);
        let [warning] = &report.warnings[..] else { panic!("{:?}", report.warnings) };
        assert!(
            warning.starts_with("Of 14 days of history only the last 24 hours were read (cloudwatch:GetMetricData")
        );
        assert_eq!(report.diagnosis.verdict, Verdict::Overload);
    }
}

#[test]
fn what_a_day_of_history_carries_is_what_a_function_says_that_reads_no_more() {
    let fake = Fake::with(&OVERLOAD);
    fake.never(is_history);
    let mut cut = within(60, &fake, &settings_with("apply"), alarm()).answer.unwrap().reports.remove(0);
    let settings: Vec<_> = settings_with("apply").into_iter().chain([("ADVISOR_HISTORY_DAYS", "1")]).collect();
    let whole = report(&Fake::with(&OVERLOAD), &settings, alarm());
    assert_eq!(whole.plan.forecast.as_ref().map(|forecast| forecast.days), Some(1));
    // The warning is all that differs.
    cut.warnings.clear();
    cut.observation_digest.clone_from(&whole.observation_digest);
    assert_eq!(cut, whole, "no more confidence than the data carries");
    assert_eq!(cut.outcome.status, OutcomeStatus::Applied);
}

#[test]
fn a_day_of_history_does_not_replace_what_was_made_with_more() {
    let stands = |fake: &Fake| {
        let mut target = target(2, 4);
        target["ScalableTargets"][0]["MinCapacity"] = json!(2);
        fake.answer("DescribeScalableTargets", target);
        fake.answer("ListTagsForResource", json!({"Tags": {"endpoint-advisor:before": "absent"}}));
        fake.answer("DescribeScalingPolicies", json!({"ScalingPolicies": [{
            "PolicyARN": "arn:policy", "PolicyName": "endpoint-advisor-invocations", "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/orders/variant/AllTraffic", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "PolicyType": "TargetTrackingScaling", "CreationTime": 1.0,
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5_000.0, "PredefinedMetricSpecification":
                {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}},
        }]}));
    };
    let fake = Fake::with(&OVERLOAD);
    stands(&fake);
    let whole = report(&fake, &settings_with("apply"), alarm());
    assert_eq!(whole.outcome.status, OutcomeStatus::Applied);
    assert!(whole.outcome.changes.iter().any(|change| change.operation == "PutScalingPolicy"));

    let fake = Fake::with(&OVERLOAD);
    stands(&fake);
    fake.never(is_history);
    let cut = within(60, &fake, &settings_with("apply"), alarm()).answer.unwrap().reports.remove(0);
    assert_eq!(cut.outcome.status, OutcomeStatus::Refused);
    assert!(cut.outcome.reason.starts_with("history_incomplete"), "{}", cut.outcome.reason);
    assert_eq!(fake.writes(), []);
}

/// Every operation that an alarm leads to.
fn operations(mode: &'static str) -> BTreeSet<String> {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with(mode), alarm());
    fake.operations().into_iter().collect()
}

#[test]
fn whatever_hangs_the_function_answers_in_time() {
    for mode in ["recommend", "apply"] {
        for silent in operations(mode) {
            let fake = Fake::with(&OVERLOAD);
            let name = silent.clone();
            fake.never(move |operation, _| operation == name);
            // The least that the template allows.
            let run = within(30, &fake, &settings_with(mode), alarm());
            assert!(in_time(29).contains(&run.took), "{silent}: {}", run.took);
            match run.answer {
                Ok(advice) => {
                    let said = serde_json::to_string(&advice.reports).unwrap();
                    let warnings = &advice.reports[0].warnings;
                    assert!(said.contains(&format!(":{silent}")), "{silent} is not named: {warnings:?}");
                }
                Err(error) => {
                    let is_retried = ["ReadFailed", "WriteFailed", "DeliveryFailed"].contains(&error.error_type());
                    assert!(is_retried, "{silent}: {error}");
                }
            }
        }
    }
}

#[test]
fn where_nothing_answers_at_all_the_event_fails_in_time() {
    for event in [alarm(), by_hand(), json!({"audit": {}})] {
        let fake = Fake::with(&OVERLOAD);
        fake.never(|_, _| true);
        let run = within(30, &fake, &settings_with("apply"), event);
        assert_eq!(run.answer.unwrap_err().error_type(), "ReadFailed");
        assert!(in_time(29).contains(&run.took), "{}", run.took);
    }
}

/// A function that has so many seconds left once it has read everything.
fn late(seconds: i64, fake: &Fake, mode: &'static str) -> Run {
    let seen = fake.clone();
    let count = move |name: &str| seen.asked().iter().filter(|(operation, _)| operation == name).count();
    let has_read = move || count("GetMetricData") == 3 && count("DescribeModel") == 1;
    let remaining = Arc::new(move || Some(SignedDuration::from_secs(if has_read() { seconds } else { 60 })));
    until(&Time::default(), remaining, fake, &settings_with(mode), alarm())
}

#[test]
fn nothing_is_begun_that_may_not_be_finished() {
    let fake = Fake::with(&OVERLOAD);
    assert_eq!(late(9, &fake, "apply").answer.unwrap_err().error_type(), "OutOfTime");
    assert_eq!(fake.writes(), []);
    assert!(fake.schedules().is_empty() && fake.published().is_empty(), "it comes again as if it were new");
    // With a little more it is done, and what is only told takes less.
    let fake = Fake::with(&OVERLOAD);
    assert_eq!(late(11, &fake, "apply").answer.unwrap().reports[0].outcome.status, OutcomeStatus::Applied);
    let fake = Fake::with(&OVERLOAD);
    assert_eq!(late(9, &fake, "recommend").answer.unwrap().reports.len(), 1);
}

#[test]
fn what_was_begun_and_hangs_fails_and_is_finished_by_the_next() {
    let fake = Fake::with(&OVERLOAD);
    fake.never(|operation, _| operation == "PutScalingPolicy");
    let run = within(30, &fake, &settings_with("apply"), alarm());
    assert_eq!(run.answer.unwrap_err().error_type(), "WriteFailed");
    assert_eq!(fake.published().len(), 0);
    let later = at() + SignedDuration::from_mins(6);
    fake.never(|_, _| false);
    let (finished, _) = answer_at(&fake, &settings_with("apply"), alarm(), later);
    assert_eq!(finished.unwrap().reports[0].outcome.status, OutcomeStatus::Applied);
    assert_eq!(fake.published().len(), 1);
}

#[test]
fn an_incident_that_somebody_is_at_is_not_waited_for_beyond_the_time() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("PutScalingPolicy", vec![Answer::Error(500, "InternalServiceException", "again")]);
    answer(&fake, &settings_with("apply"), alarm()).unwrap_err();
    fake.forget();
    let run = within(15, &fake, &settings_with("apply"), alarm());
    assert_eq!(run.answer.unwrap_err().error_type(), "OutOfTime");
    assert!(in_time(14).contains(&run.took), "{}", run.took);
    assert_eq!(fake.writes(), []);
}
