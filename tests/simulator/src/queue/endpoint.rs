//! Drawing an asynchronous endpoint and what its days are like.

use super::families::{At, Family, Incident};
use super::{QueueConditions, QueueRun};
use crate::Degradation;
use crate::random::stream;
use crate::suite::Set;
use crate::suite::dice::Dice;
use rand::Rng as _;
use std::f64::consts::TAU;
use std::ops::Range;

/// Requests a minute that an endpoint has at least: with fewer, ten minutes show hardly anything.
const LEAST_RATE: f64 = 2.0;
/// Hours of history and how often.
const HISTORIES: [(i64, f64); 4] = [(6, 0.3), (24, 0.4), (72, 0.2), (168, 0.1)];
/// Of endpoints in the hold-out set, so many are of kinds that no other set has.
const NEW_PHYSICS: f64 = 0.25;

/// An alarm on the backlog fires where it takes longer to be worked off.
const ALARM_MINUTES: f64 = 2.0;

/// One on failures, or on times, needs so many requests in ten minutes.
const LEAST_PROCESSED: f64 = 15.0;

/// An endpoint in use, and what befalls it.
#[derive(Debug)]
pub(super) struct Endpoint {
    usual: QueueConditions,
    /// `MaxConcurrentInvocationsPerInstance`, where somebody set it.
    slots: Option<u32>,
    /// Share of what it can process that arrives, over the day.
    busy: f64,
    /// How much of that comes and goes with the time of day, and when it is most; minutes.
    swing: f64,
    peak: i64,
    /// How far the work of a request wanders over the day.
    drift: f64,
    /// Minutes of history.
    minutes: i64,
    /// Minutes that more arrived than it can process, and how many times as much.
    rushes: Vec<(Range<i64>, f64)>,
    trouble: i64,
    bad: f64,
    is_new_physics: bool,
}

impl Endpoint {
    /// One like any other, with a day of history.
    pub fn plain(seed: u64) -> Self {
        let mut random = stream(seed, 11);
        let mut uniform = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
        let slots = uniform(1.0, 5.0) as usize;
        let usual = QueueConditions {
            arrivals_per_minute: 0.0,
            batch: 1.0,
            batch_cv: 0.0,
            instances: uniform(2.0, 7.0) as usize,
            slots,
            work_seconds: uniform(2.0, 30.0),
            work_cv: uniform(0.2, 0.9),
            large: (0.0, 1.0),
            failed: uniform(0.0, 0.01),
            refused: 0.0,
            not_fetched: 0.0,
            not_stored: 0.0,
            transfer_seconds: uniform(0.05, 0.3),
            pickup_seconds: 0.0,
            expire_after_seconds: if uniform(0.0, 1.0) < 0.3 { 3_600.0 } else { f64::INFINITY },
        };
        let busy = uniform(0.3, 0.6);
        let bad = uniform(0.0, 1.0);
        let is_slots_set = uniform(0.0, 1.0) < 0.7;
        Self {
            usual,
            slots: u32::try_from(slots).ok().filter(|_| is_slots_set),
            busy,
            swing: 0.3,
            peak: 0,
            drift: 0.0,
            minutes: 1_440,
            // Yesterday's busy hour, so that it was seen what one instance can do.
            rushes: vec![(-1_000..-985, 1.8)],
            trouble: 25,
            bad,
            is_new_physics: false,
        }
    }

    /// The incident `replicate` of a family in a set.
    pub fn any(family: &Family, set: Set, replicate: u64) -> Incident {
        for attempt in 0.. {
            let mut dice = Dice::new(crate::suite::seed(family.name, set, replicate, attempt));
            let endpoint = Self::draw(&mut dice, set);
            let mut incident = endpoint.played(family, dice.seed());
            // Nobody asks about a backlog that has not come, nor about failures of nobody: no alarm would have fired.
            let shows = match family.verdict {
                "backlog" => endpoint.waits(&incident),
                "transient" => true,
                _ => processed_lately(&incident) >= LEAST_PROCESSED,
            };
            if !shows {
                continue;
            }
            let missing_share = if dice.chance(0.3) { dice.uniform(0.0..0.05) } else { 0.0 };
            Degradation { lag_minutes: 2, missing_share, utilization_noise: 0.02, without: Vec::new() }
                .apply(&mut incident.published, dice.seed());
            return incident;
        }
        unreachable!("it goes on until requests wait")
    }

    /// Whether in each of the last minutes more waited than is worked off within [`ALARM_MINUTES`].
    fn waits(&self, incident: &Incident) -> bool {
        let in_work = (incident.instances * self.usual.slots) as f64;
        let worked_off = ALARM_MINUTES * incident.instances as f64 * incident.capacity;
        let backlog = incident.published.iter().find(|series| series.metric == "ApproximateBacklogSize");
        let last = backlog.map(|series| series.values.iter().rev().take(3).flatten());
        last.is_some_and(|mut last| last.all(|backlog| *backlog > in_work + worked_off))
    }

