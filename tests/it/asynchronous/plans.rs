//! What is planned for a queue, and whether it helped.

use super::{observed, shortened};
use crate::convergence::applied;
use crate::endpoint::{at, settings};
use crate::follow_up::{look, opened_on, seen, status};
use crate::scenarios::{check, with_target};
use endpoint_advisor::advise::explain;
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Action, BlockedBy, CustomizedMetricSpecification, HoldReason, Incident, InstanceCount, Metric, MetricDimension,
    Observation, OutcomeStatus, Plan, PutScalingPolicy, ScalingPolicy, Seconds, Series, TargetTracking, UsdPerHour,
    Verdict,
};
use endpoint_advisor::plan;
use jiff::SignedDuration;

const RAISE: (&str, &str) = ("ADVISOR_EXISTING_TARGETS", "raise");

fn planned(observation: &Observation) -> Plan {
    explain(observation, &settings(&[RAISE])).plan
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.put_scaling_policies.iter().map(|policy| policy.policy_name.as_str()).collect()
}

/// A policy as AWS's own example sets it up.
fn theirs() -> ScalingPolicy {
    let dimension = MetricDimension { name: "EndpointName".to_owned(), value: "transcribe".to_owned() };
    ScalingPolicy {
        policy_name: "transcribe-backlog".to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: Some("AWS/SageMaker/ApproximateBacklogSizePerInstance".to_owned()),
            target_value: 5.0,
            scale_out_cooldown: Some(Seconds(300)),
            scale_in_cooldown: Some(Seconds(600)),
            disable_scale_in: false,
            customized: Some(CustomizedMetricSpecification {
                metric_name: "ApproximateBacklogSizePerInstance".to_owned(),
                namespace: "AWS/SageMaker".to_owned(),
                dimensions: vec![dimension],
                statistic: "Average".to_owned(),
                unit: None,
            }),
        }),
        ..ScalingPolicy::default()
    }
}

#[test]
fn a_backlog_that_grows() {
    check("backlog-grows", &observed("growth", 3), Verdict::Backlog, &[]);
}

#[test]
fn a_backlog_without_an_instance() {
    let observation = with_target(observed("no-capacity", 2), 0, 4, Some(theirs()));
    check("backlog-without-an-instance", &observation, Verdict::Backlog, &[RAISE]);
}

#[test]
fn a_backlog_because_processing_became_slower() {
    check("backlog-because-slower", &observed("slower", 4), Verdict::Backlog, &[]);
}

#[test]
fn with_little_history_the_target_is_what_one_instance_works_off_while_another_one_starts() {
    for seed in 1..=6 {
        let mut observation = shortened(observed("growth", seed), 600);
        let carries = capacity(&observation).unwrap().low.0;
        let plan = planned(&observation);
        assert_eq!(names(&plan), ["endpoint-advisor-backlog"], "nothing starts from zero where Min is not 0");
        let target = plan.put_scaling_policies[0].target_tracking().unwrap().target_value;
        let exact = (6.0 * carries).max(1.5 * 4.0);
        assert!(target <= exact && (target > 0.98 * 6.0 * carries - 1.0 || target <= 6.0), "{target} for {exact}");
        let why = format!(
            "one instance processes {} requests a minute and takes 6 minutes to start",
            capacity(&observation).unwrap().low
        );
        assert!(plan.reasoning.iter().any(|line| line.starts_with(&why)), "{why}: {:?}", plan.reasoning);
        // Nor more than what may wait.
        observation.age_objective = Some(Seconds(180));
        let sooner = planned(&observation).put_scaling_policies[0].target_tracking().unwrap().target_value;
        assert!(sooner <= (3.0 * carries).max(6.0), "{sooner} for {carries} a minute");
    }
}

#[test]
fn nothing_is_lowered_while_requests_wait() {
    for family in ["growth", "batch", "lost", "slower"] {
        let observation = with_target(observed(family, 5), 2, 9, None);
        let register = planned(&observation).register_scalable_target.unwrap();
        assert!(register.min_capacity >= InstanceCount(2) && register.max_capacity >= InstanceCount(9), "{register:?}");
    }
}

