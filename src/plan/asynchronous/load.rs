//! How much arrives at a queue, and what is in it.

use crate::model::{Observation, Queue, backlog_now};
use crate::statistics::{median, quantile};

/// Requests to a queue.
pub(super) struct Load {
    /// Requests that wait or are in work.
    pub backlog: f64,
    /// Requests a minute in the last stretch.
    pub arrived: Option<f64>,
    /// In the busiest stretch but for one in two hundred: what somebody sends once at once is worked off, not kept up with.
    pub peak: Option<f64>,
    /// In half of the stretches.
    pub usual: Option<f64>,
    /// Requests that one instance may work on at once.
    pub slots: Option<f64>,
    /// Requests in each minute of which they are known.
    by_minute: Vec<f64>,
}

impl Load {
    /// Measures the queue; none where its length is not known.
    pub fn of(observation: &Observation) -> Option<Self> {
        let queue = Queue::of(observation);
        let backlog = backlog_now(&queue)?;
        let by_minute = queue.arrivals().map(|arrivals| arrivals.by_minute).unwrap_or_default();
        let arrived = by_minute.last().copied().filter(|arrived| arrived.is_finite());
        let by_minute: Vec<f64> = by_minute.into_iter().filter(|arrived| arrived.is_finite()).collect();
        Some(Self {
            backlog,
            arrived,
            peak: quantile(by_minute.iter().copied(), 0.995),
            usual: median(by_minute.iter().copied()),
            slots: queue.slots(),
            by_minute,
        })
    }

    /// Requests a minute in such a share of the minutes, or fewer.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        quantile(self.by_minute.iter().copied(), share)
    }
}