    fn draw(dice: &mut Dice, set: Set) -> Self {
        loop {
            let hours = dice.weighted(&HISTORIES);
            let is_new_physics = set == Set::HoldOut && dice.chance(NEW_PHYSICS);
            let usual = if is_new_physics { unusual_requests(dice) } else { usual_requests(dice) };
            let busy = dice.uniform(0.25..0.6);
            let swing = dice.uniform(0.0..0.35);
            let rate = busy * usual.capacity_of_all();
            let most = if hours > 24 { 120.0 } else { 600.0 };
            if !((LEAST_RATE / (1.0 - swing))..most).contains(&rate) {
                continue;
            }
            let minutes = 60 * hours;
            let trouble = dice.minutes(12..=45);
            // Seven in ten have been busier than they could, once or twice.
            let rushes = (0..dice.weighted(&[(0, 0.3), (1, 0.4), (2, 0.3)]))
                .map(|_| {
                    let start = -dice.minutes(trouble + 90..=minutes - 60);
                    (start..start + dice.minutes(8..=40), dice.uniform(1.3..2.5))
                })
                .collect();
            return Self {
                slots: u32::try_from(usual.slots).ok().filter(|_| dice.chance(0.7)),
                usual,
                busy,
                swing,
                peak: dice.minutes(0..=1_439),
                drift: if dice.chance(0.3) { dice.uniform(0.0..0.15) } else { 0.0 },
                minutes,
                rushes,
                trouble,
                bad: dice.uniform(0.0..1.0),
                is_new_physics,
            };
        }
    }

    /// All of it, with this trouble at the end.
    pub fn played(&self, family: &Family, seed: u64) -> Incident {
        let mut run = QueueRun::new(seed);
        let mut now = self.usual;
        for minute in -self.minutes..0 {
            now = self.usual_at(minute);
            let since = minute + self.trouble;
            if since >= 0 {
                (family.play)(&mut now, At { since, left: -minute }, self.bad);
            }
            run.step(&now);
        }
        Incident {
            published: run.published(),
            instances: now.instances,
            slots: self.slots,
            capacity: now.capacity(),
            trouble_minutes: self.trouble,
            physics: format!("{:?}", self.usual),
            is_new_physics: self.is_new_physics,
        }
    }

    /// A minute without trouble.
    fn usual_at(&self, minute: i64) -> QueueConditions {
        let day = (minute - self.peak) as f64 / 1_440.0 * TAU;
        let rush = self.rushes.iter().find(|(minutes, _)| minutes.contains(&minute));
        let load = rush.map_or(self.busy * (1.0 + self.swing * day.cos()), |(_, load)| *load);
        QueueConditions {
            arrivals_per_minute: load * self.usual.capacity_of_all(),
            work_seconds: self.usual.work_seconds * (1.0 + self.drift * day.sin()),
            ..self.usual
        }
    }
}

/// Requests that were processed in the last ten minutes.
fn processed_lately(incident: &Incident) -> f64 {
    let processed = incident.published.iter().find(|series| series.metric == "InvocationsProcesssed");
    processed.map_or(0.0, |series| series.values.iter().rev().take(10).flatten().sum())
}

/// Requests as every set has them.
fn usual_requests(dice: &mut Dice) -> QueueConditions {
    let is_batched = dice.chance(0.4);
    QueueConditions {
        arrivals_per_minute: 0.0,
        batch: if is_batched { dice.uniform(2.0..10.0) } else { 1.0 },
        batch_cv: if is_batched { dice.uniform(0.0..0.4) } else { 0.0 },
        instances: dice.whole(2..=6),
        slots: dice.whole(1..=4),
        work_seconds: dice.log_uniform(2.0..60.0),
        work_cv: dice.uniform(0.2..0.9),
        large: if dice.chance(0.3) { (dice.uniform(0.05..0.3), dice.uniform(3.0..8.0)) } else { (0.0, 1.0) },
        failed: dice.uniform(0.0..0.01),
        refused: 0.0,
        not_fetched: 0.0,
        not_stored: 0.0,
        transfer_seconds: dice.uniform(0.05..0.3),
        pickup_seconds: dice.uniform(0.0..0.5),
        expire_after_seconds: if dice.chance(0.3) { 3_600.0 } else { f64::INFINITY },
    }
}

/// Requests that no rule was written on: of very different size, sent by the dozen, or many at once in one place.
fn unusual_requests(dice: &mut Dice) -> QueueConditions {
    let usual = usual_requests(dice);
    match dice.whole(0..=2) {
        0 => QueueConditions { work_cv: dice.uniform(1.0..1.6), large: (0.0, 1.0), ..usual },
        1 => QueueConditions { batch: dice.uniform(10.0..40.0), batch_cv: dice.uniform(0.2..0.6), ..usual },
        _ => QueueConditions { slots: dice.whole(5..=16), work_seconds: dice.log_uniform(10.0..200.0), ..usual },
    }
}
