//! An asynchronous endpoint: requests wait in a queue until an instance has a place for them.
//!
//! Second by second: requests arrive at random (Poisson), the oldest go into free places, and each takes a log-normal time.
//! What SageMaker would publish of it comes out minute by minute.

mod families;

pub use families::{FAMILIES, Family, Incident};

use crate::random::{chance, log_normal, stream};
use crate::{Published, Samples};
use rand_distr::{Distribution as _, Poisson};
use std::collections::VecDeque;

/// What a minute is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueConditions {
    /// Requests that arrive.
    pub arrivals_per_minute: f64,
    /// Instances that serve.
    pub instances: usize,
    /// Requests that one instance works on at once.
    pub slots: usize,
    /// Mean time of a request in the container.
    pub work_seconds: f64,
    /// Its coefficient of variation.
    pub work_cv: f64,
    /// Share of the requests that the model fails.
    pub failed: f64,
    /// Share that cannot be fetched from S3.
    pub not_fetched: f64,
    /// Share whose answer cannot be stored.
    pub not_stored: f64,
    /// Time to fetch a request; storing takes half of it.
    pub transfer_seconds: f64,
    /// Requests that wait longer are dropped.
    pub expire_after_seconds: f64,
}

/// What one minute looked like.
#[derive(Debug, Clone, Default)]
struct QueueMinute {
    backlog: f64,
    instances: usize,
    oldest_seconds: f64,
    processed: usize,
    failed: usize,
    not_fetched: usize,
    not_stored: usize,
    expired: usize,
    latency_us: Vec<f64>,
    download_us: Vec<f64>,
    cpu_percent: f64,
}

/// An endpoint with its queue, taken through one minute after the other.
pub struct QueueRun {
    random: crate::random::Random,
    waiting: VecDeque<f64>,
    /// When each request in work is done.
    working: Vec<f64>,
    second: f64,
    minutes: Vec<QueueMinute>,
}

