//! [`Diagnosis`], [`Capacity`] and [`Guardrails`] → [`Plan`]: what to ask of Application Auto Scaling, or why nothing.
//!
//! Pure. The plan is complete: acting on it makes no choice. Whatever cannot be evaluated holds the plan.

mod demand;
mod guardrails;
mod sizing;
mod target_tracking;

use crate::config::{ExistingTargets, Guardrails};
use crate::model::{
    Action, BEFORE_TAG, BlockedBy, Capacity, Diagnosis, HoldReason, Hosting, INSTANCES_BEFORE_TAG, InstanceCount,
    InvocationsPerInstance, Observation, Plan, RegisterScalableTarget, Relax, ScalableTarget, ScalingPolicy,
    ScalingState, TagResource, Verdict, digest, variant_resource_id,
};
use sizing::Sizing;
use std::collections::BTreeMap;
use target_tracking::is_on_the_same_metric;

/// How long a raised `MinCapacity` stays at least: an hour outlasts the incident, its verification and a scale-in.
const RELAX_AFTER_MINUTES: u32 = 60;

const SERVICE_NAMESPACE: &str = "sagemaker";
const SCALABLE_DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

/// Plans the scaling of one variant.
#[must_use]
pub fn plan(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Plan {
    match sized(observation, diagnosis, capacity, guardrails) {
        Ok(plan) => plan,
        // Whatever else would hold it: SageMaker refuses changes until then.
        Err(_) if !observation.endpoint.status.is_in_service() => Plan::hold(HoldReason::EndpointNotInService),
        Err(reason) => Plan::hold(reason),
    }
}

fn sized(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    would_help(observation, diagnosis)?;
    let scaling = observation.scaling.as_ref().ok_or(HoldReason::ScalingStateUnknown)?;
    let variant_name = observation.variant_name.as_ref().ok_or(HoldReason::HostingNotSized)?;
    let present = scaling.target.as_ref();
    let is_ours = present.is_some_and(ScalableTarget::is_ours);
    let sizing = Sizing::of(observation, present, capacity, guardrails)?;
    let Sizing { current, min_capacity, max_capacity, calm_min, target_value, .. } = sizing;

    let resource_id = variant_resource_id(&observation.endpoint_name, variant_name);
    let tracked = scaling.policies.iter().find(|policy| !policy.is_ours() && is_on_the_same_metric(policy));
    let policies = match tracked {
        // Two policies on one metric are refused by AWS, or fight each other.
        Some(_) => Vec::new(),
        None => vec![target_tracking::policy(&resource_id, target_value, observation, &scaling.policies)],
    };
    let tags = remembered(present, current);
    let register = RegisterScalableTarget {
        service_namespace: SERVICE_NAMESPACE.to_owned(),
        resource_id,
        scalable_dimension: SCALABLE_DIMENSION.to_owned(),
        min_capacity,
        max_capacity,
        tags: if present.is_none() { tags.clone() } else { BTreeMap::new() },
    };
    let register_first = (present.is_none() && min_capacity > current)
        .then(|| RegisterScalableTarget { min_capacity: current, ..register.clone() });
    // What was there before us is written once: a second change must not overwrite the memory of the first.
    let tag_resource = match present.filter(|_| !is_ours) {
        None => None,
        Some(target) => {
            let resource_arn = target.arn.clone().ok_or(HoldReason::ScalingStateUnknown)?;
            Some(TagResource { resource_arn, tags })
        }
    };
    let relax =
        (min_capacity > calm_min).then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min });
    let plan = Plan {
        action: Action::Scale,
        digest: digest(Some(&register), tag_resource.as_ref(), &policies),
        hold_reason: None,
        register_scalable_target: Some(register),
        register_first,
        tag_resource,
        put_scaling_policies: policies,
        put_scheduled_actions: Vec::new(),
        relax,
        forecast: None,
        reasoning: sizing.reasoning(),
        advice: advice(tracked, target_value, present, guardrails.existing_targets),
        based_on: Some(ScalingState { target: scaling.target.clone(), policies: scaling.policies.clone() }),
    };
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
        if max_capacity <= current {
            return Err(HoldReason::GuardrailReached);
        }
    }
    Ok(plan)
}

