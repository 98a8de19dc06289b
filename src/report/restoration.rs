//! The way back, as people see it before it is gone.

use crate::model::{InstanceCount, Restoration, ScalableTarget, ScalingState};

/// One line for each thing that changes, before → after.
#[must_use]
pub fn lines(way: &Restoration) -> Vec<String> {
    let tracking = |state: &ScalingState, name: &str| {
        let policy = state.policies.iter().find(|policy| policy.policy_name == name);
        let tracking = policy.and_then(|policy| policy.target_tracking.as_ref());
        tracking.map_or("absent".to_owned(), |tracking| format!("TargetValue {}", tracking.target_value))
    };
    let schedule = |state: &ScalingState, name: &str| {
        let action = state.scheduled_actions.iter().find(|action| action.name == name);
        action.map_or("absent".to_owned(), |action| {
            let min = action.min_capacity.map(|min| format!("MinCapacity {min} at "));
            format!("{}{}", min.unwrap_or_default(), action.schedule)
        })
    };
    let deleted = way.delete_scheduled_actions.iter().map(|action| &action.scheduled_action_name);
    let actions = deleted.chain(way.put_scheduled_actions.iter().map(|action| &action.scheduled_action_name));
    let actions = actions
        .map(|name| format!("schedule {name}: {} -> {}", schedule(&way.based_on, name), schedule(&way.gives, name)));
    let deleted = way.delete_scaling_policies.iter().map(|policy| &policy.policy_name);
    let policies = deleted.chain(way.put_scaling_policies.iter().map(|policy| &policy.policy_name));
    let policies = policies
        .map(|name| format!("policy {name}: {} -> {}", tracking(&way.based_on, name), tracking(&way.gives, name)));
    let range = |state: &ScalingState| {
        state.target.as_ref().map_or("absent".to_owned(), |ScalableTarget { min_capacity, max_capacity, .. }| {
            format!("MinCapacity {min_capacity}, MaxCapacity {max_capacity}")
        })
    };
    let is_ranged = way.register_scalable_target.is_some() || way.deregister_scalable_target.is_some();
    let target = is_ranged.then(|| format!("scalable target: {} -> {}", range(&way.based_on), range(&way.gives)));
    let tags = way.untag_resource.iter().flat_map(|untag| &untag.tag_keys).map(|key| format!("tag {key} -> absent"));
    actions.chain(policies).chain(target).chain(tags).collect()
}

/// What becomes of the instances that run, where that is not what they were.
#[must_use]
pub fn instances(way: &Restoration, running: Option<InstanceCount>) -> Option<String> {
    let running = running?;
    match (&way.deregister_scalable_target, &way.gives.target) {
        (Some(_), _) => Some(format!("{running} instances go on running, and nothing scales them.")),
        (None, Some(target)) if running > target.max_capacity => Some(format!(
            "{running} instances run: Application Auto Scaling goes down to {} at once.",
            target.max_capacity
        )),
        _ => None,
    }
}
