//! How much arrives at a queue, and what is in it.

use crate::model::{Observation, Queue, backlog_now};
use crate::statistics::{median, quantile};

/// Arrivals are known over stretches of this length: a minute's backlog is a mean, and a change of means.
const STRETCH_MINUTES: i64 = 10;

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
}

impl Load {
    /// Measures the queue; none where its length is not known.
    pub fn of(observation: &Observation) -> Option<Self> {
        let queue = Queue::of(observation);
        let backlog = backlog_now(&queue)?;
        let last = queue.last;
        let first = queue.minutes().next()?.0;
        let ends = (0..).map(|index| last.plus(-STRETCH_MINUTES * index));
        let stretches = ends.take_while(|end| end.plus(-STRETCH_MINUTES) >= first);
        let arrived: Vec<f64> = stretches
            .filter_map(|end| queue.flow(end.plus(1 - STRETCH_MINUTES), end))
            .map(|flow| flow.arrived)
            .collect();
        Some(Self {
            backlog,
            arrived: queue.flow(last.plus(1 - STRETCH_MINUTES), last).map(|flow| flow.arrived),
            peak: quantile(arrived.iter().copied(), 0.995),
            usual: median(arrived.iter().copied()),
            slots: queue.slots(),
        })
    }
}
