//! [`Diagnosis`], [`Capacity`] and [`Guardrails`] → [`Plan`]: what to ask of Application Auto Scaling, or why nothing.
//!
//! Pure. The plan is complete: acting on it makes no choice. Whatever cannot be evaluated holds the plan.

mod asked;
mod assembly;
mod asynchronous;
mod burst;
mod bursty;
mod caveats;
mod copies;
mod demand;
mod floor;
mod from_zero;
mod guardrails;
mod headroom;
mod herd;
mod quiet;
mod requests;
mod room;
mod schedule;
mod score;
mod search;
mod serverless;
mod shift;
mod sizing;
mod target_tracking;
mod tuning;

pub use asked::{NoSuchTarget, asked};
pub use asynchronous::longest_wait;

use crate::config::Guardrails;
use crate::model::{
    BlockedBy, Bound, Capacity, Diagnosis, HoldReason, Hosting, InstanceCount, InstanceType, Minute, Observation, Plan,
    Relax, ScalableDimension, Verdict,
};
use crate::replay::Boot;
use asynchronous::Occasion;
use headroom::Unsized;
use quiet::Quiet;
use requests::Requests;
use search::Bounds;
use shift::Shift;
use sizing::Sizing;
pub use sizing::room_for;
use tuning::Tuning;

/// How long a raised `MinCapacity` stays at least: an hour outlasts the incident, its verification and a scale-in.
const RELAX_AFTER_MINUTES: u32 = 60;

/// Plans the scaling of one variant.
#[must_use]
pub fn plan(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Plan {
    let planned = match diagnosis.verdict {
        _ if observation.is_shadow() => Err(HoldReason::ShadowVariant.into()),
        Verdict::Burst => bursty::planned(observation, diagnosis, capacity, guardrails),
        _ => sized(observation, diagnosis, capacity, guardrails).map_err(Unsized::from),
    };
    planned_or_held(planned, observation)
}

/// The plan, or why there is none.
fn planned_or_held(planned: Result<Plan, Unsized>, observation: &Observation) -> Plan {
    match planned {
        Ok(plan) => plan,
        // Whatever else would hold it: SageMaker refuses changes until then.
        Err(_) if !observation.endpoint.status.is_in_service() => Plan::hold(HoldReason::EndpointNotInService),
        Err(unsized_for) => {
            let advice = room::advice_on_hold(observation, unsized_for.reason);
            let mut plan = Plan::from(unsized_for).said(observation.dimension());
            plan.advice.extend(advice);
            plan
        }
    }
}

fn sized(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    if observation.hosting == Hosting::Serverless {
        return serverless::planned(observation, diagnosis, capacity, guardrails);
    }
    would_help(diagnosis)?;
    if observation.is_asynchronous() {
        return of_queue(observation, diagnosis, capacity, guardrails);
    }
    can_be_scaled(observation)?;
    let of = observation.dimension();
    if of == ScalableDimension::CopyCount && observation.running() == Some(InstanceCount(0)) {
        return from_zero::planned(observation, diagnosis, capacity, guardrails);
    }
    let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
    let present = scaling.target.as_ref();
    let shift = Shift::of(observation, diagnosis);
    let sizing = Sizing::of(observation, present, capacity, guardrails, shift.as_ref())?;
    let Sizing { current, max_capacity, target_value, .. } = sizing;
    // An incident is no time to lower anything, nor to put a schedule over a floor that was raised.
    let bounds = Bounds { least: sizing.calm_min.max(InstanceCount(1)), max: max_capacity, may_schedule: false };
    // Nor to try what no replay of a known limit supports.
    let known = capacity.filter(|capacity| capacity.bound == Bound::Estimate);
    let tuning = known.and_then(|capacity| Tuning::of(observation, capacity, &bounds, guardrails.objective));
    // A floor belongs to the policy that it was searched with.
    let may_put = |tuning: &Tuning| target_tracking::in_the_way(&scaling.policies, tuning.best().metric).is_none();
    let calm_min = match &tuning {
        Some(tuning) if may_put(tuning) && !tuning.keeps_present() => {
            copies::calm(tuning.best().min.max(sizing.calm_min), sizing.calm_min)
        }
        _ => sizing.calm_min,
    };
    let min_capacity = sizing.min_capacity.max(calm_min).min(max_capacity);
    let numbers = match &tuning {
        Some(tuning) => tuning.numbers(&scaling.policies),
        None => {
            let boot = Boot::of(observation);
            target_tracking::closed_form(target_value, &boot, target_tracking::ours(&scaling.policies))
        }
    };
    let plan = Requests {
        observation,
        scaling,
        guardrails,
        current,
        min_capacity,
        max_capacity,
        numbers: Some(numbers),
        keeps_policies: tuning.as_ref().is_some_and(Tuning::keeps_present),
        floors: &[],
    };
    let mut plan = Plan {
        relax: (min_capacity > calm_min)
            .then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min }),
        reasoning: sizing.reasoning(tuning.as_ref().map(Tuning::reasoning)),
        ..plan.complete()?
    };
    plan.reasoning.extend(shift.map(|shift| shift.reasoning(capacity, max_capacity)));
    plan.reasoning.extend(caveats::caveats(observation));
    plan.forecast = tuning.as_ref().and_then(|tuning| tuning.forecast(&plan));
    plan.advice.extend(schedule::that_would_lower(scaling, min_capacity, max_capacity));
    plan.advice.extend(floor_instead(observation, tuning.as_ref(), &plan));
    plan = plan.said(of);
    plan.reasoning.extend(from_zero::why(&plan));
    plan.reasoning.extend(room::reasoning(observation));
    plan.advice.extend(room::advice(observation, sizing.wanted));
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
        if max_capacity <= current {
            // What is allowed may find no room.
            let is_full = sizing.wanted > current;
            return Err(if is_full { HoldReason::NoRoom } else { HoldReason::GuardrailReached });
        }
    }
    Ok(plan)
}

