//! How many instances the load of the history needs, by the capacity that was measured.

use crate::model::{
    Bound, Capacity, History, InstanceCount, InvocationsPerMinute, Minute, ScalableDimension, Thousands,
};
use crate::plan;

/// What the busiest minute of a history needs.
pub(super) struct Need {
    pub capacity: Capacity,
    pub peak: InvocationsPerMinute,
    pub peak_at: Minute,
    /// On the lower end of the capacity: never fewer than it really takes, but for one case in twenty.
    pub most: InstanceCount,
    /// `MaxCapacity` with the room that a plan leaves.
    pub room: InstanceCount,
    /// Hours of history.
    pub hours: f64,
}

impl Need {
    /// None where nothing was counted.
    pub fn of(history: &History, capacity: Capacity) -> Option<Self> {
        let arrivals = history.0.iter().filter_map(|(minute, row)| Some((*minute, row.invocations?)));
        let (peak_at, peak) = arrivals.max_by(|a, b| a.1.0.total_cmp(&b.1.0)).filter(|(_, peak)| peak.0 > 0.0)?;
        let most = capacity.low.instances_for(peak)?;
        let room = plan::room_for(&capacity, peak)?;
        Some(Self { most, room, peak, peak_at, hours: history.hours(), capacity })
    }

    /// Minutes in which more arrived than so many instances carry within the objective; none where the limit of one was never
    /// seen, because it may then carry more.
    pub fn minutes_beyond(&self, history: &History, instances: InstanceCount) -> Option<usize> {
        if self.capacity.bound != Bound::Estimate {
            return None;
        }
        let carried = f64::from(instances.0) * self.capacity.invocations_per_instance_per_minute.0;
        Some(history.0.values().filter(|row| row.invocations.is_some_and(|arrived| arrived.0 > carried)).count())
    }

    /// Instances for the busiest minute, as likely too many as too few; none where the limit was never seen.
    pub fn likely(&self) -> Option<InstanceCount> {
        let estimate =
            (self.capacity.bound == Bound::Estimate).then_some(self.capacity.invocations_per_instance_per_minute)?;
        estimate.instances_for(self.peak)
    }

    /// `the busiest minute of 14 days (2026-10-05 09:14 UTC) had 2,900 invocations`.
    pub fn peak_in_words(&self) -> String {
        let peak = Thousands(self.peak.0.round());
        format!("the busiest minute of {} ({}) had {peak} invocations", self.days_in_words(), self.peak_at)
    }

    /// `14 days`.
    pub fn days_in_words(&self) -> String {
        if self.hours < 47.0 {
            let hours = self.hours.round().max(1.0);
            return format!("{hours} hour{}", if hours == 1.0 { "" } else { "s" });
        }
        format!("{:.0} days", self.hours / 24.0)
    }

    /// `one instance sustains 875 (90 % interval 770 to 1,400)`.
    pub fn capacity_in_words(&self) -> String {
        let Capacity { invocations_per_instance_per_minute: value, low, high, bound, .. } = &self.capacity;
        match (bound, high) {
            (Bound::Estimate, Some(high)) => format!("one instance sustains {value} (90 % interval {low} to {high})"),
            _ => format!("one instance sustains at least {value}"),
        }
    }
}

/// `3 instances run`, `1 copy runs`.
pub(super) fn running_in_words(count: InstanceCount, of: ScalableDimension) -> String {
    format!("{} {}", counted(count, of), if count.0 == 1 { "runs" } else { "run" })
}

/// `3 instances`, `1 copy`.
pub(super) fn counted(count: InstanceCount, of: ScalableDimension) -> String {
    format!("{count} {}", if count.0 == 1 { of.unit() } else { of.units() })
}
