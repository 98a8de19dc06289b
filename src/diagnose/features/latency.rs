//! How slow, against normal minutes and against the objective, and which requests.

use super::fact;
use super::shape::Shape;
use crate::diagnose::check::Check;
use crate::diagnose::windows::{Windows, latency_of, load_of, positive, share};
use crate::model::{Fact, LatencyObjective, Microseconds, Milliseconds, Minute, MinuteRow, Statistic, Thousands};
use crate::statistics::{median, quantile};

/// Where the median bears less than this of the extra time of the slow requests, they are few.
const FEW: f64 = 0.08;

/// `ModelLatency` of the incident.
pub(in crate::diagnose) struct Latency {
    pub objective: Option<LatencyObjective>,
    pub statistic: Statistic,
    /// First minute of the incident.
    pub onset: Minute,
    /// Minutes from there to its last.
    pub age_minutes: i64,
    /// Latency above this is bad: over the objective, or half as much again as normal where there is none.
    pub limit: Microseconds,
    /// Median of the incident, in the objective's statistic.
    pub now: Microseconds,
    /// Median of the normal minutes.
    pub normal: Microseconds,
    /// Against the same load.
    pub ratio: f64,
    /// Against the highest that is usual at this load (95th percentile).
    pub beyond_usual: Option<f64>,
    /// The same of the median and the fastest request.
    pub p50_ratio: Option<f64>,
    pub minimum_ratio: Option<f64>,
    /// The fastest request in the incident's first minutes against that of normal minutes.
    pub first_minimum_ratio: Option<f64>,
    /// Who bears the extra time.
    pub shape: Shape,
    /// How far from normal (0) to the limit (1).
    pub elevation: f64,
    /// The same of the worst of the last ten minutes, also where it is over.
    pub peak_elevation: f64,
    /// Last third of the incident over its first third.
    pub growth: Option<f64>,
    /// Share of all earlier minutes over the objective.
    pub violation_share: f64,
    /// Latency of the quietest quarter of them over the objective.
    pub quiet_to_objective: Option<f64>,
    /// Latency of normal minutes of this load over the objective.
    pub normal_to_objective: Option<f64>,
    /// Elevated minutes of the last 30.
    pub slow_minutes: usize,
    /// Earlier minutes behind all of this.
    pub earlier_minutes: usize,
    is_extrapolated: bool,
}

