//! An asynchronous endpoint, minute by minute under a scaling set-up.
//!
//! Nothing is lost: what the instances cannot process yet waits, the oldest first. So there is no latency to read off a
//! curve. A minute is over the objective where the oldest request in the queue has waited longer than it may. Policies see
//! what SageMaker publishes, a minute after its end: the backlog for each instance, requests in work among it, or that there
//! is a backlog and no instance.

use super::outcome::{Draw, Outcome, Step, Sums};
use super::projection::{Cold, projection};
use super::rules::{Compiled, Metric};
use super::scaler::Scaler;
use super::validation::{NEVER_NEAR, WORDS, alike, judged};
use super::{Boot, DRAWS, NotReplayable, Setup, draws};
use crate::model::{Bound, Capacity, Minute, Observation, Projection, Queue, Seconds, UsdPerHour, Validation};

/// Less than a thousandth of a request is nobody who waits.
const NOBODY: f64 = 1e-3;

/// A queue, what arrived at it, and what is known of the instances that serve it.
#[derive(Debug, Clone)]
pub struct QueueReplay {
    pub(super) first: Minute,
    /// Requests that arrive in each minute; NaN where that is not known, and then all that waits is forgotten.
    pub(super) arrivals: Vec<f64>,
    /// Requests that came up to the end of each minute.
    came: Vec<f64>,
    /// Instances as they were; NaN where that is not known.
    recorded: Vec<f64>,
    /// Minutes in which the oldest request had waited too long.
    recorded_late: f64,
    /// What one instance processes a minute.
    each: f64,
    /// Minutes that a request is in work.
    work_minutes: f64,
    /// Minutes that a request may wait.
    pub(super) longest_wait: f64,
    /// How long instances take.
    pub boot: Boot,
    capacity: Capacity,
    price: Option<UsdPerHour>,
    present: Option<Setup>,
    running: Option<f64>,
}

/// Requests on their way through the queue.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Requests that were taken out of the queue so far.
    taken: f64,
    /// The minute in which the oldest request that waits came.
    oldest: usize,
}

/// What a minute ends with.
#[derive(Debug, Clone, Copy)]
struct Ended {
    /// Requests that wait or are in work; NaN where it is not known what came.
    backlog: f64,
    /// Whether the oldest has waited longer than it may.
    is_late: bool,
}

impl QueueReplay {
    /// Gets a queue ready in which requests may wait so long; none where nothing is known of what arrived.
    #[must_use]
    pub fn of(observation: &Observation, capacity: &Capacity, longest_wait: Seconds) -> Option<Self> {
        let queue = Queue::of(observation);
        let arrivals = queue.arrivals()?;
        let each = capacity.likely().0;
        let minutes: Vec<Minute> =
            (0..).map(|index| arrivals.first.plus(index)).take(arrivals.by_minute.len()).collect();
        let limit = f64::from(longest_wait.0);
        let late = minutes.iter().filter_map(|minute| queue.at(*minute).age_seconds).filter(|age| *age > limit);
        let mut sum = arrivals.before;
        let came = arrivals.by_minute.iter().map(|arrived| {
            sum += if arrived.is_finite() { *arrived } else { 0.0 };
            sum
        });
        let came: Vec<f64> = came.collect();
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let recorded_late = late.count() as f64;
        (each > 0.0).then(|| Self {
            first: arrivals.first,
            came,
            recorded: minutes.iter().map(|minute| queue.instances_at(*minute).map_or(f64::NAN, f64::round)).collect(),
            recorded_late,
            each,
            work_minutes: queue.work_minutes(each),
            longest_wait: limit / 60.0,
            boot: Boot::of(observation),
            capacity: capacity.clone(),
            price: observation.instance_price,
            present: Setup::present(observation),
            running: observation.running().map(|count| f64::from(count.0)),
            arrivals: arrivals.by_minute,
        })
    }

    /// Minutes from the first to the last.
    #[must_use]
    pub fn minutes(&self) -> usize {
        self.arrivals.len()
    }

    /// Days from the first minute to the last.
    #[must_use]
    pub fn days(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let minutes = self.arrivals.len() as f64;
        minutes / 1_440.0
    }

