//! Who starts the first copy of a component that has none, and how many instances hold how many.

use super::{OVERLOAD, asleep};
use crate::endpoint::{at, settings, stepping, tracking};
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{InstanceCount, Observation, ScalingActivity, ScalingPolicy, UsdPerHour, Verdict};
use jiff::SignedDuration;

#[test]
fn a_policy_of_somebody_else_starts_the_first_copy_only_where_it_fires_on_refused_requests() {
    let put = |policy: ScalingPolicy| {
        let mut observation = asleep();
        observation.scaling.as_mut().unwrap().policies = vec![policy];
        let plan = explain(&observation, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")])).plan;
        plan.put_scaling_policies.iter().any(|policy| policy.policy_name == "endpoint-advisor-from-zero")
    };
    let steps = |metric| stepping(metric, 0.0);
    assert!(!put(steps(Some("AWS/SageMaker/NoCapacityInvocationFailures"))), "theirs does it");
    assert!(put(steps(Some("AWS/SageMaker/InvocationsPerCopy"))), "theirs is about something else");
    assert!(!put(steps(None)), "metric math may be about it");
    assert!(!put(ScalingPolicy { alarms: None, ..steps(None) }), "nor is it known where its alarm could not be read");
    let tracking = tracking("theirs", "SageMakerInferenceComponentInvocationsPerCopy", 300.0);
    assert!(put(tracking), "what follows the load of a copy starts none");
}

#[test]
fn the_fewest_instances_that_hold_so_many_copies() {
    // Four copies to an instance, one place of which another component has.
    let holds = |copies: u32| OVERLOAD.instances_that_hold(InstanceCount(copies)).map(|count| count.0);
    assert_eq!([1, 3, 4, 7, 8].map(holds), [1, 1, 2, 2, 3].map(Some));
    let mut too_small = OVERLOAD.clone();
    too_small.component.as_mut().unwrap().cpu_cores = Some(17.0);
    assert_eq!(too_small.instances_that_hold(InstanceCount(1)), None, "no number of them does");
}

#[test]
fn what_somebody_set_to_zero_is_less_certain_than_what_was_scaled_there() {
    let confidence = |observation: &Observation| {
        let diagnosis = diagnose(observation);
        assert_eq!(diagnosis.verdict, Verdict::NoCopies);
        diagnosis.confidence
    };
    let mut unscaled = asleep();
    unscaled.scaling.as_mut().unwrap().target = None;
    assert!(confidence(&unscaled) < confidence(&asleep()));
}

#[test]
fn a_copy_has_a_price_where_it_fills_an_instance_and_nobody_else_is_there() {
    let price = |cores: f64, neighbours: bool| {
        let mut observation = OVERLOAD.clone();
        observation.instance_price = Some(UsdPerHour(0.9));
        let component = observation.component.as_mut().unwrap();
        component.cpu_cores = Some(cores);
        if !neighbours {
            component.neighbours = Some(Vec::new());
        }
        observation.unit_price()
    };
    // Of sixteen cores.
    assert_eq!(price(16.0, false), Some(UsdPerHour(0.9)));
    assert_eq!(price(8.0, false), None, "two of them share it");
    assert_eq!(price(12.0, true), None, "so do others");
}

#[test]
fn copies_are_waited_for_since_something_was_last_done_about_them() {
    let activity = |minutes_ago: i64| ScalingActivity {
        started_at: at() - SignedDuration::from_mins(minutes_ago),
        ended_at: None,
        status_code: "Successful".to_owned(),
        status_message: None,
        description: "Setting desired copy count to 3.".to_owned(),
        cause: "monitor alarm".to_owned(),
        not_scaled_reasons: Vec::new(),
    };
    let mut observation = OVERLOAD.clone();
    observation.component.as_mut().unwrap().last_modified_at = Some(at() - SignedDuration::from_mins(50));
    let mut waited = |activities: Vec<ScalingActivity>| {
        observation.scaling.as_mut().unwrap().activities = Some(activities);
        observation.waited().map(|waited| waited.as_mins())
    };
    assert_eq!(waited(vec![activity(90), activity(20), activity(40)]), Some(20));
    assert_eq!(waited(vec![activity(90)]), Some(50), "it was changed since");
    let nothing_was_done =
        ScalingActivity { not_scaled_reasons: vec!["AlreadyAtMaxCapacity".to_owned()], ..activity(5) };
    assert_eq!(waited(vec![nothing_was_done]), Some(50));
}
