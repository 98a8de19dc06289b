//! The numbers of a plan: target, Min and Max, and how they came about.

use super::copies;
use super::demand::Demand;
use super::shift::Shift;
use super::target_tracking::{self, Headroom};
use crate::config::Guardrails;
use crate::model::{
    Capacity, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Observation, ScalableTarget,
    UsdPerHour,
};

/// What runs, and what one instance carries, where more of them would carry more.
///
/// # Errors
/// What is not known, or that they would not.
pub(super) fn scalable<'a>(
    observation: &Observation,
    capacity: Option<&'a Capacity>,
) -> Result<(InstanceCount, &'a Capacity), HoldReason> {
    let current = observation.running().ok_or(HoldReason::ScalingStateUnknown)?;
    if observation.objective.is_none() {
        return Err(HoldReason::NoObjective);
    }
    let capacity = capacity.ok_or(HoldReason::CapacityUnknown)?;
    if capacity.is_shared { Err(HoldReason::NotScalableByInstances) } else { Ok((current, capacity)) }
}

/// `MaxCapacity` for a busiest minute: room for half as much again, on the lower end of the capacity; none where either is no
/// positive finite number.
#[must_use]
pub fn room_for(capacity: &Capacity, peak: InvocationsPerMinute) -> Option<InstanceCount> {
    capacity.low.instances_for(peak.times(1.5))
}

/// How many instances, and at which load each.
pub(super) struct Sizing {
    /// Load per instance that the policy keeps.
    pub target_value: InvocationsPerInstance,
    /// Running now.
    pub current: InstanceCount,
    /// `MinCapacity`: what is needed now.
    pub min_capacity: InstanceCount,
    /// `MaxCapacity`.
    pub max_capacity: InstanceCount,
    /// `MinCapacity` of quiet times, to which it goes back.
    pub calm_min: InstanceCount,
    needed: InstanceCount,
    ceiling: InstanceCount,
    headroom: Headroom,
    demand: Demand,
    price: Option<UsdPerHour>,
    price_source: String,
    /// `MaxCapacity` if there were room for it.
    pub wanted: InstanceCount,
}

impl Sizing {
    /// Sizes a variant on the lower end of its capacity.
    ///
    /// # Errors
    /// Why it cannot be sized, or which guardrail forbids it.
    pub fn of(
        observation: &Observation,
        present: Option<&ScalableTarget>,
        capacity: Option<&Capacity>,
        guardrails: &Guardrails,
        shift: Option<&Shift>,
    ) -> Result<Self, HoldReason> {
        let (current, capacity) = scalable(observation, capacity)?;
        let demand = Demand::of(observation, capacity).ok_or(HoldReason::CapacityUnknown)?;
        let price = observation.unit_price();
        let ceiling = copies::ceiling(observation, guardrails, present, current)?;
        let headroom = target_tracking::headroom(&demand, guardrails.objective);
        let target_value = target_tracking::target_value(capacity, &headroom).ok_or(HoldReason::CapacityUnknown)?;
        // Capacity is in usual requests; those that come now may be heavier. Lighter ones may not stay.
        let work = capacity.work.map_or(1.0, |work| work.now.max(1.0));
        let needed = target_value.instances_for(demand.now.times(work)).ok_or(HoldReason::CapacityUnknown)?;
        let needed = needed.max(guardrails.min_instances);
        // Room for half as much again as the busiest minute of the history, and for what is needed now.
        let peak = demand.peak.0.max(shift.map_or(0.0, |shift| shift.peak().0));
        let room = room_for(capacity, InvocationsPerMinute(peak)).ok_or(HoldReason::CapacityUnknown)?;
        // During an incident nothing is lowered: neither Min, nor Max, nor what is running.
        let present_min = present.map_or(InstanceCount(1), |target| target.min_capacity);
        let present_max = present.map_or(current, |target| target.max_capacity);
        let calm_min = present.map_or(current, ScalableTarget::calm_min_capacity);
        let calm_min = calm_min.max(copies::least(observation, present, guardrails)).min(ceiling);
        let wanted = room.max(needed).min(copies::allowed(observation, guardrails, present, current)?);
        let min_capacity = needed.max(calm_min).max(present_min).max(current).min(ceiling);
        let max_capacity = room.max(needed).max(min_capacity).min(ceiling).max(present_max);
        Ok(Self {
            target_value,
            current,
            min_capacity,
            max_capacity,
            calm_min,
            needed,
            ceiling,
            headroom,
            demand,
            price,
            price_source: observation.price_source(),
            wanted,
        })
    }

    /// How the numbers came about, one fact each. `tuned`: how the target did, where it was not the closed form.
    pub fn reasoning(&self, tuned: Option<Vec<String>>) -> Vec<String> {
        let Self { current, needed, ceiling, headroom, demand, .. } = self;
        let is_tuned = tuned.is_some();
        let mut reasoning = tuned.unwrap_or_else(|| {
            vec![format!(
                "the target is {:.0} % of the interval's lower end: in {:.0} % of the minutes seen, load grew by {:.0} % or \
                 more within the {:.0} minutes that a scale-out takes",
                100.0 * headroom.share,
                100.0 * (1.0 - headroom.quantile),
                100.0 * (headroom.growth - 1.0),
                demand.scale_out_minutes,
            )]
        });
        reasoning.push(format!(
            "{} invocations per minute arrive now, which takes {needed} {} at {} each; {current} {} running",
            demand.now,
            if needed.0 == 1 { "instance" } else { "instances" },
            self.target_value,
            if current.0 == 1 { "is" } else { "are" },
        ));
        if let Some(price) = self.price {
            let usd = |count: InstanceCount| f64::from(count.0) * price.0;
            reasoning.push(format!(
                "an instance costs {:.2} USD per hour ({}): {:.2} USD at MinCapacity, {:.2} USD at MaxCapacity",
                price.0,
                self.price_source,
                usd(self.min_capacity),
                usd(self.max_capacity)
            ));
        }
        if needed > ceiling {
            reasoning.push(format!(
                "{needed} instances are needed and {ceiling} are allowed: latency stays over the objective until the limit \
                 is raised"
            ));
        }
        if demand.is_short && !is_tuned {
            reasoning.push("less than 24 hours of history: the target is the conservative one".to_owned());
        }
        reasoning
    }
}
