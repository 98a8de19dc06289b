//! What arrived, minute by minute, and how many instances were there.

use crate::model::{History, LatencyObjective, Minute, MinuteRow, Observation};

/// The endpoint must have counted this many requests for a minute to count for or against the objective.
pub(super) const LEAST_REQUESTS: f64 = 10.0;

/// The traffic of a history as plain arrays, one value a minute; NaN where nothing is known.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// The first minute.
    pub first: Minute,
    /// Requests to the variant.
    pub offered: Vec<f64>,
    /// Instances that served, a whole number.
    pub instances: Vec<f64>,
    /// 1 where the objective was missed, 0 where it was kept; NaN where too few requests came to say.
    pub missed: Vec<f64>,
}

impl Traffic {
    /// The traffic in an observation; none where nothing was counted.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<Self> {
        Self::in_history(&History::of(observation), observation.objective?)
    }

    fn in_history(history: &History, objective: LatencyObjective) -> Option<Self> {
        let limit = objective.latency_slo_ms.to_microseconds().0;
        let counted = |(minute, row): (&Minute, &MinuteRow)| row.invocations.map(|_| *minute);
        let (first, last) = (history.0.iter().find_map(counted)?, history.0.iter().rev().find_map(counted)?);
        let length = usize::try_from(last.since(first)).ok()?.checked_add(1)?;
        let mut traffic = Self {
            first,
            offered: vec![f64::NAN; length],
            instances: vec![f64::NAN; length],
            missed: vec![f64::NAN; length],
        };
        let slots = traffic.offered.iter_mut().zip(&mut traffic.instances).zip(&mut traffic.missed);
        for (minute, ((offered, instances), missed)) in (0..).map(|index| first.plus(index)).zip(slots) {
            let Some(row) = history.0.get(&minute) else { continue };
            // Where only the instances speak, nobody called; where latency was published, a count is missing.
            let is_idle = row.load.is_none() && row.latency.is_none();
            let arrived = row.invocations.map(|arrived| arrived.0).or_else(|| is_idle.then_some(0.0));
            *offered = arrived.filter(|arrived| arrived.is_finite() && *arrived < 1e12).unwrap_or(f64::NAN);
            *instances = row.instances().map_or(f64::NAN, |count| count.round().clamp(1.0, 10_000.0));
            if let Some(latency) = row.latency.filter(|_| row.has_invocations(LEAST_REQUESTS)) {
                *missed = if latency.0 > limit { 1.0 } else { 0.0 };
            }
        }
        Some(traffic)
    }

    /// Minutes from the first to the last.
    #[must_use]
    pub fn minutes(&self) -> usize {
        self.offered.len()
    }

    /// Days from the first minute to the last.
    #[must_use]
    pub fn days(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let minutes = self.offered.len() as f64;
        minutes / 1_440.0
    }

    /// The recorded counts with gaps filled by the last one known.
    #[must_use]
    pub fn filled_instances(&self) -> Vec<f64> {
        let mut last = self.instances.iter().copied().find(|count| count.is_finite()).unwrap_or(1.0);
        let fill = |count: &f64| {
            if count.is_finite() {
                last = *count;
            }
            last
        };
        self.instances.iter().map(fill).collect()
    }
}
