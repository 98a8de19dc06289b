//! A queue replayed: against the simulated one, whose requests wait one by one, and against arithmetic.

use super::{observed, of};
use crate::endpoint::at;
use crate::scenarios::with_target;
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::model::{
    InstanceCount, Metric, Metrics, Minute, Observation, Seconds, Series, Statistic, TargetTracking,
};
use endpoint_advisor::replay::{Draw, NotReplayable, QueueReplay, Setup};
use serde_json::json;
use simulator::queue::Family;

const LIKELY: Draw = Draw { capacity: 1.0, boot_minutes: 6.0 };

#[test]
fn the_minutes_in_which_requests_wait_too_long_are_those_of_the_simulated_queue() {
    let (mut passed, mut asked, mut late) = (0, 0, 0.0);
    for family in ["growth", "batch", "lost", "calm"] {
        for seed in 1..=8 {
            let observation = of(&Family::named(family).unwrap().incident(seed));
            let capacity = capacity(&observation).unwrap();
            let validation = QueueReplay::of(&observation, &capacity, Seconds(300)).unwrap().validate();
            asked += 1;
            passed += usize::from(validation.passed);
            late += validation.recorded_violation_minutes;
        }
    }
    assert!(late > 200.0, "{late} late minutes are too few to tell anything");
    assert!(10 * passed >= 9 * asked, "{passed} of {asked}");
}

#[test]
fn a_replay_with_another_speed_than_it_was_promises_nothing() {
    let observation = observed("slower", 4);
    let capacity = capacity(&observation).unwrap();
    let validation = QueueReplay::of(&observation, &capacity, Seconds(600)).unwrap().validate();
    assert!(!validation.passed && !validation.why_not.is_empty());
}

/// A queue that is empty for three hours and then gets 600 requests within ten minutes, an hour before the end; one instance
/// processes ten a minute.
fn batch() -> Observation {
    let mut observation = observed("growth", 1);
    let first = Minute::containing(at()).plus(-241);
    let values = |of: &dyn Fn(i64) -> f64| (0..241).map(|minute| Some(of(minute))).collect();
    let series = |metric, statistic, of: &dyn Fn(i64) -> f64| Series::new(metric, statistic, first, values(of));
    let backlog = |minute: i64| 60.0 * f64::from(i32::try_from((minute - 180).clamp(0, 10)).unwrap());
    observation.endpoint.max_concurrent_invocations_per_instance = Some(1);
    observation.variant.current_instance_count = Some(InstanceCount(0));
    observation.metrics = Metrics(vec![
        series(Metric::ApproximateBacklogSize, Statistic::Average, &backlog),
        series(Metric::InvocationsProcesssed, Statistic::Sum, &|_| 0.0),
    ]);
    observation
}

fn setup(min: u32, target: f64) -> Setup {
    let tracking = json!({
        "metric": "AWS/SageMaker/ApproximateBacklogSizePerInstance", "target_value": target, "scale_out_cooldown": 360,
        "scale_in_cooldown": 600, "disable_scale_in": false,
    });
    let alarm = json!({
        "alarm_name": "from-zero", "metric": "AWS/SageMaker/HasBacklogWithoutCapacity", "statistic": "Average",
        "comparison_operator": "GreaterThanOrEqualToThreshold", "threshold": 1.0, "period": 60, "evaluation_periods": 2,
        "datapoints_to_alarm": 2,
    });
    let step = json!({"adjustment_type": "ChangeInCapacity", "cooldown": 360, "min_adjustment_magnitude": null,
        "steps": [{"lower_bound": 0.0, "upper_bound": null, "adjustment": 1}]});
    serde_json::from_value(json!({
        "min_capacity": min, "max_capacity": 5,
        "policies": [
            {"policy_name": "backlog", "policy_type": "TargetTrackingScaling", "target_tracking": tracking},
            {"policy_name": "from-zero", "policy_type": "StepScaling", "step_scaling": step, "alarms": [alarm]},
        ],
    }))
    .unwrap()
}

