//! [`Diagnosis`], [`Capacity`] and [`Guardrails`] → [`Plan`]: what to ask of Application Auto Scaling, or why nothing.
//!
//! Pure. The plan is complete: acting on it makes no choice. Whatever cannot be evaluated holds the plan.

mod demand;
mod guardrails;
mod target_tracking;

use crate::config::{ExistingTargets, Guardrails};
use crate::model::{
    Action, BEFORE_TAG, BlockedBy, Capacity, Diagnosis, HoldReason, Hosting, INSTANCES_BEFORE_TAG, InstanceCount,
    Observation, Plan, RegisterScalableTarget, Relax, ScalableTarget, ScalingState, TagResource, Verdict, digest,
    variant_resource_id,
};
use demand::Demand;
use std::collections::BTreeMap;

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
    let current = observation.variant.current_instance_count.ok_or(HoldReason::ScalingStateUnknown)?;
    let variant_name = observation.variant_name.as_ref().ok_or(HoldReason::HostingNotSized)?;
    if observation.objective.is_none() {
        return Err(HoldReason::NoObjective);
    }
    let capacity = capacity.ok_or(HoldReason::CapacityUnknown)?;
    let demand = Demand::of(observation, capacity).ok_or(HoldReason::CapacityUnknown)?;
    let ceiling = guardrails::ceiling(guardrails, scaling.target.as_ref(), current, observation.instance_price)?;

    let headroom = target_tracking::headroom(&demand, guardrails.objective);
    let target_value = target_tracking::target_value(capacity, &headroom).ok_or(HoldReason::CapacityUnknown)?;
    let needed =
        target_value.instances_for(demand.now).ok_or(HoldReason::CapacityUnknown)?.max(guardrails.min_instances);
    // Room for half as much again as the busiest minute of the history, and for what is needed now.
    let room = capacity.low.instances_for(demand.peak.times(1.5)).ok_or(HoldReason::CapacityUnknown)?;
    let present = scaling.target.as_ref();
    let present_min = present.map_or(InstanceCount(1), |target| target.min_capacity);
    let calm_min = present.map_or(current, ScalableTarget::calm_min_capacity).max(guardrails.min_instances);
    // During an incident nothing is lowered: neither Min, nor Max, nor what is running.
    let min_capacity = needed.max(calm_min).max(present_min).max(current).min(ceiling);
    let present_max = present.map_or(current, |target| target.max_capacity);
    let max_capacity = room.max(needed).max(min_capacity).min(ceiling).max(present_max);

    let resource_id = variant_resource_id(&observation.endpoint_name, variant_name);
    let is_ours = present.is_some_and(ScalableTarget::is_ours);
    let policy = target_tracking::policy(&resource_id, target_value, observation, &scaling.policies);
    let foreign =
        scaling.policies.iter().find(|policy| !policy.is_ours() && target_tracking::is_on_the_same_metric(policy));

    let mut reasoning = vec![
        format!(
            "the target is {:.0} % of the interval's lower end: in {:.0} % of the minutes seen, load grew by {:.0} % or more within \
             the {:.0} minutes that a scale-out takes",
            100.0 * headroom.share,
            100.0 * (1.0 - headroom.quantile),
            100.0 * (headroom.growth - 1.0),
            demand.scale_out_minutes,
        ),
        format!(
            "{} invocations per minute arrive now, which takes {needed} instances at the target; {current} are running",
            demand.now
        ),
    ];
    if let Some(price) = observation.instance_price {
        let usd = |count: InstanceCount| f64::from(count.0) * price.0;
        reasoning.push(format!(
            "an instance costs {:.2} USD per hour (public on-demand price): {:.2} USD at MinCapacity, {:.2} USD at MaxCapacity",
            price.0,
            usd(min_capacity),
            usd(max_capacity)
        ));
    }
    if needed > ceiling {
        reasoning.push(format!("{needed} instances are needed and {ceiling} are allowed: latency stays over the objective until the limit is raised"));
    }
    if demand.is_short {
        reasoning.push("less than 24 hours of history: the target is the conservative one".to_owned());
    }
    let mut advice = Vec::new();
    let mut policies = vec![policy];
    if let Some(foreign) = foreign {
        let value = foreign.target_tracking.as_ref().map_or(f64::NAN, |tracking| tracking.target_value);
        advice.push(format!(
            "Policy `{}` already tracks this metric and is not ours to change: set its TargetValue from {value} to {}.",
            foreign.policy_name, target_value.0
        ));
        policies.clear();
    }
    if present.is_some() && !is_ours && guardrails.existing_targets == ExistingTargets::Advise {
        advice.push(
            "The scalable target was made by somebody else. Apply the requests of this plan yourself, or set \
             ADVISOR_EXISTING_TARGETS to `raise` to let Endpoint Advisor raise its Min and Max."
                .to_owned(),
        );
    }

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
        reasoning,
        advice,
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
        // Before anything else: SageMaker refuses changes whatever the cause.
        _ if !observation.endpoint.status.is_in_service() && !diagnosis.verdict.is_helped_by_scaling() => {
            return Err(HoldReason::EndpointNotInService);
        }
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