impl QueueRun {
    /// An empty queue.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let random = stream(seed, 7);
        Self { random, waiting: VecDeque::new(), working: Vec::new(), second: 0.0, minutes: Vec::new() }
    }

    /// One minute more.
    pub fn step(&mut self, conditions: &QueueConditions) {
        let mut minute = QueueMinute { instances: conditions.instances, ..QueueMinute::default() };
        let places = conditions.instances * conditions.slots;
        let work = log_normal(conditions.work_seconds, conditions.work_cv);
        for _ in 0..60 {
            let arrivals = Poisson::new(conditions.arrivals_per_minute / 60.0).ok();
            let arrived = arrivals.map_or(0, |arrivals| arrivals.sample(&mut self.random) as usize);
            self.waiting.extend(std::iter::repeat_n(self.second, arrived));
            let before = self.working.len();
            self.working.retain(|done| *done > self.second);
            minute.processed += before - self.working.len();
            while let Some(arrived_at) = self.waiting.front().copied() {
                if self.second - arrived_at > conditions.expire_after_seconds {
                    self.waiting.pop_front();
                    minute.expired += 1;
                } else if self.working.len() < places {
                    self.waiting.pop_front();
                    self.begin(conditions, &work, &mut minute);
                } else {
                    break;
                }
            }
            minute.backlog += (self.waiting.len() + self.working.len()) as f64 / 60.0;
            let oldest = self.waiting.front().map_or(0.0, |arrived_at| self.second - arrived_at);
            minute.oldest_seconds = minute.oldest_seconds.max(oldest);
            minute.cpu_percent += 90.0 * self.working.len() as f64 / places.max(1) as f64 / 60.0;
            self.second += 1.0;
        }
        self.minutes.push(minute);
    }

    fn begin(&mut self, conditions: &QueueConditions, work: &rand_distr::LogNormal<f64>, minute: &mut QueueMinute) {
        let seconds = work.sample(&mut self.random);
        let transfer = log_normal(conditions.transfer_seconds, 0.3).sample(&mut self.random);
        minute.download_us.push(transfer * 1e6);
        if chance(&mut self.random, conditions.not_fetched) {
            minute.not_fetched += 1;
            self.working.push(self.second + transfer);
            return;
        }
        let is_failed = chance(&mut self.random, conditions.failed);
        let seconds = if is_failed { 0.3 * seconds } else { seconds };
        minute.failed += usize::from(is_failed);
        minute.not_stored += usize::from(chance(&mut self.random, conditions.not_stored));
        minute.latency_us.push(seconds * 1e6);
        self.working.push(self.second + seconds + 1.5 * transfer);
    }

    /// What CloudWatch has of all of it. Where nothing was counted there is no datapoint, nor a backlog per instance where there
    /// is no instance.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        let series = |metric, statistic, value: &dyn Fn(&QueueMinute) -> Option<f64>| Published {
            metric,
            statistic,
            values: self.minutes.iter().map(value).collect(),
        };
        let counted = |count: usize| (count > 0).then_some(count as f64);
        // A count of failures is published, zero or not, for each request.
        let of_all = |minute: &QueueMinute, count: usize| (minute.processed + count > 0).then_some(count as f64);
        vec![
            series("ApproximateBacklogSize", "Average", &|m| Some(m.backlog)),
            series("ApproximateBacklogSizePerInstance", "Average", &|m| {
                (m.instances > 0).then(|| m.backlog / m.instances as f64)
            }),
            series("HasBacklogWithoutCapacity", "Average", &|m| {
                Some(f64::from(u8::from(m.instances == 0 && m.backlog > 0.0)))
            }),
            series("ApproximateAgeOfOldestRequest", "Maximum", &|m| Some(m.oldest_seconds)),
            series("InvocationsProcesssed", "Sum", &|m| counted(m.processed)),
            series("InvocationFailures", "Sum", &|m| of_all(m, m.failed)),
            series("Invocation5XXErrors", "Sum", &|m| of_all(m, m.failed)),
            series("Invocation4XXErrors", "Sum", &|m| of_all(m, 0)),
            series("RequestDownloadFailures", "Sum", &|m| of_all(m, m.not_fetched)),
            series("ResponseUploadFailures", "Sum", &|m| of_all(m, m.not_stored)),
            series("ExpiredRequests", "Sum", &|m| counted(m.expired)),
            series("RequestDownloadLatency", "Average", &|m| Samples::of(m.download_us.clone()).average()),
            series("ResponseUploadLatency", "Average", &|m| {
                Samples::of(m.download_us.clone()).average().map(|us| us / 2.0)
            }),
            series("ModelLatency", "Average", &|m| Samples::of(m.latency_us.clone()).average()),
            series("ModelLatency", "p50", &|m| Samples::of(m.latency_us.clone()).quantile(0.5)),
            series("ModelLatency", "p90", &|m| Samples::of(m.latency_us.clone()).quantile(0.9)),
            series("ModelLatency", "Minimum", &|m| Samples::of(m.latency_us.clone()).minimum()),
            series("CPUUtilization", "Average", &|m| (m.instances > 0).then_some(m.cpu_percent)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: QueueConditions = QueueConditions {
        arrivals_per_minute: 10.0,
        instances: 2,
        slots: 2,
        work_seconds: 12.0,
        work_cv: 0.5,
        failed: 0.0,
        not_fetched: 0.0,
        not_stored: 0.0,
        transfer_seconds: 0.1,
        expire_after_seconds: f64::INFINITY,
    };

    fn sum(run: &QueueRun, metric: &str) -> f64 {
        run.published().iter().find(|series| series.metric == metric).unwrap().values.iter().flatten().sum()
    }

    #[test]
    fn a_saturated_endpoint_processes_what_its_places_can() {
        let mut run = QueueRun::new(1);
        (0..600).for_each(|_| run.step(&QueueConditions { arrivals_per_minute: 60.0, ..USUAL }));
        // Four places, 12 s and the transfer each, looked at once a second: a little under 20 a minute.
        let rate = sum(&run, "InvocationsProcesssed") / 600.0;
        assert!((18.0..20.0).contains(&rate), "{rate}");
        assert!((sum(&run, "ApproximateBacklogSize") / 600.0 - 300.0 * (60.0 - rate)).abs() < 800.0);
    }

    #[test]
    fn what_arrives_is_processed_or_waits() {
        let mut run = QueueRun::new(2);
        (0..300).for_each(|_| run.step(&USUAL));
        let processed = sum(&run, "InvocationsProcesssed");
        assert!((processed - 3_000.0).abs() < 4.0 * 3_000.0_f64.sqrt(), "{processed}");
        assert!(run.waiting.len() < 20);
    }

    #[test]
    fn without_an_instance_nothing_is_processed_and_nothing_is_said_of_each() {
        let mut run = QueueRun::new(3);
        (0..5).for_each(|_| run.step(&QueueConditions { instances: 0, ..USUAL }));
        let published = run.published();
        let last =
            |metric: &str| *published.iter().find(|series| series.metric == metric).unwrap().values.last().unwrap();
        assert_eq!(last("HasBacklogWithoutCapacity"), Some(1.0));
        assert_eq!((last("ApproximateBacklogSizePerInstance"), last("InvocationsProcesssed")), (None, None));
    }
}
