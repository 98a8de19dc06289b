//! [`Observation`] → [`Capacity`]: the load per instance that keeps the latency objective, from production history.
//!
//! Pure. Capacity is the largest steady load at which the *median* minute keeps the objective. History is cut into
//! stretches with the same work per request, one latency curve is fitted through all of them, and read off where it
//! crosses the objective. How wide the interval is depends on how far that lies beyond the loads seen. Where the crossing
//! itself was seen, a plain non-decreasing fit has to agree. Plans are sized on the lower end of the interval, because a
//! capacity that is 10 % too high costs far more minutes over the objective than one that is 10 % too low costs
//! instances.

mod anchor;
mod fit;
mod interval;
mod mean;
mod points;
mod queue;
mod regimes;
mod serverless;
mod shared;
mod speed;
mod wandering;

use crate::model::{
    Bound, Capacity, Grade, History, Hosting, InvocationsPerInstance, LatencyCurve, MOST_BEYOND_MET, Microseconds,
    Minute, Observation, Regime, Spread,
};
use crate::statistics::{isotonic, median, quantile};
use fit::{Fit, Task};
use points::{Bin, Point};
use regimes::regime;

/// Five minutes over the objective are an observation of the limit; fewer may be one slow request.
const CROSSING_MINUTES: usize = 5;
/// Below this share of saturation a queue can still settle within an hour or so.
const MOST_OF_SATURATION: f64 = 0.97;
/// What is known of the present work per request after an hour is enough to scale an older curve to it; with little
/// traffic not every minute counts, but a few have to.
const LEAST_REGIME_MINUTES: i64 = 60;
const LEAST_REGIME_POINTS: usize = 15;
/// A curve needs several loads, some twice as high as others.
const LEAST_BINS: usize = 8;
const LEAST_RANGE: f64 = 2.0;
/// Where both fits see the crossing they agree this closely, or one of them is wrong and the lower one is taken.
const AGREEMENT: f64 = 0.10;
/// One minute in so many is over the objective by chance, or because instances just came: that is not the limit.
const HARDLY_ANY: usize = 50;
/// Utilisation is asked only where the curve has to be extrapolated by more than this.
const ANCHOR_FROM: f64 = 1.2;
/// How closely utilisation tells saturation where it is the bottleneck: workers wait for each other a little.
const ANCHOR_DEVIATION: f64 = 0.15;
/// A curve that has not risen by this part of the way to the objective says nothing about where it crosses.
const LEAST_RISE: f64 = 0.08;
/// Work by the minute takes the place of stretches with the same work where it leaves this much less of latency unexplained:
/// then it is what requests wait for.
const EXPLAINS: f64 = 0.85;
/// Bins further apart than this leave the crossing between them open: the whole gap is then the interval.
const WIDE_GAP: f64 = 0.10;

/// What one instance sustains; none without an objective, or where too little was seen to say even that.
#[must_use]
pub fn capacity(observation: &Observation) -> Option<Capacity> {
    if observation.is_asynchronous() {
        return queue::capacity(observation);
    }
    of_history(observation).map(|capacity| mean::told(observation, capacity))
}

