//! Whether the work of a request wanders by itself, and utilisation shows it.

use super::points::Point;
use crate::model::{History, Metric, Minute, Observation, ScalableDimension, WanderingWork, WorkByMinute};
use crate::statistics::{median, quantile, theil_sen};

/// Where the work of half hours differs by less than this (the standard deviation of its logarithm), invocations say as much
/// as utilisation does.
const LEAST_DEVIATION: f64 = 0.08;
/// Work that went up or down and stayed is a change, not a wander: it goes through its middle, clearly, at least this
/// often a day.
const CROSSINGS_A_DAY: f64 = 0.8;
const CLEARLY: f64 = 0.04;
/// A day shows whether it comes and goes.
const LEAST_MINUTES: i64 = 1_440;

/// What utilisation says of the work of requests; none where it does not follow the load, hardly differs, or changed for
/// good.
pub(super) fn wandering(
    observation: &Observation,
    history: &History,
    deployments: &[Minute],
) -> Option<(WanderingWork, WorkByMinute)> {
    // What a copy uses is a share of what it was given, and no policy is put on that.
    if observation.dimension() != ScalableDimension::InstanceCount {
        return None;
    }
    // Of instances of several types, a target on the sum over cores means another share for each.
    let kind = observation.variant.instance_type.as_ref()?;
    let gpus = kind.gpus().filter(|gpus| *gpus > 0);
    let (metric, units) = match gpus {
        Some(gpus) => (Metric::GPUUtilization, gpus),
        None => (Metric::CPUUtilization, kind.vcpus().filter(|units| *units > 0)?),
    };
    let (first, last) = (*history.0.first_key_value()?.0, *history.0.last_key_value()?.0);
    let deployed = deployments.iter().copied().filter(|minute| *minute > first && *minute <= last).max();
    let since = deployed.unwrap_or(first);
    if last.since(since) < LEAST_MINUTES {
        return None;
    }
    let used = |minute: &Minute| {
        let row = history.0.get(minute)?;
        let used = if gpus.is_some() { row.gpu.average } else { row.cpu.average }?;
        Some((row.load?.0, used)).filter(|(load, used)| *load > 0.0 && load.is_finite() && used.is_finite())
    };
    let minutes: Vec<Minute> = history.0.keys().copied().collect();
    let pairs: Vec<(Minute, (f64, f64))> = minutes.iter().filter_map(|minute| Some((*minute, used(minute)?))).collect();
    let present: Vec<(f64, f64)> = pairs.iter().filter(|(minute, _)| *minute >= since).map(|(_, pair)| *pair).collect();
    // Where work scatters by a factor, so does utilisation, and loads count alike only when divided by it.
    let shares: Vec<(f64, f64)> = present.iter().map(|(load, used)| (1.0 / load, used / load)).collect();
    let (idle, _) = theil_sen(&shares)?;
    let idle = idle.clamp(0.0, quantile(present.iter().map(|(_, used)| *used), 0.01)?);
    let usual = |pairs: &mut dyn Iterator<Item = &(Minute, (f64, f64))>| {
        median(pairs.map(|(_, (load, used))| (used - idle) / load))
    };
    let per_invocation = usual(&mut pairs.iter().filter(|(minute, _)| *minute >= since))?;
    let before = usual(&mut pairs.iter().filter(|(minute, _)| *minute < since)).unwrap_or(per_invocation);
    if per_invocation <= 0.0 || before <= 0.0 {
        return None;
    }
    let work = WanderingWork {
        metric,
        full_percent: 100.0 * f64::from(units),
        idle,
        per_invocation,
        deviation: 0.0,
        now: 1.0,
        since: since.start(),
        usual_before: before / per_invocation,
    };
    let length = usize::try_from(last.since(first)).ok()?.checked_add(1)?;
    let by_minute = work.by_minute(history, first, length);
    let now = by_minute.smooth.last().copied().unwrap_or(1.0);
    let deviation = wanders(&by_minute.smooth)?;
    Some((WanderingWork { deviation, now, ..work }, by_minute))
}

/// By how much it differs; none where that is little, or it does not come and go.
fn wanders(work: &[f64]) -> Option<f64> {
    let middle = median(work.iter().copied())?;
    let logs: Vec<f64> = work.iter().map(|work| (work / middle).ln()).collect();
    #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
    let (count, days) = (logs.len() as f64, logs.len() as f64 / 1_440.0);
    let deviation = (logs.iter().map(|log| log * log).sum::<f64>() / count).sqrt();
    let mut crossings = 0.0;
    let mut side = 0.0;
    for log in logs.iter().filter(|log| log.abs() > CLEARLY) {
        if side * log < 0.0 {
            crossings += 1.0;
        }
        side = log.signum();
    }
    (deviation >= LEAST_DEVIATION && crossings >= (CROSSINGS_A_DAY * days).max(2.0)).then_some(deviation)
}

/// The points as they would have been with usual requests: where work takes `M` times as long, so does latency, and the
/// time between two requests counts for less.
pub(super) fn as_usual(points: &[Point], work: &WorkByMinute) -> Vec<Point> {
    let usual = |point: &Point| {
        let work = work.at(point.minute).unwrap_or(1.0);
        Point {
            load: work * point.load,
            counted: work * point.counted,
            latency: point.latency / work,
            middle: point.middle.map(|middle| middle / work),
            ..*point
        }
    };
    points.iter().map(usual).collect()
}
