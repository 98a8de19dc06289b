//! The queue of an asynchronous endpoint, minute by minute.
//!
//! Its metrics are read where they lie in the [`Observation`]: other ways of hosting have none of them, and a
//! [`MinuteRow`](super::MinuteRow) has to stay small.

use super::{Hosting, Metric, Minute, Observation, Series, Statistic};

/// Requests that wait for a request to be processed before it counts as waiting: so many times those in work.
const WAITING_FROM: f64 = 1.5;
/// What is in work where nothing says how much: one request.
const LEAST_IN_WORK: f64 = 1.0;

/// Arrivals are known over stretches of this length: a minute's backlog is a mean, and a change of means says little.
const STRETCH_MINUTES: i64 = 10;

/// The metrics of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    backlog: Option<&'a Series>,
    per_instance: Option<&'a Series>,
    without_capacity: Option<&'a Series>,
    age: Option<&'a Series>,
    processed: Option<&'a Series>,
    latency: Option<&'a Series>,
    /// `MaxConcurrentInvocationsPerInstance`.
    slots: Option<f64>,
    /// The first minute that is looked at.
    first: Minute,
    /// The last whole minute that was observed.
    pub last: Minute,
}

/// One minute of a queue. A field is `None` where CloudWatch had no datapoint.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QueueMinute {
    /// Requests that wait or are being processed.
    pub backlog: Option<f64>,
    /// Instances that serve: the backlog over the backlog per instance, or none where requests wait without any.
    pub instances: Option<f64>,
    /// Requests that were processed in this minute.
    pub processed: Option<f64>,
    /// Seconds that the oldest request has waited.
    pub age_seconds: Option<f64>,
    /// Whether requests wait on every instance: more of them than are in work.
    pub is_saturated: bool,
}

/// What came and went in some minutes, per minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Requests that arrived: those that were processed, and what the backlog grew by.
    pub arrived: f64,
    /// Requests that were processed.
    pub processed: f64,
}

impl<'a> Queue<'a> {
    /// The queue of an observed variant.
    #[must_use]
    pub fn of(observation: &'a Observation) -> Self {
        let series = |metric, statistic| observation.metrics.series(metric, statistic);
        Self {
            backlog: series(Metric::ApproximateBacklogSize, Statistic::Average),
            per_instance: series(Metric::ApproximateBacklogSizePerInstance, Statistic::Average),
            without_capacity: series(Metric::HasBacklogWithoutCapacity, Statistic::Average),
            age: series(Metric::ApproximateAgeOfOldestRequest, Statistic::Maximum),
            processed: series(Metric::InvocationsProcesssed, Statistic::Sum),
            latency: series(Metric::ModelLatency, Statistic::Average),
            slots: observation.endpoint.max_concurrent_invocations_per_instance.map(f64::from),
            first: observation.first_minute(),
            last: observation.last_minute(),
        }
    }

    /// Requests that one instance works on at once: what it may, or, where that is left to SageMaker, rate times latency
    /// (Little's law).
    fn in_work(&self, minute: Minute, processed: Option<f64>, instances: Option<f64>) -> f64 {
        let by_law = || {
            let minutes = self.latency?.at(minute)? / 60_000_000.0;
            Some(processed? / instances.filter(|count| *count > 0.0)? * minutes)
        };
        self.slots.or_else(by_law).unwrap_or(LEAST_IN_WORK).max(LEAST_IN_WORK)
    }

    /// Requests that one instance may work on at once, where somebody set it.
    #[must_use]
    pub fn slots(&self) -> Option<f64> {
        self.slots
    }

    /// One minute.
    #[must_use]
    pub fn at(&self, minute: Minute) -> QueueMinute {
        let value = |series: Option<&Series>| series.and_then(|series| series.at(minute)).filter(|value| *value >= 0.0);
        let (backlog, per_instance) = (value(self.backlog), value(self.per_instance));
        let is_without = value(self.without_capacity).is_some_and(|without| without >= 0.5);
        let instances = match (backlog, per_instance) {
            _ if is_without => Some(0.0),
            (Some(backlog), Some(per_instance)) if backlog > 0.0 && per_instance > 0.0 => Some(backlog / per_instance),
            _ => None,
        };
        let processed = value(self.processed);
        let in_work = self.in_work(minute, processed, instances);
        QueueMinute {
            backlog,
            instances,
            processed,
            age_seconds: value(self.age),
            is_saturated: is_without || per_instance.is_some_and(|waiting| waiting >= WAITING_FROM * in_work + 1.0),
        }
    }

