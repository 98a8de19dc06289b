//! An endpoint that answers at once, minute by minute under a scaling set-up.
//!
//! A minute's metric is published a minute after its end, so a decision at the beginning of a minute knows the last but
//! one. Requests beyond what the instances serve wait, for a minute at most.

use super::outcome::{Draw, Outcome, Step, Sums, block_minutes};
use super::rules::{Compiled, Metric};
use super::scaler::Scaler;
use super::shares::Shares;
use super::traffic::{LEAST_REQUESTS, Traffic};
use crate::model::{InvocationsPerInstance, LatencyCurve, Microseconds};

/// A container has a minute to answer: what would wait longer has failed.
const LONGEST_WAIT_MINUTES: f64 = 1.0;
const MICROSECONDS: f64 = 60e6;

/// An endpoint and its traffic, ready to be replayed under any set-up.
#[derive(Debug, Clone)]
pub struct Emulator {
    offered: Vec<f64>,
    curve: LatencyCurve,
    limit: Microseconds,
    /// Share of minutes over the objective, by load and work.
    over: Shares,
    utilization: Option<Usage>,
    /// Work per request at each minute, where it is not always the same.
    work: Option<Vec<f64>>,
    /// The work that utilisation shows, chance included, where it is not always the same. NaN: nothing was published.
    measured: Option<Vec<f64>>,
}

/// Utilisation over load, as CloudWatch has it: in percent, summed over cores or GPUs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Without load.
    pub idle: f64,
    /// For each invocation per instance and minute.
    pub each: f64,
    /// All of it.
    pub full: f64,
}

/// What policies can see of a minute: NaN where nothing is known.
#[derive(Debug, Clone, Copy)]
struct Seen {
    load: f64,
    utilization: f64,
}

const NOT_SEEN: Seen = Seen { load: f64::NAN, utilization: f64::NAN };

impl Emulator {
    /// An endpoint with this curve, objective and traffic.
    #[must_use]
    pub fn new(traffic: &Traffic, curve: &LatencyCurve, limit: Microseconds, utilization: Option<Usage>) -> Self {
        let work = traffic.work.as_ref();
        Self {
            offered: traffic.offered.clone(),
            curve: curve.clone(),
            limit,
            over: Shares::of(curve, limit, work.map_or(&[1.0], |work| &work.smooth)),
            utilization,
            work: work.map(|work| work.smooth.clone()),
            measured: work.map(|work| work.measured.clone()),
        }
    }

    /// The same endpoint with the work per request that each minute of the past had.
    #[must_use]
    pub fn in_the_past(&self, traffic: &Traffic) -> Self {
        let minutes = (0..).map(|index| traffic.first.plus(index)).take(traffic.minutes());
        let then: Vec<f64> = minutes.map(|minute| self.curve.work_at(minute.start())).collect();
        let times = |work: &Vec<f64>| work.iter().zip(&then).map(|(work, then)| work * then).collect();
        let work = self.work.as_ref().map_or_else(|| then.clone(), times);
        let measured = self.measured.as_ref().map(times);
        Self { over: Shares::of(&self.curve, self.limit, &work), work: Some(work), measured, ..self.clone() }
    }

    /// Minutes of a block of an outcome.
    #[must_use]
    pub fn block_minutes(&self) -> usize {
        block_minutes(self.offered.len())
    }

    /// Whether policies on utilisation can be replayed.
    #[must_use]
    pub fn has_utilization(&self) -> bool {
        self.utilization.is_some()
    }

