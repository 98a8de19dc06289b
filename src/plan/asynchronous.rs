//! Plans for asynchronous endpoints: instances follow the backlog.
//!
//! A queue keeps what cannot be processed yet, so nothing is lost while instances start, and no `MinCapacity` is raised for an
//! incident. What counts is how long requests wait. The policy tracks `ApproximateBacklogSizePerInstance`. At zero instances that metric does not exist; there a
//! step policy on `HasBacklogWithoutCapacity` starts the first one. With a day of history the policy is the one that does best
//! in a replay of the queue; with less, a closed form.

mod load;
mod policies;
mod tuning;

use super::assembly::Assembly;
use super::guardrails;
use crate::config::{Guardrails, MIN_INSTANCES_TAG};
use crate::model::{
    Bound, Capacity, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Observation, Plan,
    PutMetricAlarm, PutScalingPolicy, ScalableKey, Scaling, ScalingPolicy, Seconds, Thousands, UsdPerHour,
};
use crate::replay::{Boot, QueueReplay};
use load::Load;
use policies::Numbers;
use tuning::{Task, Tuning};

/// A request may wait so long where no alarm on `ApproximateAgeOfOldestRequest` says: twice what a slow instance needs to start
/// and its policy to notice, so that scaling can keep it at all.
const LONGEST_WAIT: Seconds = Seconds(1_800);
/// New instances need about so long to serve: nothing is worked off in less.
const LEAST_CLEAR_MINUTES: f64 = 10.0;
/// `MinCapacity` of quiet times is tried at these quantiles of what arrives.
const FLOORS: [f64; 4] = [0.1, 0.3, 0.5, 0.7];

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
    let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
    let key = observation.scalable_key().ok_or(HoldReason::HostingNotSized)?;
    let sizing = Sizing::of(observation, scaling, capacity, guardrails, occasion)?;
    let boot = Boot::of(observation);
    let present = policies::ours(&scaling.policies);
    let longest_wait = f64::from(sizing.longest_wait.0) / 60.0;
    let closed = |carries| policies::closed_form(carries, &boot, sizing.load.slots, longest_wait, present);
    // What no replay of a known limit supports is not tried in an incident.
    let known = capacity.filter(|capacity| occasion == Occasion::Quiet || capacity.bound == Bound::Estimate);
    let tuning = known.and_then(|capacity| {
        Tuning::of(Task {
            replay: QueueReplay::of(observation, capacity, sizing.longest_wait)?,
            capacity,
            key: &key,
            endpoint_name: &observation.endpoint_name,
            scaling,
            slots: sizing.load.slots,
            floors: sizing.floors.clone(),
            max: sizing.max_capacity,
            longest_wait: sizing.longest_wait,
            objective: guardrails.objective,
        })
    });
    let numbers = match &tuning {
        Some(tuning) => Some(tuning.best.numbers),
        None => sizing.carries.and_then(closed),
    };
    let tracked = policies::in_the_way(&scaling.policies);
    // A floor belongs to the policy that it was searched with.
    let tuned_min = tuning.as_ref().filter(|_| tracked.is_none()).map(|tuning| tuning.best.min);
    let min_capacity = tuned_min.unwrap_or(sizing.min_capacity);
    let is_at_zero = min_capacity == InstanceCount(0);
    // An endpoint at zero can be started without knowing what an instance does; anything else cannot be sized.
    if numbers.is_none() && !(is_at_zero && sizing.current == InstanceCount(0)) {
        return Err(HoldReason::CapacityUnknown);
    }
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
        min_capacity,
        max_capacity: sizing.max_capacity,
        policies: tracking.into_iter().chain(start).collect(),
        gone: Vec::new(),
        alarms: alarm.into_iter().collect(),
        scheduled: Vec::new(),
    };
    let plan = assembly.plan()?;
    let differs = |policy: &&ScalingPolicy, numbers: &Numbers| {
        policy.target_tracking.as_ref().is_none_or(|tracking| tracking.target_value != numbers.target)
    };
    let others = tracked.zip(numbers).filter(|(policy, numbers)| differs(policy, numbers)).map(|(policy, numbers)| {
        format!(
            "Policy `{}` already tracks the backlog per instance and is not ours to change: set its TargetValue to {}.",
            policy.policy_name, numbers.target
        )
    });
    let target = match &tuning {
        Some(tuning) => tuning.reasoning(),
        None => sizing.target_reasoning(numbers, &boot).into_iter().collect(),
    };
    Ok(Plan {
        reasoning: target.into_iter().chain(sizing.reasoning(min_capacity)).collect(),
        advice: others.into_iter().chain(plan.advice.clone()).collect(),
        forecast: tuning.as_ref().and_then(|tuning| tuning.forecast(&plan)),
        ..plan
    })
}

/// How long a request may wait: what an alarm on it says, else what is assumed.
#[must_use]
pub fn longest_wait(observation: &Observation) -> Seconds {
    observation.age_objective.unwrap_or(LONGEST_WAIT)
}

