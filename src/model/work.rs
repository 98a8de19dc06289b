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

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the CPU at 100 usual requests a minute, a tenth of it without any.
    fn wandering() -> WanderingWork {
        WanderingWork {
            metric: Metric::CPUUtilization,
            full_percent: 400.0,
            idle: 0.1,
            per_invocation: 0.004,
            deviation: 0.3,
            now: 1.0,
            since: Minute(100).start(),
            usual_before: 2.0,
        }
    }

    fn row(cpu: Option<f64>, gpu: Option<f64>, load: Option<f64>) -> MinuteRow {
        let mut row = MinuteRow { load: load.map(InvocationsPerInstance), ..MinuteRow::default() };
        (row.cpu.average, row.gpu.average) = (cpu, gpu);
        row
    }

    #[test]
    fn utilisation_and_load_follow_from_each_other() {
        let work = wandering();
        assert!((work.percent_at(InvocationsPerInstance(100.0)) - 200.0).abs() < 1e-9);
        assert!((work.load_at(200.0).0 - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_minutes_requests_are_measured_against_as_many_usual_ones() {
        let of = |work: WanderingWork, minute: i64, row: MinuteRow| {
            let history = History([(Minute(minute), row)].into());
            work.by_minute(&history, Minute(minute), 1).measured[0]
        };
        let heavy = row(Some(0.9), Some(0.5), Some(100.0));
        assert!((of(wandering(), 100, heavy) - 2.0).abs() < 1e-9, "0.8 beyond idle, and 0.4 would be usual");
        assert!((of(wandering(), 99, heavy) - 1.0).abs() < 1e-9, "twice the work was usual before");
        let on_gpu = WanderingWork { metric: Metric::GPUUtilization, ..wandering() };
        assert!((of(on_gpu, 100, heavy) - 1.0).abs() < 1e-9);
        assert!(of(wandering(), 100, row(Some(0.05), None, Some(100.0))).abs() < 1e-9, "less than idle is no work");
        for unknown in [row(None, None, Some(100.0)), row(Some(0.9), None, None), row(Some(0.9), None, Some(0.0))] {
            assert!(of(wandering(), 100, unknown).is_nan(), "{unknown:?}");
        }
    }

    #[test]
    fn the_work_behind_a_minute_is_that_of_the_half_hour_around_it() {
        // An hour of usual requests, then one of twice as heavy ones, of which a minute says nothing.
        let known = |minute: i64| row(Some(if minute < 60 { 0.5 } else { 0.9 }), None, Some(100.0));
        let rows = (0..120).filter(|minute| *minute != 100).map(|minute| (Minute(minute + 200), known(minute)));
        let smooth = wandering().by_minute(&History(rows.collect()), Minute(200), 120).smooth;
        assert_eq!(smooth.len(), 120);
        let is = |index: usize, expected: f64| (smooth[index] - expected).abs() < 1e-9;
        assert!(is(0, 1.0) && is(44, 1.0) && is(75, 2.0) && is(119, 2.0), "{smooth:?}");
        // 16 of the 31 minutes around the change are heavy.
        assert!(is(60, (15.0 + 2.0 * 16.0) / 31.0), "{}", smooth[60]);
        assert!(is(100, 2.0), "what is around a gap says it");
        // Where nothing is known it stays as it was, and is usual before anything was known.
        let late = History([(Minute(250), known(60))].into());
        let alone = wandering().by_minute(&late, Minute(200), 120).smooth;
        assert_eq!((alone[34], alone[35], alone[119]), (1.0, 2.0, 2.0));
    }
}