fn of_history(observation: &Observation) -> Option<Capacity> {
    let objective = observation.objective?;
    let limit = objective.latency_slo_ms.to_microseconds().0;
    let history = History::of(observation);
    if observation.hosting == Hosting::Serverless {
        return serverless::capacity(observation, &history);
    }
    let mut points = points::points(&history, &objective);
    let deployments: Vec<Minute> =
        observation.endpoint.endpoint_config_created_at.map(Minute::containing).into_iter().collect();
    let (unexplained, mut starts) = regimes::stretches(&points, &deployments, limit);
    let mut work = None;
    if let Some((wandering, by_minute)) = wandering::wandering(observation, &history, &deployments) {
        let usual = wandering::as_usual(&points, &by_minute);
        let (left, stretches) = regimes::stretches(&usual, &deployments, limit);
        if left <= EXPLAINS * unexplained {
            (points, starts, work) = (usual, stretches, Some(wandering));
        }
    }
    let incidents = regimes::incidents(&points, &starts, limit);
    if !incidents.is_empty() {
        points.retain(|point| !incidents.iter().any(|(since, until)| (*since..*until).contains(&point.minute)));
        starts = regimes::boundaries(&points, &deployments, limit);
    }
    // The oldest stretches go first where there are more than can be fitted.
    let surplus = starts.len().saturating_sub(fit::MOST_PARAMETERS - 4);
    starts.drain(..surplus);
    // What has gone on for less than an hour is an incident, not how the endpoint works: capacity is what it was before. A
    // deployment may have changed it for good, but then it is the diagnosis that has to say so.
    let is_short = starts.len() > 1 && is_short(regime_of(&points, &starts));
    let last = starts.last().copied().filter(|_| is_short);
    let is_fresh = last.is_some_and(|start| deployments.contains(&start));
    if let Some(since) = last {
        starts.pop();
        points.truncate(points.partition_point(|point| point.minute < since));
    }

    let works = regimes::works(&points, &starts, limit);
    points.retain(|point| point.is_counted);
    let estimate = Estimate::of(&points, &starts, works.as_deref(), limit);
    let crossing = crossing(&points, &starts, estimate.as_ref(), limit);
    let is_shared = shared::is_shared(&points, limit);
    let minutes_used = u32::try_from(points.len()).unwrap_or(u32::MAX);
    let hours = history.hours();
    let since =
        if is_fresh { "; as it was before the last deployment, of which less than an hour was seen" } else { "" };
    let usual = work.map_or("", |_| "; in requests of usual work, which wanders by itself");
    let capacity = |value: f64, low: f64, high: Option<f64>, bound, grade, method: &str| Capacity {
        invocations_per_instance_per_minute: InvocationsPerInstance(value),
        low: InvocationsPerInstance(low),
        high: high.map(InvocationsPerInstance),
        bound,
        grade: if is_fresh { Grade::Low } else { grade },
        latency_slo_ms: objective.latency_slo_ms,
        slo_statistic: objective.slo_statistic,
        minutes_used,
        method: format!("{method}{since}{usual}"),
        extrapolation: None,
        curve: None,
        is_shared,
        work,
        is_throughput: false,
    };
    // The fifth-highest: five minutes kept the objective at this load or more.
    let met = fifth_highest(points.iter().filter(|point| point.latency <= limit), estimate.as_ref(), &starts);
    if let Some(estimate) = estimate.as_ref().filter(|estimate| estimate.is_of(crossing.as_ref()))
        && let Some(met) = met
    {
        let (value, agrees) = match &crossing {
            Some(crossing) if (estimate.value / crossing.load).ln().abs() > AGREEMENT && crossing.gap <= WIDE_GAP => {
                (estimate.value.min(crossing.load), false)
            }
            _ => (estimate.value, true),
        };
        let extrapolation = value / estimate.highest;
        if let Some(interval) = interval::interval(extrapolation, starts.len() + usize::from(is_fresh)) {
            let low = (interval.low * value).min(MOST_BEYOND_MET * met);
            let high = interval.high * value;
            let grade = [Some(interval.grade), (!agrees).then_some(Grade::Medium), enough(hours, extrapolation)];
            let method = match (agrees, extrapolation <= 1.05) {
                (false, _) => {
                    "the lower of two fits of latency over load that differ; both cross the objective within the loads seen"
                }
                (true, true) => "where the curve of latency over load, as it was seen, crosses the objective",
                (true, false) => "where the curve of latency over load crosses the objective, beyond the loads seen",
            };
            let grade = grade.into_iter().flatten().min_by_key(|grade| rank(*grade)).unwrap_or(Grade::Low);
            return Some(Capacity {
                extrapolation: Some(extrapolation),
                curve: Some(estimate.curve(value, &points, &starts)),
                ..capacity(value, low, Some(high), Bound::Estimate, grade, method)
            });
        }
    }
    // Too few loads for a curve, but the limit itself was seen.
    if let Some(crossing) = crossing
        && let Some(met) = met
    {
        let method = "between the highest load that kept the objective and the lowest that did not; nothing was seen between them";
        let low = crossing.below.min(0.95 * crossing.load).min(MOST_BEYOND_MET * met);
        return Some(capacity(
            crossing.load,
            low,
            Some(crossing.above.max(1.08 * crossing.load)),
            Bound::Estimate,
            Grade::Medium,
            method,
        ));
    }
    let method = "the highest load that kept the objective; the limit was never seen";
    met.map(|met| {
        let told = capacity(met, met, None, Bound::AtLeast, Grade::Low, method);
        // Where the objective was missed all the time, the limit was there, and only the curve does not show where.
        let curve = estimate.filter(|_| is_kept(&history, limit));
        let curve = curve.map(|estimate| estimate.curve(told.likely().0, &points, &starts));
        Capacity { curve, ..told }
    })
}

/// How far a history of so many hours can be trusted: a day shows most loads, three days whether they come again. Where
/// the limit itself was seen, less is enough.
fn enough(hours: f64, extrapolation: f64) -> Option<Grade> {
    match hours {
        hours if hours >= 72.0 => None,
        hours if hours >= 24.0 && extrapolation <= 0.95 => None,
        hours if hours >= 24.0 || extrapolation <= 1.05 => Some(Grade::Medium),
        _ => Some(Grade::Low),
    }
}

