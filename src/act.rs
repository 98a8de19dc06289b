//! [`Plan`] or [`Restoration`] → [`Outcome`]: the only writer of scaling.
//!
//! It makes no choice: every number is in the plan. It looks again, and writes only where the set-up is still the one
//! that the plan was made for, or what an earlier attempt at the same plan made of it.

mod alarm;
mod requests;

pub use alarm::{put_alarm, standing_alarm};

use crate::aws::{Aws, CallError, ErrorKind, alarms, auto_scaling};
use crate::model::{
    AlarmActions, Change, Outcome, OutcomeStatus, Plan, RegisterScalableTarget, Restoration, ScalableKey, ScalingState,
};
use futures::future::{OptionFuture, join3};
use requests::{
    delete_alarms, delete_scaling_policy, delete_scheduled_action, deregister_scalable_target, put_metric_alarm,
    put_scaling_policy, put_scheduled_action, register_scalable_target, tag_resource, untag_resource,
};
use std::collections::BTreeMap;

/// Applies a plan.
///
/// What was there before is saved first (as tags of an existing target; a new one gets them when it is registered), so
/// that a crash after any call leaves nothing that cannot be undone. Each call converges: after a crash the same plan
/// finishes what is left, and tells all of it.
///
/// # Errors
/// [`CallError`] where AWS failed in a way that may pass; the whole invocation is then tried again. What AWS refuses
/// for good is the outcome `failed`.
pub async fn apply(aws: &Aws, plan: &Plan) -> Result<Outcome, CallError> {
    let Some(register) = &plan.register_scalable_target else {
        return Ok(Outcome::without_change(OutcomeStatus::Unchanged, "the plan asks for nothing"));
    };
    let observed = plan.based_on.clone().unwrap_or_default();
    // Somebody else's schedule matters only to one of ours.
    let has_schedule = !plan.put_scheduled_actions.is_empty();
    let now = match look(aws, &register.key(), &observed, has_schedule).await {
        Ok(now) => now,
        Err(error) => return refused_or_retry(error, Vec::new()),
    };
    if let Some(difference) = now.state.leaves(&observed, &plan.stands_on(&observed)) {
        return Ok(Outcome::without_change(OutcomeStatus::Stale, format!("{difference} changed since it was read")));
    }
    let mut changes = Vec::new();
    match write(aws, plan, register, &observed, &now, &mut changes).await {
        Ok(()) => Ok(Outcome { changes, ..Outcome::without_change(OutcomeStatus::Applied, "mode is apply") }),
        Err(error) => refused_or_retry(error, changes),
    }
}

/// Whether an earlier attempt at a plan began to write it.
///
/// # Errors
/// [`CallError`] where the set-up cannot be read.
pub async fn has_begun(aws: &Aws, plan: &Plan) -> Result<bool, CallError> {
    let Some(register) = &plan.register_scalable_target else { return Ok(false) };
    let observed = plan.based_on.clone().unwrap_or_default();
    let now = look(aws, &register.key(), &observed, !plan.put_scheduled_actions.is_empty()).await?;
    let now = now.state;
    Ok(now.difference(&observed).is_some() && now.leaves(&observed, &plan.stands_on(&observed)).is_none())
}

/// The set-up as it is, and the ARNs of its policies by name, which their alarms need.
struct Look {
    state: ScalingState,
    policy_arns: BTreeMap<String, String>,
}

/// The set-up as it is. The scheduled actions are those that were `observed`, where they do not matter.
async fn look(aws: &Aws, key: &ScalableKey, observed: &ScalingState, has_schedule: bool) -> Result<Look, CallError> {
    let scheduled = has_schedule.then(|| auto_scaling::scheduled_actions(aws, key));
    let (target, policies, scheduled) =
        join3(auto_scaling::target(aws, key), auto_scaling::policies(aws, key), OptionFuture::from(scheduled)).await;
    let (target, policies) = (target?, policies?);
    let alarms = alarms::ours(aws, &policies).await?;
    let arns = policies.iter().map(|triggered| (triggered.policy.policy_name.clone(), triggered.arn.clone()));
    let policy_arns = arns.collect();
    let policies = policies.into_iter().map(|triggered| triggered.policy).collect();
    let scheduled_actions = scheduled.transpose()?.unwrap_or_else(|| observed.scheduled_actions.clone());
    Ok(Look { state: ScalingState { target, policies, alarms, scheduled_actions }, policy_arns })
}

