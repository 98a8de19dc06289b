//! The way back, as people see it before it is gone.

use crate::model::{InstanceCount, Restoration, ScalableDimension};

/// One line for each thing that changes, before → after.
#[must_use]
pub fn lines(way: &Restoration) -> Vec<String> {
    let deleted = way.delete_scheduled_actions.iter().map(|action| &action.scheduled_action_name);
    let actions = deleted.chain(way.put_scheduled_actions.iter().map(|action| &action.scheduled_action_name));
    let actions = actions.map(|name| {
        format!("schedule {name}: {} -> {}", way.based_on.action_in_words(name), way.gives.action_in_words(name))
    });
    let deleted = way.delete_scaling_policies.iter().map(|policy| &policy.policy_name);
    let policies = deleted.chain(way.put_scaling_policies.iter().map(|policy| &policy.policy_name));
    let policies = policies.map(|name| {
        format!("policy {name}: {} -> {}", way.based_on.policy_in_words(name), way.gives.policy_in_words(name))
    });
    let deleted = way.delete_alarms.iter().flat_map(|alarms| &alarms.alarm_names);
    let alarms = deleted.chain(way.put_metric_alarms.iter().map(|alarm| &alarm.alarm_name));
    let alarms = alarms.map(|name| {
        format!("alarm {name}: {} -> {}", way.based_on.alarm_in_words(name), way.gives.alarm_in_words(name))
    });
    let is_ranged = way.register_scalable_target.is_some() || way.deregister_scalable_target.is_some();
    let target = is_ranged
        .then(|| format!("scalable target: {} -> {}", way.based_on.target_in_words(), way.gives.target_in_words()));
    let tags = way.untag_resource.iter().flat_map(|untag| &untag.tag_keys).map(|key| format!("tag {key} -> absent"));
    actions.chain(policies).chain(alarms).chain(target).chain(tags).collect()
}

/// What becomes of the instances that run, where that is not what they were.
#[must_use]
pub fn instances(way: &Restoration, running: Option<InstanceCount>) -> Option<String> {
    let running = running?;
    let units = way.key.dimension().map_or("instances", ScalableDimension::units);
    match (&way.deregister_scalable_target, &way.gives.target) {
        (Some(_), _) => Some(format!("{running} {units} go on running, and nothing scales them.")),
        (None, Some(target)) if running > target.max_capacity => Some(format!(
            "{running} {units} run: Application Auto Scaling goes down to {} at once.",
            target.max_capacity
        )),
        _ => None,
    }
}
