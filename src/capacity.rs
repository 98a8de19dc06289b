//! [`Observation`] → [`Capacity`]: the load per instance that keeps the latency objective, from production history.
//!
//! Pure. Capacity is the largest steady load at which the *median* minute keeps the objective. Minutes are binned by
//! load, each bin's median latency is fitted with the closest non-decreasing curve, and the curve is read off where it
//! crosses the objective. Plans are sized on the lower end of the interval, because a capacity that is 10 % too high
//! costs far more minutes over the objective than one that is 10 % too low costs instances.

use crate::model::{Bound, Capacity, Grade, History, InvocationsPerInstance, LatencyObjective, MinuteRow, Observation};
use crate::statistics::{isotonic, median, quantile};

/// The container must answer within 60 s; minutes near it are cut off, not measured.
const CENSORED_MICROSECONDS: f64 = 58e6;
/// Enough bins to see the knee, few enough that each holds several minutes.
const BINS: usize = 30;
/// A bin of one or two minutes is an anecdote.
const BIN_MINUTES: usize = 3;
/// Five minutes over the objective are an observation of the limit; fewer may be one slow request.
const CROSSING_MINUTES: usize = 5;
/// Where the curve was seen on both sides of the objective, the true capacity lies within −5 % and +8 % of the crossing
/// in nine of ten simulated endpoints.
const INTERVAL: (f64, f64) = (0.95, 1.08);
/// Bins further apart than this leave the crossing between them open: the whole gap is then the interval.
const WIDE_GAP: f64 = 0.10;

struct Bin {
    /// Median load of the bin's minutes.
    load: f64,
    minutes: usize,
    latency: f64,
}

/// What one instance sustains; none without an objective, or where too little was seen to say even that.
#[must_use]
pub fn capacity(observation: &Observation) -> Option<Capacity> {
    let objective = observation.objective?;
    let limit = objective.latency_slo_ms.to_microseconds().0;
    let history = History::of(observation);
    let points: Vec<(f64, f64)> = history.0.values().filter_map(|row| usable(row, &objective)).collect();
    let bins = bins(&points);
    let curve = isotonic(&bins.iter().map(|bin| (bin.latency, weight(bin.minutes))).collect::<Vec<_>>());

    let over: usize = bins.iter().zip(&curve).filter(|(_, fit)| **fit > limit).map(|(bin, _)| bin.minutes).sum();
    let last_met = bins.iter().zip(&curve).rfind(|(_, fit)| **fit <= limit);
    let first_over = bins.iter().zip(&curve).find(|(_, fit)| **fit > limit);
    let minutes_used = u32::try_from(points.len()).unwrap_or(u32::MAX);
    let of = |value: f64, low: f64, high: Option<f64>, bound, grade, method: &str| Capacity {
        invocations_per_instance_per_minute: InvocationsPerInstance(value),
        low: InvocationsPerInstance(low),
        high: high.map(InvocationsPerInstance),
        bound,
        grade,
        latency_slo_ms: objective.latency_slo_ms,
        slo_statistic: objective.slo_statistic,
        minutes_used,
        method: method.to_owned(),
    };
    match (last_met, first_over) {
        (Some((met, fit_met)), Some((above, fit_above))) if over >= CROSSING_MINUTES => {
            // Queueing curves bend upwards, so the chord between the two bins crosses no later than the curve does.
            let along = ((limit - fit_met) / (fit_above - fit_met).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
            let crossing = met.load + along * (above.load - met.load);
            if above.load - met.load > WIDE_GAP * crossing {
                let method = "between the highest load that kept the objective and the lowest that did not; nothing was seen between them";
                Some(of(
                    crossing,
                    met.load.min(INTERVAL.0 * crossing),
                    Some(above.load),
                    Bound::Estimate,
                    Grade::Medium,
                    method,
                ))
            } else {
                let grade = if history.hours() >= 24.0 { Grade::High } else { Grade::Medium };
                let method = "where the non-decreasing fit of latency over load crosses the objective";
                Some(of(crossing, INTERVAL.0 * crossing, Some(INTERVAL.1 * crossing), Bound::Estimate, grade, method))
            }
        }
        (Some(_), _) => {
            // The fifth-highest: five minutes kept the objective at this load or more.
            let mut met: Vec<f64> =
                points.iter().filter(|(_, latency)| *latency <= limit).map(|(load, _)| *load).collect();
            met.sort_unstable_by(f64::total_cmp);
            let highest = *met.iter().rev().nth(CROSSING_MINUTES - 1)?;
            let method = "the highest load that kept the objective; the limit was never seen";
            Some(of(highest, highest, None, Bound::AtLeast, Grade::Low, method))
        }
        (None, _) => None,
    }
}

/// Load and latency of a minute that measures the curve.
fn usable(row: &MinuteRow, objective: &LatencyObjective) -> Option<(f64, f64)> {
    let (load, latency, invocations) = (row.load?.0, row.latency?.0, row.invocations?.0);
    // A third of what makes one minute's percentile certain: the bin's median evens out the rest.
    let is_counted = invocations >= (0.3 * objective.slo_statistic.samples_needed()).max(20.0);
    let is_measured = row.has_few_errors() && latency < CENSORED_MICROSECONDS && load > 0.0;
    (is_counted && is_measured).then_some((load, latency))
}

/// Bins of equal width over the loads seen, the sparse ones left out.
fn bins(points: &[(f64, f64)]) -> Vec<Bin> {
    let loads = || points.iter().map(|(load, _)| *load);
    let (Some(lowest), Some(highest)) = (quantile(loads(), 0.0), quantile(loads(), 1.0)) else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "30 bins")]
    let width = (highest - lowest) / BINS as f64;
    let mut sorted: Vec<Vec<(f64, f64)>> = vec![Vec::new(); BINS];
    for (load, latency) in points {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 30, and `as` saturates")]
        let index = if width > 0.0 { ((load - lowest) / width) as usize } else { 0 };
        if let Some(bin) = sorted.get_mut(index.min(BINS - 1)) {
            bin.push((*load, *latency));
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

/// A bin counts more the more minutes it holds, but 30 minutes say nearly all that can be said.
fn weight(minutes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 30")]
    let counted = minutes.min(30) as f64;
    counted.sqrt()
}
