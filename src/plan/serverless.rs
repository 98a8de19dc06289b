//! Plans the provisioned concurrency of a serverless variant.
//!
//! It is sized by what was served at once, not by latency: requests on a warm container take as long as they take. A unit
//! that is not there is a cold start. Application Auto Scaling scales only what is configured already, so where no
//! provisioned concurrency is set the plan holds, and says with which command a person sets how much.
//!
//! `ADVISOR_MAX_INSTANCES` counts units of provisioned concurrency here: like an instance, a unit is paid for as long as it
//! is there, used or not. An hourly limit holds for that price; what requests cost by their duration comes on top, and is
//! much the same whoever serves them.
//!
//! Where a day or more was seen, target and `MinCapacity` are searched for as for instances: a minute in which one request
//! in fifty finds no unit idle counts as one over the objective.

mod demand;

use super::requests::Requests;
use super::search::Bounds;
use super::target_tracking::{self, Numbers, Tracked};
use super::tuning::Tuning;
use super::{RELAX_AFTER_MINUTES, guardrails, may_be_changed, schedule};
use crate::config::Guardrails;
use crate::model::{
    Capacity, Diagnosis, HoldReason, InstanceCount, MOST_CONCURRENCY, Observation, Plan, RegisterScalableTarget, Relax,
    ScalableTarget, Scaling, ScalingPolicy, Seconds, ServerlessUpdateConfig, UpdateServerless, Verdict,
};
use demand::Demand;

/// A larger scale-out follows as soon as the next datapoint asks for it.
const OUT_COOLDOWN: Seconds = Seconds(60);
/// Bursts come back; units that are there meanwhile cost what they cost, and no cold start.
const IN_COOLDOWN: Seconds = Seconds(600);
/// A policy of ours stays as it is while its target would hardly change.
const SAME_TARGET: f64 = 0.051;
/// Room above the most that was ever served at once.
const ROOM: f64 = 1.5;

/// Plans the provisioned concurrency of one variant.
pub(super) fn planned(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    would_help(diagnosis)?;
    let range = match Range::of(observation, guardrails) {
        Err(HoldReason::PriceUnknown) => return Ok(without_a_price()),
        range => range?,
    };
    let Range { scaling, ref demand, current, ceiling, max_capacity } = range;
    let Some(current) = current else { return Ok(not_set(observation, demand, ceiling)) };
    let needed = demand.now.units().ok_or(HoldReason::CapacityUnknown)?.max(guardrails.min_instances);
    // During an incident nothing is lowered: neither Min, nor Max, nor what is there.
    let present = scaling.target.as_ref();
    let present_min = present.map_or(InstanceCount(1), |target| target.min_capacity);
    let calm_min = present.map_or(current, ScalableTarget::calm_min_capacity);
    let calm_min = calm_min.max(guardrails.min_instances).min(ceiling);
    let is_free = target_tracking::in_the_way(&scaling.policies, Tracked::ProvisionedConcurrency).is_none();
    let max_capacity = max_capacity.max(needed.min(ceiling));
    let bounds = Bounds { least: calm_min, max: max_capacity, may_schedule: false };
    let tuning = capacity.filter(|_| is_free);
    let tuning = tuning.and_then(|capacity| Tuning::of(observation, capacity, &bounds, guardrails.objective));
    let target = demand.target(calm_min, guardrails.objective);
    let (calm_min, numbers) = match &tuning {
        // A policy that stays has the floor that it was put with.
        Some(tuning) => (tuning.best().min.max(calm_min), tuning.numbers(&scaling.policies)),
        None => (calm_min, closed_form(target.value, &scaling.policies)),
    };
    let min_capacity = needed.max(calm_min).max(present_min).max(current).min(ceiling.max(present_min));
    let max_capacity = max_capacity.max(min_capacity);
    let mut plan = Requests {
        observation,
        scaling,
        guardrails,
        current,
        min_capacity,
        max_capacity,
        numbers: Some(numbers),
        keeps_policies: tuning.as_ref().is_some_and(Tuning::keeps_present),
        floors: &[],
    }
    .complete()?;
    plan.relax =
        (min_capacity > calm_min).then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min });
    plan.reasoning = match &tuning {
        Some(tuning) => tuning.reasoning(),
        None => vec![demand.target_reasoning(&target)],
    };
    plan.reasoning.extend(demand.reasoning(needed, current, ceiling));
    plan.advice.extend(schedule::that_would_lower(scaling, min_capacity, max_capacity));
    plan.advice.extend(super::floor_instead(observation, tuning.as_ref(), &plan));
    if tuning.is_none() {
        plan.advice.extend(floor_instead(&plan, demand, calm_min, ceiling, &target));
    }
    plan.forecast = tuning.as_ref().and_then(|tuning| tuning.forecast(&plan));
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
        if max_capacity <= current {
            return Err(HoldReason::GuardrailReached);
        }
    }
    Ok(plan)
}

