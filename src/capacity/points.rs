//! Minutes that measure the curve, and bins of them.

use crate::model::{History, LatencyObjective, Minute, MinuteRow};
use crate::statistics::{median, quantile};

/// The container must answer within 60 s; minutes near it are cut off, not measured.
const CENSORED_MICROSECONDS: f64 = 58e6;
/// Instances are counted from two sums of the same minute: further from a whole number, it changed in between.
const WHOLE: f64 = 0.04;
/// Minutes in which a queue that grew is worked off, once the load on an instance has fallen by this much.
const DRAIN_MINUTES: i64 = 3;
const FALLEN: f64 = 1.15;
/// A minute this far over the objective has left a queue; one that is hardly over may be noise.
const CLEARLY_OVER: f64 = 1.5;
/// Enough bins to see the knee, few enough that each holds several minutes.
const BINS: usize = 30;
/// A rate is known to 8 % from so many requests, and it changes within a few minutes on either side.
const RATE_REQUESTS: f64 = 150.0;
const MOST_BESIDE: f64 = 3.0;
/// So many requests make a median.
const MEDIAN_REQUESTS: f64 = 8.0;
/// A bin of one or two minutes is an anecdote.
const BIN_MINUTES: usize = 3;

/// A minute that measures the curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub minute: Minute,
    /// Invocations on one instance in a minute, as a rate: see [`rate`].
    pub load: f64,
    /// Those that were counted in this minute.
    pub counted: f64,
    /// The objective's statistic, in microseconds.
    pub latency: f64,
    /// The median, where it was read.
    pub middle: Option<f64>,
    /// Instances that served.
    pub instances: f64,
    /// The busiest resource, 0 to 1.
    pub utilization: Option<f64>,
    /// Whether there were enough requests for the objective's statistic. A median takes fewer, and with little traffic the
    /// quiet hours may be all there is of the present work.
    pub is_counted: bool,
}

/// Minutes of similar load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bin {
    /// Median load.
    pub load: f64,
    pub minutes: usize,
    /// Median latency, in microseconds.
    pub latency: f64,
}

impl Bin {
    /// A bin counts more the more minutes it holds, but 30 minutes say nearly all that can be said.
    pub fn weight(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most 30")]
        let counted = self.minutes.min(30) as f64;
        counted.sqrt()
    }
}

/// The minutes that measure the curve, oldest first. Around a change of the instance count a minute's load is a mix,
/// and right after an overload a minute's latency is not that of its load.
pub(super) fn points(history: &History, objective: &LatencyObjective) -> Vec<Point> {
    let is_steady = |minute: Minute, count: f64| {
        [-1, 1].into_iter().all(|side| {
            let beside = history.0.get(&minute.plus(side)).and_then(MinuteRow::instances);
            beside.is_none_or(|beside| (beside / count - 1.0).abs() < WHOLE)
        })
    };
    let limit = objective.latency_slo_ms.to_microseconds().0;
    // What an overload left behind is still being served.
    let is_settled = |minute: Minute, load: f64| {
        history.between(minute.plus(-DRAIN_MINUTES), minute.plus(-1)).all(|(_, before)| {
            let is_over = before.latency.is_some_and(|latency| latency.0 > CLEARLY_OVER * limit);
            !is_over || before.load.is_none_or(|before| before.0 <= FALLEN * load)
        })
    };
    // A third of what makes one minute's percentile certain: the bin's median evens out the rest.
    let enough = (0.3 * objective.slo_statistic.samples_needed()).max(20.0);
    let rows = history.0.iter().filter_map(|(minute, row)| point(*minute, row));
    rows.filter(|point| is_steady(point.minute, point.instances) && is_settled(point.minute, point.load))
        .filter_map(|point| {
            let load = rate(history, &point);
            // Not by what was counted: of quiet hours only the busiest minutes would count, which are slower than that.
            let requests = load * point.instances;
            let is_counted = requests >= enough;
            let is_enough = is_counted || point.middle.is_some() && requests >= MEDIAN_REQUESTS;
            is_enough.then_some(Point { load, is_counted, ..point })
        })
        .collect()
}

/// The rate behind a minute's count. Thirty requests a minute are 25 to 35 by chance, and a chance surplus of one minute
/// finds no queue that others left: taken for the load, it would look as if such loads were borne with ease. So the
/// minutes around it are counted in, as many as it takes to know the rate.
fn rate(history: &History, point: &Point) -> f64 {
    let arrived = point.load * point.instances;
    #[expect(clippy::cast_possible_truncation, reason = "0 to 3")]
    let beside = ((RATE_REQUESTS / arrived - 1.0) / 2.0).ceil().clamp(0.0, MOST_BESIDE) as i64;
    let like = history.between(point.minute.plus(-beside), point.minute.plus(beside)).filter_map(|(_, row)| {
        let (load, count) = (row.load?.0, row.instances()?);
        ((count / point.instances - 1.0).abs() < WHOLE && load.is_finite()).then_some(load)
    });
    let (sum, count) = like.fold((0.0, 0.0), |(sum, count), load| (sum + load, count + 1.0));
    if count > 0.0 { sum / count } else { point.load }
}

fn point(minute: Minute, row: &MinuteRow) -> Option<Point> {
    let (load, latency) = (row.load?.0, row.latency?.0);
    let instances = row.instances()?;
    let is_whole = instances > 0.5 && (instances - instances.round()).abs() < WHOLE * instances;
    let is_measured = row.has_few_errors() && latency > 0.0 && latency < CENSORED_MICROSECONDS && load > 0.0;
    let utilization = [row.cpu.average, row.gpu.average].into_iter().flatten().max_by(f64::total_cmp);
    let middle = row.latency_p50.map(|middle| middle.0).filter(|middle| *middle > 0.0);
    (is_measured && is_whole && load.is_finite()).then_some(Point {
        minute,
        load,
        counted: load,
        latency,
        middle,
        instances: instances.round(),
        utilization,
        is_counted: true,
    })
}

/// Bins of equal width over the abscissae seen, the sparse ones left out; `of` gives abscissa and latency.
pub(super) fn bins(points: &[Point], of: impl Fn(&Point) -> (f64, f64)) -> Vec<Bin> {
    let loads = || points.iter().map(|point| of(point).0);
    let (Some(lowest), Some(highest)) = (quantile(loads(), 0.0), quantile(loads(), 1.0)) else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "30 bins")]
    let width = (highest - lowest) / BINS as f64;
    let mut sorted: Vec<Vec<(f64, f64)>> = vec![Vec::new(); BINS];
    for point in points {
        let (load, latency) = of(point);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 30, and `as` saturates")]
        let index = if width > 0.0 { ((load - lowest) / width) as usize } else { 0 };
        if let Some(bin) = sorted.get_mut(index.min(BINS - 1)) {
            bin.push((load, latency));
        }
    }
    let bin = |points: &Vec<(f64, f64)>| {
        Some(Bin {
            load: median(points.iter().map(|(load, _)| *load))?,
            minutes: points.len(),
            latency: median(points.iter().map(|(_, latency)| *latency))?,
        })
    };
    sorted.iter().filter(|points| points.len() >= BIN_MINUTES).filter_map(bin).collect()
}
