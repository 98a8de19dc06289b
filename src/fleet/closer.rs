//! Whether a variant deserves that its single minutes are read.

use super::growth::{Growth, busiest_hour, growth};
use crate::model::{Hours, InstanceCount, Metric, Observation};

/// Above this much of an hour's busiest instance or container a limit may be near: queues begin to show at about 70 %.
const BUSY: f64 = 70.0;
/// Below this, at every hour of two weeks, the same work fits on half the instances with room to spare.
const IDLE: f64 = 30.0;
/// A minute is two or three times as busy as the mean of its hour, seldom more: from here on a target may be met.
const NEAR_TARGET: f64 = 0.4;
/// Growth that doubles load within two months.
const FAST: f64 = 1.09;
/// An asynchronous endpoint whose requests wait longer than this at any hour.
const LONG_WAIT_SECONDS: f64 = 15.0 * 60.0;

/// Why minutes should be read. The more there is to see, the higher the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Closer {
    /// By which they are sorted where there is not time for all.
    pub score: f64,
    /// One clause each, with its number.
    pub why: Vec<String>,
}

/// The reasons to look closer; none where the hours show nothing that minutes could explain.
#[must_use]
pub fn closer(observation: &Observation, hours: &Hours) -> Option<Closer> {
    let found: Vec<(f64, String)> = [
        slow(observation, hours),
        busy(observation, hours),
        growing(hours),
        near_target(observation, hours),
        idle(observation, hours),
        waits(hours),
    ]
    .into_iter()
    .flatten()
    .collect();
    let score = found.iter().map(|(score, _)| score).sum();
    (!found.is_empty()).then(|| Closer { score, why: found.into_iter().map(|(_, why)| why).collect() })
}

/// An hour whose latency was over the objective counts most: something was wrong for long.
fn slow(observation: &Observation, hours: &Hours) -> Option<(f64, String)> {
    let objective = observation.objective?;
    let limit = objective.latency_slo_ms.to_microseconds().0;
    let all = hours.of(Metric::ModelLatency).count();
    let over = hours.of(Metric::ModelLatency).filter(|(_, latency)| *latency > limit).count();
    let words = || format!("{} ModelLatency was over its objective in {over} of {all} hours", objective.slo_statistic);
    (over > 0).then(|| (3.0, words()))
}

/// The busiest hour of whatever was busiest, in percent of all there is. CloudWatch counts a core or a GPU as 100 %, so that
/// instances of a type that is not known say nothing.
fn busiest(observation: &Observation, hours: &Hours) -> Option<(Metric, f64)> {
    let variant = &observation.variant;
    let whole = [
        (Metric::CPUUtilization, variant.vcpus().map(|cores| 100.0 * cores)),
        (Metric::GPUUtilization, variant.gpus().filter(|gpus| *gpus > 0.0).map(|gpus| 100.0 * gpus)),
        (Metric::CPUUtilizationNormalized, Some(100.0)),
        (Metric::GPUUtilizationNormalized, Some(100.0)),
        (Metric::ServerlessConcurrentExecutionsUtilization, Some(1.0)),
    ];
    let percent = |(metric, whole): (Metric, Option<f64>)| Some((metric, 100.0 * hours.most(metric)? / whole?));
    whole.into_iter().filter_map(percent).max_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn busy(observation: &Observation, hours: &Hours) -> Option<(f64, String)> {
    let (metric, most) = busiest(observation, hours)?;
    (most >= BUSY).then(|| (2.0, format!("{metric} reached {most:.0} %")))
}

fn growing(hours: &Hours) -> Option<(f64, String)> {
    let Growth { per_week, .. } = growth(hours).filter(|growth| growth.is_steady && growth.per_week >= FAST)?;
    Some((1.0 + per_week.min(2.0), format!("its busiest hours grow by {:.0} % a week", 100.0 * (per_week - 1.0))))
}

/// A policy is judged where its target may be met.
fn near_target(observation: &Observation, hours: &Hours) -> Option<(f64, String)> {
    let tracking = observation.scaling.as_ref()?.policies.iter().filter_map(|policy| policy.target_tracking.as_ref());
    let target = tracking
        .filter(|tracking| tracking.metric.as_deref().is_some_and(is_load))
        .map(|tracking| tracking.target_value)
        .min_by(f64::total_cmp)?;
    let load = busiest_hour(hours)?.0 / f64::from(observation.running().filter(|running| running.0 > 0)?.0);
    let words = || {
        format!("its busiest hour brought {load:.0} requests a minute to an instance, and the target is {target:.0}")
    };
    (load >= NEAR_TARGET * target).then(|| (1.0, words()))
}

/// Predefined and custom metrics of the load on one instance or copy end alike.
fn is_load(metric: &str) -> bool {
    metric.ends_with("InvocationsPerInstance") || metric.ends_with("InvocationsPerCopy")
}

/// Instances that may be too many.
fn idle(observation: &Observation, hours: &Hours) -> Option<(f64, String)> {
    let running = observation.running().filter(|running| *running > InstanceCount(1))?;
    let (metric, most) = busiest(observation, hours).filter(|(_, most)| *most < IDLE)?;
    Some((1.0, format!("{metric} stayed under {most:.0} % on {running} instances")))
}

fn waits(hours: &Hours) -> Option<(f64, String)> {
    let most = hours.most(Metric::ApproximateAgeOfOldestRequest).filter(|age| *age > LONG_WAIT_SECONDS)?;
    Some((2.0, format!("a request waited for {:.0} minutes", most / 60.0)))
}
