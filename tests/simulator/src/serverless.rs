//! A serverless variant: containers that start cold, stay warm for some minutes and serve one request at a time.
//!
//! A request takes an idle unit of provisioned concurrency, else a container that is still warm, else a new one that has
//! to be set up first. Beyond `MaxConcurrency` it is refused. That is how AWS describes it ("Deploy models with Amazon
//! SageMaker Serverless Inference"); how long containers stay warm AWS does not say, so it is drawn.

mod published;

pub use published::serverless_published;

use crate::Samples;
use crate::random::{Streams, about, chance, log_normal};
use rand::Rng as _;
use rand_distr::{Distribution as _, Gamma, Poisson};
use serde::Serialize;

/// Samples are whole numbers; shares are kept in millionths.
const MILLION: f64 = 1e6;

/// How a serverless variant was built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerlessEndpoint {
    /// `MaxConcurrency`.
    pub max_concurrency: usize,
    /// `MemorySizeInMB`.
    pub memory_size_in_mb: u32,
    /// Mean seconds in which a container answers.
    pub service_seconds: f64,
    /// Coefficient of variation of that.
    pub service_cv: f64,
    /// Mean seconds to set a container up.
    pub setup_seconds: f64,
    /// How long an idle container stays.
    pub keep_warm_seconds: f64,
}

/// What a minute is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerlessConditions {
    /// Requests that arrive, in the mean.
    pub arrivals_per_minute: f64,
    /// Variance of a minute's rate over its square: 0 is Poisson.
    pub over_dispersion: f64,
    /// Units of provisioned concurrency.
    pub provisioned: usize,
    /// What the account lets the variant have, where that is less than `MaxConcurrency`.
    pub account_limit: Option<usize>,
    /// Work of a request over what is usual.
    pub work_factor: f64,
    /// Seconds outside the container, set-up left out.
    pub overhead_seconds: f64,
    /// Share of memory in use.
    pub memory: f64,
    /// Share of the requests that the container answers with a 4xx.
    pub error_4xx_share: f64,
    /// Share of the requests that it answers with a 5xx.
    pub error_5xx_share: f64,
}

impl Default for ServerlessConditions {
    fn default() -> Self {
        Self {
            arrivals_per_minute: 60.0,
            over_dispersion: 0.02,
            provisioned: 0,
            account_limit: None,
            work_factor: 1.0,
            overhead_seconds: 0.02,
            memory: 0.5,
            error_4xx_share: 0.0,
            error_5xx_share: 0.0,
        }
    }
}

/// What SageMaker saw of a minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServerlessMinute {
    /// As it was counted: incidents count back from the end, −1 being the last.
    pub minute: i64,
    /// Requests that were served.
    pub invocations: u64,
    /// Requests that were refused because too many were being served.
    pub throttled: u64,
    /// Time in the container; microseconds.
    pub model_latency_us: Samples,
    /// Time outside, set-up included; microseconds.
    pub overhead_latency_us: Samples,
    /// Time to set containers up; microseconds, one sample a cold start.
    pub setup_us: Samples,
    /// Requests at once when each arrived, itself included, over `MaxConcurrency`; in millionths.
    pub concurrency: Samples,
    /// The same, in millionths, of the units of provisioned concurrency in use.
    pub provisioned_busy: Samples,
    /// Units of provisioned concurrency.
    pub provisioned: usize,
    /// Requests that they did not serve.
    pub spillover: u64,
    /// Requests that the container answered with a 4xx.
    pub refused_by_model: u64,
    /// Requests that it answered with a 5xx.
    pub errors_5xx: u64,
    /// Percent of memory in use.
    pub memory_percent: f64,
    /// `MaxConcurrency`.
    pub max_concurrency: usize,
}