/// Plans it in quiet times, where `MinCapacity` may fall too.
pub(super) fn tuned(
    observation: &Observation,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    let Range { scaling, current, ceiling, max_capacity, .. } = Range::of(observation, guardrails)?;
    let current = current.ok_or(HoldReason::ProvisionedConcurrencyNotSet)?;
    let capacity = capacity.ok_or(HoldReason::CapacityUnknown)?;
    let least = guardrails.min_instances.max(InstanceCount(1)).min(ceiling);
    let bounds = Bounds { least, max: max_capacity, may_schedule: false };
    let tuning = Tuning::of(observation, capacity, &bounds, guardrails.objective).ok_or(HoldReason::NothingToDo)?;
    let present = scaling.target.as_ref().filter(|_| tuning.keeps_present());
    let min_capacity = present.map_or(tuning.best().min, |target| target.min_capacity);
    let mut plan = Requests {
        observation,
        scaling,
        guardrails,
        current,
        min_capacity: min_capacity.max(least),
        max_capacity: max_capacity.max(min_capacity),
        numbers: Some(tuning.numbers(&scaling.policies)),
        keeps_policies: tuning.keeps_present(),
        floors: &[],
    }
    .complete()?;
    plan.reasoning = tuning.reasoning();
    plan.advice.extend(super::floor_instead(observation, Some(&tuning), &plan));
    plan.forecast = tuning.forecast(&plan);
    Ok(plan)
}

/// What provisioned concurrency may be.
struct Range<'a> {
    scaling: &'a Scaling,
    demand: Demand,
    /// Units that are set; none where Application Auto Scaling has nothing to scale.
    current: Option<InstanceCount>,
    /// The most that `MaxConcurrency` and the guardrails allow.
    ceiling: InstanceCount,
    /// Room for half as much again as there ever was at once, and never less than what stands.
    max_capacity: InstanceCount,
}

impl<'a> Range<'a> {
    fn of(observation: &'a Observation, guardrails: &Guardrails) -> Result<Self, HoldReason> {
        let serverless = observation.variant.serverless.ok_or(HoldReason::HostingUnknown)?;
        let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
        let current = serverless.provisioned_concurrency.map(InstanceCount);
        let running = current.unwrap_or(InstanceCount(0));
        let present = scaling.target.as_ref();
        let ceiling = guardrails::ceiling(guardrails, present, running, observation.instance_price)?;
        let ceiling = ceiling.min(InstanceCount(serverless.max_concurrency)).min(MOST_CONCURRENCY).max(running);
        let demand = Demand::of(observation).ok_or(HoldReason::CapacityUnknown)?;
        let room = demand.peak.times(ROOM).units().ok_or(HoldReason::CapacityUnknown)?;
        let max_capacity = room.max(running).min(ceiling);
        let max_capacity = present.map_or(max_capacity, |target| max_capacity.max(target.max_capacity));
        Ok(Self { scaling, demand, current, ceiling, max_capacity })
    }
}

