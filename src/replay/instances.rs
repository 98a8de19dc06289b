//! Instances as a replay has them: latency over load, and what waits.

use super::emulator::Seen;
use super::shares::Shares;
use super::traffic::{LEAST_REQUESTS, Traffic};
use crate::model::{InvocationsPerInstance, LatencyCurve, Microseconds};

/// A container has a minute to answer: what would wait longer has failed.
const LONGEST_WAIT_MINUTES: f64 = 1.0;
const MICROSECONDS: f64 = 60e6;

/// Instances, each with the same latency over load.
#[derive(Debug, Clone)]
pub(super) struct Instances {
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

/// What follows from how many serve.
pub(super) struct Fleet {
    /// How many.
    pub count: f64,
    /// The part of the requests that one of them gets.
    pub each: f64,
    /// The same, in units of an instance whose capacity is the estimate.
    load: f64,
    /// Requests per minute that all of them serve.
    at_most: f64,
}

impl Fleet {
    /// So many, of which nothing else matters.
    pub fn of(count: f64) -> Self {
        Self { count, each: 1.0 / count, load: 1.0 / count, at_most: f64::INFINITY }
    }
}

impl Instances {
    pub fn new(traffic: &Traffic, curve: &LatencyCurve, limit: Microseconds, utilization: Option<Usage>) -> Self {
        let work = traffic.work.as_ref();
        Self {
            curve: curve.clone(),
            limit,
            over: Shares::of(curve, limit, work.map_or(&[1.0], |work| &work.smooth)),
            utilization,
            work: work.map(|work| work.smooth.clone()),
            measured: work.map(|work| work.measured.clone()),
        }
    }

    /// The same with the work per request that each minute of the past had.
    pub fn in_the_past(&self, traffic: &Traffic) -> Self {
        let minutes = (0..).map(|index| traffic.first.plus(index)).take(traffic.minutes());
        let then: Vec<f64> = minutes.map(|minute| self.curve.work_at(minute.start())).collect();
        let times = |work: &Vec<f64>| work.iter().zip(&then).map(|(work, then)| work * then).collect();
        let work = self.work.as_ref().map_or_else(|| then.clone(), times);
        let measured = self.measured.as_ref().map(times);
        Self { over: Shares::of(&self.curve, self.limit, &work), work: Some(work), measured, ..self.clone() }
    }

    pub fn has_utilization(&self) -> bool {
        self.utilization.is_some()
    }

    /// `capacity` is the true one over the estimate.
    pub fn fleet(&self, count: f64, capacity: f64) -> Fleet {
        let each = 1.0 / count;
        Fleet { count, each, load: each / capacity, at_most: count * self.curve.saturation.0 * capacity }
    }

    /// What a minute shows with this load on one instance.
    #[inline]
    pub fn seen(&self, minute: usize, load: f64) -> Seen {
        let utilization = self.utilization.map_or(f64::NAN, |usage| {
            let work = self.measured.as_ref().map_or(1.0, |work| work.get(minute).copied().unwrap_or(f64::NAN));
            let percent = usage.idle + usage.each * load * work;
            // Not `min`, which would make a number of what is not known.
            if percent > usage.full { usage.full } else { percent }
        });
        Seen { load, utilization, refused: 0.0 }
    }

    /// Serves a minute: how likely it is over the objective. `queue` is what waits.
    #[inline]
    pub fn serve(&self, minute: usize, offered: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
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
        // Nothing serves: whatever comes is refused.
        if fleet.at_most <= 0.0 {
            *queue = 0.0;
            return if offered > 0.0 { 1.0 } else { 0.0 };
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