/// A variant on its way from minute to minute.
#[derive(Debug)]
pub struct ServerlessRun {
    endpoint: ServerlessEndpoint,
    streams: Streams,
    /// When each unit of provisioned concurrency is free; seconds.
    provisioned: Vec<f64>,
    /// When each other container is free.
    on_demand: Vec<f64>,
}

impl ServerlessRun {
    /// A variant without a container.
    #[must_use]
    pub fn new(endpoint: ServerlessEndpoint, seed: u64) -> Self {
        Self { endpoint, streams: Streams::new(seed), provisioned: Vec::new(), on_demand: Vec::new() }
    }

    /// One minute.
    ///
    /// # Panics
    /// Where a condition is not finite.
    pub fn step(&mut self, number: i64, conditions: &ServerlessConditions) -> ServerlessMinute {
        let start = number as f64 * 60.0;
        self.provisioned.resize(conditions.provisioned, start);
        let limit = conditions.account_limit.unwrap_or(usize::MAX).min(self.endpoint.max_concurrency);
        let service = log_normal(self.endpoint.service_seconds, self.endpoint.service_cv);
        let setup = log_normal(self.endpoint.setup_seconds, 0.25);
        let mut seen = Seen::default();
        let mut minute = ServerlessMinute {
            minute: number,
            provisioned: conditions.provisioned,
            memory_percent: 100.0 * about(&mut self.streams.noise, conditions.memory, 0.02),
            max_concurrency: self.endpoint.max_concurrency,
            ..ServerlessMinute::default()
        };
        for at in self.arrivals(start, conditions) {
            self.on_demand.retain(|free| free + self.endpoint.keep_warm_seconds >= at);
            let busy_provisioned = self.provisioned.iter().filter(|free| **free > at).count();
            let busy = busy_provisioned + self.on_demand.iter().filter(|free| **free > at).count();
            if busy >= limit {
                minute.throttled += 1;
                continue;
            }
            let random = &mut self.streams.requests;
            let serves = conditions.work_factor * service.sample(random);
            let overhead = about(random, conditions.overhead_seconds, 0.5);
            let is_ready = |free: &&mut f64| **free <= at;
            // The container that was used last is taken first, so that the others may go.
            let warm = self.on_demand.iter_mut().filter(is_ready).max_by(|left, right| left.total_cmp(right));
            let (slot, is_provisioned) = match (self.provisioned.iter_mut().find(is_ready), warm) {
                (Some(unit), _) => (Some(unit), true),
                (None, warm) => (warm, false),
            };
            let set_up = if slot.is_some() { 0.0 } else { setup.sample(random) };
            let free = at + overhead + set_up + serves;
            match slot {
                Some(slot) => *slot = free,
                None => self.on_demand.push(free),
            }
            if set_up > 0.0 {
                seen.setups.push(1e6 * set_up);
            }
            minute.invocations += 1;
            minute.spillover += u64::from(!is_provisioned && conditions.provisioned > 0);
            seen.latencies.push(1e6 * serves);
            seen.overheads.push(1e6 * (overhead + set_up));
            seen.concurrencies.push(MILLION * (busy + 1) as f64 / self.endpoint.max_concurrency as f64);
            let busy_provisioned = busy_provisioned + usize::from(is_provisioned);
            seen.provisioned.push(MILLION * busy_provisioned as f64);
            if chance(&mut self.streams.clients, conditions.error_5xx_share) {
                minute.errors_5xx += 1;
            } else if chance(&mut self.streams.clients, conditions.error_4xx_share) {
                minute.refused_by_model += 1;
            }
        }
        minute.model_latency_us = Samples::of(seen.latencies);
        minute.overhead_latency_us = Samples::of(seen.overheads);
        minute.setup_us = Samples::of(seen.setups);
        minute.concurrency = Samples::of(seen.concurrencies);
        minute.provisioned_busy = Samples::of(seen.provisioned);
        minute
    }

