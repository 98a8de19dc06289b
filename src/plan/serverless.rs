//! Plans the provisioned concurrency of a serverless variant.
//!
//! It is sized by what was served at once, not by latency: requests on a warm container take as long as they take. A unit
//! that is not there is a cold start. Application Auto Scaling scales only what is configured already, so where no
//! provisioned concurrency is set the plan holds, and says with which command a person sets how much.
//!
//! `ADVISOR_MAX_INSTANCES` counts units of provisioned concurrency here: like an instance, a unit is paid for as long as it
//! is there, used or not. It is billed by GB-seconds, for which no price is read, so an hourly limit refuses.

mod demand;

use super::requests::Requests;
use super::target_tracking::{self, Numbers, Tracked};
use super::{RELAX_AFTER_MINUTES, guardrails, may_be_changed, schedule};
use crate::config::Guardrails;
use crate::model::{
    Diagnosis, HoldReason, InstanceCount, MOST_CONCURRENCY, Observation, Plan, RegisterScalableTarget, Relax,
    ScalableTarget, ScalingPolicy, Seconds, Serverless, ServerlessUpdateConfig, UpdateServerless, Verdict,
};
use demand::Demand;

/// A larger scale-out follows as soon as the next datapoint asks for it.
const OUT_COOLDOWN: Seconds = Seconds(60);
/// Bursts come back; units that are there meanwhile cost what they cost, and no cold start.
const IN_COOLDOWN: Seconds = Seconds(600);
/// A policy of ours stays as it is while its target would hardly change.
const SAME_TARGET: f64 = 0.051;

/// Plans the provisioned concurrency of one variant.
pub(super) fn planned(
    observation: &Observation,
    diagnosis: &Diagnosis,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    would_help(diagnosis)?;
    let serverless = observation.variant.serverless.ok_or(HoldReason::HostingUnknown)?;
    let scaling = observation.scaling.as_ref().ok_or(HoldReason::ScalingStateUnknown)?;
    if guardrails.max_hourly_usd.is_some() {
        return Ok(without_a_price());
    }
    let demand = Demand::of(observation).ok_or(HoldReason::CapacityUnknown)?;
    let current = InstanceCount(serverless.provisioned_concurrency.unwrap_or(0));
    let present = scaling.target.as_ref();
    let ceiling = guardrails::ceiling(guardrails, present, current, None)?;
    let ceiling = ceiling.min(InstanceCount(serverless.max_concurrency)).min(MOST_CONCURRENCY).max(current);
    if serverless.provisioned_concurrency.is_none() {
        return Ok(not_set(observation, serverless, &demand, ceiling));
    }
    let needed = demand.now.units().ok_or(HoldReason::CapacityUnknown)?.max(guardrails.min_instances);
    // Room for half as much again as there ever was at once.
    let room = demand.peak.times(1.5).units().ok_or(HoldReason::CapacityUnknown)?;
    // During an incident nothing is lowered: neither Min, nor Max, nor what is there.
    let present_min = present.map_or(InstanceCount(1), |target| target.min_capacity);
    let present_max = present.map_or(current, |target| target.max_capacity);
    let calm_min = present.map_or(current, ScalableTarget::calm_min_capacity);
    let calm_min = calm_min.max(guardrails.min_instances).min(ceiling);
    let min_capacity = needed.max(calm_min).max(present_min).max(current).min(ceiling.max(present_min));
    let max_capacity = room.max(needed).max(min_capacity).min(ceiling).max(present_max);
    let target = demand.target(calm_min, guardrails.objective);
    let numbers = numbers(target.value, &scaling.policies);
    let requests = Requests {
        observation,
        scaling,
        guardrails,
        current,
        min_capacity,
        max_capacity,
        numbers,
        keeps_policies: false,
        floors: &[],
    };
    let mut plan = requests.complete()?;
    plan.relax =
        (min_capacity > calm_min).then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min });
    plan.reasoning = demand.reasoning(&target, needed, current, ceiling);
    plan.advice.extend(schedule::that_would_lower(scaling, min_capacity, max_capacity));
    plan.advice.extend(floor_instead(&plan, &demand, calm_min, ceiling, &target));
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
        if max_capacity <= current {
            return Err(HoldReason::GuardrailReached);
        }
    }
    Ok(plan)
}