    /// What the set-up does, block by block.
    #[must_use]
    pub fn run(&self, setup: &Compiled, start: f64, draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.offered.len());
        let changes = self.play(setup, start, draw, |step| sums.add(step));
        sums.outcome(changes)
    }

    /// What these counts would have done: `counts` has one for each minute.
    #[must_use]
    pub fn run_counts(&self, counts: &[f64], draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.offered.len());
        let mut queue = 0.0;
        let mut changes = 0;
        let mut before = f64::NAN;
        for (minute, (offered, serving)) in self.offered.iter().zip(counts).enumerate() {
            let over = self.serve(minute, *offered, &self.fleet(*serving, draw.capacity), &mut queue);
            changes += u32::from(before.is_finite() && (before - serving).abs() > 0.5);
            before = *serving;
            sums.add(Step { minute, serving: *serving, paid: *serving, over });
        }
        sums.outcome(changes)
    }

    /// Replays minute by minute; answers how often the count changed.
    pub fn play(&self, setup: &Compiled, start: f64, draw: Draw, mut see: impl FnMut(Step)) -> u32 {
        let mut scaler = Scaler::new(setup, start, draw.boot_minutes, 1.0);
        let mut fleet = self.fleet(scaler.serving(), draw.capacity);
        let mut queue = 0.0;
        // The last minute, and the one before that.
        let (mut last, mut known) = (NOT_SEEN, NOT_SEEN);
        for (minute, offered) in self.offered.iter().enumerate() {
            if scaler.step(|metric| known.of(metric)) {
                fleet = self.fleet(scaler.serving(), draw.capacity);
            }
            let waiting = queue;
            let over = self.serve(minute, *offered, &fleet, &mut queue);
            known = last;
            // What waits is not counted yet; what waited is.
            last = self.seen(minute, (waiting + offered - queue) * fleet.each);
            see(Step { minute, serving: scaler.serving(), paid: scaler.paid(), over });
        }
        scaler.changes()
    }

    /// What a minute shows with this load on one instance.
    #[inline]
    fn seen(&self, minute: usize, load: f64) -> Seen {
        let utilization = self.utilization.map_or(f64::NAN, |usage| {
            let work = self.measured.as_ref().map_or(1.0, |work| work.get(minute).copied().unwrap_or(f64::NAN));
            let percent = usage.idle + usage.each * load * work;
            // Not `min`, which would make a number of what is not known.
            if percent > usage.full { usage.full } else { percent }
        });
        Seen { load, utilization }
    }

    fn fleet(&self, serving: f64, capacity: f64) -> Fleet {
        let each = 1.0 / serving;
        Fleet { each, load: each / capacity, at_most: serving * self.curve.saturation.0 * capacity }
    }

    /// Serves a minute: how likely it is over the objective. `queue` is what waits.
    #[inline]
    fn serve(&self, minute: usize, offered: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
        let work = self.work.as_ref().map_or(1.0, |work| work.get(minute).copied().unwrap_or(1.0));
        // Most minutes are like this: nothing waits.
        if *queue == 0.0 && offered * work <= fleet.at_most {
            return if offered < LEAST_REQUESTS { 0.0 } else { self.over.at(minute, offered * work * fleet.load) };
        }
        self.serve_slowly(offered, work, fleet, queue)
    }

    fn serve_slowly(&self, offered: f64, work: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
        if offered.is_nan() {
            *queue = 0.0;
            return 0.0;
        }
        let at_most = fleet.at_most / work;
        let waiting = *queue;
        *queue = (waiting + offered - at_most).clamp(0.0, LONGEST_WAIT_MINUTES * at_most);
        if offered < LEAST_REQUESTS {
            return 0.0;
        }
        let served = (waiting + offered).min(at_most);
        let load = InvocationsPerInstance(served * fleet.load * work);
        let waited = MICROSECONDS * (waiting + *queue) / 2.0 / at_most;
        let typical = Microseconds(work * self.curve.latency(load).0 + waited);
        self.curve.share_of(typical, self.limit, load)
    }
}

impl Seen {
    fn of(self, metric: Metric) -> f64 {
        match metric {
            Metric::InvocationsPerInstance => self.load,
            Metric::Utilization => self.utilization,
            Metric::BacklogPerInstance | Metric::BacklogWithoutCapacity => f64::NAN,
        }
    }
}

/// What follows from the instances in service.
struct Fleet {
    /// The part of the requests that one instance gets.
    each: f64,
    /// The same, in units of an instance whose capacity is the estimate.
    load: f64,
    /// Requests per minute that all of them serve.
    at_most: f64,
}
