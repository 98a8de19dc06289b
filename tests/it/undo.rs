//! The way back: by the tags of the scalable target alone, and to what an incident remembers, whatever stands.

use crate::convergence::applied;
use crate::endpoint::{observed, scheduled, settings, tracking, with_their_range};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    BEFORE_TAG, EndpointName, InstanceCount, Observation, PolicyAlarm, PutMetricAlarm, Restoration, ScalableKey,
    ScalableTarget, ScalingPolicy, ScalingState, ScheduledAction, VariantName,
};
use endpoint_advisor::undo::{by_tags, relax, to};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;

fn key(observation: &Observation) -> ScalableKey {
    ScalableKey::of_variant(&observation.endpoint_name, observation.variant_name.as_ref().unwrap())
}

fn stands(before: &Observation) -> ScalingState {
    let report = explain(before, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]));
    ScalingState::of(applied(before, &report.plan).scaling.as_ref().unwrap())
}

fn undone(before: &Observation, stands: &ScalingState) -> Restoration {
    by_tags(stands, &key(before)).unwrap()
}

#[test]
fn a_target_that_we_made_goes_with_all_that_hangs_on_it() {
    let before = observed("overload");
    let way = undone(&before, &stands(&before));
    assert_eq!(way.delete_scaling_policies.len(), 1);
    assert!(way.deregister_scalable_target.is_some());
    assert_eq!(way.gives, ScalingState::default());
}

#[test]
fn a_target_that_somebody_scales_by_meanwhile_stays_without_our_floor() {
    let before = observed("overload");
    let mut stands = stands(&before);
    stands.policies.push(ScalingPolicy { policy_name: "theirs".to_owned(), ..ScalingPolicy::default() });
    let way = undone(&before, &stands);
    assert_eq!(way.deregister_scalable_target, None);
    assert_eq!(way.register_scalable_target.unwrap().min_capacity, InstanceCount(2), "what ran before");
    assert_eq!(way.delete_scaling_policies.len(), 1, "only ours goes");
    assert!(way.untag_resource.unwrap().tag_keys.len() == 2);
    assert_eq!(way.gives.policies[0].policy_name, "theirs");
}

#[test]
fn a_range_of_somebody_else_is_theirs_again() {
    let before = with_their_range(observed("overload"));
    let way = undone(&before, &stands(&before));
    let register = way.register_scalable_target.unwrap();
    assert_eq!((register.min_capacity, register.max_capacity), (InstanceCount(1), InstanceCount(3)));
    assert!(way.untag_resource.is_some());
}

#[test]
fn what_is_not_ours_is_not_undone() {
    let before = observed("overload");
    assert!(by_tags(&ScalingState::default(), &key(&before)).is_err());
    let foreign = ScalableTarget { tags: Some(BTreeMap::new()), ..ScalableTarget::default() };
    let foreign = ScalingState { target: Some(foreign), ..ScalingState::default() };
    assert!(by_tags(&foreign, &key(&before)).unwrap_err().contains("not changed here"));
    let unreadable = ScalableTarget { tags: None, ..ScalableTarget::default() };
    let unreadable = ScalingState { target: Some(unreadable), ..ScalingState::default() };
    assert!(by_tags(&unreadable, &key(&before)).is_err(), "tags that cannot be read are not guessed");
}

#[test]
fn every_state_between_what_was_and_what_is_asked_is_on_the_way() {
    let before = observed("overload");
    let (was, will) = (ScalingState::of(before.scaling.as_ref().unwrap()), stands(&before));
    let mut policy_only = will.clone();
    policy_only.target.as_mut().unwrap().min_capacity = InstanceCount(2);
    for between in [&was, &policy_only, &will] {
        assert_eq!(between.leaves(&was, &will), None);
        assert_eq!(between.leaves(&will, &was).is_none(), between != &policy_only, "and back");
    }
    let mut foreign = will.clone();
    foreign.policies.push(ScalingPolicy { policy_name: "theirs".to_owned(), ..ScalingPolicy::default() });
    assert_eq!(foreign.leaves(&was, &will), Some("a scaling policy"));
}

#[test]
fn a_min_is_only_lowered_by_relaxing_and_nothing_else_changes() {
    let before = observed("overload");
    let stands = stands(&before);
    let min = stands.target.as_ref().unwrap().min_capacity;
    assert_eq!(relax(min, &stands, &key(&before)), None);
    assert_eq!(relax(InstanceCount(min.0 + 1), &stands, &key(&before)), None);
    assert_eq!(relax(min, &ScalingState::default(), &key(&before)), None);
    let way = relax(InstanceCount(min.0 - 1), &stands, &key(&before)).unwrap();
    assert_eq!(way.gives, performed(&way, &stands));
    let mut expected = stands.clone();
    expected.target.as_mut().unwrap().min_capacity = InstanceCount(min.0 - 1);
    assert_eq!(way.gives, expected);
}

