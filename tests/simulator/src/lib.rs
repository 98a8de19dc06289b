//! Endpoints whose trouble is known: request by request, then minute by minute as CloudWatch would show it.
//!
//! An endpoint is `instances`, each with a container of [`WORKERS`] workers that take requests first come, first
//! served; requests are spread over instances at random, as SageMaker does by default. A [`Scenario`] says what happens
//! to traffic, instances, work per request, waits and errors, minute by minute. The same seed gives the same minutes.

mod scenario;

pub use scenario::{Conditions, SCENARIOS, Scenario};

use rand::{Rng as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp, LogNormal};
use rand_pcg::Pcg64;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Workers of a container, and vCPUs of its `ml.m5.xlarge`: each request keeps one core busy.
pub const WORKERS: usize = 4;
/// Mean work of a request in seconds, at a factor of 1; the coefficient of variation is 0.4.
pub const SERVICE_SECONDS: f64 = 0.2;
/// SageMaker gives up on the container after this long.
const TIMEOUT_SECONDS: f64 = 60.0;
/// The standard deviation of ln(work): sqrt(ln(1 + 0.4²)).
const SERVICE_SIGMA: f64 = 0.385;
/// Utilisation of an idle instance, percent of one core.
const IDLE_PERCENT: f64 = 12.0;
/// Distinct values that `PutMetricData` takes for one datum.
const VALUES: usize = 150;

/// One minute, in the samples that SageMaker would have published.
#[derive(Debug, Clone, Serialize)]
pub struct Minute {
    /// Counted back from the end of the observed window: −1 is its last minute.
    pub minute: i64,
    /// Requests that were answered.
    pub invocations: u64,
    /// Instances in service.
    pub instances: usize,
    /// `ModelLatency` samples: microseconds and how many requests took that long.
    pub model_latency_us: Vec<(f64, u64)>,
    /// `OverheadLatency` samples.
    pub overhead_latency_us: Vec<(f64, u64)>,
    /// `CPUUtilization` of each instance, percent summed over cores.
    pub cpu_percent: Vec<f64>,
    /// `MemoryUtilization` of each instance.
    pub memory_percent: Vec<f64>,
    /// Requests answered with a 4xx.
    pub errors_4xx: u64,
    /// Requests answered with a 5xx.
    pub errors_5xx: u64,
    /// Requests on which the container failed.
    pub model_errors: u64,
    /// Requests in flight at the end of the minute, for each instance.
    pub concurrent_requests: Vec<u64>,
}

impl Minute {
    /// The `q` quantile of `ModelLatency` in microseconds, weighted by how many requests took how long.
    #[must_use]
    pub fn latency_quantile(&self, q: f64) -> Option<f64> {
        let total: u64 = self.model_latency_us.iter().map(|(_, count)| count).sum();
        let rank = (q * total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.model_latency_us.iter().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then_some(*value)
        })
    }

    /// The mean `ModelLatency` in microseconds.
    #[must_use]
    pub fn latency_average(&self) -> Option<f64> {
        let (sum, count) = self
            .model_latency_us
            .iter()
            .fold((0.0, 0), |(sum, total), (value, count)| (sum + value * *count as f64, total + count));
        (count > 0).then(|| sum / count as f64)
    }
}

/// A request on its way through a container.
struct Served {
    latency: f64,
    work: f64,
    is_failed: bool,
}

/// One container: when each worker is free again.
struct Container {
    free_at: BinaryHeap<Reverse<Moment>>,
}

/// Seconds from the start, ordered.
struct Moment(f64);

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Container {
    fn new() -> Self {
        Self { free_at: (0..WORKERS).map(|_| Reverse(Moment(0.0))).collect() }
    }

    /// Takes a request that arrives at `now` and needs `work` seconds of a worker. A request that would wait longer
    /// than SageMaker does is given up and costs no work.
    fn serve(&mut self, now: f64, work: f64) -> Served {
        let free_at = self.free_at.peek().map_or(0.0, |Reverse(moment)| moment.0);
        let wait = (free_at - now).max(0.0);
        if wait + work > TIMEOUT_SECONDS {
            return Served { latency: TIMEOUT_SECONDS, work: 0.0, is_failed: true };
        }
        self.free_at.pop();
        self.free_at.push(Reverse(Moment(now + wait + work)));
        Served { latency: wait + work, work, is_failed: false }
    }
}

