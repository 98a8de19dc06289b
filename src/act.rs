//! [`Plan`] or [`Restoration`] → [`Outcome`]: the only writer of scaling.
//!
//! It makes no choice: every number is in the plan. It looks again, and writes only where the set-up is still the one
//! that the plan was made for, or what an earlier attempt at the same plan made of it.

use crate::aws::{Aws, CallError, ErrorKind, auto_scaling, patient};
use crate::model::{
    Change, Outcome, OutcomeStatus, Plan, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, Restoration,
    ScalableKey, ScalableTarget, ScalingPolicy, ScalingState, ScheduledAction, TagResource, UntagResource,
};
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTargetAction, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};
use futures::future::{OptionFuture, join3};
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
    let now = match look(aws, &register.resource_id, &observed, has_schedule).await {
        Ok(now) => now,
        Err(error) => return refused_or_retry(error, Vec::new()),
    };
    if let Some(difference) = now.leaves(&observed, &plan.stands_on(&observed)) {
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
    let now = look(aws, &register.resource_id, &observed, !plan.put_scheduled_actions.is_empty()).await?;
    Ok(now.difference(&observed).is_some() && now.leaves(&observed, &plan.stands_on(&observed)).is_none())
}

/// The set-up as it is. The scheduled actions are those that were `observed`, where they do not matter.
async fn look(
    aws: &Aws,
    resource_id: &str,
    observed: &ScalingState,
    has_schedule: bool,
) -> Result<ScalingState, CallError> {
    let scheduled = has_schedule.then(|| auto_scaling::scheduled_actions(aws, resource_id));
    let (target, policies, scheduled) = join3(
        auto_scaling::target(aws, resource_id),
        auto_scaling::policies(aws, resource_id),
        OptionFuture::from(scheduled),
    )
    .await;
    let policies = policies?.into_iter().map(|triggered| triggered.policy).collect();
    let scheduled_actions = scheduled.transpose()?.unwrap_or_else(|| observed.scheduled_actions.clone());
    Ok(ScalingState { target: target?, policies, scheduled_actions })
}

