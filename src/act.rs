//! [`Plan`] → [`Outcome`]: the only writer of scaling.
//!
//! It makes no choice: every number is in the plan. It looks again, and writes only where the set-up is still the one
//! that the plan was made for.

use crate::aws::{Aws, CallError, ErrorKind, auto_scaling, patient};
use crate::model::{
    Change, Outcome, OutcomeStatus, Plan, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, ScalingState,
    TagResource,
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
/// that a crash after any call leaves nothing that cannot be undone. Each call converges: repeating it changes nothing.
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
    let scheduled = has_schedule.then(|| auto_scaling::scheduled_actions(aws, &register.resource_id));
    let (target, policies, scheduled) = join3(
        auto_scaling::target(aws, &register.resource_id),
        auto_scaling::policies(aws, &register.resource_id),
        OptionFuture::from(scheduled),
    )
    .await;
    let now = match target.and_then(|target| {
        let policies = policies?.into_iter().map(|triggered| triggered.policy).collect();
        let scheduled_actions = scheduled.transpose()?.unwrap_or_else(|| observed.scheduled_actions.clone());
        Ok(ScalingState { target, policies, scheduled_actions })
    }) {
        Ok(now) => now,
        Err(error) => return refused_or_retry(error, Vec::new()),
    };
    if let Some(difference) = difference(&observed, &now) {
        return Ok(Outcome::without_change(OutcomeStatus::Stale, format!("{difference} changed since it was read")));
    }
    let mut changes = Vec::new();
    match write(aws, plan, register, &now, &mut changes).await {
        Ok(()) => Ok(Outcome { changes, ..Outcome::without_change(OutcomeStatus::Applied, "mode is apply") }),
        Err(error) => refused_or_retry(error, changes),
    }
}

async fn write(
    aws: &Aws,
    plan: &Plan,
    register: &RegisterScalableTarget,
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
    for policy in plan.put_scaling_policies.iter().filter(|policy| !policy.stands(&now.policies)) {
        match put_scaling_policy(aws, policy).await {
            // Somebody deregistered it in between: once more from the start, then it is an error.
            Err(error) if error.kind == ErrorKind::NotFound => {
                register_scalable_target(aws, &anew(plan, register)).await?;
                put_scaling_policy(aws, policy).await?;
            }
            other => other?,
        }
        let before = now.policies.iter().find(|present| present.policy_name == policy.policy_name);
        let before = before.and_then(|present| present.target_tracking.as_ref());
        changes.push(Change {
            operation: "PutScalingPolicy".to_owned(),
            before: before.map_or("absent".to_owned(), |tracking| format!("TargetValue={}", tracking.target_value)),
            after: format!("TargetValue={}", policy.target_tracking_scaling_policy_configuration.target_value),
        });
    }
    for action in plan.put_scheduled_actions.iter().filter(|action| !action.stands(&now.scheduled_actions)) {
        put_scheduled_action(aws, action).await?;
        let before = now.scheduled_actions.iter().find(|present| present.name == action.scheduled_action_name);
        let min = |min: Option<u32>| min.map_or("unchanged".to_owned(), |min| min.to_string());
        changes.push(Change {
            operation: "PutScheduledAction".to_owned(),
            before: before.map_or("absent".to_owned(), |present| {
                format!("min={} at {}", min(present.min_capacity.map(|count| count.0)), present.schedule)
            }),
            after: format!("min={} at {}", action.scalable_target_action.min_capacity, action.schedule),
        });
    }
    // Last, because it is what makes SageMaker start instances, and refuse every other change until they serve. Tags count
    // only where a target is registered for the first time.
    let is_left = if is_new { plan.register_first.is_some() } else { !register.stands(now.target.as_ref()) };
    if is_left {
        let untagged = RegisterScalableTarget { tags: BTreeMap::new(), ..register.clone() };
        register_scalable_target(aws, &untagged).await?;
    }
    if !register.stands(now.target.as_ref()) {
        let target = now.target.as_ref();
        changes.push(Change {
            operation: "RegisterScalableTarget".to_owned(),
            before: target.map_or("absent".to_owned(), |target| range(target.min_capacity.0, target.max_capacity.0)),
            after: range(register.min_capacity.0, register.max_capacity.0),
        });
    }
    Ok(())
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

/// What is different from what the plan was made for. Tags are ours alone, and they change nothing that scales.
fn difference(observed: &ScalingState, now: &ScalingState) -> Option<&'static str> {
    let target = |state: &ScalingState| {
        let target = state.target.as_ref()?;
        Some((
            target.min_capacity,
            target.max_capacity,
            target.is_scale_out_suspended,
            target.is_scale_in_suspended,
            target.is_schedule_suspended,
        ))
    };
    if target(observed) != target(now) {
        return Some("the scalable target");
    }
    let sorted = |state: &ScalingState| {
        let mut policies = state.policies.clone();
        policies.sort_by(|a, b| a.policy_name.cmp(&b.policy_name));
        policies
    };
    if sorted(observed) != sorted(now) {
        return Some("a scaling policy");
    }
    let schedule = |state: &ScalingState| {
        let mut actions = state.scheduled_actions.clone();
        actions.sort_by(|a, b| a.name.cmp(&b.name));
        actions
    };
    (schedule(observed) != schedule(now)).then_some("a scheduled action")
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

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
