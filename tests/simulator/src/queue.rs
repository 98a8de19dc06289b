//! An asynchronous endpoint: requests wait in a queue until an instance has a place for them.
//!
//! Request by request: they arrive at random (Poisson), one by one or in batches of which the requests are alike; the oldest
//! go into free places, and each takes its time. What SageMaker would publish of it comes out minute by minute.

mod endpoint;
mod families;
mod published;

pub use families::{FAMILIES, Family, Incident, queue_incident};

use crate::random::{Random, chance, log_normal, stream};
use crate::timers::Timers;
use rand::Rng as _;
use rand_distr::{Distribution as _, Geometric, LogNormal, Poisson};
use std::collections::{BTreeMap, VecDeque};

/// What a minute is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueConditions {
    /// Requests that arrive.
    pub arrivals_per_minute: f64,
    /// Requests that are sent together, in the mean; 1 is one by one.
    pub batch: f64,
    /// Coefficient of variation of the work between batches.
    pub batch_cv: f64,
    /// Instances that serve.
    pub instances: usize,
    /// Requests that one instance works on at once.
    pub slots: usize,
    /// Mean time of a request in the container.
    pub work_seconds: f64,
    /// Its coefficient of variation among requests that are alike.
    pub work_cv: f64,
    /// Share of the requests that are large, and how many times the work of the others they take.
    pub large: (f64, f64),
    /// Share of the requests that the model fails, after a third of their time.
    pub failed: f64,
    /// Share that the model refuses at once, with a 4xx.
    pub refused: f64,
    /// Share that cannot be fetched from S3.
    pub not_fetched: f64,
    /// Share whose answer cannot be stored.
    pub not_stored: f64,
    /// Time to fetch a request; storing takes half of it.
    pub transfer_seconds: f64,
    /// Time until a free place takes the next request.
    pub pickup_seconds: f64,
    /// Requests that wait longer are dropped.
    pub expire_after_seconds: f64,
}

/// Of its time, what a request takes that fails, and one that is refused.
const OF_A_FAILURE: f64 = 0.3;
const OF_A_REFUSAL: f64 = 0.02;
/// Coefficient of variation of the time that S3 takes.
const TRANSFER_CV: f64 = 0.3;

impl QueueConditions {
    /// What one instance can process a minute where requests always wait: as many as are in its places, each for its mean time.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        let answered = 1.0 - self.failed - self.refused;
        let work = self.work_seconds * (answered + OF_A_FAILURE * self.failed + OF_A_REFUSAL * self.refused);
        let fetched = work + 1.5 * self.transfer_seconds;
        let held = (1.0 - self.not_fetched) * fetched + self.not_fetched * self.transfer_seconds;
        60.0 * self.slots as f64 / (self.pickup_seconds + held)
    }

    /// What all of them can.
    #[must_use]
    pub fn capacity_of_all(&self) -> f64 {
        self.instances as f64 * self.capacity()
    }
}

/// What one minute looked like.
#[derive(Debug, Clone, Default)]
struct QueueMinute {
    backlog: f64,
    instances: usize,
    oldest_seconds: f64,
    processed: usize,
    failed: usize,
    refused: usize,
    not_fetched: usize,
    not_stored: usize,
    expired: usize,
    latency_us: Vec<f64>,
    download_us: Vec<f64>,
    cpu_percent: f64,
}

/// A request that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    arrived: f64,
    /// Its work over the mean.
    work: f64,
}

/// What has become of a request once it is done.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    transfer: f64,
    /// Time in the container; none where it never came there.
    latency: Option<f64>,
    is_failed: bool,
    is_refused: bool,
    is_not_stored: bool,
}

/// An endpoint with its queue, taken through one minute after the other.
#[derive(Debug)]
pub struct QueueRun {
    random: Random,
    waiting: VecDeque<Waiting>,
    /// When each request in work is done, and what has become of it.
    working: Timers,
    outcomes: BTreeMap<u64, Outcome>,
    begun: u64,
    second: f64,
    minutes: Vec<QueueMinute>,
}

