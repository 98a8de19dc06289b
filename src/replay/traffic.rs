//! What arrived, minute by minute, and how many instances were there.

use crate::model::{History, LatencyObjective, Minute, MinuteRow, Observation, WanderingWork, WorkByMinute};

/// The endpoint must have counted this many requests for a minute to count for or against the objective.
pub(super) const LEAST_REQUESTS: f64 = 10.0;

/// Instances that are slow at first are as the others after this.
const COLD_MINUTES: usize = 4;
/// Fewer scale-outs may be over the objective by chance.
const LEAST_SCALE_OUTS: f64 = 5.0;
/// Minutes over the objective after each that are chance.
const HARDLY_OVER: f64 = 0.1;

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
    /// Work per request, where it wanders by itself; none: it is always 1.
    pub work: Option<WorkByMinute>,
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
            work: None,
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

    /// The same traffic with the work of each minute's requests, where that wanders.
    #[must_use]
    pub fn with_work(self, observation: &Observation, work: Option<&WanderingWork>) -> Self {
        let work = work.map(|work| work.by_minute(&History::of(observation), self.first, self.minutes()));
        Self { work, ..self }
    }

    /// Requests to the variant, each counted as many times as it is the work of a usual one.
    pub fn usual(&self) -> impl Iterator<Item = f64> + '_ {
        let work = |index| self.work.as_ref().and_then(|work| work.smooth.get(index)).copied().unwrap_or(1.0);
        self.offered.iter().enumerate().map(move |(index, offered)| offered * work(index))
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

    /// Whether new instances were seen to be as fast as the others: several times they came while the objective was kept, and
    /// it was kept on. Where it was not, they may be slow at first, or the load went on growing.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        let (mut over, mut scale_outs) = (0.0, 0.0);
        for (index, pair) in self.instances.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let was_kept = self
                .missed
                .get(index.saturating_sub(1)..=index)
                .is_some_and(|two| two.iter().all(|missed| *missed == 0.0));
            if *after > *before && was_kept {
                let first = self.missed.get(index + 1..).unwrap_or_default().iter().take(COLD_MINUTES);
                over += first.filter(|missed| **missed > 0.0).count() as f64;
                scale_outs += 1.0;
            }
        }
        scale_outs >= LEAST_SCALE_OUTS && over <= HARDLY_OVER * scale_outs
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An instance comes every hour and goes after half of it; the first minutes with it are `missed`.
    fn traffic(missed: f64) -> Traffic {
        let minutes = 0..600;
        let instances = minutes.clone().map(|minute| if minute % 60 < 30 { 1.0 } else { 2.0 }).collect();
        let missed = minutes.map(|minute| if (30..33).contains(&(minute % 60)) { missed } else { 0.0 }).collect();
        Traffic { first: Minute(0), offered: vec![100.0; 600], instances, missed, work: None }
    }

    #[test]
    fn instances_that_were_fast_at_once_are_warm() {
        assert!(traffic(0.0).is_warm());
        assert!(!traffic(1.0).is_warm());
        assert!(!Traffic { instances: vec![2.0; 600], ..traffic(0.0) }.is_warm(), "nobody came");
    }
}