fn rank(grade: Grade) -> u8 {
    match grade {
        Grade::Insufficient => 0,
        Grade::Low => 1,
        Grade::Medium => 2,
        Grade::High => 3,
    }
}

/// The minutes of the last regime.
fn regime_of<'a>(points: &'a [Point], starts: &[Minute]) -> &'a [Point] {
    let since = starts.last().copied().unwrap_or(Minute(i64::MIN));
    let begin = points.partition_point(|point| point.minute < since);
    points.get(begin..).unwrap_or_default()
}

/// Whether hardly any minute was over the objective, whatever it measures.
fn is_kept(history: &History, limit: f64) -> bool {
    let latencies = || history.0.values().filter_map(|row| row.latency).filter(|latency| latency.0.is_finite());
    let over = latencies().filter(|latency| latency.0 > limit).count();
    HARDLY_ANY * over <= latencies().count()
}

/// Whether too little was seen of a regime.
fn is_short(regime: &[Point]) -> bool {
    let (Some(first), Some(last)) = (regime.first(), regime.last()) else { return true };
    // Some of the minutes at its ends may not count.
    last.minute.since(first.minute) < LEAST_REGIME_MINUTES - 5 || regime.len() < LEAST_REGIME_POINTS
}

/// The load that five minutes reached, in units of the present work.
fn fifth_highest<'a>(
    points: impl Iterator<Item = &'a Point>,
    estimate: Option<&Estimate>,
    starts: &[Minute],
) -> Option<f64> {
    let mut loads: Vec<f64> = match estimate {
        Some(estimate) => points.map(|point| point.load * estimate.work(starts, point.minute)).collect(),
        None => points.map(|point| point.load).collect(),
    };
    loads.sort_unstable_by(f64::total_cmp);
    loads.iter().rev().nth(CROSSING_MINUTES - 1).copied()
}

/// Where the fitted curve crosses the objective.
struct Estimate {
    fit: Fit,
    value: f64,
    /// The 99th percentile of the loads seen, in units of the present work.
    highest: f64,
    /// Whether there were enough different loads for a curve, and it was seen to rise.
    is_spanned: bool,
}

impl Estimate {
    fn of(points: &[Point], starts: &[Minute], works: Option<&[f64]>, limit: f64) -> Option<Self> {
        let bins: Vec<Vec<Bin>> = (0..starts.len().max(1))
            .map(|index| {
                let of_regime: Vec<Point> =
                    points.iter().filter(|point| regime(starts, point.minute) == index).copied().collect();
                points::bins(&of_regime, |point| (point.load, point.latency))
            })
            .collect();
        let fit = Fit::of(&Task { regimes: &bins, limit, works, anchor: None })?;
        let free = Self::read(fit, points, starts, &bins, limit);
        let is_far = free.as_ref().is_none_or(|free| free.value > ANCHOR_FROM * free.highest);
        let base = free.as_ref().map(|free| free.fit.base);
        let present = regime_of(points, starts);
        if let Some(anchor) = base.filter(|_| is_far).and_then(|base| anchor::saturation(present, base)) {
            let anchored =
                Fit::of(&Task { regimes: &bins, limit, works, anchor: Some((anchor.ln(), ANCHOR_DEVIATION)) });
            return anchored.and_then(|fit| Self::read(fit, points, starts, &bins, limit)).or(free);
        }
        free
    }

    fn read(fit: Fit, points: &[Point], starts: &[Minute], bins: &[Vec<Bin>], limit: f64) -> Option<Self> {
        let work = |minute| fit.work.get(regime(starts, minute)).copied().unwrap_or(1.0);
        let highest = quantile(points.iter().map(|point| point.load * work(point.minute)), 0.99)?;
        let most = MOST_OF_SATURATION * fit.saturation;
        if fit.latency(0.0) > limit || highest <= 0.0 {
            return None;
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if fit.latency(middle) <= limit { low = middle } else { high = middle }
        }
        let loads: Vec<f64> =
            bins.iter().zip(&fit.work).flat_map(|(bins, work)| bins.iter().map(move |bin| bin.load * work)).collect();
        let lowest = loads.iter().copied().min_by(f64::total_cmp)?;
        let widest = loads.iter().copied().max_by(f64::total_cmp)?;
        let rise = (fit.latency(highest) - fit.base) / (limit - fit.base);
        let is_spanned = loads.len() >= LEAST_BINS && widest >= LEAST_RANGE * lowest && rise >= LEAST_RISE;
        Some(Self { fit, value: low, highest, is_spanned })
    }