/// The numbers of our policy where nothing could be replayed: as they stand where new ones would hardly differ.
fn closed_form(target: f64, present: &[ScalingPolicy]) -> Numbers {
    let metric = Tracked::ProvisionedConcurrency;
    let new = Numbers { metric, target, out_cooldown: OUT_COOLDOWN, in_cooldown: IN_COOLDOWN };
    let stands = target_tracking::ours(present)
        .and_then(target_tracking::numbers)
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

/// An hourly limit that cannot be evaluated refuses.
fn without_a_price() -> Plan {
    let advice = "The price of provisioned concurrency is not known: allow pricing:GetProducts, or leave the hourly limit out \
                  for this endpoint and limit the units with the tag endpoint-advisor:max-instances.";
    Plan { advice: vec![advice.to_owned()], ..Plan::hold(HoldReason::PriceUnknown) }
}

/// Nothing to scale yet: how much to set, and how.
fn not_set(observation: &Observation, demand: &Demand, ceiling: InstanceCount) -> Plan {
    let hold = Plan::hold(HoldReason::ProvisionedConcurrencyNotSet);
    let Some(serverless) = observation.variant.serverless else { return hold };
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

#[cfg(test)]
mod tests {
    use super::target_tracking::PROVISIONED_METRIC_TYPE;
    use super::*;
    use crate::config::ScalingObjective;
    use crate::model::{Grade, ScalableKey, TargetTracking};
    use std::collections::BTreeMap;

    #[test]
    fn a_policy_of_ours_stays_where_new_numbers_would_hardly_differ() {
        let policy = |name: &str, target_value: f64, out_cooldown: Seconds| ScalingPolicy {
            policy_name: name.to_owned(),
            policy_type: "TargetTrackingScaling".to_owned(),
            target_tracking: Some(TargetTracking {
                metric: Some(PROVISIONED_METRIC_TYPE.to_owned()),
                target_value,
                scale_out_cooldown: Some(out_cooldown),
                scale_in_cooldown: Some(IN_COOLDOWN),
                disable_scale_in: false,
                customized: None,
            }),
            ..ScalingPolicy::default()
        };
        let stands = |policy: ScalingPolicy| closed_form(0.7, &[policy]).target;
        let ours = "endpoint-advisor-provisioned-concurrency";
        assert_eq!(stands(policy(ours, 0.7 + 0.9 * SAME_TARGET, OUT_COOLDOWN)), 0.7 + 0.9 * SAME_TARGET);
        assert_eq!(stands(policy(ours, 0.7 - 0.9 * SAME_TARGET, OUT_COOLDOWN)), 0.7 - 0.9 * SAME_TARGET);
        assert_eq!(stands(policy(ours, 0.7 + 1.1 * SAME_TARGET, OUT_COOLDOWN)), 0.7);
        assert_eq!(stands(policy(ours, 0.7 + 0.5 * SAME_TARGET, Seconds(1))), 0.7, "it follows at another pace");
        assert_eq!(stands(policy("theirs", 0.7 + 0.5 * SAME_TARGET, OUT_COOLDOWN)), 0.7, "it is theirs");
    }

    #[test]
    fn provisioned_concurrency_helps_against_cold_starts_alone() {
        let held = |verdict: Verdict, sub_cause: Option<&str>| {
            let diagnosis = Diagnosis {
                verdict,
                sub_cause: sub_cause.map(str::to_owned),
                confidence: 1.0,
                grade: Grade::High,
                summary: String::new(),
                evidence: Vec::new(),
                context: Vec::new(),
                alternatives: Vec::new(),
                blocked_by: None,
                next_steps: Vec::new(),
            };
            would_help(&diagnosis).err()
        };
        assert_eq!(held(Verdict::ColdStart, None), None);
        assert_eq!(held(Verdict::ColdStart, Some("after_deployment")), Some(HoldReason::NothingToDo));
        assert_eq!(held(Verdict::Transient, None), Some(HoldReason::NothingToDo));
        assert_eq!(held(Verdict::ServerlessConcurrencyLimit, None), Some(HoldReason::MaxConcurrencyNotScaled));
        for unknown in [Verdict::InsufficientData, Verdict::Undetermined] {
            assert_eq!(held(unknown, None), Some(HoldReason::CauseUnknown));
        }
        assert_eq!(held(Verdict::SlowDependency, None), Some(HoldReason::ProvisionedConcurrencyWillNotHelp));
    }

    #[test]
    fn where_bursts_come_faster_than_units_the_floor_that_meets_them_is_told() {
        // Nine at once in every tenth minute, and one else.
        let told = |min: u32, calm_min: u32, ceiling: u32| {
            let demand = demand::tests::demand(9.0, 1_440);
            let key =
                ScalableKey::of_provisioned_concurrency(&"orders".parse().unwrap(), &"AllTraffic".parse().unwrap());
            let register = RegisterScalableTarget {
                service_namespace: key.service_namespace,
                resource_id: key.resource_id,
                scalable_dimension: key.scalable_dimension,
                min_capacity: InstanceCount(min),
                max_capacity: InstanceCount(12),
                tags: BTreeMap::new(),
            };
            let plan = Plan { register_scalable_target: Some(register), ..Plan::hold(HoldReason::NothingToDo) };
            let calm_min = InstanceCount(calm_min);
            let target = demand.target(calm_min, ScalingObjective::Balanced);
            floor_instead(&plan, &demand, calm_min, InstanceCount(ceiling), &target)
        };
        let more = told(2, 2, 20).unwrap();
        assert!(more.contains("keep 9 units of provisioned concurrency: aws "), "{more}");
        assert!(more.ends_with("--min-capacity 9 --max-capacity 12"), "{more}");
        let there = told(9, 2, 20).unwrap();
        assert!(there.contains("9 would meet 99 % of the minutes warm. Keep MinCapacity there"), "{there}");
        assert!(told(8, 2, 20).unwrap().contains("keep 9 units"));
        assert!(told(2, 2, 5).unwrap().contains("keep 5 units"), "as far as the limit allows");
        assert_eq!(told(9, 9, 20), None, "it goes back to no less");
        assert_eq!(told(5, 5, 5), None);
    }
}