async fn write(
    aws: &Aws,
    plan: &Plan,
    register: &RegisterScalableTarget,
    observed: &ScalingState,
    Look { state: now, policy_arns }: &Look,
    changes: &mut Vec<Change>,
) -> Result<(), CallError> {
    let stands = plan.stands_on(observed);
    let mut policy_arns = policy_arns.clone();
    if let Some(tag) = &plan.tag_resource {
        tag_resource(aws, tag).await?;
    }
    let is_new = now.target.is_none();
    if is_new {
        register_scalable_target(aws, first(plan, register)).await?;
    }
    for policy in plan.put_scaling_policies.iter().filter(|policy| !policy.stands(&observed.policies)) {
        if !policy.stands(&now.policies) {
            let arn = match put_scaling_policy(aws, policy).await {
                // Somebody deregistered it in between: once more from the start, then it is an error.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    register_scalable_target(aws, &anew(plan, register)).await?;
                    put_scaling_policy(aws, policy).await?
                }
                other => other?,
            };
            policy_arns.insert(policy.policy_name.clone(), arn);
        }
        changes.push(Change {
            operation: "PutScalingPolicy".to_owned(),
            before: observed.policy_in_words(&policy.policy_name),
            after: stands.policy_in_words(&policy.policy_name),
        });
    }
    for alarm in plan.put_metric_alarms.iter().filter(|alarm| !alarm.stands(&observed.alarms)) {
        if !alarm.stands(&now.alarms) {
            let arn = arn_of(alarm.policy_name(), &policy_arns)?;
            put_metric_alarm(aws, alarm, &AlarmActions::firing(arn)).await?;
        }
        changes.push(Change {
            operation: "PutMetricAlarm".to_owned(),
            before: observed.alarm_in_words(&alarm.alarm_name),
            after: stands.alarm_in_words(&alarm.alarm_name),
        });
    }
    // Once the new one stands: with both, instances may come, and none goes that either of them needs.
    for policy in &plan.delete_scaling_policies {
        if !policy.is_gone(&now.policies) {
            gone_already(delete_scaling_policy(aws, policy).await)?;
        }
        changes.push(Change {
            operation: "DeleteScalingPolicy".to_owned(),
            before: observed.policy_in_words(&policy.policy_name),
            after: stands.policy_in_words(&policy.policy_name),
        });
    }
    for action in plan.put_scheduled_actions.iter().filter(|action| !action.stands(&observed.scheduled_actions)) {
        if !action.stands(&now.scheduled_actions) {
            put_scheduled_action(aws, action).await?;
        }
        changes.push(Change {
            operation: "PutScheduledAction".to_owned(),
            before: observed.action_in_words(&action.scheduled_action_name),
            after: stands.action_in_words(&action.scheduled_action_name),
        });
    }
    // Last, because it is what makes SageMaker start instances, and refuse every other change until they serve. Tags count
    // only where a target is registered for the first time.
    let is_left = if is_new { plan.register_first.is_some() } else { !register.stands(now.target.as_ref()) };
    if is_left {
        let untagged = RegisterScalableTarget { tags: BTreeMap::new(), ..register.clone() };
        register_scalable_target(aws, &untagged).await?;
    }
    if !register.stands(observed.target.as_ref()) {
        changes.push(Change {
            operation: "RegisterScalableTarget".to_owned(),
            before: observed.target_in_words(),
            after: stands.target_in_words(),
        });
    }
    Ok(())
}

/// Brings back a set-up. `hoped` is the outcome where everything is back.
///
/// Our memory, the tags, goes last: after a crash the same requests finish what is left.
///
/// # Errors
/// As [`apply`].
pub async fn restore(aws: &Aws, way: &Restoration, hoped: Outcome) -> Result<Outcome, CallError> {
    let has_schedule = !way.delete_scheduled_actions.is_empty()
        || !way.put_scheduled_actions.is_empty()
        || way.deregister_scalable_target.is_some();
    let now = match look(aws, &way.key, &way.based_on, has_schedule).await {
        Ok(now) => now,
        Err(error) => return refused_or_retry(error, Vec::new()),
    };
    if let Some(difference) = now.state.leaves(&way.based_on, &way.gives) {
        return Ok(Outcome::without_change(OutcomeStatus::Stale, format!("{difference} changed since it was read")));
    }
    let mut changes = Vec::new();
    match write_back(aws, way, &now, &mut changes).await {
        Ok(()) => Ok(Outcome { changes, ..hoped }),
        Err(error) => refused_or_retry(error, changes),
    }
}