    /// Every minute from the first to the last that was read, oldest first.
    pub fn minutes(&self) -> impl DoubleEndedIterator<Item = (Minute, QueueMinute)> + '_ {
        let first =
            self.backlog.and_then(|series| series.points().next()).map_or(self.last.0 + 1, |(first, _)| first.0);
        (first.max(self.first.0)..=self.last.0).map(|minute| (Minute(minute), self.at(Minute(minute))))
    }

    /// What came and went from `first` to `last`, both included; none where the backlog at either end is not known, or in more
    /// than a fifth of the minutes what was processed. (Nothing is published where nothing was processed: with an empty
    /// queue that is known to be nothing.)
    #[must_use]
    pub fn flow(&self, first: Minute, last: Minute) -> Option<Flow> {
        let rows: Vec<QueueMinute> = (first.0..=last.0).map(|minute| self.at(Minute(minute))).collect();
        let done = |row: &QueueMinute| {
            let is_idle = row.backlog == Some(0.0) || row.instances == Some(0.0);
            row.processed.or(is_idle.then_some(0.0))
        };
        let known: Vec<f64> = rows.iter().filter_map(done).collect();
        if rows.is_empty() || 5 * known.len() < 4 * rows.len() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let (minutes, measured) = (rows.len() as f64, known.len() as f64);
        let processed = known.iter().sum::<f64>() / measured;
        let grown = rows.last()?.backlog? - self.at(first.plus(-1)).backlog?;
        Some(Flow { arrived: (processed + grown / minutes).max(0.0), processed })
    }
}

/// What arrived at a queue, minute by minute.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// The first minute.
    pub first: Minute,
    /// Requests in each minute, evenly over stretches of ten; NaN where that is not known.
    pub by_minute: Vec<f64>,
    /// Requests that waited or were in work before the first minute.
    pub before: f64,
}

impl Queue<'_> {
    /// What arrived over all that was read, in whole stretches up to the last minute; none where nothing is known of it.
    #[must_use]
    pub fn arrivals(&self) -> Option<Arrivals> {
        let oldest = self.minutes().next()?.0;
        let stretches = self.last.since(oldest) / STRETCH_MINUTES;
        let first = self.last.plus(1 - STRETCH_MINUTES * stretches);
        let starts = (0..stretches).map(|index| first.plus(STRETCH_MINUTES * index));
        let flows = starts.map(|start| self.flow(start, start.plus(STRETCH_MINUTES - 1)));
        let arrived = flows.map(|flow| flow.map_or(f64::NAN, |flow| flow.arrived));
        let length = usize::try_from(STRETCH_MINUTES).ok()?;
        let by_minute: Vec<f64> = arrived.flat_map(|arrived| std::iter::repeat_n(arrived, length)).collect();
        let before = self.at(first.plus(-1)).backlog.unwrap_or(0.0);
        by_minute.iter().any(|arrived| arrived.is_finite()).then_some(Arrivals { first, by_minute, before })
    }

    /// Instances in a minute, also where nothing waits: the backlog per instance is not published where there is none. None
    /// where that is not known.
    #[must_use]
    pub fn instances_at(&self, minute: Minute) -> Option<f64> {
        let row = self.at(minute);
        let is_published = |series: Option<&Series>| series.is_some_and(|series| series.at(minute).is_some());
        let is_none = row.backlog == Some(0.0) && self.per_instance.is_some() && !is_published(self.per_instance);
        row.instances.or(is_none.then_some(0.0))
    }

    /// Minutes that a request is in work: what an instance may work on at once over what it processes in a minute, or, where
    /// that is left to SageMaker, the usual `ModelLatency`. 0 where neither is known.
    #[must_use]
    pub fn work_minutes(&self, each: f64) -> f64 {
        let latency = || crate::statistics::median(self.latency?.points().map(|(_, value)| value / 60_000_000.0));
        self.slots.map(|slots| slots / each).or_else(latency).filter(|minutes| minutes.is_finite()).unwrap_or(0.0)
    }
}

impl Observation {
    /// Whether requests are taken from a queue.
    #[must_use]
    pub fn is_asynchronous(&self) -> bool {
        self.hosting == Hosting::Asynchronous
    }
}

/// Requests that wait or are being processed in the last minutes; none where that was not published.
#[must_use]
pub fn backlog_now(queue: &Queue) -> Option<f64> {
    const MINUTES: i64 = 5;
    const JUDGED: usize = 3;
    let recent = (0..MINUTES).filter_map(|back| queue.at(queue.last.plus(-back)).backlog);
    crate::statistics::median(recent.take(JUDGED))
}
