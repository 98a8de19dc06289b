//! The way back: the present set-up and what was there before → [`Restoration`].
//!
//! Pure. Only what is ours is taken back: policies, alarms and scheduled actions with our name, and the range of a target that
//! carries our tag.

use crate::model::{
    BEFORE_TAG, DeleteAlarms, DeleteScalingPolicy, DeleteScheduledAction, DeregisterScalableTarget,
    INSTANCES_BEFORE_TAG, InstanceCount, PutMetricAlarm, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget,
    Restoration, ScalableKey, ScalableTarget, ScalingPolicy, ScalingState, ScheduledAction, UntagResource,
};
use std::collections::BTreeMap;

/// Brings back exactly what was there `before`, as an incident remembers it.
#[must_use]
pub fn to(before: &ScalingState, now: &ScalingState, key: &ScalableKey) -> Restoration {
    let policy = |name: &str| before.policies.iter().find(|policy| policy.policy_name == name);
    let action = |name: &str| before.scheduled_actions.iter().find(|action| action.name == name);
    let gone_policies: Vec<&ScalingPolicy> =
        now.policies.iter().filter(|present| present.is_ours() && policy(&present.policy_name).is_none()).collect();
    let gone_actions: Vec<&ScheduledAction> =
        now.scheduled_actions.iter().filter(|present| present.is_ours() && action(&present.name).is_none()).collect();
    let put_scaling_policies = before.policies.iter().filter(|was| was.is_ours() && !now.policies.contains(was));
    let put_scaling_policies: Vec<_> = put_scaling_policies.filter_map(|was| PutScalingPolicy::of(was, key)).collect();
    let is_left = |name: &str| before.alarms.iter().any(|was| was.alarm_name == name);
    let gone_alarms: Vec<String> =
        now.alarms.iter().map(|alarm| alarm.alarm_name.clone()).filter(|name| !is_left(name)).collect();
    let put_metric_alarms = before.alarms.iter().filter(|was| !now.alarms.contains(was));
    let put_metric_alarms: Vec<_> = put_metric_alarms.filter_map(PutMetricAlarm::of).collect();
    let was_changed = |was: &&ScheduledAction| was.is_ours() && !now.scheduled_actions.contains(was);
    let put_scheduled_actions = before.scheduled_actions.iter().filter(was_changed);
    let put_scheduled_actions: Vec<_> =
        put_scheduled_actions.filter_map(|was| PutScheduledAction::of(was, key)).collect();

    let left_policies = now.policies.iter().filter(|policy| !gone_policies.contains(policy));
    let left_actions = now.scheduled_actions.iter().filter(|action| !gone_actions.contains(action));
    let is_unused = left_policies.clone().next().is_none() && left_actions.clone().next().is_none();
    let target = match (&before.target, &now.target) {
        (Some(was), _) => Some(was.clone()),
        (None, Some(_)) if is_unused => None,
        // Somebody else scales by it by now: it stays, and nothing holds it up.
        (None, Some(present)) => Some(ScalableTarget { min_capacity: present.calm_min_capacity(), ..present.clone() }),
        (None, None) => None,
    };
    let register =
        target.as_ref().filter(|target| now.target.as_ref().map(ScalableTarget::range) != Some(target.range()));
    let is_gone = target.is_none() && now.target.is_some();
    // A target that was ours already keeps the memory of what was there before its first change.
    let was_ours = before.target.as_ref().is_some_and(ScalableTarget::is_ours);
    let untag = now.target.as_ref().filter(|present| present.is_ours() && !is_gone && !was_ours);

    let mut policies: Vec<ScalingPolicy> = left_policies.cloned().collect();
    for put in &put_scaling_policies {
        policies.retain(|policy| policy.policy_name != put.policy_name);
        policies.push(put.to_policy());
    }
    let mut alarms: Vec<_> =
        now.alarms.iter().filter(|alarm| !gone_alarms.contains(&alarm.alarm_name)).cloned().collect();
    for put in &put_metric_alarms {
        alarms.retain(|alarm| alarm.alarm_name != put.alarm_name);
        alarms.push(put.to_alarm());
    }
    let mut actions: Vec<ScheduledAction> = left_actions.cloned().collect();
    for put in &put_scheduled_actions {
        actions.retain(|action| action.name != put.scheduled_action_name);
        actions.push(put.to_action());
    }
    Restoration {
        key: key.clone(),
        delete_scheduled_actions: gone_actions
            .iter()
            .map(|action| DeleteScheduledAction {
                service_namespace: key.service_namespace.clone(),
                scheduled_action_name: action.name.clone(),
                resource_id: key.resource_id.clone(),
                scalable_dimension: key.scalable_dimension.clone(),
            })
            .collect(),
        put_scheduled_actions,
        delete_alarms: (!gone_alarms.is_empty()).then_some(DeleteAlarms { alarm_names: gone_alarms }),
        delete_scaling_policies: gone_policies
            .iter()
            .map(|policy| DeleteScalingPolicy::named(&policy.policy_name, key))
            .collect(),
        put_scaling_policies,
        put_metric_alarms,
        register_scalable_target: register.map(|target| range(key, target.min_capacity, target.max_capacity)),
        deregister_scalable_target: is_gone.then(|| DeregisterScalableTarget {
            service_namespace: key.service_namespace.clone(),
            resource_id: key.resource_id.clone(),
            scalable_dimension: key.scalable_dimension.clone(),
        }),
        untag_resource: untag.and_then(|target| {
            let keys = target.tags.iter().flatten().map(|(key, _)| key.clone());
            let tag_keys = keys.filter(|key| key.starts_with("endpoint-advisor:")).collect();
            Some(UntagResource { resource_arn: target.arn.clone()?, tag_keys })
        }),
        based_on: now.clone(),
        gives: ScalingState { target, policies, alarms, scheduled_actions: actions },
    }
}

