//! What one unit of concurrency of a serverless variant sustains.
//!
//! A container serves one request at a time, so it is done with 60 s over the mean time that a request holds it in a minute:
//! its utilisation is 1 then (Little's law for a single server). Latency does not depend on how many units there are, so the
//! objective is kept at any load or at none.

use crate::model::{Bound, Capacity, Grade, History, InvocationsPerInstance, Observation, serverless_minutes};
use crate::statistics::quantile;

/// Minutes with fewer requests say little of the mean.
const ENOUGH: f64 = 5.0;
const LEAST_MINUTES: usize = 15;
/// A day shows most kinds of requests, two hours some.
const DAY: usize = 1_440;
const HOURS: usize = 120;

/// What one unit sustains with its requests as they are now: those of the last day.
pub(super) fn capacity(observation: &Observation, history: &History) -> Option<Capacity> {
    let objective = observation.objective?;
    let limit = objective.latency_slo_ms.to_microseconds();
    let since = observation.last_minute().plus(-1_440);
    let minutes = serverless_minutes(observation, history);
    let recent = minutes.iter().filter(|minute| minute.minute > since && minute.invocations.0 >= ENOUGH);
    let served: Vec<f64> = recent.filter_map(|minute| minute.held).map(|held| 60e6 / held.0).collect();
    // Where requests take longer than the objective by themselves, no load keeps it.
    let latencies = history.between(since, observation.last_minute()).filter_map(|(_, row)| row.latency);
    let usual = quantile(latencies.map(|latency| latency.0), 0.5).filter(|usual| *usual <= limit.0);
    if served.len() < LEAST_MINUTES || usual.is_none() {
        return None;
    }
    let at = |share: f64| quantile(served.iter().copied(), share).filter(|value| value.is_finite() && *value > 0.0);
    let grade = match served.len() {
        DAY.. => Grade::High,
        HOURS.. => Grade::Medium,
        _ => Grade::Low,
    };
    Some(Capacity {
        is_throughput: false,
        invocations_per_instance_per_minute: InvocationsPerInstance(at(0.5)?),
        low: InvocationsPerInstance(at(0.05)?),
        high: Some(InvocationsPerInstance(at(0.95)?)),
        bound: Bound::Estimate,
        grade,
        latency_slo_ms: objective.latency_slo_ms,
        slo_statistic: objective.slo_statistic,
        minutes_used: u32::try_from(served.len()).unwrap_or(u32::MAX),
        method: "60 s over the mean time of a request: a container serves one at a time".to_owned(),
        extrapolation: None,
        curve: None,
        is_shared: false,
        work: None,
    })
}