async fn write(
    aws: &Aws,
    plan: &Plan,
    register: &RegisterScalableTarget,
    observed: &ScalingState,
    now: &ScalingState,
    changes: &mut Vec<Change>,
) -> Result<(), CallError> {
    if let Some(tag) = &plan.tag_resource {
        tag_resource(aws, tag).await?;
    }
    let is_new = now.target.is_none();
    if is_new {
        register_scalable_target(aws, first(plan, register)).await?;
    }
    for policy in plan.put_scaling_policies.iter().filter(|policy| !policy.stands(&observed.policies)) {
        if !policy.stands(&now.policies) {
            match put_scaling_policy(aws, policy).await {
                // Somebody deregistered it in between: once more from the start, then it is an error.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    register_scalable_target(aws, &anew(plan, register)).await?;
                    put_scaling_policy(aws, policy).await?;
                }
                other => other?,
            }
        }
        changes.push(Change {
            operation: "PutScalingPolicy".to_owned(),
            before: policy_in_words(&observed.policies, &policy.policy_name),
            after: policy_in_words(&[policy.to_policy()], &policy.policy_name),
        });
    }
    for action in plan.put_scheduled_actions.iter().filter(|action| !action.stands(&observed.scheduled_actions)) {
        if !action.stands(&now.scheduled_actions) {
            put_scheduled_action(aws, action).await?;
        }
        changes.push(Change {
            operation: "PutScheduledAction".to_owned(),
            before: action_in_words(&observed.scheduled_actions, &action.scheduled_action_name),
            after: action_in_words(&[action.to_action()], &action.scheduled_action_name),
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
            before: target_in_words(observed.target.as_ref()),
            after: range(register.min_capacity.0, register.max_capacity.0),
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
pub async fn restore(aws: &Aws, way: &Restoration, key: &ScalableKey, hoped: Outcome) -> Result<Outcome, CallError> {
    let has_schedule = !way.delete_scheduled_actions.is_empty()
        || !way.put_scheduled_actions.is_empty()
        || way.deregister_scalable_target.is_some();
    let now = match look(aws, &key.resource_id, &way.based_on, has_schedule).await {
        Ok(now) => now,
        Err(error) => return refused_or_retry(error, Vec::new()),
    };
    if let Some(difference) = now.leaves(&way.based_on, &way.gives) {
        return Ok(Outcome::without_change(OutcomeStatus::Stale, format!("{difference} changed since it was read")));
    }
    let mut changes = Vec::new();
    match write_back(aws, way, key, &now, &mut changes).await {
        Ok(()) => Ok(Outcome { changes, ..hoped }),
        Err(error) => refused_or_retry(error, changes),
    }
}

async fn write_back(
    aws: &Aws,
    way: &Restoration,
    key: &ScalableKey,
    now: &ScalingState,
    changes: &mut Vec<Change>,
) -> Result<(), CallError> {
    let observed = &way.based_on;
    let mut changed = |operation: &str, before: String, after: String| {
        changes.push(Change { operation: operation.to_owned(), before, after });
    };
    for action in &way.delete_scheduled_actions {
        let name = &action.scheduled_action_name;
        if now.scheduled_actions.iter().any(|present| present.name == *name) {
            gone_already(delete_scheduled_action(aws, key, name).await)?;
        }
        changed("DeleteScheduledAction", action_in_words(&observed.scheduled_actions, name), "absent".to_owned());
    }
    for action in &way.put_scheduled_actions {
        if !action.stands(&now.scheduled_actions) {
            put_scheduled_action(aws, action).await?;
        }
        let name = &action.scheduled_action_name;
        let before = action_in_words(&observed.scheduled_actions, name);
        changed("PutScheduledAction", before, action_in_words(&[action.to_action()], name));
    }
    for policy in &way.delete_scaling_policies {
        if now.policies.iter().any(|present| present.policy_name == policy.policy_name) {
            gone_already(delete_scaling_policy(aws, key, &policy.policy_name).await)?;
        }
        changed("DeleteScalingPolicy", policy_in_words(&observed.policies, &policy.policy_name), "absent".to_owned());
    }
    for policy in &way.put_scaling_policies {
        if !policy.stands(&now.policies) {
            put_scaling_policy(aws, policy).await?;
        }
        let before = policy_in_words(&observed.policies, &policy.policy_name);
        changed("PutScalingPolicy", before, policy_in_words(&[policy.to_policy()], &policy.policy_name));
    }
    if let Some(register) = &way.register_scalable_target {
        if !register.stands(now.target.as_ref()) {
            register_scalable_target(aws, register).await?;
        }
        let after = range(register.min_capacity.0, register.max_capacity.0);
        changed("RegisterScalableTarget", target_in_words(observed.target.as_ref()), after);
    }
    if way.deregister_scalable_target.is_some() {
        if now.target.is_some() {
            gone_already(deregister_scalable_target(aws, key).await)?;
        }
        changed("DeregisterScalableTarget", target_in_words(observed.target.as_ref()), "absent".to_owned());
    }
    if let Some(untag) = &way.untag_resource {
        untag_resource(aws, untag).await?;
    }
    Ok(())
}

/// What is to go and is gone is as it should be.
fn gone_already(result: Result<(), CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn policy_in_words(policies: &[ScalingPolicy], name: &str) -> String {
    let policy = policies.iter().find(|policy| policy.policy_name == name);
    let tracking = policy.and_then(|policy| policy.target_tracking.as_ref());
    tracking.map_or("absent".to_owned(), |tracking| format!("TargetValue={}", tracking.target_value))
}

fn action_in_words(actions: &[ScheduledAction], name: &str) -> String {
    let Some(action) = actions.iter().find(|action| action.name == name) else { return "absent".to_owned() };
    let min = action.min_capacity.map_or("unchanged".to_owned(), |min| min.to_string());
    format!("min={min} at {}", action.schedule)
}

fn target_in_words(target: Option<&ScalableTarget>) -> String {
    target.map_or("absent".to_owned(), |target| range(target.min_capacity.0, target.max_capacity.0))
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

fn range(min: u32, max: u32) -> String {
    format!("min={min} max={max}")
}

async fn tag_resource(aws: &Aws, tag: &TagResource) -> Result<(), CallError> {
    let tags = tag.tags.clone().into_iter().collect();
    let call = aws
        .auto_scaling
        .tag_resource()
        .resource_arn(&tag.resource_arn)
        .set_tags(Some(tags))
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:TagResource", error))
}

async fn register_scalable_target(aws: &Aws, register: &RegisterScalableTarget) -> Result<(), CallError> {
    let tags = (!register.tags.is_empty()).then(|| register.tags.clone().into_iter().collect());
    let call = aws
        .auto_scaling
        .register_scalable_target()
        .service_namespace(ServiceNamespace::from(register.service_namespace.as_str()))
        .resource_id(&register.resource_id)
        .scalable_dimension(ScalableDimension::from(register.scalable_dimension.as_str()))
        .min_capacity(integer(register.min_capacity.0))
        .max_capacity(integer(register.max_capacity.0))
        .set_tags(tags)
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:RegisterScalableTarget", error))
}

async fn put_scaling_policy(aws: &Aws, policy: &PutScalingPolicy) -> Result<(), CallError> {
    const ACTION: &str = "application-autoscaling:PutScalingPolicy";
    let configuration = &policy.target_tracking_scaling_policy_configuration;
    let metric = PredefinedMetricSpecification::builder()
        .predefined_metric_type(MetricType::from(
            configuration.predefined_metric_specification.predefined_metric_type.as_str(),
        ))
        .build()
        .map_err(|error| CallError::unexpected(ACTION, error))?;
    let configuration = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(configuration.target_value)
        .predefined_metric_specification(metric)
        .scale_out_cooldown(integer(configuration.scale_out_cooldown.0))
        .scale_in_cooldown(integer(configuration.scale_in_cooldown.0))
        .disable_scale_in(configuration.disable_scale_in)
        .build()
        .map_err(|error| CallError::unexpected(ACTION, error))?;
    let call = aws
        .auto_scaling
        .put_scaling_policy()
        .policy_name(&policy.policy_name)
        .service_namespace(ServiceNamespace::from(policy.service_namespace.as_str()))
        .resource_id(&policy.resource_id)
        .scalable_dimension(ScalableDimension::from(policy.scalable_dimension.as_str()))
        .policy_type(PolicyType::from(policy.policy_type.as_str()))
        .target_tracking_scaling_policy_configuration(configuration)
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new(ACTION, error))
}

async fn put_scheduled_action(aws: &Aws, action: &PutScheduledAction) -> Result<(), CallError> {
    let range =
        ScalableTargetAction::builder().min_capacity(integer(action.scalable_target_action.min_capacity.0)).build();
    let call = aws
        .auto_scaling
        .put_scheduled_action()
        .service_namespace(ServiceNamespace::from(action.service_namespace.as_str()))
        .schedule(&action.schedule)
        .scheduled_action_name(&action.scheduled_action_name)
        .resource_id(&action.resource_id)
        .scalable_dimension(ScalableDimension::from(action.scalable_dimension.as_str()))
        .scalable_target_action(range)
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:PutScheduledAction", error))
}

async fn delete_scaling_policy(aws: &Aws, key: &ScalableKey, name: &str) -> Result<(), CallError> {
    let call = aws
        .auto_scaling
        .delete_scaling_policy()
        .policy_name(name)
        .service_namespace(ServiceNamespace::from(key.service_namespace.as_str()))
        .resource_id(&key.resource_id)
        .scalable_dimension(ScalableDimension::from(key.scalable_dimension.as_str()))
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:DeleteScalingPolicy", error))
}

async fn delete_scheduled_action(aws: &Aws, key: &ScalableKey, name: &str) -> Result<(), CallError> {
    let call = aws
        .auto_scaling
        .delete_scheduled_action()
        .scheduled_action_name(name)
        .service_namespace(ServiceNamespace::from(key.service_namespace.as_str()))
        .resource_id(&key.resource_id)
        .scalable_dimension(ScalableDimension::from(key.scalable_dimension.as_str()))
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:DeleteScheduledAction", error))
}

async fn deregister_scalable_target(aws: &Aws, key: &ScalableKey) -> Result<(), CallError> {
    let call = aws
        .auto_scaling
        .deregister_scalable_target()
        .service_namespace(ServiceNamespace::from(key.service_namespace.as_str()))
        .resource_id(&key.resource_id)
        .scalable_dimension(ScalableDimension::from(key.scalable_dimension.as_str()))
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:DeregisterScalableTarget", error))
}

async fn untag_resource(aws: &Aws, untag: &UntagResource) -> Result<(), CallError> {
    let call = aws
        .auto_scaling
        .untag_resource()
        .resource_arn(&untag.resource_arn)
        .set_tag_keys(Some(untag.tag_keys.clone()))
        .customize()
        .config_override(patient())
        .send()
        .await;
    call.map(|_| ()).map_err(|error| CallError::new("application-autoscaling:UntagResource", error))
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
