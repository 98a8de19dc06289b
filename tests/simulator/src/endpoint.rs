//! What does not change from minute to minute: an endpoint as it was built.

use serde::Serialize;

/// An endpoint: what one of its instances is, and how requests reach them.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// How a container serves the requests that it has.
    pub discipline: Discipline,
    /// The work of one request.
    pub service: Service,
    /// Which instance gets a request.
    pub routing: Routing,
    /// Requests that may wait in one container; one more is answered with a 5xx at once. None: no limit. Where requests
    /// share cores, those beyond one for each core count as waiting.
    pub queue_limit: Option<usize>,
    /// vCPUs of the instance type: `CPUUtilization` is 0 to 100 times this.
    pub vcpus: u32,
    /// GPUs of the instance type; where there is one, it does the work and the cores do a tenth of it.
    pub gpus: u32,
    /// Share of the hardware that shows as busy when the container serves all it can: 1 where the hardware is the limit,
    /// less where the container's own workers are.
    pub utilization_at_saturation: f64,
    /// Share of the hardware that an idle instance shows as busy.
    pub idle_utilization: f64,
    /// Standard deviation of the instances' speed, 1 being the usual.
    pub speed_spread: f64,
    /// What clients do when an answer takes too long; none: they wait.
    pub retries: Option<Retries>,
    /// What instances are like right after they came into service.
    pub cold: Option<Cold>,
    /// After so long without a request an instance is cold again. None: never.
    pub cold_after_idle_seconds: Option<f64>,
    /// Models that an instance of a multi-model endpoint loads and unloads; none for a single model.
    pub cache: Option<Cache>,
}

impl Endpoint {
    /// An `ml.m5.xlarge` whose container has a worker for each core; 0.2 s of work keep one of them busy.
    pub const USUAL: Self = Self {
        discipline: Discipline::Fifo { workers: 4 },
        service: Service::LogNormal { mean: 0.2, cv: 0.4 },
        routing: Routing::Random,
        queue_limit: None,
        vcpus: 4,
        gpus: 0,
        utilization_at_saturation: 1.0,
        idle_utilization: 0.03,
        speed_spread: 0.0,
        retries: None,
        cold: None,
        cold_after_idle_seconds: None,
        cache: None,
    };
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::USUAL
    }
}

/// How a container serves the requests that it has.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Discipline {
    /// So many workers take requests first come, first served.
    Fifo {
        /// Requests that are worked on at the same time.
        workers: usize,
    },
    /// Every request is worked on at once; more requests than cores share the cores equally.
    ProcessorSharing {
        /// Requests that can be worked on at full speed.
        cores: usize,
    },
    /// One worker takes up to `largest` waiting requests at once; the batch takes
    /// `work x (fixed + (1 - fixed) x requests)`.
    Batching {
        /// Requests in a batch at most.
        largest: usize,
        /// Share of the work of one request that a batch takes whatever its size.
        fixed: f64,
        /// How long an idle worker waits for more requests after the first came, in seconds.
        window_seconds: f64,
    },
}

/// The work of one request, in seconds at full speed.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Service {
    /// All the same.
    Fixed(f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Log-normal.
    LogNormal {
        /// Mean in seconds.
        mean: f64,
        /// Coefficient of variation.
        cv: f64,
    },
    /// Short ones and long ones, each log-normal with a coefficient of variation of 0.2.
    Bimodal {
        /// Mean of the short ones in seconds.
        short: f64,
        /// Mean of the long ones in seconds.
        long: f64,
        /// Share of long ones.
        long_share: f64,
    },
}

/// Which instance gets a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Routing {
    /// Any, as SageMaker does by default.
    Random,
    /// The one with the fewest requests in flight.
    LeastOutstandingRequests,
}

/// What clients do when an answer takes too long.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Retries {
    /// After so long they ask again. The first request goes on.
    pub timeout_seconds: f64,
    /// Share of clients that ask again.
    pub probability: f64,
    /// How often a client asks again at most.
    pub at_most: u32,
}

/// What instances are like right after they came into service.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cold {
    /// Work takes so many times as long.
    pub factor: f64,
    /// For so long.
    pub seconds: f64,
}

/// Models that an instance of a multi-model endpoint loads and unloads. The least recently used goes first.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cache {
    /// Models that an instance holds.
    pub capacity: usize,
    /// Seconds to download and load a model, log-normal with a coefficient of variation of 0.3; 60 % of it is the download.
    pub load_seconds: f64,
    /// Exponent of the models' popularity: model k is asked for in proportion to k^-exponent.
    pub zipf: f64,
}
