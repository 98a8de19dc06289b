//! What people do without an advisor.

use crate::standing::tracking;
use endpoint_advisor::model::{History, Observation};
use simulator::production::Variant;
use simulator::{ScalingMetric, SetUp};

/// A name and what it would set up, given what the first week showed.
pub struct Baseline {
    pub name: &'static str,
    pub set_up: SetUp,
}

/// The name of the first: half of what a load test found.
pub const AWS_FORMULA: &str = "half of the load-tested rate (AWS)";

/// All of them. Load tests find the true capacity.
pub fn baselines(
    variant: &Variant,
    week_one: &[f64],
    in_flight_at_capacity: f64,
    observation: &Observation,
) -> Vec<Baseline> {
    let mut sorted = week_one.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let need = |quantile: f64| {
        let rate = sorted[((sorted.len() - 1) as f64 * quantile) as usize];
        (rate / variant.capacity).ceil().max(1.0) as usize
    };
    let peak = need(1.0);
    let tracks = |name, metric, target: f64, max: usize| {
        let policies = vec![tracking(metric, target)];
        Baseline { name, set_up: SetUp { min: 1, max, policies, scheduled: Vec::new() } }
    };
    let invocations = |name, share: f64| {
        let max = (2.0 * peak as f64 / share).ceil() as usize;
        tracks(name, ScalingMetric::InvocationsPerInstance, share * variant.capacity, max)
    };
    let (utilization, full) = ScalingMetric::utilization(&variant.endpoint);
    let mut all = vec![
        invocations(AWS_FORMULA, 0.5),
        invocations("70 % of the load-tested rate", 0.7),
        invocations("80 % of the load-tested rate", 0.8),
        tracks("utilisation 50 %", utilization, 0.5 * full, 4 * peak),
        tracks("utilisation 70 %", utilization, 0.7 * full, 4 * peak),
        Baseline { name: "fixed, last week's peak", set_up: SetUp::fixed(peak) },
        Baseline { name: "fixed, last week's 95th percentile", set_up: SetUp::fixed(need(0.95)) },
        tracks(
            "half of the concurrency at capacity",
            ScalingMetric::ConcurrentRequests,
            (0.5 * in_flight_at_capacity).max(1.0),
            (1.5 * peak as f64).ceil() as usize,
        ),
    ];
    if let Some(knee) = knee(observation) {
        let max = (2.0 * week_one.iter().copied().fold(0.0, f64::max) / knee).ceil().max(1.0) as usize;
        all.push(tracks("70 % of the knee (Kneedle)", ScalingMetric::InvocationsPerInstance, 0.7 * knee, max));
    }
    all
}

/// Where the curve of latency over load bends most: furthest below the chord between its ends.
fn knee(observation: &Observation) -> Option<f64> {
    const BINS: usize = 20;
    const ENOUGH: usize = 3;
    let history = History::of(observation);
    let points: Vec<(f64, f64)> = history.0.values().filter_map(|row| Some((row.load?.0, row.latency?.0))).collect();
    let most = points.iter().map(|(load, _)| *load).fold(0.0, f64::max);
    let mut bins = vec![Vec::new(); BINS];
    for (load, latency) in &points {
        bins[((load / most * BINS as f64) as usize).min(BINS - 1)].push(*latency);
    }
    let mut curve: Vec<(f64, f64)> = Vec::new();
    for (index, bin) in bins.iter_mut().enumerate().filter(|(_, bin)| bin.len() >= ENOUGH) {
        bin.sort_unstable_by(f64::total_cmp);
        curve.push(((index as f64 + 0.5) / BINS as f64, bin[bin.len() / 2]));
    }
    let (first, last) = (*curve.first()?, *curve.last()?);
    let (width, height) = (last.0 - first.0, last.1 - first.1);
    if width <= 0.0 || height <= 0.0 {
        return Some(most);
    }
    let below = |(load, latency): &(f64, f64)| (load - first.0) / width - (latency - first.1) / height;
    curve.iter().max_by(|left, right| below(left).total_cmp(&below(right))).map(|(load, _)| load * most)
}