/// The numbers of our policy: as they stand where new ones would hardly differ.
fn numbers(target: f64, present: &[ScalingPolicy]) -> Numbers {
    let metric = Tracked::ProvisionedConcurrency;
    let new = Numbers { metric, target, out_cooldown: OUT_COOLDOWN, in_cooldown: IN_COOLDOWN };
    let stands = target_tracking::ours_on_provisioned_concurrency(present)
        .filter(|present| (present.target - target).abs() < SAME_TARGET && Numbers { target, ..*present } == new);
    stands.unwrap_or(new)
}

/// Whether provisioned concurrency would help.
fn would_help(diagnosis: &Diagnosis) -> Result<(), HoldReason> {
    match diagnosis.verdict {
        // It is over once the new containers have served.
        Verdict::ColdStart if diagnosis.sub_cause.as_deref() == Some("after_deployment") => {
            Err(HoldReason::NothingToDo)
        }
        Verdict::ColdStart => Ok(()),
        Verdict::ServerlessConcurrencyLimit => Err(HoldReason::MaxConcurrencyNotScaled),
        Verdict::Transient => Err(HoldReason::NothingToDo),
        Verdict::InsufficientData | Verdict::Undetermined => Err(HoldReason::CauseUnknown),
        _ => Err(HoldReason::ProvisionedConcurrencyWillNotHelp),
    }
}

/// An hourly limit cannot be evaluated here, so it refuses.
fn without_a_price() -> Plan {
    let advice = "Provisioned concurrency is billed by GB-seconds, and no price of it is read: leave the hourly limit out for \
                  this endpoint, and limit the units with the tag endpoint-advisor:max-instances.";
    Plan { advice: vec![advice.to_owned()], ..Plan::hold(HoldReason::PriceUnknown) }
}

/// Nothing to scale yet: how much to set, and how.
fn not_set(observation: &Observation, serverless: Serverless, demand: &Demand, ceiling: InstanceCount) -> Plan {
    let hold = Plan::hold(HoldReason::ProvisionedConcurrencyNotSet);
    let Some((units, variant)) = demand.usual.units().zip(observation.variant_name.as_ref()) else { return hold };
    let units = units.min(ceiling);
    let config = ServerlessUpdateConfig {
        max_concurrency: Some(InstanceCount(serverless.max_concurrency)),
        provisioned_concurrency: Some(units),
    };
    let update = UpdateServerless::of(&observation.endpoint_name, variant, config);
    let one = units == InstanceCount(1);
    Plan {
        reasoning: vec![format!(
            "{units} {} would have served all that came at once in 95 % of the minutes with requests",
            if one { "unit" } else { "units" }
        )],
        advice: vec![format!(
            "If cold starts matter, set {units} {} of provisioned concurrency, paid by the second used or not, and ask again \
             for a policy: {}",
            if one { "unit" } else { "units" },
            update.command()
        )],
        ..hold
    }
}

/// Where bursts come faster than units: the floor that would meet them.
fn floor_instead(
    plan: &Plan,
    demand: &Demand,
    calm_min: InstanceCount,
    ceiling: InstanceCount,
    target: &demand::Target,
) -> Option<String> {
    let register = plan.register_scalable_target.as_ref()?;
    let floor = demand.high.units()?.min(ceiling);
    if !target.is_too_fast || floor <= calm_min {
        return None;
    }
    if floor <= register.min_capacity {
        return Some(format!(
            "Bursts come faster than units do: {floor} would meet 99 % of the minutes warm. Keep MinCapacity there if cold \
             starts cost you more than units that idle; {calm_min} is what it goes back to."
        ));
    }
    let range = RegisterScalableTarget {
        min_capacity: floor,
        max_capacity: register.max_capacity.max(floor),
        ..register.clone()
    };
    Some(format!(
        "Bursts come faster than units do. To meet 99 % of the minutes warm, keep {floor} units of provisioned concurrency: {}",
        range.command()
    ))
}