/// Brings back what the tags of the scalable target say was there before us. They know the range; policies of ours go, and
/// nobody else's is touched.
///
/// # Errors
/// In words, why there is nothing to take back.
pub fn by_tags(now: &ScalingState, key: &ScalableKey) -> Result<Restoration, &'static str> {
    let target = now.target.as_ref().ok_or("there is no scalable target")?;
    let tags = target.tags.as_ref().ok_or("the tags of the scalable target could not be read")?;
    let before = tags.get(BEFORE_TAG).ok_or("the scalable target carries no tag of ours: it was not changed here")?;
    let was = match before.as_str() {
        "absent" => None,
        range => {
            let number = |name: &str| {
                let value = range.split(' ').find_map(|part| part.strip_prefix(name))?;
                value.parse().ok().map(InstanceCount)
            };
            let (min, max) = number("min=").zip(number("max=")).ok_or("its tag endpoint-advisor:before is not ours")?;
            let tags = tags.iter().filter(|(name, _)| ![BEFORE_TAG, INSTANCES_BEFORE_TAG].contains(&name.as_str()));
            let tags = tags.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(ScalableTarget { min_capacity: min, max_capacity: max, tags: Some(tags), ..target.clone() })
        }
    };
    let foreign = ScalingState {
        target: was,
        policies: now.policies.iter().filter(|policy| !policy.is_ours()).cloned().collect(),
        alarms: Vec::new(),
        scheduled_actions: now.scheduled_actions.iter().filter(|action| !action.is_ours()).cloned().collect(),
    };
    Ok(to(&foreign, now, key))
}

/// Lowers a `MinCapacity` that was raised for an incident, and nothing else.
#[must_use]
pub fn relax(min_capacity: InstanceCount, now: &ScalingState, key: &ScalableKey) -> Option<Restoration> {
    let target = now.target.as_ref().filter(|target| target.min_capacity > min_capacity)?;
    let gives = ScalingState { target: Some(ScalableTarget { min_capacity, ..target.clone() }), ..now.clone() };
    Some(Restoration {
        key: key.clone(),
        delete_scheduled_actions: Vec::new(),
        put_scheduled_actions: Vec::new(),
        delete_alarms: None,
        delete_scaling_policies: Vec::new(),
        put_scaling_policies: Vec::new(),
        put_metric_alarms: Vec::new(),
        register_scalable_target: Some(range(key, min_capacity, target.max_capacity)),
        deregister_scalable_target: None,
        untag_resource: None,
        based_on: now.clone(),
        gives,
    })
}

fn range(key: &ScalableKey, min_capacity: InstanceCount, max_capacity: InstanceCount) -> RegisterScalableTarget {
    RegisterScalableTarget {
        service_namespace: key.service_namespace.clone(),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        min_capacity,
        max_capacity,
        tags: BTreeMap::new(),
    }
}