#[test]
fn the_limits_hold() {
    let mut observation = observed("batch", 2);
    let most = |variables: &[(&str, &str)], observation: &Observation| {
        let plan = explain(observation, &settings(variables)).plan;
        plan.register_scalable_target.map_or(Err(plan.hold_reason), |register| Ok(register.max_capacity.0))
    };
    let running = observation.variant.current_instance_count.unwrap().0;
    let limit = (running + 1).to_string();
    assert_eq!(most(&[("ADVISOR_MAX_INSTANCES", &limit)], &observation), Ok(running + 1));
    assert_eq!(
        most(&[("ADVISOR_MAX_INSTANCES", &running.to_string())], &observation),
        Err(Some(HoldReason::GuardrailReached))
    );
    assert_eq!(most(&[("ADVISOR_MAX_HOURLY_USD", "1")], &observation), Err(Some(HoldReason::PriceUnknown)));
    observation.instance_price = Some(UsdPerHour(0.25));
    let usd = (0.25 * f64::from(running + 2)).to_string();
    assert_eq!(most(&[("ADVISOR_MAX_HOURLY_USD", &usd)], &observation), Ok(running + 2));
}

#[test]
fn an_endpoint_at_zero_is_started_even_where_nothing_is_known_of_its_capacity() {
    let mut observation = with_target(observed("no-capacity", 1), 0, 4, None);
    let unknown = [Metric::InvocationsProcesssed, Metric::ApproximateBacklogSizePerInstance];
    observation.metrics.0.retain(|series| !unknown.contains(&series.metric));
    assert_eq!(capacity(&observation), None);
    let plan = planned(&observation);
    assert_eq!((plan.action, names(&plan)), (Action::Scale, vec!["endpoint-advisor-from-zero"]));
    let alarm = &plan.put_metric_alarms[0];
    assert_eq!(alarm.alarm_name, "endpoint-advisor-from-zero/endpoint/transcribe/variant/AllTraffic");
    // With an instance there is nothing to start, and nothing to size.
    observation.variant.current_instance_count = Some(InstanceCount(1));
    assert_ne!(planned(&observation).action, Action::Scale);
}

#[test]
fn what_others_set_up_is_left_alone() {
    let observation = with_target(observed("no-capacity", 2), 0, 4, Some(theirs()));
    let plan = planned(&observation);
    assert_eq!(names(&plan), ["endpoint-advisor-from-zero"]);
    assert!(plan.advice.iter().any(|advice| advice.contains("`transcribe-backlog`")), "{:?}", plan.advice);
    // Their own start from zero, and one whose alarm could not be read, is enough.
    let mut start = planned(&with_target(observed("no-capacity", 2), 0, 4, None)).put_scaling_policies[1].to_policy();
    start.policy_name = "theirs-from-zero".to_owned();
    let observation = with_target(observation, 0, 4, Some(start));
    assert_eq!(names(&planned(&observation)), Vec::<&str>::new());
}

#[test]
fn advice_on_what_a_plan_makes_is_unchanged() {
    let at_zero = with_target(observed("no-capacity", 2), 0, 4, None);
    for before in [observed("growth", 3), observed("batch", 4), observed("slower", 4), at_zero] {
        let report = explain(&before, &settings(&[RAISE]));
        assert_eq!(report.plan.action, Action::Scale, "{:?}", report.plan.hold_reason);
        let mut after = applied(&before, &report.plan);
        after.variant = before.variant.clone();
        let again = explain(&after, &settings(&[RAISE]));
        assert!(again.plan.is_in_place(), "{:?}\n{:?}", report.plan, again.plan);
        assert_eq!(again.outcome.status, OutcomeStatus::Unchanged);
        // The same requests, whoever made the target meanwhile.
        let put = |plan: &Plan| plan.put_scaling_policies.iter().map(PutScalingPolicy::to_policy).collect::<Vec<_>>();
        assert_eq!(put(&report.plan), put(&again.plan));
    }
}

#[test]
fn quiet_times_lower_min_to_what_usually_arrives_and_to_zero_only_where_it_was() {
    let guardrails = settings(&[RAISE]).for_endpoint(Some(&std::collections::BTreeMap::new()));
    let min = |present: u32| {
        let observation = with_target(observed("calm", 3), present, 9, None);
        let plan = plan::tune(&observation, capacity(&observation).as_ref(), &guardrails);
        plan.register_scalable_target.unwrap().min_capacity
    };
    assert!(min(8) >= InstanceCount(1) && min(8) < InstanceCount(8));
    assert_eq!(min(0), InstanceCount(0));
}