/// What AWS has after these requests.
fn performed(way: &Restoration, now: &ScalingState) -> ScalingState {
    let mut state = now.clone();
    for delete in &way.delete_scheduled_actions {
        state.scheduled_actions.retain(|action| action.name != delete.scheduled_action_name);
    }
    for put in &way.put_scheduled_actions {
        state.scheduled_actions.retain(|action| action.name != put.scheduled_action_name);
        state.scheduled_actions.push(put.to_action());
    }
    for name in way.delete_alarms.iter().flat_map(|delete| &delete.alarm_names) {
        state.alarms.retain(|alarm| alarm.alarm_name != *name);
    }
    for delete in &way.delete_scaling_policies {
        state.policies.retain(|policy| policy.policy_name != delete.policy_name);
    }
    for put in &way.put_scaling_policies {
        state.policies.retain(|policy| policy.policy_name != put.policy_name);
        state.policies.push(put.to_policy());
    }
    for put in &way.put_metric_alarms {
        state.alarms.retain(|alarm| alarm.alarm_name != put.alarm_name);
        state.alarms.push(put.to_alarm());
    }
    if let Some(register) = &way.register_scalable_target {
        let (min_capacity, max_capacity) = (register.min_capacity, register.max_capacity);
        state.target = Some(ScalableTarget { min_capacity, max_capacity, ..state.target.unwrap_or_default() });
    }
    if way.deregister_scalable_target.is_some() {
        return ScalingState { alarms: state.alarms, ..ScalingState::default() };
    }
    state
}

const OURS: [&str; 3] = ["endpoint-advisor-invocations", "endpoint-advisor-cpu", "endpoint-advisor-from-zero"];
const THEIRS: [&str; 2] = ["theirs", "my-endpoint-advisor-copy"];

fn action(name: &str, min: u32) -> ScheduledAction {
    scheduled(name, "cron(0 8 * * ? *)", min)
}

/// The alarm of a step policy of ours.
fn alarm(name: &str, threshold: f64) -> PolicyAlarm {
    let mut alarm: PolicyAlarm = serde_json::from_value(serde_json::json!({
        "alarm_name": name, "metric": "AWS/SageMaker/NoCapacityInvocationFailures", "statistic": "Sum", "period": 60,
        "evaluation_periods": 1, "datapoints_to_alarm": 1, "threshold": 1.0, "treat_missing_data": "missing",
        "comparison_operator": "GreaterThanOrEqualToThreshold", "dimensions": [], "description": "ours",
    }))
    .unwrap();
    alarm.threshold = threshold;
    PutMetricAlarm::of(&alarm).unwrap().to_alarm()
}

/// A set-up of ours and theirs, each with one of two values; the target is ours, theirs, of unknown origin, or not there, and where
/// it is not there, nothing hangs on it.
fn set_up() -> impl Strategy<Value = ScalingState> {
    let names = || subsequence([OURS.as_slice(), &THEIRS].concat(), 0..=5);
    let target = prop::option::weighted(0.8, (1_u32..4, 0_u32..4, 0..4));
    (names(), names(), subsequence(OURS.to_vec(), 0..=3), any::<[bool; 15]>(), target).prop_map(
        |(policies, actions, alarms, which, target)| {
            let Some((min, extra, origin)) = target else { return ScalingState::default() };
            let tags = match origin {
                0 => None,
                1 => Some(BTreeMap::from([("team".to_owned(), "search".to_owned())])),
                2 => Some(BTreeMap::from([(BEFORE_TAG.to_owned(), "absent".to_owned())])),
                _ => Some(BTreeMap::from([
                    (BEFORE_TAG.to_owned(), "min=1 max=2".to_owned()),
                    ("team".to_owned(), "search".to_owned()),
                ])),
            };
            let mut which = which.into_iter().cycle();
            let mut either = move || which.next().unwrap();
            let invocations = "SageMakerVariantInvocationsPerInstance";
            ScalingState {
                target: Some(ScalableTarget {
                    arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
                    min_capacity: InstanceCount(min),
                    max_capacity: InstanceCount(min + extra),
                    tags,
                    ..ScalableTarget::default()
                }),
                policies: policies
                    .into_iter()
                    .map(|name| tracking(name, invocations, if either() { 500.0 } else { 900.0 }))
                    .collect(),
                scheduled_actions: actions.into_iter().map(|name| action(name, if either() { 2 } else { 3 })).collect(),
                alarms: alarms.into_iter().map(|name| alarm(name, if either() { 1.0 } else { 5.0 })).collect(),
            }
        },
    )
}