impl QueueRun {
    /// An empty queue.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: stream(seed, 7),
            waiting: VecDeque::new(),
            working: Timers::default(),
            outcomes: BTreeMap::new(),
            begun: 0,
            second: 0.0,
            minutes: Vec::new(),
        }
    }

    /// One minute more.
    pub fn step(&mut self, conditions: &QueueConditions) {
        let mut minute = QueueMinute { instances: conditions.instances, ..QueueMinute::default() };
        let places = conditions.instances * conditions.slots;
        let end = self.second + 60.0;
        let mut arrivals = self.arrivals(conditions).into_iter().peekable();
        self.begin_what_can(conditions, &mut minute);
        while self.second < end {
            let arrival = arrivals.peek().map_or(f64::INFINITY, |next| next.arrived);
            let done = self.working.next();
            let now = arrival.min(done).min(end);
            let share = (now - self.second) / 60.0;
            minute.backlog += (self.waiting.len() + self.working.len()) as f64 * share;
            minute.cpu_percent += 90.0 * self.working.len().min(places) as f64 / places.max(1) as f64 * share;
            let oldest = self.waiting.front().map_or(0.0, |oldest| now - oldest.arrived);
            minute.oldest_seconds = minute.oldest_seconds.max(oldest.min(conditions.expire_after_seconds));
            self.second = now;
            if done <= now {
                self.finish(&mut minute);
            } else if arrival <= now {
                self.waiting.extend(arrivals.next());
            }
            self.begin_what_can(conditions, &mut minute);
        }
        self.minutes.push(minute);
    }

    /// Who arrives in the next minute, in the order of arrival.
    fn arrivals(&mut self, conditions: &QueueConditions) -> Vec<Waiting> {
        let random = &mut self.random;
        let sent = Poisson::new(conditions.arrivals_per_minute / conditions.batch).ok();
        let sent = sent.map_or(0, |sent| sent.sample(random) as usize);
        let size = Geometric::new(1.0 / conditions.batch).expect("at least one request in a batch");
        let alike = log_normal(1.0, conditions.batch_cv);
        let mut arrivals = Vec::new();
        for _ in 0..sent {
            let arrived = self.second + 60.0 * random.random::<f64>();
            let count = 1 + size.sample(random) as usize;
            let work = alike.sample(random);
            arrivals.extend(std::iter::repeat_n(Waiting { arrived, work }, count));
        }
        arrivals.sort_by(|left, right| left.arrived.total_cmp(&right.arrived));
        arrivals
    }

    /// The oldest requests go into free places.
    fn begin_what_can(&mut self, conditions: &QueueConditions, minute: &mut QueueMinute) {
        let places = conditions.instances * conditions.slots;
        let (share, times) = conditions.large;
        // The mean of all is as it is given.
        let small = conditions.work_seconds / (1.0 - share + share * times);
        let work = log_normal(small, conditions.work_cv);
        while let Some(oldest) = self.waiting.front().copied() {
            if self.second - oldest.arrived > conditions.expire_after_seconds {
                self.waiting.pop_front();
                minute.expired += 1;
            } else if self.working.len() < places {
                self.waiting.pop_front();
                let size = oldest.work * if chance(&mut self.random, share) { times } else { 1.0 };
                self.begin(conditions, &work, size);
            } else {
                break;
            }
        }
    }

    fn begin(&mut self, conditions: &QueueConditions, work: &LogNormal<f64>, size: f64) {
        let random = &mut self.random;
        let seconds = size * work.sample(random);
        let transfer = log_normal(conditions.transfer_seconds, TRANSFER_CV).sample(random);
        let pickup = 2.0 * conditions.pickup_seconds * random.random::<f64>();
        let is_fetched = !chance(random, conditions.not_fetched);
        let fate: f64 = random.random();
        let is_failed = is_fetched && fate < conditions.failed;
        let is_refused = is_fetched && !is_failed && fate < conditions.failed + conditions.refused;
        let of_work = match (is_failed, is_refused) {
            (true, _) => OF_A_FAILURE,
            (_, true) => OF_A_REFUSAL,
            _ => 1.0,
        };
        let latency = is_fetched.then_some(of_work * seconds);
        let held = pickup + latency.map_or(transfer, |latency| latency + 1.5 * transfer);
        let is_not_stored = is_fetched && chance(random, conditions.not_stored);
        self.working.set(self.second + held, self.begun);
        self.outcomes.insert(self.begun, Outcome { transfer, latency, is_failed, is_refused, is_not_stored });
        self.begun += 1;
    }

    fn finish(&mut self, minute: &mut QueueMinute) {
        let done = self.working.pop().and_then(|(_, request)| self.outcomes.remove(&request));
        let Some(outcome) = done else { return };
        minute.processed += 1;
        minute.failed += usize::from(outcome.is_failed);
        minute.refused += usize::from(outcome.is_refused);
        minute.not_fetched += usize::from(outcome.latency.is_none());
        minute.not_stored += usize::from(outcome.is_not_stored);
        minute.download_us.push(1e6 * outcome.transfer);
        minute.latency_us.extend(outcome.latency.map(|latency| 1e6 * latency));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: QueueConditions = QueueConditions {
        arrivals_per_minute: 10.0,
        batch: 1.0,
        batch_cv: 0.0,
        instances: 2,
        slots: 2,
        work_seconds: 12.0,
        work_cv: 0.5,
        large: (0.0, 1.0),
        failed: 0.0,
        refused: 0.0,
        not_fetched: 0.0,
        not_stored: 0.0,
        transfer_seconds: 0.1,
        pickup_seconds: 0.0,
        expire_after_seconds: f64::INFINITY,
    };

    fn sum(run: &QueueRun, metric: &str) -> f64 {
        run.published().iter().find(|series| series.metric == metric).unwrap().values.iter().flatten().sum()
    }

    fn saturated(conditions: QueueConditions) -> f64 {
        let mut run = QueueRun::new(1);
        let conditions = QueueConditions { arrivals_per_minute: 3.0 * conditions.capacity_of_all(), ..conditions };
        (0..3_000).for_each(|_| run.step(&conditions));
        sum(&run, "InvocationsProcesssed") / 3_000.0 / conditions.capacity_of_all()
    }

    #[test]
    fn a_saturated_endpoint_processes_what_its_places_can() {
        for conditions in [
            USUAL,
            QueueConditions { large: (0.1, 6.0), ..USUAL },
            QueueConditions { batch: 8.0, batch_cv: 0.3, ..USUAL },
            QueueConditions { failed: 0.2, refused: 0.1, ..USUAL },
            QueueConditions { not_fetched: 0.4, pickup_seconds: 2.0, transfer_seconds: 3.0, ..USUAL },
        ] {
            let of_capacity = saturated(conditions);
            assert!((of_capacity - 1.0).abs() < 0.02, "{of_capacity} of {conditions:?}");
        }
    }

    #[test]
    fn one_place_waits_as_the_pollaczek_khinchine_formula_says() {
        let one = QueueConditions { instances: 1, slots: 1, arrivals_per_minute: 3.5, transfer_seconds: 1e-9, ..USUAL };
        let mut run = QueueRun::new(4);
        (0..60_000).for_each(|_| run.step(&one));
        let busy = 3.5 / one.capacity();
        let expected = busy + busy * busy * (1.0 + 0.25) / (2.0 * (1.0 - busy));
        let backlog = sum(&run, "ApproximateBacklogSize") / 60_000.0;
        assert!((backlog / expected - 1.0).abs() < 0.05, "{backlog} for {expected}");
    }

    #[test]
    fn what_arrives_is_processed_or_waits() {
        for batch in [1.0, 6.0] {
            let mut run = QueueRun::new(2);
            (0..900).for_each(|_| run.step(&QueueConditions { batch, ..USUAL }));
            let processed = sum(&run, "InvocationsProcesssed");
            // A geometric number of requests has a mean square of 2 b^2 - b.
            let deviation = (9_000.0 * (2.0 * batch - 1.0)).sqrt();
            assert!((processed - 9_000.0).abs() < 4.0 * deviation, "{processed}");
            assert!(run.waiting.len() < 100);
        }
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
