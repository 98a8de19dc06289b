//! An endpoint that answers at once, minute by minute under a scaling set-up.
//!
//! A minute's metric is published a minute after its end, so a decision at the beginning of a minute knows the last but
//! one. Requests beyond what the instances serve wait, for a minute at most.

use super::instances::{Fleet, Instances, Usage};
use super::outcome::{Draw, Outcome, Step, Sums, block_minutes};
use super::rules::{Compiled, Metric};
use super::scaler::Scaler;
use super::traffic::Traffic;
use super::units::Units;
use crate::model::{LatencyCurve, Microseconds};

/// An endpoint and its traffic, ready to be replayed under any set-up.
#[derive(Debug, Clone)]
pub struct Emulator {
    offered: Vec<f64>,
    served: Served,
}

/// What serves the traffic.
#[derive(Debug, Clone)]
enum Served {
    Instances(Instances),
    Units(Units),
}

/// What policies can see of a minute: NaN where nothing is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub load: f64,
    pub utilization: f64,
    /// Requests that nothing served.
    pub refused: f64,
}

const NOT_SEEN: Seen = Seen { load: f64::NAN, utilization: f64::NAN, refused: f64::NAN };

impl Emulator {
    /// An endpoint with this curve, objective and traffic.
    #[must_use]
    pub fn new(traffic: &Traffic, curve: &LatencyCurve, limit: Microseconds, utilization: Option<Usage>) -> Self {
        let instances = Instances::new(traffic, curve, limit, utilization);
        Self { offered: traffic.offered.clone(), served: Served::Instances(instances) }
    }

    /// A serverless variant with this traffic.
    #[must_use]
    pub fn of_units(traffic: &Traffic, units: Units) -> Self {
        Self { offered: traffic.offered.clone(), served: Served::Units(units) }
    }

    /// The same endpoint with the work per request that each minute of the past had.
    #[must_use]
    pub fn in_the_past(&self, traffic: &Traffic) -> Self {
        let served = match &self.served {
            Served::Instances(instances) => Served::Instances(instances.in_the_past(traffic)),
            // Their minutes are as they were.
            Served::Units(units) => Served::Units(units.clone()),
        };
        Self { served, ..self.clone() }
    }

    /// The provisioned concurrency of a serverless variant; none of instances.
    #[must_use]
    pub fn units(&self) -> Option<&Units> {
        match &self.served {
            Served::Instances(_) => None,
            Served::Units(units) => Some(units),
        }
    }

    /// Minutes of a block of an outcome.
    #[must_use]
    pub fn block_minutes(&self) -> usize {
        block_minutes(self.offered.len())
    }

    /// Whether policies on utilisation can be replayed.
    #[must_use]
    pub fn has_utilization(&self) -> bool {
        match &self.served {
            Served::Instances(instances) => instances.has_utilization(),
            Served::Units(_) => true,
        }
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
        let mut scaler = Scaler::new(setup, start, draw.boot_minutes, self.least());
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
            last = self.seen(minute, &fleet, waiting + offered - queue);
            see(Step { minute, serving: scaler.serving(), paid: scaler.paid(), over });
        }
        scaler.changes()
    }

    /// Copies may go to zero; of units one is kept at least.
    fn least(&self) -> f64 {
        match &self.served {
            Served::Instances(_) => 0.0,
            Served::Units(_) => 1.0,
        }
    }

    fn fleet(&self, serving: f64, capacity: f64) -> Fleet {
        match &self.served {
            Served::Instances(instances) => instances.fleet(serving, capacity),
            Served::Units(_) => Fleet::of(serving),
        }
    }

    /// Serves a minute: how likely it is over the objective. `queue` is what waits.
    #[inline]
    fn serve(&self, minute: usize, offered: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
        match &self.served {
            Served::Instances(instances) => instances.serve(minute, offered, fleet, queue),
            Served::Units(units) => units.short(minute, fleet.count),
        }
    }

    /// What a minute in which so many requests left the queue shows.
    #[inline]
    fn seen(&self, minute: usize, fleet: &Fleet, left: f64) -> Seen {
        match &self.served {
            // Nothing serves them: there is no load, only what is refused.
            Served::Instances(_) if fleet.count < 1.0 => Seen { refused: left, ..NOT_SEEN },
            Served::Instances(instances) => instances.seen(minute, left * fleet.each),
            Served::Units(units) => {
                Seen { load: left * fleet.each, utilization: units.utilization(minute, fleet.count), refused: 0.0 }
            }
        }
    }
}

impl Seen {
    fn of(self, metric: Metric) -> f64 {
        match metric {
            Metric::InvocationsPerInstance => self.load,
            Metric::Utilization => self.utilization,
            Metric::Refused => self.refused,
            Metric::BacklogPerInstance | Metric::BacklogWithoutCapacity => f64::NAN,
        }
    }
}
