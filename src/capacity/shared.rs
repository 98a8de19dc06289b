//! Whether latency follows the load on one instance, or the load on all of them together.

use super::points::{Bin, Point, bins};
use crate::statistics::{isotonic, median};

/// Minutes with one count of instances that say something about it.
const LEAST_MINUTES: usize = 60;
/// The count has to have been this many times as high at times.
const LEAST_CHANGE: f64 = 1.5;
/// Latency has to rise this much over the loads seen, or there is nothing to explain.
const LEAST_RISE: f64 = 1.5;
/// The load of all instances has to leave this share of the deviations that the load on one leaves, or less.
const CLEARLY_BETTER: f64 = 0.6;

/// Whether something behind the instances is the limit (a database, an account's quota): then latency is a function of
/// the load on the whole variant, and at the same load per instance it is higher the more instances there are.
pub(super) fn is_shared(points: &[Point], limit: f64) -> bool {
    let mut counts: Vec<(f64, usize)> = Vec::new();
    for point in points {
        match counts.iter_mut().find(|(count, _)| (*count - point.instances).abs() < 0.5) {
            Some((_, minutes)) => *minutes += 1,
            None => counts.push((point.instances, 1)),
        }
    }
    let often = || counts.iter().filter(|(_, minutes)| *minutes >= LEAST_MINUTES).map(|(count, _)| *count);
    let (Some(least), Some(most)) = (often().min_by(f64::total_cmp), often().max_by(f64::total_cmp)) else {
        return false;
    };
    if most < LEAST_CHANGE * least {
        return false;
    }
    let of_one = |point: &Point| (point.load, point.latency);
    let of_all = |point: &Point| (point.load * point.instances, point.latency);
    let (Some((alone, _)), Some((together, rise))) = (deviation(points, of_one), deviation(points, of_all)) else {
        return false;
    };
    let was_over = points.iter().filter(|point| point.latency > limit).count() >= LEAST_MINUTES / 4;
    was_over && rise >= LEAST_RISE && together < CLEARLY_BETTER * alone
}

/// The median deviation of minutes from a non-decreasing curve over the given load, and how far that curve rises.
fn deviation(points: &[Point], of: impl Fn(&Point) -> (f64, f64)) -> Option<(f64, f64)> {
    let bins = bins(points, &of);
    let curve = isotonic(&bins.iter().map(|bin| (bin.latency, bin.weight())).collect::<Vec<_>>());
    let nearest = |load: f64| {
        let distance = |bin: &Bin| (bin.load - load).abs();
        bins.iter().zip(&curve).min_by(|a, b| distance(a.0).total_cmp(&distance(b.0))).map(|(_, fit)| *fit)
    };
    // The slow half: while nothing waits, neither load explains anything.
    let usual = median(points.iter().map(|point| point.latency))?;
    let slow = points.iter().filter(|point| point.latency >= usual);
    let deviations = slow.filter_map(|point| {
        let (load, latency) = of(point);
        Some((latency / nearest(load)?).ln().abs())
    });
    Some((median(deviations)?, curve.last()? / curve.first()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Minute;

    /// A day that needs 1 to 4 instances; latency follows the load on one of them or on all.
    fn points(is_shared: bool) -> Vec<Point> {
        (0..1_440)
            .map(|minute| {
                let all = 1_000.0 + 900.0 * (f64::from(minute) / 229.0).sin();
                let instances = (all / 450.0 - 0.35 * (f64::from(minute) / 31.0).sin()).round().clamp(1.0, 4.0);
                let load = all / instances;
                let utilization: f64 = if is_shared { all / 2_100.0 } else { load / 900.0 };
                let noise = 1.0 + 0.04 * f64::from((minute * 7_919) % 101 - 50) / 50.0;
                let latency = 100e3 * (1.0 + utilization.powi(2) / (1.0 - utilization.min(0.98))) * noise;
                Point {
                    minute: Minute(i64::from(minute)),
                    load,
                    counted: load,
                    latency,
                    middle: None,
                    instances,
                    utilization: None,
                    is_counted: true,
                }
            })
            .collect()
    }

    #[test]
    fn a_limit_behind_the_instances_is_told_from_their_own() {
        assert!(is_shared(&points(true), 300e3));
        assert!(!is_shared(&points(false), 300e3));
    }
}