/// Plans the scaling of an asynchronous variant whose backlog grows.
fn of_queue(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    has_scalable_instances(observation)?;
    let plan = asynchronous::plan(observation, capacity, guardrails, Occasion::Incident)?;
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
        let most = plan.register_scalable_target.as_ref().map(|register| register.max_capacity);
        if most <= observation.running() {
            return Err(HoldReason::GuardrailReached);
        }
    }
    Ok(plan)
}

/// Plans the scaling of a variant in quiet times: the range, policy and schedule that would have done best over the
/// history. Unlike in an incident, `MinCapacity` may fall here.
#[must_use]
pub fn tune(observation: &Observation, capacity: Option<&Capacity>, guardrails: &Guardrails) -> Plan {
    planned_or_held(tuned(observation, capacity, guardrails).map_err(Unsized::from), observation)
}

fn tuned(observation: &Observation, capacity: Option<&Capacity>, guardrails: &Guardrails) -> Result<Plan, HoldReason> {
    if observation.is_shadow() {
        return Err(HoldReason::ShadowVariant);
    }
    if observation.hosting == Hosting::Serverless {
        return serverless::tuned(observation, capacity, guardrails);
    }
    if observation.is_asynchronous() {
        has_scalable_instances(observation)?;
        return asynchronous::plan(observation, capacity, guardrails, Occasion::Quiet);
    }
    can_be_scaled(observation)?;
    let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
    let quiet = Quiet::of(observation, scaling.target.as_ref(), capacity, guardrails)?;
    // Somebody else's schedule would fight ours over MinCapacity.
    let has_foreign_schedule =
        scaling.scheduled_actions.as_ref().is_none_or(|actions| actions.iter().any(|action| !action.is_ours()));
    let least = copies::least(observation, scaling.target.as_ref(), guardrails);
    let may_schedule = !has_foreign_schedule && least > InstanceCount(0);
    let bounds = Bounds { least: quiet.least, max: quiet.max_capacity, may_schedule };
    let tuning = capacity.and_then(|capacity| Tuning::of(observation, capacity, &bounds, guardrails.objective));
    if tuning.is_none() && !quiet.is_better_than(&scaling.policies) {
        return Err(HoldReason::NothingToDo);
    }
    let (min_capacity, numbers, floors) = match &tuning {
        Some(tuning) if tuning.keeps_present() => {
            let min = scaling.target.as_ref().map_or(quiet.least, |target| target.min_capacity);
            (min.max(quiet.least), tuning.numbers(&scaling.policies), Vec::new())
        }
        Some(tuning) => {
            let best = tuning.best();
            let now = Minute::containing(observation.at).0.rem_euclid(1_440);
            let min = schedule::floor_at(&best.floors, now).unwrap_or(best.min);
            (min, tuning.numbers(&scaling.policies), best.floors.clone())
        }
        None => {
            let boot = Boot::of(observation);
            let ours = target_tracking::ours(&scaling.policies);
            (quiet.min_capacity, target_tracking::closed_form(quiet.target_value, &boot, ours), Vec::new())
        }
    };
    let keeps_policies = tuning.as_ref().is_some_and(Tuning::keeps_present);
    let requests = Requests {
        observation,
        scaling,
        guardrails,
        current: quiet.current,
        min_capacity: copies::calm(min_capacity, least),
        max_capacity: quiet.max_capacity,
        numbers: Some(numbers),
        keeps_policies,
        floors: &floors,
    };
    let mut plan = Plan {
        reasoning: tuning.as_ref().map_or_else(|| quiet.reasoning(), Tuning::reasoning),
        ..requests.complete()?
    };
    plan.reasoning.extend(caveats::caveats(observation));
    plan.advice.extend(floor_instead(observation, tuning.as_ref(), &plan));
    plan = plan.said(observation.dimension());
    plan.reasoning.extend(from_zero::why(&plan));
    plan.reasoning.extend(room::reasoning(observation));
    Ok(Plan { forecast: tuning.as_ref().and_then(|tuning| tuning.forecast(&plan)), ..plan })
}

