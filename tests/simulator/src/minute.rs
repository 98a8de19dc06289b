//! One minute, in the samples that SageMaker would have published.

use crate::Samples;
use serde::Serialize;

/// One minute, in the samples that SageMaker would have published.
#[derive(Debug, Clone, Serialize)]
pub struct Minute {
    /// Counted back from the end of the observed window: −1 is its last minute.
    pub minute: i64,
    /// Requests that were answered in this minute, whatever the answer.
    pub invocations: u64,
    /// Requests that arrived in this minute, retries among them. SageMaker does not publish it.
    pub arrivals: u64,
    /// Instances in service.
    pub instances: usize,
    /// `ModelLatency`, microseconds.
    pub model_latency_us: Samples,
    /// `OverheadLatency`, microseconds.
    pub overhead_latency_us: Samples,
    /// `CPUUtilization` of each instance, percent summed over cores.
    pub cpu_percent: Vec<f64>,
    /// `GPUUtilization` of each instance, percent summed over GPUs; empty where there are none.
    pub gpu_percent: Vec<f64>,
    /// `GPUMemoryUtilization` of each instance; empty where there are none.
    pub gpu_memory_percent: Vec<f64>,
    /// `MemoryUtilization` of each instance.
    pub memory_percent: Vec<f64>,
    /// Requests answered with a 4xx.
    pub errors_4xx: u64,
    /// Requests answered with a 5xx.
    pub errors_5xx: u64,
    /// Requests on which the container failed.
    pub model_errors: u64,
    /// `ConcurrentRequestsPerModel`: most requests in flight in each ten seconds on each instance; the instances' first
    /// ten seconds come first.
    pub concurrent_requests: Vec<u64>,
    /// What a multi-model endpoint publishes besides.
    pub multi_model: Option<MultiModel>,
}

/// What a multi-model endpoint publishes besides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MultiModel {
    /// Requests that found their model loaded.
    pub cache_hits: u64,
    /// `ModelLoadingWaitTime`, microseconds, one for each request: 0 where the model was there.
    pub loading_wait_us: Samples,
    /// `ModelDownloadingTime`, microseconds, one for each load.
    pub downloading_us: Samples,
    /// `ModelLoadingTime`, microseconds, one for each load.
    pub loading_us: Samples,
    /// `ModelUnloadingTime`, microseconds, one for each model that had to go.
    pub unloading_us: Samples,
    /// `LoadedModelCount` of each instance.
    pub loaded_models: Vec<u64>,
}
