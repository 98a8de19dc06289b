//! What is counted in one minute.

use crate::{MultiModel, Samples};

/// Part of the time to load a model that is its download.
const DOWNLOAD_SHARE: f64 = 0.6;
/// Time to unload a model, as part of the time to load it.
const UNLOAD_SHARE: f64 = 0.05;

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Ok,
    ClientError,
    ServerError,
}

/// What is counted in one minute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub arrivals: u64,
    pub errors_4xx: u64,
    pub errors_5xx: u64,
    /// Most requests in flight in each ten seconds on each instance.
    pub concurrent_requests: Vec<u64>,
    /// Latency of each answer in whole microseconds: none is longer than a minute.
    latencies_us: Vec<u32>,
    hits: u64,
    loading_wait_us: Vec<f64>,
    load_us: Vec<f64>,
    unload_us: Vec<f64>,
}

impl Tally {
    /// A request was answered after so many seconds.
    pub fn answer(&mut self, seconds: f64, answer: Answer) {
        match answer {
            Answer::Ok => {}
            Answer::ClientError => self.errors_4xx += 1,
            Answer::ServerError => self.errors_5xx += 1,
        }
        self.latencies_us.push((seconds * 1e6 + 0.5) as u32);
    }

    /// A request waited so many seconds for its model.
    pub fn loading_wait(&mut self, seconds: f64) {
        self.hits += u64::from(seconds <= 0.0);
        self.loading_wait_us.push(seconds * 1e6);
    }

    /// A model was loaded in so many seconds, and another one had to go or not.
    pub fn load(&mut self, seconds: f64, evicts: bool) {
        self.load_us.push(seconds * 1e6);
        if evicts {
            self.unload_us.push(seconds * 1e6 * UNLOAD_SHARE);
        }
    }

    /// How many requests were answered.
    pub fn invocations(&self) -> u64 {
        self.latencies_us.len() as u64
    }

    /// The latencies, grouped.
    pub fn latencies(&mut self) -> Samples {
        Samples::of_whole(&mut self.latencies_us)
    }

    /// What only a multi-model endpoint has.
    pub fn multi_model(&mut self, loaded_models: Vec<u64>) -> MultiModel {
        let part = |share: f64| Samples::of(self.load_us.iter().map(|load| load * share).collect());
        MultiModel {
            cache_hits: self.hits,
            downloading_us: part(DOWNLOAD_SHARE),
            loading_us: part(1.0 - DOWNLOAD_SHARE),
            loading_wait_us: Samples::of(std::mem::take(&mut self.loading_wait_us)),
            unloading_us: Samples::of(std::mem::take(&mut self.unload_us)),
            loaded_models,
        }
    }

    /// The next minute begins. What was allocated is kept.
    pub fn clear(&mut self) {
        (self.arrivals, self.errors_4xx, self.errors_5xx, self.hits) = (0, 0, 0, 0);
        self.concurrent_requests.clear();
        self.latencies_us.clear();
        self.loading_wait_us.clear();
        self.load_us.clear();
        self.unload_us.clear();
    }
}