async fn write_back(
    aws: &Aws,
    way: &Restoration,
    Look { state: now, policy_arns }: &Look,
    changes: &mut Vec<Change>,
) -> Result<(), CallError> {
    let observed = &way.based_on;
    let mut changed = |operation: &str, before: String, after: String| {
        changes.push(Change { operation: operation.to_owned(), before, after });
    };
    for action in &way.delete_scheduled_actions {
        let name = &action.scheduled_action_name;
        if now.scheduled_actions.iter().any(|present| present.name == *name) {
            gone_already(delete_scheduled_action(aws, action).await)?;
        }
        changed("DeleteScheduledAction", observed.action_in_words(name), "absent".to_owned());
    }
    for action in &way.put_scheduled_actions {
        if !action.stands(&now.scheduled_actions) {
            put_scheduled_action(aws, action).await?;
        }
        let name = &action.scheduled_action_name;
        let before = observed.action_in_words(name);
        changed("PutScheduledAction", before, way.gives.action_in_words(name));
    }
    // Before the policy: once it is gone, nothing says any more that the alarm was its own.
    if let Some(alarms) = &way.delete_alarms {
        if now.alarms.iter().any(|present| alarms.alarm_names.contains(&present.alarm_name)) {
            gone_already(delete_alarms(aws, alarms).await)?;
        }
        for name in &alarms.alarm_names {
            changed("DeleteAlarms", observed.alarm_in_words(name), "absent".to_owned());
        }
    }
    for policy in &way.delete_scaling_policies {
        if !policy.is_gone(&now.policies) {
            gone_already(delete_scaling_policy(aws, policy).await)?;
        }
        changed("DeleteScalingPolicy", observed.policy_in_words(&policy.policy_name), "absent".to_owned());
    }
    let mut policy_arns = policy_arns.clone();
    for policy in &way.put_scaling_policies {
        if !policy.stands(&now.policies) {
            policy_arns.insert(policy.policy_name.clone(), put_scaling_policy(aws, policy).await?);
        }
        let before = observed.policy_in_words(&policy.policy_name);
        changed("PutScalingPolicy", before, way.gives.policy_in_words(&policy.policy_name));
    }
    for alarm in &way.put_metric_alarms {
        if !alarm.stands(&now.alarms) {
            let arn = arn_of(alarm.policy_name(), &policy_arns)?;
            put_metric_alarm(aws, alarm, &AlarmActions::firing(arn)).await?;
        }
        let before = observed.alarm_in_words(&alarm.alarm_name);
        changed("PutMetricAlarm", before, way.gives.alarm_in_words(&alarm.alarm_name));
    }
    if let Some(register) = &way.register_scalable_target {
        if !register.stands(now.target.as_ref()) {
            register_scalable_target(aws, register).await?;
        }
        changed("RegisterScalableTarget", observed.target_in_words(), way.gives.target_in_words());
    }
    if let Some(deregister) = &way.deregister_scalable_target {
        if now.target.is_some() {
            gone_already(deregister_scalable_target(aws, deregister).await)?;
        }
        changed("DeregisterScalableTarget", observed.target_in_words(), "absent".to_owned());
    }
    if let Some(untag) = &way.untag_resource {
        untag_resource(aws, untag).await?;
    }
    Ok(())
}

/// The ARN of a policy that was just put, or that stands.
fn arn_of<'a>(policy_name: &str, arns: &'a BTreeMap<String, String>) -> Result<&'a str, CallError> {
    let missing = || CallError::unavailable("application-autoscaling:DescribeScalingPolicies");
    arns.get(policy_name).map(String::as_str).ok_or_else(missing)
}

/// What is to go and is gone is as it should be.
fn gone_already(result: Result<(), CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The registration of a new target: with as many instances as are running, where the plan then asks for more.
fn first<'a>(plan: &'a Plan, register: &'a RegisterScalableTarget) -> &'a RegisterScalableTarget {
    plan.register_first.as_ref().unwrap_or(register)
}

/// The registration of a target that went away: with the memory of what was there before.
fn anew(plan: &Plan, register: &RegisterScalableTarget) -> RegisterScalableTarget {
    let first = first(plan, register);
    let remembered = plan.tag_resource.as_ref().map(|tag| tag.tags.clone());
    RegisterScalableTarget { tags: remembered.unwrap_or_else(|| first.tags.clone()), ..first.clone() }
}

fn refused_or_retry(error: CallError, changes: Vec<Change>) -> Result<Outcome, CallError> {
    if error.kind.is_temporary() {
        return Err(error);
    }
    Ok(Outcome { changes, ..Outcome::without_change(OutcomeStatus::Failed, error.to_string()) })
}