/// The policy that starts the first instance, and its alarm.
pub(super) fn from_zero(key: &ScalableKey, observation: &Observation) -> (PutScalingPolicy, PutMetricAlarm) {
    policies::from_zero(key, &observation.endpoint_name, &Boot::of(observation))
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
    /// `MinCapacity` may be one of these.
    floors: Vec<InstanceCount>,
    /// How long the oldest request may wait, and whether somebody said so.
    longest_wait: Seconds,
    is_wait_stated: bool,
    price: Option<UsdPerHour>,
    price_source: String,
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
        let longest_wait = longest_wait(observation);
        let clear_minutes = clear_minutes(longest_wait);
        let instances = |a_minute: f64| carries?.instances_for(InvocationsPerMinute(a_minute));
        let to_clear = load.arrived.and_then(|arrived| instances(arrived + load.backlog / clear_minutes));
        let at_peak = load.peak.and_then(instances);
        // Only who asks for a number gets one: everywhere else the least is 1, here it is 0.
        let is_asked = observation.tags.as_ref().is_some_and(|tags| tags.contains_key(MIN_INSTANCES_TAG));
        let least = if is_asked { guardrails.min_instances } else { InstanceCount(0) };
        let zero = InstanceCount(0);
        let min = match (present, occasion) {
            (Some(target), Occasion::Incident) => target.min_capacity,
            (None, Occasion::Incident) => current,
            // Whoever lets it go to zero accepts that the first request waits for an instance; nobody else is made to.
            (Some(target), Occasion::Quiet) if target.min_capacity == zero => zero,
            (_, Occasion::Quiet) => load.usual.and_then(instances).unwrap_or(InstanceCount(1)),
        };
        let min_capacity = min.max(least).min(ceiling);
        let mut floors = vec![min_capacity];
        if occasion == Occasion::Quiet && min != zero {
            let at = |share: &f64| instances(load.quantile(*share)?);
            floors.extend(FLOORS.iter().filter_map(at).chain([InstanceCount(1)]));
            floors = floors.into_iter().map(|floor| floor.max(least).max(InstanceCount(1)).min(ceiling)).collect();
            floors.sort_unstable();
            floors.dedup();
        }
        let present_max = present.map_or(current, |target| target.max_capacity);
        let wanted = [to_clear, at_peak, Some(current), Some(min_capacity), Some(InstanceCount(1))];
        let max_capacity = wanted.into_iter().flatten().max().unwrap_or(current).min(ceiling).max(present_max);
        Ok(Self {
            load,
            carries,
            current,
            min_capacity,
            max_capacity,
            to_clear,
            at_peak,
            ceiling,
            floors,
            longest_wait,
            is_wait_stated: observation.age_objective.is_some(),
            price: observation.instance_price,
            price_source: observation.price_source(),
        })
    }

    /// Why this target, in closed form.
    fn target_reasoning(&self, numbers: Option<Numbers>, boot: &Boot) -> Option<String> {
        self.carries.zip(numbers).map(|(carries, numbers)| {
            format!(
                "one instance processes {carries} requests a minute and takes {:.0} minutes to start: a backlog of {} for \
                 each instance is gone before another one would serve, and more than that is a reason for another one",
                policies::start_minutes(boot),
                Thousands(numbers.target)
            )
        })
    }

    /// How the range came about, one fact each.
    fn reasoning(&self, min_capacity: InstanceCount) -> Vec<String> {
        let Self { load, current, ceiling, to_clear, at_peak, .. } = self;
        let mut reasoning = Vec::new();
        if !self.is_wait_stated {
            reasoning.push(format!(
                "no alarm on ApproximateAgeOfOldestRequest says how long a request may wait: {} minutes are assumed",
                LONGEST_WAIT.0 / 60
            ));
        }
        if let (Some(arrived), Some(to_clear)) = (load.arrived, to_clear) {
            reasoning.push(format!(
                "{} requests wait or are in work and {} a minute arrive: {to_clear} {} work that off within {:.0} \
                 minutes; {current} {} running",
                Thousands(load.backlog),
                Thousands(arrived),
                if to_clear.0 == 1 { "instance" } else { "instances" },
                clear_minutes(self.longest_wait),
                if current.0 == 1 { "is" } else { "are" },
            ));
        }
        if let (Some(peak), Some(at_peak)) = (load.peak, at_peak) {
            reasoning.push(format!(
                "the busiest ten minutes that were seen brought {} a minute, which takes {at_peak}",
                Thousands(peak)
            ));
        }
        if min_capacity == InstanceCount(0) {
            reasoning.push(
                "MinCapacity is 0: the backlog per instance does not exist without an instance, so a step policy starts the \
                 first one where requests wait"
                    .to_owned(),
            );
        }
        if let Some(price) = self.price {
            reasoning.push(format!(
                "an instance costs {:.2} USD per hour ({}): {:.2} USD at MaxCapacity",
                price.0,
                self.price_source,
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

/// What waits now should be gone within what a request may wait, as far as new instances can help with that at all.
fn clear_minutes(longest_wait: Seconds) -> f64 {
    (f64::from(longest_wait.0) / 60.0).max(LEAST_CLEAR_MINUTES)
}