impl Latency {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let objective = windows.observation.objective;
        let now = windows.now(latency_of)?;
        let usual = windows.usually(latency_of)?;
        let limit = windows.slow.limit;
        // Where the last two minutes are normal again, it is over, whatever the minutes before were.
        let now = windows.recovered().unwrap_or(now);
        // Where normal is near the limit or above it, the last tenth below the limit is the way.
        let way = (limit.0 - usual).max(0.1 * limit.0);
        let over = |row: &MinuteRow| {
            row.latency
                .zip(objective)
                .is_some_and(|(latency, objective)| latency > objective.latency_slo_ms.to_microseconds())
        };
        let quiet = quantile(windows.earlier.iter().filter_map(|(_, row)| load_of(row)), 0.25)?;
        let quiet = median(
            windows
                .earlier
                .iter()
                .filter(|(_, row)| load_of(row).is_some_and(|load| load <= quiet))
                .filter_map(|(_, row)| latency_of(row)),
        )?;
        let to_objective = |value: f64| objective.map(|objective| value / objective.latency_slo_ms.to_microseconds().0);
        Some(Self {
            objective,
            statistic: windows.statistic(),
            onset: windows.onset,
            age_minutes: windows.end.since(windows.onset) + 1,
            limit,
            now: Microseconds(now),
            normal: windows.slow.normal,
            ratio: now / positive(usual)?,
            beyond_usual: quantile(windows.matched.iter().filter_map(|row| latency_of(row)), 0.95)
                .and_then(positive)
                .map(|highest| now / highest),
            p50_ratio: windows.ratio(|row| row.latency_p50.map(|latency| latency.0)),
            minimum_ratio: windows.ratio(minimum_of),
            first_minimum_ratio: first_minimum(windows)
                .and_then(|first| Some(first / positive(windows.usually(minimum_of)?)?)),
            shape: Shape::measure(windows),
            elevation: (now - (limit.0 - way)) / way,
            peak_elevation: (windows.peak()? - (limit.0 - way)) / way,
            growth: growth(windows),
            violation_share: share(windows.earlier.iter().filter(|(_, row)| over(row)).count(), windows.earlier.len()),
            quiet_to_objective: to_objective(quiet),
            normal_to_objective: to_objective(usual),
            slow_minutes: windows
                .history
                .between(windows.end.plus(-29), windows.end)
                .filter(|(_, row)| row.latency.is_some_and(|latency| windows.slow.is_slow(latency)))
                .count(),
            earlier_minutes: windows.earlier.len(),
            is_extrapolated: windows.is_extrapolated,
        })
    }

    /// `p90 ModelLatency is 1.39 s against an objective of 500 ms; 315 ms is normal`.
    pub fn in_words(&self) -> String {
        match self.objective {
            Some(objective) => format!(
                "{} ModelLatency is {} against an objective of {}; {} is normal",
                self.statistic, self.now, objective.latency_slo_ms, self.normal
            ),
            None => format!("{} ModelLatency is {}; {} is normal", self.statistic, self.now, self.normal),
        }
    }

    /// `p90 ModelLatency is 2.40 times that of normal minutes of the same load`.
    pub fn at_load_in_words(&self) -> String {
        let compared =
            if self.is_extrapolated { "the busiest normal minutes" } else { "normal minutes of the same load" };
        format!("{} ModelLatency is {:.2} times that of {compared}", self.statistic, self.ratio)
    }

    /// `its fastest request took 1.1 times as long as usual when it began`.
    pub fn first_in_words(&self) -> String {
        match self.first_minimum_ratio {
            Some(ratio) => format!("the fastest request took {ratio:.2} times as long as usual when it began"),
            None => "the minimum of ModelLatency has no datapoints".to_owned(),
        }
    }

    /// `it grew 3.1 times from the first third of the incident to the last`.
    pub fn growth_in_words(&self) -> String {
        match self.growth {
            Some(growth) => format!("it grew {growth:.1} times from the first third of the incident to the last"),
            None => "how it grew is not known".to_owned(),
        }
    }

    /// Half of the requests take far longer.
    pub fn is_stuck(&self) -> Check {
        Check::above("p50_ratio", self.p50_ratio, 4.0, 2.0, self.who_in_words())
    }

    /// Requests queue: the fastest hardly bear the extra time while half of them do, and minutes differ far more than
    /// normal ones. A wait for something else meets the fastest too, or only some requests, in every minute alike. Or a
    /// queue that began empty has grown so long that nobody passes, and the usual request suffers more than the slow one.
    pub fn queues(&self) -> Check {
        let text = format!("{}; {}", self.who_in_words(), self.growth_in_words());
        Check::above("queueing", self.queueing(), 0.0, 1.0, text).share(0.0)
    }

    /// Positive where requests queue, in units of a clear difference.
    pub fn queueing(&self) -> Option<f64> {
        Some(self.lets_some_pass()?.max(self.has_built_up()))
    }

    /// Some requests find nobody before them, while half of them wait.
    fn lets_some_pass(&self) -> Option<f64> {
        let (p50, minimum) = (self.p50_ratio?, self.minimum_ratio?);
        let fast_bear_little = (0.2 - self.shape.fastest_share?) / 0.1;
        // Of an exponential wait the median bears a third of what the 90th percentile does; of a wait that meets one in
        // three, nothing. And a queue grows and shrinks by chance. Where one says much, the other may say little.
        let median_bears_part = (self.shape.median_share? - 0.2) / 0.1;
        let is_unsteady = (self.shape.unsteadiness? / 1.7).max(0.05).ln() / 0.5;
        let is_queue = 0.5 * (median_bears_part + is_unsteady);
        // More work multiplies all alike.
        let by_factor = (p50 / minimum).ln();
        let is_not_multiplied = (by_factor.abs() - 0.4) / 0.2;
        let is_slow = (p50 - 1.8) / 0.5;
        // Where most wait very long from the first minute on, they wait for something that does not come.
        let growth = self.growth.unwrap_or(1.0);
        let comes_slowly = if p50 > 12.0 && minimum > 3.0 { (growth - 1.2) / 0.2 } else { 1.0 };
        let margins =
            [fast_bear_little, is_queue, is_not_multiplied, self.some_are_fast(p50, minimum), is_slow, comes_slowly];
        margins.into_iter().min_by(f64::total_cmp)
    }

    /// Positive where some requests are as fast as ever, or were when it began, or nearly so against the others: what makes
    /// all work slower meets the fastest from the start, and nothing makes all work ten times as slow at once. Where the
    /// fastest is slower by the greater factor, it is by a time, not by a factor.
    fn some_are_fast(&self, p50: f64, minimum: f64) -> f64 {
        let is_fast = (1.7 - minimum) / 0.25;
        let is_apart = (p50 / minimum - 2.5) / 0.6;
        let is_far = ((p50 - 9.0) / 3.0).min((p50 / minimum - 1.8) / 0.3);
        let is_by_time = ((minimum / p50).ln() - 0.3) / 0.2;
        is_fast.max(self.was_fast()).max(is_apart).max(is_far).max(is_by_time)
    }

    /// Positive where the fastest request of the first whole minute was as fast as ever.
    fn was_fast(&self) -> f64 {
        (1.45 - self.shape.first_full_minimum_ratio.unwrap_or(f64::INFINITY)) / 0.25
    }

    /// A queue that began empty has grown so long that nobody passes, and the usual request suffers more than the slow one.
    fn has_built_up(&self) -> f64 {
        let (Some(p50), Some(growth)) = (self.p50_ratio, self.growth) else { return f64::NEG_INFINITY };
        let builds = ((growth - 2.2) / 0.6).min(self.was_fast() + 0.6);
        let is_long = ((p50 - 4.5) / 1.5).min((p50 / self.ratio - 0.85) / 0.15);
        builds.min(is_long)
    }

    /// Every request, the fastest included, waits about as long, minute after minute: something adds a wait of its own. A
    /// queue that is long enough to hold up the fastest keeps growing, or shrinks.
    pub fn waits_steadily(&self) -> Check {
        Check::above("steady_wait", self.steadiness(), 0.0, 1.0, self.steady_in_words()).share(0.0)
    }

    /// The wait differs from request to request, or from minute to minute.
    pub fn does_not_wait_steadily(&self) -> Check {
        Check::below("steady_wait", self.steadiness(), 0.0, 1.0, self.steady_in_words()).share(0.0).or_if_missing(1.0)
    }

    /// Positive where all wait alike, in units of a clear difference. A wait that ends after a minute is cut off, and looks
    /// steady whatever it was.
    fn steadiness(&self) -> Option<f64> {
        let growth = self.growth.unwrap_or(1.0);
        let steady = ((2.0 - self.shape.unsteadiness?) / 0.6).max((1.15 - growth) / 0.15).min((1.5 - growth) / 0.15);
        Some(((self.shape.fastest_share? - 0.22) / 0.1).min(steady)).filter(|_| !self.times_out())
    }

    fn steady_in_words(&self) -> String {
        format!("{}; {}", self.who_in_words(), self.growth_in_words())
    }

    /// Half of the requests bear hardly any of the extra time.
    pub fn meets_few(&self) -> Check {
        Check::below("median_share", self.shape.median_share, FEW, 0.05, self.who_in_words()).share(0.0)
    }

    /// Half of the requests bear part of the extra time.
    pub fn meets_most(&self) -> Check {
        Check::above("median_share", self.shape.median_share, FEW, 0.05, self.who_in_words()).share(0.0)
    }

    /// Requests that fail after a minute fail because they wait: SageMaker gives up on the container then.
    pub fn times_out(&self) -> bool {
        self.now.0 > 50e6
    }

    /// `in the quietest quarter of the minutes p90 ModelLatency is 130 % of the objective`.
    pub fn quiet_in_words(&self) -> String {
        match self.quiet_to_objective {
            Some(ratio) => format!(
                "in the quietest quarter of all minutes {} ModelLatency is {:.0} % of the objective",
                self.statistic,
                100.0 * ratio
            ),
            None => "there is no objective".to_owned(),
        }
    }

    /// Over the objective in most minutes, even in the quietest.
    pub fn is_always_slow(&self) -> bool {
        self.violation_share > 0.5 && self.quiet_to_objective.is_some_and(|ratio| ratio > 1.0)
    }

    /// A quarter above what is usual at this load: minutes differ by about a tenth.
    pub fn suggested_objective(&self) -> Milliseconds {
        let usual = self.now.0 / self.ratio;
        Microseconds(1.25 * usual).to_milliseconds()
    }

    /// Latency is nearer to the limit than to normal, so that there is something to explain.
    pub fn is_elevated(&self) -> Check {
        Check::above("latency_elevation", Some(self.elevation), 0.5, 0.3, self.in_words()).share(0.0)
    }

    /// Latency was over the limit within the last ten minutes, whatever it is now.
    pub fn was_bad(&self) -> Check {
        let text = format!("{}; it was over its limit within the last ten minutes", self.in_words());
        Check::above("peak_latency_elevation", Some(self.peak_elevation), 1.0, 0.3, text).share(0.0)
    }

    /// Latency came nowhere near its limit within the last ten minutes.
    pub fn was_never_near(&self) -> Check {
        Check::below("peak_latency_elevation", Some(self.peak_elevation), 0.8, 0.3, self.in_words()).share(0.0)
    }

    /// Latency is at its limit or over it.
    pub fn is_bad(&self) -> Check {
        Check::above("latency_to_limit", Some(self.now.0 / self.limit.0), 0.95, 0.1, self.in_words())
    }

    /// Slower than at the same load before.
    pub fn is_slower_at_load(&self) -> Check {
        Check::above("latency_ratio", Some(self.ratio), 1.25, 0.2, self.at_load_in_words())
    }

    /// How much slower half of the requests are, and the fastest; in words.
    pub fn who_in_words(&self) -> String {
        match (self.p50_ratio, self.minimum_ratio) {
            (Some(p50), Some(minimum)) => {
                format!("the median is {p50:.2} times that of the same load, the fastest request {minimum:.2} times")
            }
            (Some(p50), None) => format!("the median is {p50:.2} times that of the same load"),
            (None, Some(minimum)) => {
                format!("the fastest request takes {minimum:.2} times as long as at the same load")
            }
            (None, None) => "the median and the minimum of ModelLatency have no datapoints".to_owned(),
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let limit = self.objective.map_or(self.normal, |objective| objective.latency_slo_ms.to_microseconds());
        let mut facts = vec![fact("model_latency", Some(self.now.0), Some(limit.0), "microseconds", self.in_words())];
        if let Some(p50) = self.p50_ratio.or(self.minimum_ratio) {
            facts.push(fact("median_latency_ratio", Some(p50), Some(1.0), "ratio", self.who_in_words()));
        }
        facts
    }
}

fn minimum_of(row: &MinuteRow) -> Option<f64> {
    row.latency_minimum.map(|latency| latency.0)
}

/// The fastest request of the incident's first minutes.
fn first_minimum(windows: &Windows) -> Option<f64> {
    let first = windows.history.between(windows.onset.plus(-1), windows.onset.plus(1));
    first.filter_map(|(_, row)| minimum_of(row)).min_by(f64::total_cmp)
}

/// How much the incident grew from its first third to its last.
fn growth(windows: &Windows) -> Option<f64> {
    let minutes = windows.end.since(windows.onset) + 1;
    let part = |first: i64, last: i64| {
        median(
            windows
                .history
                .between(windows.onset.plus(first), windows.onset.plus(last))
                .filter_map(|(_, row)| latency_of(row)),
        )
    };
    Some(part(minutes - minutes / 3, minutes)? / positive(part(0, minutes / 3)?)?)
}

/// `1,681`.
#[expect(clippy::cast_precision_loss, reason = "counts of minutes in 15 days")]
pub(in crate::diagnose) fn whole(count: usize) -> Thousands {
    Thousands(count as f64)
}
