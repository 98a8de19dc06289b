//! The way back, by the tags of the scalable target alone.

use crate::convergence::applied;
use crate::endpoint::{observed, settings, with_their_range};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    InstanceCount, Observation, Restoration, ScalableKey, ScalableTarget, ScalingPolicy, ScalingState,
};
use endpoint_advisor::undo::by_tags;
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