/// What a person can do where what reacts cannot keep the objective.
fn floor_instead(observation: &Observation, tuning: Option<&Tuning>, plan: &Plan) -> Vec<String> {
    let floor = tuning.and_then(Tuning::floor_instead).zip(plan.register_scalable_target.as_ref());
    floor.map_or_else(Vec::new, |(floor, register)| floor.advice(register, &observation.asked_of_the_tool()))
}

/// Whether more instances would help.
fn would_help(diagnosis: &Diagnosis) -> Result<(), HoldReason> {
    match diagnosis.verdict {
        Verdict::ModelLoading => Err(HoldReason::ModelsNotSized),
        Verdict::Transient => Err(HoldReason::NothingToDo),
        Verdict::InsufficientData | Verdict::Undetermined => Err(HoldReason::CauseUnknown),
        verdict if !verdict.is_helped_by_scaling() => Err(HoldReason::ScalingWillNotHelp),
        _ => Ok(()),
    }
}

/// Whether this way of hosting can be scaled and sized here.
fn can_be_scaled(observation: &Observation) -> Result<(), HoldReason> {
    if !observation.is_hosting_known {
        return Err(HoldReason::HostingUnknown);
    }
    match observation.hosting {
        Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer => {}
        Hosting::InferenceComponent => return copies::can_be_scaled(observation),
        Hosting::Serverless | Hosting::Asynchronous => return Err(HoldReason::HostingNotSized),
    }
    has_scalable_instances(observation)
}

/// Whether Application Auto Scaling takes the variant's instances.
fn has_scalable_instances(observation: &Observation) -> Result<(), HoldReason> {
    if observation.variant.instance_types().any(InstanceType::is_burstable) {
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
