//! The plan for bursts: the range, target and schedule that leave the room which they need, or why there is none.

use super::copies;
use super::headroom::{Headroom, Unsized};
use super::requests::Requests;
use super::target_tracking::Tracked;
use super::{RELAX_AFTER_MINUTES, caveats, may_be_changed, room, schedule, target_tracking};
use crate::config::Guardrails;
use crate::model::{
    Capacity, Diagnosis, Grade, History, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute,
    Observation, Plan, Relax, ScalableTarget, Thousands, UsdPerHour,
};
use crate::replay::Boot;

const MINUTES_OF_A_DAY: f64 = 1_440.0;

/// Plans the room for bursts.
///
/// # Errors
/// Why there is none.
pub(super) fn planned(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, Unsized> {
    super::can_be_scaled(observation)?;
    let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
    let current = observation.running().ok_or(HoldReason::ScalingStateUnknown)?;
    let objective = observation.objective.ok_or(HoldReason::NoObjective)?;
    if capacity.is_some_and(|capacity| capacity.is_shared) {
        return Err(HoldReason::NotScalableByInstances.into());
    }
    let present = scaling.target.as_ref();
    let ceiling = copies::ceiling(observation, guardrails, present, current)?;
    let calm_min = present
        .map_or(current, ScalableTarget::calm_min_capacity)
        .max(copies::least(observation, present, guardrails))
        .min(ceiling);
    let mut headroom = if diagnosis.is_of_single_minutes() {
        Headroom::single_minutes(observation, &objective, capacity, calm_min)?
    } else {
        Headroom::within_minutes(observation, &objective)?
    };
    // Somebody else's schedule would fight ours over MinCapacity.
    if scaling.scheduled_actions.as_ref().is_none_or(|actions| actions.iter().any(|action| !action.is_ours())) {
        (headroom.floors, headroom.up) = (Vec::new(), 1.0);
    }
    let needed = headroom.needed.max(guardrails.min_instances);
    let price = Price {
        from: calm_min,
        to: needed,
        up: headroom.up,
        usd: observation.unit_price(),
        source: observation.price_source(),
    };
    if needed > ceiling {
        let has_no_room = needed <= copies::allowed(observation, guardrails, present, current)?;
        return Err(Unsized {
            reason: if has_no_room { HoldReason::NoRoom } else { HoldReason::HeadroomBeyondGuardrail },
            why: format!("{}; {ceiling} {}", headroom.why, if has_no_room { "find room" } else { "are allowed" }),
            advice: vec![format!("To absorb the bursts, allow {needed} instances: {}.", price.in_words())],
        });
    }
    // During an incident nothing is lowered: neither Min, nor Max, nor a target, nor what is running.
    let present_min = present.map_or(InstanceCount(1), |target| target.min_capacity);
    let present_max = present.map_or(current, |target| target.max_capacity);
    let floor = if headroom.floors.is_empty() { needed.max(current) } else { calm_min };
    let min_capacity = floor.max(calm_min).max(present_min);
    let ours = target_tracking::ours(&scaling.policies);
    // One of ours on utilisation stays, and the floor alone keeps the room.
    let standing = ours.and_then(target_tracking::numbers).filter(|ours| ours.metric == Tracked::Invocations);
    let target = standing.map_or(headroom.target.0, |ours| ours.target.min(headroom.target.0));
    let room = room(observation, InvocationsPerInstance(target));
    let requests = Requests {
        observation,
        scaling,
        guardrails,
        current,
        min_capacity,
        max_capacity: needed.max(room).max(min_capacity).min(ceiling).max(present_max),
        numbers: Some(target_tracking::closed_form(InvocationsPerInstance(target), &Boot::of(observation), ours)),
        keeps_policies: false,
        floors: &headroom.floors,
    };
    let complete = requests.complete()?;
    let is_dear = price.is_dear(guardrails.objective.fleet_minutes(), current, headroom.minutes_over);
    let mut plan = Plan {
        relax: (min_capacity > calm_min && headroom.recurs.is_none())
            .then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min }),
        reasoning: reasoning(&headroom, &price, is_dear, guardrails, diagnosis),
        is_dear,
        ..complete
    };
    let lowers = schedule::that_would_lower(scaling, min_capacity, requests.max_capacity);
    plan.advice.extend(lowers.into_iter().filter(|_| headroom.floors.is_empty()));
    plan = plan.said(observation.dimension());
    plan.reasoning.extend(caveats::caveats(observation));
    plan.reasoning.extend(room::reasoning(observation));
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
    }
    Ok(plan)
}

/// How the numbers came about, one fact each.
fn reasoning(
    headroom: &Headroom,
    price: &Price,
    is_dear: bool,
    guardrails: &Guardrails,
    diagnosis: &Diagnosis,
) -> Vec<String> {
    let mut reasoning = vec![headroom.why.clone()];
    let stays = if headroom.floors.is_empty() {
        "MinCapacity stays up for them"
    } else {
        "MinCapacity goes up and down with them"
    };
    match &headroom.recurs {
        Some(recurs) => reasoning.push(format!("{recurs}: {stays}")),
        None => reasoning.push(format!(
            "nothing like it came in the {:.0} hours before: MinCapacity goes back, and the target of {} keeps the room at any \
             load",
            headroom.hours,
            headroom.target,
        )),
    }
    reasoning.push(price.in_words());
    if is_dear {
        reasoning.push(format!(
            "that is dearer than {} minutes over the objective in a day, each counting as {} minutes of the fleet: a queue or \
             jitter comes first",
            Thousands(headroom.minutes_over.round()),
            guardrails.objective.fleet_minutes(),
        ));
    }
    if diagnosis.grade <= Grade::Low {
        reasoning.push("the verdict is graded low: take this for a hint".to_owned());
    }
    reasoning
}

/// Instances at which the busiest minute of the history has the room.
fn room(observation: &Observation, target: InvocationsPerInstance) -> InstanceCount {
    let history = History::of(observation);
    let arrived = history.0.values().filter_map(|row| Some(row.invocations?.0));
    let peak = arrived.max_by(f64::total_cmp).map(InvocationsPerMinute);
    peak.and_then(|peak| target.instances_for(peak)).unwrap_or(InstanceCount(1))
}

/// What the room costs.
struct Price {
    /// Instances without it.
    from: InstanceCount,
    /// Instances with it.
    to: InstanceCount,
    /// For which share of the time.
    up: f64,
    /// Of one for an hour.
    usd: Option<UsdPerHour>,
    source: String,
}

impl Price {
    fn instance_minutes_a_day(&self) -> f64 {
        f64::from(self.to.0.saturating_sub(self.from.0)) * self.up * MINUTES_OF_A_DAY
    }

    /// Whether the minutes over the objective are worth less.
    fn is_dear(&self, fleet_minutes: f64, fleet: InstanceCount, minutes_over: f64) -> bool {
        self.instance_minutes_a_day() > fleet_minutes * f64::from(fleet.0) * minutes_over
    }

    /// `a floor of 4 instead of 2 is 48 instance-hours more in a day`.
    fn in_words(&self) -> String {
        let hours = self.instance_minutes_a_day() / 60.0;
        let part = if self.up < 1.0 { format!(" for {:.0} % of the time", 100.0 * self.up) } else { String::new() };
        let usd = self.usd.map(|usd| format!(" ({:.2} USD, {})", hours * usd.0, self.source));
        format!(
            "a floor of {} instead of {}{part} is {} instance-hours more in a day{}",
            self.to,
            self.from,
            Thousands(hours.round()),
            usd.unwrap_or_default()
        )
    }
}