    /// Whether the curve counts: enough loads, or the limit itself among them.
    fn is_of(&self, crossing: Option<&Crossing>) -> bool {
        self.is_spanned || crossing.is_some_and(|crossing| crossing.gap <= WIDE_GAP)
    }

    /// Work per request at that time, 1 being what it is now.
    fn work(&self, starts: &[Minute], minute: Minute) -> f64 {
        self.fit.work.get(regime(starts, minute)).copied().unwrap_or(1.0)
    }

    /// The curve as others use it. Where another estimate was taken, it is stretched to cross the objective there.
    fn curve(&self, value: f64, points: &[Point], starts: &[Minute]) -> LatencyCurve {
        let stretch = value / self.value;
        let fit = Fit { saturation: self.fit.saturation * stretch, ..self.fit.clone() };
        LatencyCurve {
            base: Microseconds(fit.base),
            waiting: Microseconds(fit.waiting),
            shape: fit.shape,
            saturation: InvocationsPerInstance(fit.saturation),
            spread: self.spread(&fit, value, points, starts),
            regimes: starts
                .iter()
                .zip(&fit.work)
                .map(|(since, work)| Regime { since: since.start(), work: *work })
                .collect(),
        }
    }

    /// How minutes scatter above the curve, by the loads seen up to capacity: their 90th percentile, as a normal deviation.
    /// The busiest tenth is a band of its own, because there the queue makes much of little, and it is where the objective
    /// is missed. Beyond capacity latency tells how long the queue has been growing, which the replay reckons itself.
    fn spread(&self, fit: &Fit, value: f64, points: &[Point], starts: &[Minute]) -> Vec<Spread> {
        const NINTH_DECILE: f64 = 1.281_6;
        let load = |point: &Point| point.counted * self.work(starts, point.minute);
        let within = points.iter().filter(|point| load(point) <= value).count();
        // Where the endpoint was overloaded all the time, that is all there is.
        let most = if within >= LEAST_REGIME_POINTS { value } else { f64::MAX };
        let edge = |share: f64| quantile(points.iter().map(load).filter(|load| *load <= most), share).unwrap_or(0.0);
        let edges = [0.0, edge(1.0 / 3.0), edge(2.0 / 3.0), edge(0.9), f64::MAX];
        let bands =
            edges.windows(2).filter_map(|band| if let [from, up_to] = band { Some((*from, *up_to)) } else { None });
        bands
            .map(|(from, up_to)| {
                let residuals =
                    points.iter().filter(|point| load(point) > from && load(point) <= up_to.min(most)).map(|point| {
                        let typical = self.work(starts, point.minute) * fit.latency(load(point));
                        (point.latency / typical).ln()
                    });
                // Far beyond the objective the queue tells how long it has been growing, not how minutes scatter.
                let near: Vec<f64> = residuals.filter(|residual| residual.abs() < 1.0).collect();
                let middle = median(near.iter().copied()).unwrap_or(0.0);
                let upper = quantile(near, 0.9).unwrap_or(0.1);
                let deviation = ((upper - middle) / NINTH_DECILE).clamp(0.02, 1.0);
                Spread { up_to: InvocationsPerInstance(up_to), deviation }
            })
            .collect()
    }
}

/// Where a non-decreasing fit crosses the objective.
struct Crossing {
    load: f64,
    /// The highest load that kept it.
    below: f64,
    /// The lowest that did not.
    above: f64,
    /// The part of the load between them.
    gap: f64,
}

/// The crossing, where it was seen in several minutes.
fn crossing(points: &[Point], starts: &[Minute], estimate: Option<&Estimate>, limit: f64) -> Option<Crossing> {
    let scaled = |point: &Point| {
        let work = estimate.map_or(1.0, |estimate| estimate.work(starts, point.minute));
        (point.load * work, point.latency / work)
    };
    let bins = points::bins(points, scaled);
    let curve = isotonic(&bins.iter().map(|bin| (bin.latency, bin.weight())).collect::<Vec<_>>());
    let over: usize = bins.iter().zip(&curve).filter(|(_, fit)| **fit > limit).map(|(bin, _)| bin.minutes).sum();
    let (met, fit_met) = bins.iter().zip(&curve).rfind(|(_, fit)| **fit <= limit)?;
    let (above, fit_above) = bins.iter().zip(&curve).find(|(_, fit)| **fit > limit)?;
    if over < CROSSING_MINUTES {
        return None;
    }
    // Queueing curves bend upwards, so the chord between the two bins crosses no later than the curve does.
    let along = ((limit - fit_met) / (fit_above - fit_met).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    let load = met.load + along * (above.load - met.load);
    Some(Crossing { load, below: met.load, above: above.load, gap: (above.load - met.load) / load })
}