#[test]
fn somebody_elses_target_that_does_as_well_needs_no_advice() {
    let of = |target: f64| {
        let mut policy = theirs();
        policy.target_tracking.as_mut().unwrap().target_value = target;
        planned(&with_target(observed("growth", 3), 6, 10, Some(policy))).advice
    };
    let ours = planned(&observed("growth", 3)).put_scaling_policies[0].target_tracking().unwrap().target_value;
    let is_about_theirs = |advice: &[String]| advice.iter().any(|advice| advice.contains("`transcribe-backlog`"));
    assert!(!is_about_theirs(&of(ours)));
    assert!(is_about_theirs(&of(50.0 * ours)), "it would hardly ever scale");
}

#[test]
fn instances_that_start_are_waited_for() {
    let mut observation = observed("growth", 3);
    observation.variant.desired_instance_count = Some(InstanceCount(9));
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.diagnosis.blocked_by, Some(BlockedBy::ScalingInProgress));
    assert_eq!(report.plan.hold_reason, Some(HoldReason::ScalingInProgress));
}

/// The endpoint sixteen minutes later, with this share of the backlog in all of them.
fn later(observation: &Observation, share: f64) -> Observation {
    later_by(observation, 16, share)
}

fn later_by(observation: &Observation, minutes: i64, share: f64) -> Observation {
    let mut after = observation.clone();
    after.at += SignedDuration::from_mins(minutes);
    for series in &mut after.metrics.0 {
        let Some(((first, _), (_, last))) = series.points().next().zip(series.points().next_back()) else { continue };
        let is_of_queue = series.metric.is_of_endpoint();
        let old: std::collections::BTreeMap<_, _> = series.points().collect();
        let length = endpoint_advisor::model::Minute::containing(at()).since(first);
        let values = (0..length + minutes).map(|index| match old.get(&first.plus(index)) {
            Some(value) if index < length => Some(*value),
            _ if index < length => None,
            _ => Some(if is_of_queue { last * share } else { last }),
        });
        *series = Series::new(series.metric, series.statistic, first, values.collect());
    }
    after
}

#[test]
fn a_backlog_that_falls_is_verified_and_one_that_does_not_is_looked_at_again() {
    let (after, incident) = opened_on(observed("growth", 3));
    let fell = look(&incident, &later(&after, 0.4));
    assert_eq!(status(&fell), Some(OutcomeStatus::Verified));
    let words = fell.news.unwrap().words;
    assert!(words.starts_with("the backlog falls: "), "{words}");
    let goes_on = look(&incident, &later(&after, 1.0));
    assert_eq!((status(&goes_on), goes_on.write), (None, endpoint_advisor::model::Write::Nothing));
    assert!(goes_on.then.is_some());
    assert_eq!(diagnose(&later(&after, 1.0)).verdict, Verdict::Backlog);
}

#[test]
fn a_backlog_has_an_hour_to_fall_by_a_fifth() {
    let (after, mut incident) = opened_on(observed("growth", 3));
    let judged = |incident: &Incident, minutes: i64, blocked_by| {
        let now = later_by(&after, minutes, 1.0);
        let judgement = seen(incident, &now, Verdict::Overload, blocked_by);
        (status(&judgement), judgement.then.unwrap().look_at.duration_since(now.at).as_mins())
    };
    let full = Some(BlockedBy::AtMaxCapacity);
    assert_eq!(judged(&incident, 59, None), (None, 10));
    assert_eq!(judged(&incident, 60, None), (None, 30));
    assert_eq!(judged(&incident, 59, full), (None, 10), "it may still fall");
    assert_eq!(judged(&incident, 60, full), (Some(OutcomeStatus::NotNeeded), 30));
    let now = look(&incident, &later_by(&after, 16, 1.0)).after.backlog.unwrap();
    for (before, expected) in [(1.26 * now, Some(OutcomeStatus::Verified)), (1.24 * now, None)] {
        incident.before.backlog = Some(before);
        assert_eq!(judged(&incident, 16, None).0, expected);
    }
    incident.before.backlog = None;
    assert_eq!(judged(&incident, 16, None).0, None, "what nobody knew did not fall");
}