/// What a person has to do about a set-up that is not ours to change.
fn advice(
    tracked: Option<&ScalingPolicy>,
    target_value: InvocationsPerInstance,
    present: Option<&ScalableTarget>,
    existing_targets: ExistingTargets,
) -> Vec<String> {
    let policy = tracked.map(|policy| {
        let value = policy.target_tracking.as_ref().map(|tracking| format!(" from {}", tracking.target_value));
        format!(
            "Policy `{}` already tracks this metric and is not ours to change: set its TargetValue{} to {}.",
            policy.policy_name,
            value.unwrap_or_default(),
            target_value.0
        )
    });
    let is_foreign = present.is_some_and(|target| !target.is_ours());
    let target = (is_foreign && existing_targets == ExistingTargets::Advise).then(|| {
        "The scalable target was made by somebody else. Apply the requests of this plan yourself, or set \
         ADVISOR_EXISTING_TARGETS to `raise` to let Endpoint Advisor raise its Min and Max."
            .to_owned()
    });
    policy.into_iter().chain(target).collect()
}

/// The tags by which a scalable target remembers what was there before us.
fn remembered(present: Option<&ScalableTarget>, current: InstanceCount) -> BTreeMap<String, String> {
    match present {
        Some(target) => {
            let before = format!("min={} max={}", target.min_capacity, target.max_capacity);
            BTreeMap::from([(BEFORE_TAG.to_owned(), before)])
        }
        None => BTreeMap::from([
            (BEFORE_TAG.to_owned(), "absent".to_owned()),
            (INSTANCES_BEFORE_TAG.to_owned(), current.to_string()),
        ]),
    }
}

/// Whether more instances would help, and can be sized.
fn would_help(observation: &Observation, diagnosis: &Diagnosis) -> Result<(), HoldReason> {
    match diagnosis.verdict {
        Verdict::Burst => return Err(HoldReason::HeadroomNotSized),
        Verdict::Transient => return Err(HoldReason::NothingToDo),
        Verdict::InsufficientData | Verdict::Undetermined => return Err(HoldReason::CauseUnknown),
        verdict if !verdict.is_helped_by_scaling() => return Err(HoldReason::ScalingWillNotHelp),
        _ => {}
    }
    if !observation.is_hosting_known {
        return Err(HoldReason::HostingUnknown);
    }
    if !matches!(observation.hosting, Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer) {
        return Err(HoldReason::HostingNotSized);
    }
    if observation.variant.instance_type.as_ref().is_some_and(|kind| kind.is_burstable()) {
        return Err(HoldReason::BurstableInstance);
    }
    Ok(())
}

/// Whether anything may be changed now. What already stands is not changed, so none of this holds it.
fn may_be_changed(observation: &Observation, diagnosis: &Diagnosis) -> Result<(), HoldReason> {
    if !observation.endpoint.status.is_in_service() {
        return Err(HoldReason::EndpointNotInService);
    }
    match diagnosis.blocked_by {
        Some(BlockedBy::EndpointNotInService) => Err(HoldReason::EndpointNotInService),
        Some(BlockedBy::ScalingInProgress) => Err(HoldReason::ScalingInProgress),
        Some(BlockedBy::ScalingSuspended) => Err(HoldReason::ScalingSuspended),
        Some(BlockedBy::Quota) => Err(HoldReason::Quota),
        Some(BlockedBy::InsufficientCapacity) => Err(HoldReason::InsufficientCapacity),
        // The plan raises Max.
        Some(BlockedBy::AtMaxCapacity) | None => Ok(()),
    }
}
