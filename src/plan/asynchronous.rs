//! Plans for asynchronous endpoints: instances follow the backlog.
//!
//! A queue keeps what cannot be processed yet, so nothing is lost while instances start, and no `MinCapacity` is raised for an
//! incident. The policy tracks `ApproximateBacklogSizePerInstance`. At zero instances that metric does not exist; there a
//! step policy on `HasBacklogWithoutCapacity` starts the first one.

mod load;
mod policies;

use super::assembly::Assembly;
use super::guardrails;
use crate::config::{Guardrails, MIN_INSTANCES_TAG};
use crate::model::{
    Capacity, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Observation, Plan, Scaling,
    Thousands, UsdPerHour,
};
use crate::replay::Boot;
use load::Load;

/// A backlog should be worked off within this: as long again as instances need to come at all.
const CLEAR_MINUTES: f64 = 30.0;

/// When a plan is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// While requests wait: nothing is lowered.
    Incident,
    /// In quiet times.
    Quiet,
}

/// The plan; whether it may be written now is judged elsewhere.
///
/// # Errors
/// Why it cannot be made, or which guardrail forbids it.
pub(super) fn plan(
    observation: &Observation,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
    occasion: Occasion,
) -> Result<Plan, HoldReason> {
    let scaling = observation.scaling.as_ref().ok_or(HoldReason::ScalingStateUnknown)?;
    let key = observation.scalable_key().ok_or(HoldReason::HostingNotSized)?;
    let sizing = Sizing::of(observation, scaling, capacity, guardrails, occasion)?;
    let boot = Boot::of(observation);
    let present = policies::ours(&scaling.policies);
    let numbers = sizing.carries.and_then(|carries| policies::numbers(carries, &boot, sizing.load.slots, present));
    let is_at_zero = sizing.min_capacity == InstanceCount(0);
    // An endpoint at zero can be started without knowing what an instance does; anything else cannot be sized.
    if numbers.is_none() && !(is_at_zero && sizing.current == InstanceCount(0)) {
        return Err(HoldReason::CapacityUnknown);
    }
    let tracked = policies::in_the_way(&scaling.policies);
    let tracking = numbers.filter(|_| tracked.is_none());
    let tracking = tracking.map(|numbers| policies::tracking(&key, &observation.endpoint_name, numbers));
    let starts = (is_at_zero && !policies::starts_from_zero(&scaling.policies))
        .then(|| policies::from_zero(&key, &observation.endpoint_name, &boot));
    let (start, alarm) = starts.unzip();
    let assembly = Assembly {
        observation,
        scaling,
        existing_targets: guardrails.existing_targets,
        current: sizing.current,
        min_capacity: sizing.min_capacity,
        max_capacity: sizing.max_capacity,
        policies: tracking.into_iter().chain(start).collect(),
        gone: Vec::new(),
        alarms: alarm.into_iter().collect(),
        scheduled: Vec::new(),
    };
    let plan = assembly.plan()?;
    let others = tracked.zip(numbers).map(|(policy, numbers)| {
        format!(
            "Policy `{}` already tracks the backlog per instance and is not ours to change: set its TargetValue to {}.",
            policy.policy_name, numbers.target
        )
    });
    Ok(Plan {
        reasoning: sizing.reasoning(numbers.map(|numbers| numbers.target), &boot),
        advice: others.into_iter().chain(plan.advice).collect(),
        ..plan
    })
}

/// How many instances.
struct Sizing {
    load: Load,
    /// What one instance processes at least.
    carries: Option<InvocationsPerInstance>,
    current: InstanceCount,
    min_capacity: InstanceCount,
    max_capacity: InstanceCount,
    /// What works off the backlog in time, and what the busiest stretch of the history took.
    to_clear: Option<InstanceCount>,
    at_peak: Option<InstanceCount>,
    ceiling: InstanceCount,
    price: Option<UsdPerHour>,
}

