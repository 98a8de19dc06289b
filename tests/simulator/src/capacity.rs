//! What an endpoint can sustain: the truth that advice is measured with.

use crate::{Conditions, Discipline, Endpoint, Run};

/// Requests that a probe looks at, at least.
const REQUESTS: f64 = 20_000.0;
/// Minutes of a probe, at least and at most, and those before that are not looked at.
const MINUTES: (f64, f64) = (15.0, 20_000.0);
const WARM_UP: usize = 5;
/// The bisection ends when the bounds are this close, as a part of what saturates the instance.
const PRECISION: f64 = 0.005;
/// Load without queueing, as a part of what saturates the instance.
const UNLOADED: f64 = 0.03;

/// The most arrivals per minute and instance that go on for long with the median minute's latency quantile within the
/// objective, on `conditions.instances` instances; 0 where no load does. Arrivals in `conditions` do not matter.
#[must_use]
pub fn capacity(endpoint: Endpoint, conditions: &Conditions, objective_us: f64, quantile: f64, seed: u64) -> f64 {
    let most = saturation(&endpoint, conditions);
    let (mut low, mut high) = (0.0, most);
    while high - low > PRECISION * most {
        let middle = (low + high) / 2.0;
        match median_minute(endpoint, conditions, middle, quantile, seed) {
            Some(latency) if latency <= objective_us => low = middle,
            _ => high = middle,
        }
    }
    low
}

/// The latency quantile in microseconds of all requests where hardly any of them meets another: at 3 % of saturation.
#[must_use]
pub fn unloaded(endpoint: Endpoint, conditions: &Conditions, quantile: f64, seed: u64) -> Option<f64> {
    let minutes = probe(endpoint, conditions, UNLOADED * saturation(&endpoint, conditions), seed);
    let mut all: Vec<(f64, u64)> = minutes.iter().flat_map(|minute| minute.model_latency_us.pairs()).copied().collect();
    all.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
    crate::Samples::repeated(all).quantile(quantile)
}

/// Arrivals per minute and instance that keep an instance busy all the time, warm and with its models loaded.
#[must_use]
pub fn saturation(endpoint: &Endpoint, conditions: &Conditions) -> f64 {
    let stalls = conditions.stall_share * conditions.stall_factor;
    let each = endpoint.service.mean() * (1.0 + stalls) * conditions.work_factor * conditions.steal;
    let slots = |built: usize| conditions.workers.map_or(built, |workers| workers.min(built)) as f64;
    let wait = conditions.wait_seconds * conditions.wait_share;
    let per_second = match endpoint.discipline {
        Discipline::Fifo { workers } => slots(workers) / (each + wait),
        Discipline::ProcessorSharing { cores } => slots(cores) / each,
        Discipline::Batching { largest, fixed, .. } => {
            slots(largest) / (each * (fixed + (1.0 - fixed) * slots(largest)))
        }
    };
    // Refused requests are no work.
    60.0 * per_second / (1.0 - conditions.error_4xx_share.min(0.99))
}

/// The median of the minutes' latency quantiles.
fn median_minute(
    endpoint: Endpoint,
    conditions: &Conditions,
    arrivals_per_minute_and_instance: f64,
    quantile: f64,
    seed: u64,
) -> Option<f64> {
    let mut latencies: Vec<f64> = probe(endpoint, conditions, arrivals_per_minute_and_instance, seed)
        .iter()
        .filter_map(|minute| minute.model_latency_us.quantile(quantile))
        .collect();
    latencies.sort_unstable_by(f64::total_cmp);
    latencies.get(latencies.len() / 2).copied()
}

fn probe(
    endpoint: Endpoint,
    conditions: &Conditions,
    arrivals_per_minute_and_instance: f64,
    seed: u64,
) -> Vec<crate::Minute> {
    let arrivals_per_minute = arrivals_per_minute_and_instance * conditions.instances.max(1) as f64;
    let conditions = Conditions { arrivals_per_minute, ..*conditions };
    let minutes = (REQUESTS / arrivals_per_minute).clamp(MINUTES.0, MINUTES.1).ceil() as usize;
    let mut run = Run::new(endpoint, seed);
    (0..WARM_UP + minutes).map(|minute| run.step(minute as i64, &conditions)).skip(WARM_UP).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Service;

    fn near(seen: f64, expected: f64, tolerance: f64) {
        assert!((seen / expected - 1.0).abs() < tolerance, "{seen} instead of {expected}");
    }

    /// One worker with exponential work of 20 ms: p90 is 2.303 over the spare rate.
    const SINGLE: Endpoint = Endpoint {
        discipline: Discipline::Fifo { workers: 1 },
        service: Service::Exponential(0.02),
        ..Endpoint::USUAL
    };

    #[test]
    fn capacity_is_where_the_queue_meets_the_objective() {
        let conditions = Conditions { over_dispersion: 0.0, ..Conditions::default() };
        for instances in [1, 3] {
            let seen = capacity(SINGLE, &Conditions { instances, ..conditions }, 0.1e6, 0.9, 1);
            near(seen, 60.0 * (50.0 - 10.0_f64.ln() / 0.1), 0.04);
        }
        let tight = capacity(SINGLE, &conditions, 0.04e6, 0.9, 1);
        assert!(tight < 20.0, "unloaded, p90 is 46 ms: {tight}");
    }

    #[test]
    fn trouble_takes_capacity() {
        let usual = Conditions::default();
        let of = |conditions: Conditions| capacity(Endpoint::USUAL, &conditions, 0.5e6, 0.9, 1);
        let healthy = of(usual);
        assert!((700.0..1_150.0).contains(&healthy), "{healthy}");
        near(of(Conditions { error_4xx_share: 0.2, ..usual }), healthy / 0.8, 0.06);
        assert!(of(Conditions { work_factor: 1.5, ..usual }) < healthy / 1.5);
        assert!(of(Conditions { workers: Some(2), ..usual }) < healthy / 2.0);
        assert!(of(Conditions { wait_seconds: 0.6, ..usual }) < 20.0);
    }

    #[test]
    fn unloaded_latency_is_the_work() {
        let seen = unloaded(SINGLE, &Conditions::default(), 0.9, 1).unwrap();
        near(seen, 0.02e6 * 10.0_f64.ln() / 0.97, 0.03);
    }
}
