//! How far the busiest minutes are from what a variant carries.

use super::growth::Growth;
use crate::model::{Bound, Capacity, History, InstanceCount, InvocationsPerMinute, Observation};
use crate::statistics::quantile;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// All minutes but ten of a week: one burst, or one load test, is not the traffic.
const BUSIEST: f64 = 0.999;
/// Beyond a year nobody's growth is the present one.
const MOST_WEEKS: f64 = 52.0;

/// The busiest minutes, and what is carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Headroom {
    /// The endpoint and its variant or component.
    pub subject: String,
    /// The busiest minutes of the history, but the busiest one in a thousand.
    pub peak: InvocationsPerMinute,
    /// What the instances (or copies) that it may have carry within the objective.
    pub carries: InvocationsPerMinute,
    /// It carries at least that: its limit was never seen.
    pub is_at_least: bool,
    /// So many instances (or copies) it may have: `MaxCapacity` where a policy scales it, else what runs.
    pub instances: InstanceCount,
    /// The busiest hours over those of a week before; none where that is not known, or may be chance.
    pub growth_per_week: Option<f64>,
    /// Weeks until the busiest minutes are more than it carries, at that growth; 0 where they are now. None where it does not
    /// grow, or not within a year.
    pub weeks: Option<f64>,
}

/// The headroom of a variant whose minutes were read; none where no request came, or requests wait in a queue instead of being
/// turned away by load.
#[must_use]
pub fn headroom(observation: &Observation, capacity: &Capacity, growth: Option<Growth>) -> Option<Headroom> {
    if capacity.is_throughput || capacity.is_shared {
        return None;
    }
    let history = History::of(observation);
    let arrivals = history.0.values().filter_map(|row| Some(row.invocations?.0));
    let peak = quantile(arrivals, BUSIEST).filter(|peak| *peak > 0.0)?;
    let scaling = observation.scaling.as_ref();
    let target = scaling.filter(|scaling| !scaling.policies.is_empty()).and_then(|scaling| scaling.target.as_ref());
    let running = observation.running()?;
    let instances = target.map_or(running, |target| target.max_capacity.max(running));
    let carries = f64::from(instances.0) * capacity.low.0;
    let growth_per_week = growth.filter(|growth| growth.is_steady).map(|growth| growth.per_week);
    Some(Headroom {
        subject: format!("{}/{}", observation.endpoint_name, observation.part_name()),
        peak: InvocationsPerMinute(peak),
        carries: InvocationsPerMinute(carries),
        is_at_least: capacity.bound == Bound::AtLeast,
        instances,
        growth_per_week,
        weeks: weeks(carries / peak, growth_per_week, capacity.bound),
    })
}

/// Weeks until growth has used up `room`, a factor. A limit that was never seen may be far away: it is no crossing until load
/// is there.
fn weeks(room: f64, growth_per_week: Option<f64>, bound: Bound) -> Option<f64> {
    if room <= 1.0 {
        return (bound == Bound::Estimate).then_some(0.0);
    }
    let growth = growth_per_week.filter(|growth| *growth > 1.0)?;
    let weeks = room.ln() / growth.ln();
    (weeks.is_finite() && weeks <= MOST_WEEKS).then_some(weeks)
}

impl Headroom {
    /// The share of what is carried that the busiest minutes take; 1 is all of it.
    #[must_use]
    pub fn used(&self) -> f64 {
        if self.carries.0 > 0.0 { self.peak.0 / self.carries.0 } else { f64::INFINITY }
    }

    /// Who runs out of room sooner; of those that do not grow, who has less of it.
    #[must_use]
    pub fn sooner(&self, other: &Self) -> Ordering {
        let weeks = |headroom: &Self| headroom.weeks.unwrap_or(f64::INFINITY);
        weeks(self)
            .total_cmp(&weeks(other))
            .then_with(|| other.used().total_cmp(&self.used()))
            .then_with(|| self.subject.cmp(&other.subject))
    }
}