    /// When requests arrive: a Poisson process whose rate varies from minute to minute.
    fn arrivals(&mut self, start: f64, conditions: &ServerlessConditions) -> Vec<f64> {
        let random = &mut self.streams.arrivals;
        let spread = conditions.over_dispersion;
        let rate = conditions.arrivals_per_minute
            * if spread > 0.0 { Gamma::new(1.0 / spread, spread).expect("a spread").sample(random) } else { 1.0 };
        if rate <= 0.0 {
            return Vec::new();
        }
        let count = Poisson::new(rate).expect("a finite rate").sample(random) as usize;
        let mut times: Vec<f64> = (0..count).map(|_| start + 60.0 * random.random::<f64>()).collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    }
}

/// Samples of a minute.
#[derive(Default)]
struct Seen {
    latencies: Vec<f64>,
    overheads: Vec<f64>,
    setups: Vec<f64>,
    concurrencies: Vec<f64>,
    provisioned: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: ServerlessEndpoint = ServerlessEndpoint {
        max_concurrency: 20,
        memory_size_in_mb: 2_048,
        service_seconds: 0.5,
        service_cv: 0.3,
        setup_seconds: 5.0,
        keep_warm_seconds: 300.0,
    };

    fn minutes(endpoint: ServerlessEndpoint, conditions: &[ServerlessConditions]) -> Vec<ServerlessMinute> {
        let mut run = ServerlessRun::new(endpoint, 3);
        conditions.iter().zip(0..).map(|(conditions, minute)| run.step(minute, conditions)).collect()
    }

    fn at(arrivals_per_minute: f64) -> ServerlessConditions {
        ServerlessConditions { arrivals_per_minute, ..ServerlessConditions::default() }
    }

    #[test]
    fn as_many_are_served_at_once_as_littles_law_says() {
        let many = minutes(USUAL, &[at(600.0); 200]);
        let warm = &many[20..];
        let mean = |value: fn(&ServerlessMinute) -> f64| warm.iter().map(value).sum::<f64>() / warm.len() as f64;
        let seen = mean(|minute| minute.concurrency.average().unwrap()) * 20.0 / MILLION;
        let reckoned = mean(|minute| {
            let seconds = (minute.model_latency_us.sum() + minute.overhead_latency_us.sum()) / 1e6;
            seconds / 60.0
        });
        // A request that arrives sees the others as they are (PASTA), and counts itself.
        assert!((seen - 1.0 - reckoned).abs() < 0.1 * reckoned, "{seen} {reckoned}");
    }

    #[test]
    fn a_container_that_was_idle_for_long_is_gone() {
        let pause = |minutes: usize| {
            let mut conditions = vec![at(60.0); 10];
            conditions.extend(vec![at(0.0); minutes]);
            conditions.push(at(60.0));
            conditions
        };
        let cold = |conditions: &[ServerlessConditions]| minutes(USUAL, conditions).last().unwrap().setup_us.count();
        assert_eq!(cold(&pause(3)), 0);
        assert!(cold(&pause(6)) > 0);
    }

    #[test]
    fn provisioned_concurrency_is_never_cold_and_what_is_beyond_it_spills_over() {
        let roomy = ServerlessConditions { provisioned: 15, ..at(300.0) };
        assert!(minutes(USUAL, &[roomy; 30]).iter().all(|minute| minute.spillover + minute.setup_us.count() == 0));
        let short = ServerlessConditions { provisioned: 2, ..at(300.0) };
        assert!(minutes(USUAL, &[short; 30]).iter().all(|minute| minute.spillover > 0));
    }

    #[test]
    fn what_is_beyond_max_concurrency_is_refused() {
        let most = ServerlessEndpoint { max_concurrency: 3, ..USUAL };
        let minutes = minutes(most, &[at(600.0); 20]);
        assert!(minutes.iter().all(|minute| minute.throttled > 0));
        assert!(minutes.iter().all(|minute| minute.concurrency.maximum() == Some(MILLION)));
    }
}