    /// Instances that what arrives needs on average, without a queue.
    #[must_use]
    pub fn needed_fleet(&self) -> f64 {
        let known = self.arrivals.iter().filter(|arrived| arrived.is_finite());
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), arrived| (sum + arrived, count + 1.0));
        if count > 0.0 { sum / count / self.each } else { 1.0 }
    }

    /// The set-up that stands now; none where nothing scales the variant.
    #[must_use]
    pub fn present(&self) -> Option<&Setup> {
        self.present.as_ref()
    }

    /// A set-up ready to be played.
    ///
    /// # Errors
    /// What of it cannot be replayed.
    pub fn compile(&self, setup: &Setup) -> Result<Compiled, NotReplayable> {
        setup.compile_for_queue(self.first, self.minutes())
    }

    /// `count` draws of what is not known for certain.
    #[must_use]
    pub fn draws(&self, count: usize) -> Vec<Draw> {
        draws(&self.capacity, &self.boot, count)
    }

    /// The best estimate of what is not known for certain.
    #[must_use]
    pub fn likely(&self) -> Draw {
        Draw { capacity: 1.0, boot_minutes: self.boot.quantile(0.5) }
    }

    /// What the set-up does, block by block.
    #[must_use]
    pub fn run(&self, setup: &Compiled, draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.minutes());
        let changes = self.play(setup, draw, |step| sums.add(step));
        sums.outcome(changes)
    }

    /// Replays minute by minute; answers how often the count changed.
    pub fn play(&self, setup: &Compiled, draw: Draw, mut see: impl FnMut(Step)) -> u32 {
        let start = self.filled_instances().next().unwrap_or(1.0);
        let mut scaler = Scaler::new(setup, start, draw.boot_minutes, 0.0);
        let mut progress = Progress::default();
        // The last minute and the one before it: instances, and what waited or was in work.
        let (mut last, mut known) = ((scaler.serving(), f64::NAN), (scaler.serving(), f64::NAN));
        for minute in 0..self.minutes() {
            scaler.step(|metric| seen(known, metric));
            let ended = self.serve(minute, scaler.serving(), draw, &mut progress);
            known = last;
            last = (scaler.serving(), ended.backlog);
            see(Step {
                minute,
                serving: scaler.serving(),
                paid: scaler.paid(),
                over: f64::from(u8::from(ended.is_late)),
            });
        }
        scaler.changes()
    }

    /// What these counts would have done, one for each minute.
    pub(super) fn run_counts(&self, counts: &[f64], draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.minutes());
        let mut progress = Progress::default();
        for (minute, serving) in counts.iter().enumerate() {
            let ended = self.serve(minute, *serving, draw, &mut progress);
            let over = f64::from(u8::from(ended.is_late));
            sums.add(Step { minute, serving: *serving, paid: *serving, over });
        }
        sums.outcome(0)
    }

    fn serve(&self, minute: usize, serving: f64, draw: Draw, progress: &mut Progress) -> Ended {
        let at = |minute: usize| self.came.get(minute).copied().unwrap_or(0.0);
        let came = at(minute);
        if self.arrivals.get(minute).is_none_or(|arrived| arrived.is_nan()) {
            *progress = Progress { taken: came, oldest: minute };
            return Ended { backlog: f64::NAN, is_late: false };
        }
        let processed = (came - progress.taken).min(serving * self.each * draw.capacity);
        progress.taken += processed;
        let waiting = came - progress.taken;
        let in_work = processed * self.work_minutes / draw.capacity;
        if waiting < NOBODY {
            *progress = Progress { taken: came, oldest: minute };
            return Ended { backlog: in_work, is_late: false };
        }
        while progress.oldest < minute && at(progress.oldest) <= progress.taken {
            progress.oldest += 1;
        }
        // Requests of a minute come evenly over it.
        let (begin, end) = (progress.oldest.checked_sub(1).map_or(0.0, at), at(progress.oldest));
        let share = if end > begin { ((progress.taken - begin) / (end - begin)).clamp(0.0, 1.0) } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let age = (minute + 1 - progress.oldest) as f64 - share;
        Ended { backlog: waiting + in_work, is_late: age > self.longest_wait }
    }

    /// What a set-up would have done, with its range.
    #[must_use]
    pub fn project(&self, setup: &Compiled) -> Projection {
        self.projection(|draw| self.run(setup, draw))
    }

    /// What the recorded instance counts would have done.
    #[must_use]
    pub fn project_recorded(&self) -> Projection {
        let counts: Vec<f64> = self.filled_instances().collect();
        self.projection(|draw| self.run_counts(&counts, draw))
    }

    /// What as many instances as are running now would have done; none where that is not known.
    #[must_use]
    pub fn project_fixed(&self) -> Option<Projection> {
        let counts = vec![self.running?; self.minutes()];
        Some(self.projection(|draw| self.run_counts(&counts, draw)))
    }

    fn projection(&self, run: impl Fn(Draw) -> Outcome) -> Projection {
        let outcomes: Vec<Outcome> = self.draws(DRAWS).into_iter().map(&run).collect();
        // A first minute that is slow delays a queue by that minute.
        projection(&run(self.likely()), &outcomes, self.price, Cold::Never)
    }

    /// Replays the present set-up through the past, or the recorded counts where nothing scales the variant.
    #[must_use]
    pub fn validate(&self) -> Validation {
        if self.capacity.bound == Bound::AtLeast {
            let validation = judged(WORDS, None, None, self.recorded_late, 0.0, None);
            return Validation { passed: false, why_not: NEVER_NEAR.to_owned(), ..validation };
        }
        let counts: Vec<f64> = self.filled_instances().collect();
        let Some(setup) = self.present() else {
            let outcome = self.run_counts(&counts, self.likely());
            return judged(WORDS, None, None, self.recorded_late, outcome.over_minutes(), None);
        };
        let compiled = match self.compile(setup) {
            Ok(compiled) => compiled,
            Err(error) => return judged(WORDS, None, None, self.recorded_late, 0.0, Some(&error)),
        };
        let (mut served, mut over) = (Vec::with_capacity(counts.len()), 0.0);
        self.play(&compiled, self.likely(), |step| {
            served.push(step.serving);
            over += step.over;
        });
        let (error, correlation) = alike(&served, &self.recorded);
        judged(WORDS, Some(error), correlation, self.recorded_late, over, None)
    }

    /// The recorded counts with gaps filled by the last one known.
    pub(super) fn filled_instances(&self) -> impl Iterator<Item = f64> + '_ {
        let first = self.recorded.iter().copied().find(|count| count.is_finite());
        let mut last = first.or(self.running).unwrap_or(1.0);
        self.recorded.iter().map(move |count| {
            last = if count.is_finite() { *count } else { last };
            last
        })
    }
}

/// What SageMaker publishes of a minute with so many instances and such a backlog.
fn seen((serving, backlog): (f64, f64), metric: Metric) -> f64 {
    match metric {
        Metric::BacklogPerInstance if serving > 0.0 => backlog / serving,
        Metric::BacklogWithoutCapacity if backlog.is_finite() => {
            f64::from(u8::from(serving <= 0.0 && backlog >= NOBODY))
        }
        _ => f64::NAN,
    }
}
