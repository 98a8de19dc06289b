//! What one minute is like.

/// What one minute is like.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// Mean arrivals on the whole endpoint, retries not counted.
    pub arrivals_per_minute: f64,
    /// Variance over mean of the arrivals of single seconds, less 1: 0 is Poisson.
    pub over_dispersion: f64,
    /// Arrivals that come in bursts inside the minute.
    pub burst: Option<Burst>,
    /// Instances in service. Those that leave finish what they have; those that come are cold.
    pub instances: usize,
    /// Work per request, 1 being normal.
    pub work_factor: f64,
    /// Share of requests that stall: a garbage collection, a lock held while working.
    pub stall_share: f64,
    /// Extra work of a stalled request: exponential with this mean, in units of the mean work of a request.
    pub stall_factor: f64,
    /// Time that a request waits for something else while it holds a worker without working: uniform within 30 % of
    /// this mean.
    pub wait_seconds: f64,
    /// Share of requests that wait so.
    pub wait_share: f64,
    /// The host gives only 1/steal of its time: work takes `steal` times as long, and utilisation does not show it.
    pub steal: f64,
    /// The first so many instances take `sick_factor` times as long for work.
    pub sick_instances: usize,
    /// See `sick_instances`.
    pub sick_factor: f64,
    /// Whether the utilisation of sick instances shows it.
    pub sick_is_busy: bool,
    /// Requests worked on at the same time in one container, where fewer than usual: a lock. None: as built.
    pub workers: Option<usize>,
    /// Mean time outside the container, in seconds.
    pub overhead_seconds: f64,
    /// Share of requests that fail in the container, after their work.
    pub error_5xx_share: f64,
    /// Share of requests that the container refuses at once, without work.
    pub error_4xx_share: f64,
    /// Share of memory in use on each instance.
    pub memory: f64,
    /// Models that are asked for (multi-model endpoints).
    pub models: usize,
}

/// Arrivals in bursts inside the minute; the minute's mean stays the same.
#[derive(Debug, Clone, Copy)]
pub struct Burst {
    /// Seconds of the minute in which requests come faster.
    pub seconds: f64,
    /// So many times as fast as in the rest of the minute.
    pub factor: f64,
}

impl Default for Conditions {
    /// A usual minute of 600 requests on two instances.
    fn default() -> Self {
        Self {
            arrivals_per_minute: 600.0,
            over_dispersion: 0.1,
            burst: None,
            instances: 2,
            work_factor: 1.0,
            stall_share: 0.0,
            stall_factor: 0.0,
            wait_seconds: 0.0,
            wait_share: 1.0,
            steal: 1.0,
            sick_instances: 0,
            sick_factor: 1.0,
            sick_is_busy: true,
            workers: None,
            overhead_seconds: 0.004,
            error_5xx_share: 0.0,
            error_4xx_share: 0.0,
            memory: 0.41,
            models: 0,
        }
    }
}
