//! Work per request that wanders by itself, minute by minute, as utilisation tells it.

use super::{History, InvocationsPerInstance, Metric, Minute, MinuteRow};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Minutes on either side that are counted in where the work behind a minute is asked for: in a single minute, a few heavy
/// requests more are chance.
const BESIDE: i64 = 15;

/// Utilisation over load where the work of a request wanders from hour to hour by itself: `idle + per_invocation · load ·
/// work`, the work of a usual request being 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WanderingWork {
    /// `CPUUtilization` or `GPUUtilization`.
    pub metric: Metric,
    /// What it has when all of it is in use: 100 times the cores or GPUs of an instance.
    pub full_percent: f64,
    /// Its share in use without load, 0 to 1.
    pub idle: f64,
    /// The share that each invocation per instance and minute adds where requests are usual.
    pub per_invocation: f64,
    /// By how much the work of half hours differs: the standard deviation of its logarithm.
    pub deviation: f64,
    /// Work per request in the last half hour, 1 being usual.
    pub now: f64,
    /// From this time on, usual is what it is now; before, it was `usual_before` times that.
    pub since: Timestamp,
    /// See `since`.
    pub usual_before: f64,
}

impl WanderingWork {
    /// The metric's value at this load of usual requests, in percent as CloudWatch has it.
    #[must_use]
    pub fn percent_at(&self, load: InvocationsPerInstance) -> f64 {
        self.full_percent * (self.idle + self.per_invocation * load.0)
    }

    /// The load of usual requests at which the metric has this value.
    #[must_use]
    pub fn load_at(&self, percent: f64) -> InvocationsPerInstance {
        InvocationsPerInstance((percent / self.full_percent - self.idle) / self.per_invocation)
    }

    /// Usual work at a minute, 1 being what is usual now.
    #[must_use]
    pub fn usual(&self, minute: Minute) -> f64 {
        if minute.start() < self.since { self.usual_before } else { 1.0 }
    }

    /// The share of the resource that a minute's requests used, and the share that as many usual ones would have.
    fn used(&self, minute: Minute, row: &MinuteRow) -> Option<(f64, f64)> {
        let share = if self.metric == Metric::GPUUtilization { row.gpu.average } else { row.cpu.average }?;
        let usual = self.per_invocation * row.load?.0 * self.usual(minute);
        let used = (share - self.idle).max(0.0);
        (used.is_finite() && usual.is_finite() && usual > 0.0).then_some((used, usual))
    }

    /// Work per request of each of `minutes` from `first` on.
    #[must_use]
    pub fn by_minute(&self, history: &History, first: Minute, minutes: usize) -> WorkByMinute {
        let each: Vec<Option<(f64, f64)>> = (0..)
            .take(minutes)
            .map(|index| first.plus(index))
            .map(|minute| self.used(minute, history.0.get(&minute)?))
            .collect();
        let measured = each.iter().map(|used| used.map_or(f64::NAN, |(used, usual)| used / usual)).collect();
        let mut sums = vec![(0.0, 0.0)];
        let mut sum = (0.0, 0.0);
        for used in &each {
            let (used, usual) = used.unwrap_or_default();
            sum = (sum.0 + used, sum.1 + usual);
            sums.push(sum);
        }
        let mut last = 1.0;
        let beside = usize::try_from(BESIDE).unwrap_or_default();
        let smooth = (0..minutes).map(|index| {
            let from = sums.get(index.saturating_sub(beside)).copied().unwrap_or_default();
            let to = sums.get((index + beside + 1).min(minutes)).copied().unwrap_or_default();
            let (used, usual) = (to.0 - from.0, to.1 - from.1);
            if usual > 0.0 && used > 0.0 {
                last = used / usual;
            }
            last
        });
        WorkByMinute { first, smooth: smooth.collect(), measured }
    }
}

/// `CPU at 62 % of 4 vCPUs`: a value of a utilisation metric in people's units. `full_percent` is what it has when all of it is
/// in use.
#[must_use]
pub fn utilization_in_words(metric: Metric, percent: f64, full_percent: f64) -> String {
    let (name, unit) = if metric == Metric::GPUUtilization { ("GPU", "GPU") } else { ("CPU", "vCPU") };
    let count = (full_percent / 100.0).round();
    let plural = if count > 1.0 { "s" } else { "" };
    format!("{name} at {:.0} % of {count} {unit}{plural}", 100.0 * percent / full_percent)
}

/// Work per request, one value a minute, 1 being usual.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkByMinute {
    /// The first minute.
    pub first: Minute,
    /// The work behind each minute: what latency follows. As it was last where nothing is known.
    pub smooth: Vec<f64>,
    /// The work that each minute really had, chance included: what utilisation shows. NaN where nothing is known.
    pub measured: Vec<f64>,
}

impl WorkByMinute {
    /// The work behind a minute.
    #[must_use]
    pub fn at(&self, minute: Minute) -> Option<f64> {
        self.smooth.get(usize::try_from(minute.since(self.first)).ok()?).copied()
    }
}