/// Runs a scenario over `minutes` minutes that end at minute 0.
#[must_use]
pub fn simulate(scenario: &Scenario, minutes: i64, seed: u64) -> Vec<Minute> {
    let mut random = Pcg64::seed_from_u64(seed);
    let service = LogNormal::new(SERVICE_SECONDS.ln() - SERVICE_SIGMA * SERVICE_SIGMA / 2.0, SERVICE_SIGMA)
        .expect("a finite spread");
    let mut containers: Vec<Container> = Vec::new();
    let mut out = Vec::new();
    for minute in -minutes..0 {
        let conditions = scenario.at(minute);
        containers.truncate(conditions.instances);
        while containers.len() < conditions.instances {
            containers.push(Container::new());
        }
        let start = (minute + minutes) as f64 * 60.0;
        let gap = Exp::new(conditions.arrivals_per_minute / 60.0).expect("a positive rate");
        let mut latencies = Vec::new();
        let mut work = vec![0.0; containers.len()];
        let (mut errors_4xx, mut errors_5xx) = (0, 0);
        let mut now = start + gap.sample(&mut random);
        while now < start + 60.0 {
            let chosen = random.random_range(0..containers.len());
            let mut served = containers[chosen].serve(now, service.sample(&mut random) * conditions.work_factor);
            if conditions.wait_seconds > 0.0 {
                served.latency += conditions.wait_seconds * random.random_range(0.7..1.3);
            }
            work[chosen] += served.work;
            if served.is_failed || random.random_bool(conditions.error_5xx_share) {
                errors_5xx += 1;
            } else if random.random_bool(conditions.error_4xx_share) {
                errors_4xx += 1;
            }
            latencies.push(served.latency * 1e6);
            now += gap.sample(&mut random);
        }
        let noise = |random: &mut Pcg64| random.random_range(0.98..1.02);
        let cpu_percent = work
            .iter()
            .map(|busy| (IDLE_PERCENT + busy / 60.0 * 100.0 * noise(&mut random)).min(100.0 * WORKERS as f64))
            .collect();
        let memory_percent = work.iter().map(|_| 41.0 * noise(&mut random)).collect();
        let overhead_us = conditions.overhead_seconds * 1e6 * noise(&mut random);
        let concurrent = |container: &Container| {
            container.free_at.iter().filter(|Reverse(moment)| moment.0 > start + 60.0).count() as u64
        };
        out.push(Minute {
            minute,
            invocations: latencies.len() as u64,
            instances: containers.len(),
            overhead_latency_us: vec![(overhead_us, latencies.len() as u64)],
            model_latency_us: grouped(latencies),
            cpu_percent,
            memory_percent,
            errors_4xx,
            errors_5xx,
            model_errors: errors_5xx,
            concurrent_requests: containers.iter().map(concurrent).collect(),
        });
    }
    out
}

/// At most [`VALUES`] distinct values in ascending order, the smallest and the largest exact, the others the lower end
/// of groups of equal size.
fn grouped(mut values: Vec<f64>) -> Vec<(f64, u64)> {
    values.sort_unstable_by(f64::total_cmp);
    let size = values.len().div_ceil(VALUES - 2).max(1);
    let Some(largest) = values.pop() else { return Vec::new() };
    let mut groups: Vec<(f64, u64)> = values.chunks(size).map(|group| (group[0].round(), group.len() as u64)).collect();
    groups.push((largest.round(), 1));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy(seed: u64) -> Vec<Minute> {
        simulate(Scenario::named("healthy").unwrap(), 600, seed)
    }

    #[test]
    fn the_same_seed_gives_the_same_minutes() {
        let json = |seed| serde_json::to_string(&healthy(seed)).unwrap();
        assert_eq!(json(3), json(3));
        assert_ne!(json(3), json(4));
    }

    #[test]
    fn utilisation_is_arrivals_times_work() {
        let minutes = healthy(1);
        let cores = |minute: &Minute| minute.cpu_percent.iter().map(|cpu| (cpu - IDLE_PERCENT) / 100.0).sum::<f64>();
        let busy: f64 = minutes.iter().map(cores).sum::<f64>() / minutes.len() as f64;
        let arrivals: f64 = minutes.iter().map(|minute| minute.invocations as f64).sum::<f64>() / minutes.len() as f64;
        let expected = arrivals / 60.0 * SERVICE_SECONDS;
        assert!((busy / expected - 1.0).abs() < 0.02, "{busy} {expected}");
    }

    #[test]
    fn nobody_waits_where_hardly_anybody_comes() {
        let scenario = Scenario { name: "", about: "", trouble: |now, _| now.arrivals_per_minute = 20.0 };
        let minutes = simulate(&scenario, 2_000, 1);
        let means: Vec<f64> = minutes.iter().filter_map(Minute::latency_average).collect();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        assert!((mean / (SERVICE_SECONDS * 1e6) - 1.0).abs() < 0.02, "{mean}");
    }
}
