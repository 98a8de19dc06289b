//! What utilisation says about the load that saturates an instance.

use super::points::Point;
use crate::statistics::{median, theil_sen};

/// A line through utilisation over load explains this share of its variance, or the resource is not what requests use.
const LEAST_EXPLAINED: f64 = 0.95;
/// Lines that were never seen near the top may bend before it.
const LEAST_SEEN: f64 = 0.6;
/// Where latency bends while the hardware idles, the hardware is not the limit.
const IDLE: f64 = 0.7;
/// Latency this far above its base has begun to bend.
const BENT: f64 = 1.5;

/// Utilisation over load, as a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub idle: f64,
    pub per_invocation: f64,
}

/// The line, where utilisation follows load closely.
pub(super) fn line(points: &[Point]) -> Option<Line> {
    let pairs: Vec<(f64, f64)> = points.iter().filter_map(|point| Some((point.load, point.utilization?))).collect();
    let (idle, per_invocation) = theil_sen(&pairs)?;
    let mean = median(pairs.iter().map(|(_, used)| *used))?;
    let (left, all) = pairs.iter().fold((0.0, 0.0), |(left, all), (load, used)| {
        (left + (used - idle - per_invocation * load).powi(2), all + (used - mean).powi(2))
    });
    (per_invocation > 0.0 && left <= (1.0 - LEAST_EXPLAINED) * all).then_some(Line { idle, per_invocation })
}

/// The load at which the busiest resource is fully used, where that resource is what limits the endpoint.
pub(super) fn saturation(points: &[Point], base: f64) -> Option<f64> {
    let line = line(points)?;
    let highest = points.iter().filter_map(|point| point.utilization).max_by(f64::total_cmp)?;
    let bent: Vec<f64> =
        points.iter().filter(|point| point.latency > BENT * base).filter_map(|point| point.utilization).collect();
    let bends_idle = bent.len() >= 5 && median(bent).is_some_and(|used| used < IDLE);
    let saturation = (1.0 - line.idle) / line.per_invocation;
    ((LEAST_SEEN..=1.05).contains(&highest) && !bends_idle && saturation > 0.0).then_some(saturation)
}