impl Sizing {
    fn of(
        observation: &Observation,
        scaling: &Scaling,
        capacity: Option<&Capacity>,
        guardrails: &Guardrails,
        occasion: Occasion,
    ) -> Result<Self, HoldReason> {
        let current = observation.running().ok_or(HoldReason::ScalingStateUnknown)?;
        let present = scaling.target.as_ref();
        let ceiling = guardrails::ceiling(guardrails, present, current, observation.instance_price)?;
        let load = Load::of(observation).ok_or(HoldReason::CapacityUnknown)?;
        let carries = capacity.map(|capacity| capacity.low).filter(|carries| carries.0 > 0.0);
        let instances = |a_minute: f64| carries?.instances_for(InvocationsPerMinute(a_minute));
        let to_clear = load.arrived.and_then(|arrived| instances(arrived + load.backlog / CLEAR_MINUTES));
        let at_peak = load.peak.and_then(instances);
        // Only who asks for a number gets one: everywhere else the least is 1, here it is 0.
        let is_asked = observation.tags.as_ref().is_some_and(|tags| tags.contains_key(MIN_INSTANCES_TAG));
        let least = if is_asked { guardrails.min_instances } else { InstanceCount(0) };
        let min = match (present, occasion) {
            (Some(target), Occasion::Incident) => target.min_capacity,
            (None, Occasion::Incident) => current,
            // Whoever lets it go to zero accepts that the first request waits for an instance; nobody else is made to.
            (Some(target), Occasion::Quiet) if target.min_capacity == InstanceCount(0) => InstanceCount(0),
            (_, Occasion::Quiet) => load.usual.and_then(instances).unwrap_or(InstanceCount(1)),
        };
        let min_capacity = min.max(least).min(ceiling);
        let present_max = present.map_or(current, |target| target.max_capacity);
        let wanted = [to_clear, at_peak, Some(current), Some(min_capacity), Some(InstanceCount(1))];
        let max_capacity = wanted.into_iter().flatten().max().unwrap_or(current).min(ceiling).max(present_max);
        let price = observation.instance_price;
        Ok(Self { load, carries, current, min_capacity, max_capacity, to_clear, at_peak, ceiling, price })
    }

    /// How the numbers came about, one fact each.
    fn reasoning(&self, target: Option<f64>, boot: &Boot) -> Vec<String> {
        let Self { load, current, ceiling, to_clear, at_peak, .. } = self;
        let mut reasoning = Vec::new();
        if let Some((carries, target)) = self.carries.zip(target) {
            reasoning.push(format!(
                "one instance processes {carries} requests a minute and takes {:.0} minutes to start: a backlog of {} for \
                 each instance is gone before another one would serve, and more than that is a reason for another one",
                policies::start_minutes(boot),
                Thousands(target)
            ));
        }
        if let (Some(arrived), Some(to_clear)) = (load.arrived, to_clear) {
            reasoning.push(format!(
                "{} requests wait or are in work and {} a minute arrive: {to_clear} {} work that off within {CLEAR_MINUTES:.0} \
                 minutes; {current} {} running",
                Thousands(load.backlog),
                Thousands(arrived),
                if to_clear.0 == 1 { "instance" } else { "instances" },
                if current.0 == 1 { "is" } else { "are" },
            ));
        }
        if let (Some(peak), Some(at_peak)) = (load.peak, at_peak) {
            reasoning.push(format!(
                "the busiest ten minutes that were seen brought {} a minute, which takes {at_peak}",
                Thousands(peak)
            ));
        }
        if self.min_capacity == InstanceCount(0) {
            reasoning.push(
                "MinCapacity is 0: the backlog per instance does not exist without an instance, so a step policy starts the \
                 first one where requests wait"
                    .to_owned(),
            );
        }
        if let Some(price) = self.price {
            reasoning.push(format!(
                "an instance costs {:.2} USD per hour (public on-demand price): {:.2} USD at MaxCapacity",
                price.0,
                f64::from(self.max_capacity.0) * price.0
            ));
        }
        if let Some(needed) = to_clear.filter(|needed| needed > ceiling) {
            reasoning.push(format!(
                "{needed} instances would be needed for that and {ceiling} are allowed: the backlog takes longer until the limit is \
                 raised"
            ));
        }
        reasoning
    }
}