/// Minutes after the first request, the instances from then on, and the minutes that are too late: more than twenty.
fn played(setup: &Setup) -> (Vec<(i64, f64)>, f64) {
    let observation = batch();
    let mut capacity = capacity(&observed("growth", 1)).unwrap();
    capacity.invocations_per_instance_per_minute.0 = 10.0;
    let replay = QueueReplay::of(&observation, &capacity, Seconds(1_200)).unwrap();
    let compiled = replay.compile(setup).unwrap();
    let (mut changes, mut late, mut before) = (Vec::new(), 0.0, f64::NAN);
    replay.play(&compiled, LIKELY, |step| {
        late += step.over;
        if step.serving != before {
            let minute = i64::try_from(step.minute).unwrap() - 180;
            changes.push((minute, step.serving));
            before = step.serving;
        }
    });
    (changes, late)
}

#[test]
fn an_endpoint_at_zero_starts_one_instance_and_the_backlog_the_others() {
    let (changes, late) = played(&setup(0, 60.0));
    // What the minutes 0 and 1 show is known at the beginning of 2 and 3: two datapoints of two, and six minutes to start.
    // By then 540 wait. Once the cooldown of the first start is over, all that may be come, six minutes later.
    assert_eq!(changes[0].1, 0.0, "{changes:?}");
    assert_eq!(changes[1], (9, 1.0), "{changes:?}");
    assert_eq!(changes[2].1, 5.0, "{changes:?}");
    assert!(late > 0.0, "{late}");
    // And to zero again, a quarter of an hour after nothing waits.
    assert_eq!(changes.last().unwrap().1, 0.0, "{changes:?}");
    // An instance that is always there starts the others six minutes earlier.
    let (kept, kept_late) = played(&setup(1, 60.0));
    assert!(kept[1].0 + 5 <= changes[2].0 && kept_late < late, "{kept:?} {kept_late} {changes:?} {late}");
}

#[test]
fn without_a_policy_from_zero_nothing_ever_starts() {
    let mut tracking_alone = setup(0, 60.0);
    tracking_alone.policies.pop();
    let (changes, late) = played(&tracking_alone);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(late >= 38.0, "{late}");
}

#[test]
fn a_policy_on_another_metric_is_not_replayed() {
    let mut other = setup(1, 60.0);
    other.policies[0].target_tracking = Some(TargetTracking {
        metric: Some("SageMakerVariantInvocationsPerInstance".to_owned()),
        ..other.policies[0].target_tracking.clone().unwrap()
    });
    let observation = batch();
    let replay = QueueReplay::of(&observation, &capacity(&observed("growth", 1)).unwrap(), Seconds(60)).unwrap();
    assert!(matches!(replay.compile(&other), Err(NotReplayable::Metric(_))));
    // Nor is one on the backlog where requests are answered at once.
    assert!(matches!(setup(1, 60.0).compile(Minute(0), 100, None), Err(NotReplayable::Metric(_))));
}

#[test]
fn what_is_not_known_of_arrivals_is_nobody_who_waits() {
    let mut observation = batch();
    observation.metrics.0.retain(|series| series.metric != Metric::InvocationsProcesssed);
    let known = capacity(&observed("growth", 1)).unwrap();
    let replay = QueueReplay::of(&observation, &known, Seconds(60)).unwrap();
    let compiled = replay.compile(&setup(1, 60.0)).unwrap();
    let mut late = 0.0;
    replay.play(&compiled, LIKELY, |step| late += step.over);
    assert_eq!(late, 0.0, "the batch came in minutes of which nothing says what was processed");
}

#[test]
fn a_shorter_wait_is_never_planned_with_a_higher_target() {
    let target = |seconds: u32| {
        let mut observation = with_target(observed("growth", 3), 2, 9, None);
        observation.age_objective = Some(Seconds(seconds));
        let settings = crate::endpoint::settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]);
        let plan = endpoint_advisor::advise::explain(&observation, &settings).plan;
        assert!(plan.register_scalable_target.unwrap().max_capacity >= InstanceCount(9));
        plan.put_scaling_policies[0].target_tracking().unwrap().target_value
    };
    let targets = [120, 300, 900, 1_800, 3_600].map(target);
    assert!(targets.is_sorted(), "{targets:?}");
}