fn key_of_orders() -> ScalableKey {
    let (endpoint_name, variant_name) = (EndpointName::parse("orders"), VariantName::parse("AllTraffic"));
    ScalableKey::of_variant(&endpoint_name.unwrap(), &variant_name.unwrap())
}

/// In the order of their names: AWS promises none.
fn sorted(mut state: ScalingState) -> ScalingState {
    state.policies.sort_by(|a, b| a.policy_name.cmp(&b.policy_name));
    state.alarms.sort_by(|a, b| a.alarm_name.cmp(&b.alarm_name));
    state.scheduled_actions.sort_by(|a, b| a.name.cmp(&b.name));
    state
}

/// What of a set-up is ours, or is theirs.
fn part(state: &ScalingState, is_ours: bool) -> (Vec<ScalingPolicy>, Vec<ScheduledAction>) {
    let state = sorted(state.clone());
    (
        state.policies.into_iter().filter(|policy| policy.is_ours() == is_ours).collect(),
        state.scheduled_actions.into_iter().filter(|action| action.is_ours() == is_ours).collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_and_whatever_stands_ours_is_as_it_was_and_theirs_as_it_is(before in set_up(), now in set_up()) {
        let key = key_of_orders();
        let way = to(&before, &now, &key);
        let after = performed(&way, &now);
        // The requests do what the plan of the way back says.
        prop_assert_eq!(sorted(after.clone()), sorted(ScalingState { target: after.target.clone(), ..way.gives.clone() }));
        let range = |state: &ScalingState| state.target.as_ref().map(ScalableTarget::range);
        prop_assert_eq!(range(&after), range(&way.gives));
        prop_assert_eq!(&way.based_on, &now);
        let changes = sorted(after.clone()) != sorted(now.clone()) || way.untag_resource.is_some();
        prop_assert_eq!(way.is_empty(), !changes, "nothing is asked where nothing changes, and only there");
        // Theirs stays, whatever theirs was before.
        prop_assert_eq!(part(&after, false), part(&now, false));
        // Ours is what it was, and so are the alarms, which all are ours.
        prop_assert_eq!(part(&after, true), part(&before, true));
        prop_assert_eq!(sorted(after.clone()).alarms, sorted(before.clone()).alarms);
        // The range is what it was; a target that was not there goes, unless somebody scales by it.
        match (&before.target, &now.target) {
            (Some(was), _) => prop_assert_eq!(range(&after), Some(was.range())),
            (None, Some(present)) => {
                let is_used = part(&now, false) != (Vec::new(), Vec::new());
                prop_assert_eq!(way.deregister_scalable_target.is_some(), !is_used);
                let min = after.target.as_ref().map(|target| target.min_capacity);
                prop_assert_eq!(min, is_used.then(|| present.calm_min_capacity()));
            }
            (None, None) => prop_assert!(way.is_empty()),
        }
        // Our memory goes with the last of ours, and no tag of theirs with it.
        let was_ours = before.target.as_ref().is_some_and(ScalableTarget::is_ours);
        let is_ours = now.target.as_ref().is_some_and(ScalableTarget::is_ours);
        let stays = way.deregister_scalable_target.is_none();
        prop_assert_eq!(way.untag_resource.is_some(), is_ours && !was_ours && stays);
        let keys: Option<Vec<&str>> =
            way.untag_resource.as_ref().map(|untag| untag.tag_keys.iter().map(String::as_str).collect());
        prop_assert!(keys.is_none_or(|keys| keys == [BEFORE_TAG]));
        // Once it is done, nothing is left to do.
        let again = Restoration { untag_resource: None, ..to(&before, &after, &key) };
        prop_assert!(again.is_empty(), "{:?}", again);
    }

    #[test]
    fn by_tags_all_of_ours_goes_and_the_range_is_what_the_tag_says(now in set_up()) {
        let key = key_of_orders();
        let before = now.target.as_ref().and_then(ScalableTarget::before);
        prop_assert_eq!(by_tags(&now, &key).is_ok(), before.is_some());
        let Ok(way) = by_tags(&now, &key) else { return Ok(()) };
        let after = performed(&way, &now);
        prop_assert_eq!(part(&after, true), (Vec::new(), Vec::new()));
        prop_assert_eq!(part(&after, false), part(&now, false));
        prop_assert!(after.alarms.is_empty());
        if before != Some("absent") {
            let range = after.target.as_ref().map(|target| (target.min_capacity.0, target.max_capacity.0));
            prop_assert_eq!(range, Some((1, 2)));
        }
    }
}
