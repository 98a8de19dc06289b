//! [`Plan`] or [`Restoration`] → [`Outcome`]: the only writer of scaling.
//!
//! It makes no choice: every number is in the plan. It looks again, and writes only where the set-up is still the one
//! that the plan was made for, or what an earlier attempt at the same plan made of it.

use crate::aws::{Aws, CallError, ErrorKind, auto_scaling, patient};
use crate::model::{
    Change, CustomizedMetricSpecification, DeleteScalingPolicy, DeleteScheduledAction, DeregisterScalableTarget,
    MetricSpecification, Outcome, OutcomeStatus, Plan, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget,
    Restoration, ScalableKey, ScalingState, TagResource, UntagResource,
};
use aws_sdk_applicationautoscaling::error::BuildError;
use aws_sdk_applicationautoscaling::types::{
    self, MetricDimension, MetricStatistic, MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension,
    ScalableTargetAction, ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
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
    let now = match look(aws, &register.key(), &observed, has_schedule).await {
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
    let now = look(aws, &register.key(), &observed, !plan.put_scheduled_actions.is_empty()).await?;
    Ok(now.difference(&observed).is_some() && now.leaves(&observed, &plan.stands_on(&observed)).is_none())
}

/// The set-up as it is. The scheduled actions are those that were `observed`, where they do not matter.
async fn look(
    aws: &Aws,
    key: &ScalableKey,
    observed: &ScalingState,
    has_schedule: bool,
) -> Result<ScalingState, CallError> {
    let scheduled = has_schedule.then(|| auto_scaling::scheduled_actions(aws, key));
    let (target, policies, scheduled) =
        join3(auto_scaling::target(aws, key), auto_scaling::policies(aws, key), OptionFuture::from(scheduled)).await;
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
    let stands = plan.stands_on(observed);
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
            before: observed.policy_in_words(&policy.policy_name),
            after: stands.policy_in_words(&policy.policy_name),
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
    if let Some(difference) = now.leaves(&way.based_on, &way.gives) {
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
    for policy in &way.delete_scaling_policies {
        if !policy.is_gone(&now.policies) {
            gone_already(delete_scaling_policy(aws, policy).await)?;
        }
        changed("DeleteScalingPolicy", observed.policy_in_words(&policy.policy_name), "absent".to_owned());
    }
    for policy in &way.put_scaling_policies {
        if !policy.stands(&now.policies) {
            put_scaling_policy(aws, policy).await?;
        }
        let before = observed.policy_in_words(&policy.policy_name);
        changed("PutScalingPolicy", before, way.gives.policy_in_words(&policy.policy_name));
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

/// Sends one request, patiently.
macro_rules! send {
    ($action:literal, $call:expr) => {
        $call
            .customize()
            .config_override(patient())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CallError::new($action, error))
    };
}

/// The same, with what every request names that is about a scalable target.
macro_rules! send_about {
    ($request:expr, $action:literal, $call:expr) => {
        send!(
            $action,
            $call
                .service_namespace(ServiceNamespace::from($request.service_namespace.as_str()))
                .resource_id(&$request.resource_id)
                .scalable_dimension(ScalableDimension::from($request.scalable_dimension.as_str()))
        )
    };
}

async fn tag_resource(aws: &Aws, tag: &TagResource) -> Result<(), CallError> {
    let tags = tag.tags.clone().into_iter().collect();
    let call = aws.auto_scaling.tag_resource().resource_arn(&tag.resource_arn).set_tags(Some(tags));
    send!("application-autoscaling:TagResource", call)
}

async fn untag_resource(aws: &Aws, untag: &UntagResource) -> Result<(), CallError> {
    let keys = Some(untag.tag_keys.clone());
    let call = aws.auto_scaling.untag_resource().resource_arn(&untag.resource_arn).set_tag_keys(keys);
    send!("application-autoscaling:UntagResource", call)
}

async fn register_scalable_target(aws: &Aws, register: &RegisterScalableTarget) -> Result<(), CallError> {
    let tags = (!register.tags.is_empty()).then(|| register.tags.clone().into_iter().collect());
    let call = aws
        .auto_scaling
        .register_scalable_target()
        .min_capacity(integer(register.min_capacity.0))
        .max_capacity(integer(register.max_capacity.0))
        .set_tags(tags);
    send_about!(register, "application-autoscaling:RegisterScalableTarget", call)
}

async fn deregister_scalable_target(aws: &Aws, deregister: &DeregisterScalableTarget) -> Result<(), CallError> {
    send_about!(
        deregister,
        "application-autoscaling:DeregisterScalableTarget",
        aws.auto_scaling.deregister_scalable_target()
    )
}

async fn put_scaling_policy(aws: &Aws, policy: &PutScalingPolicy) -> Result<(), CallError> {
    let unexpected = |error| CallError::unexpected("application-autoscaling:PutScalingPolicy", error);
    let configuration = &policy.target_tracking_scaling_policy_configuration;
    let tracking = TargetTrackingScalingPolicyConfiguration::builder();
    let tracking = match &configuration.metric {
        MetricSpecification::Predefined(metric) => {
            let kind = MetricType::from(metric.predefined_metric_type.as_str());
            let metric = PredefinedMetricSpecification::builder().predefined_metric_type(kind).build();
            tracking.predefined_metric_specification(metric.map_err(unexpected)?)
        }
        MetricSpecification::Customized(metric) => {
            tracking.customized_metric_specification(customized(metric).map_err(unexpected)?)
        }
    };
    let configuration = tracking
        .target_value(configuration.target_value)
        .scale_out_cooldown(integer(configuration.scale_out_cooldown.0))
        .scale_in_cooldown(integer(configuration.scale_in_cooldown.0))
        .disable_scale_in(configuration.disable_scale_in)
        .build()
        .map_err(unexpected)?;
    let call = aws
        .auto_scaling
        .put_scaling_policy()
        .policy_name(&policy.policy_name)
        .policy_type(PolicyType::from(policy.policy_type.as_str()))
        .target_tracking_scaling_policy_configuration(configuration);
    send_about!(policy, "application-autoscaling:PutScalingPolicy", call)
}

fn customized(metric: &CustomizedMetricSpecification) -> Result<types::CustomizedMetricSpecification, BuildError> {
    let dimensions: Result<Vec<MetricDimension>, BuildError> = metric
        .dimensions
        .iter()
        .map(|dimension| MetricDimension::builder().name(&dimension.name).value(&dimension.value).build())
        .collect();
    Ok(types::CustomizedMetricSpecification::builder()
        .metric_name(&metric.metric_name)
        .namespace(&metric.namespace)
        .set_dimensions(Some(dimensions?))
        .statistic(MetricStatistic::from(metric.statistic.as_str()))
        .set_unit(metric.unit.clone())
        .build())
}

async fn delete_scaling_policy(aws: &Aws, policy: &DeleteScalingPolicy) -> Result<(), CallError> {
    let call = aws.auto_scaling.delete_scaling_policy().policy_name(&policy.policy_name);
    send_about!(policy, "application-autoscaling:DeleteScalingPolicy", call)
}

async fn put_scheduled_action(aws: &Aws, action: &PutScheduledAction) -> Result<(), CallError> {
    let range =
        ScalableTargetAction::builder().min_capacity(integer(action.scalable_target_action.min_capacity.0)).build();
    let call = aws
        .auto_scaling
        .put_scheduled_action()
        .schedule(&action.schedule)
        .scheduled_action_name(&action.scheduled_action_name)
        .scalable_target_action(range);
    send_about!(action, "application-autoscaling:PutScheduledAction", call)
}

async fn delete_scheduled_action(aws: &Aws, action: &DeleteScheduledAction) -> Result<(), CallError> {
    let call = aws.auto_scaling.delete_scheduled_action().scheduled_action_name(&action.scheduled_action_name);
    send_about!(action, "application-autoscaling:DeleteScheduledAction", call)
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
