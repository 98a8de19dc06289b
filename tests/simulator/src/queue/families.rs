//! Incidents of asynchronous endpoints whose cause is known.

use super::{QueueConditions, QueueRun};
use crate::Published;
use crate::random::stream;
use rand::Rng as _;

/// Minutes that the trouble has lasted at the end.
const TROUBLE_MINUTES: i64 = 25;
/// Minutes of history.
const MINUTES: i64 = 1_440;

/// A kind of trouble.
#[derive(Debug)]
pub struct Family {
    /// As `growth`.
    pub name: &'static str,
    /// What is the matter.
    pub about: &'static str,
    /// The verdict that is right.
    pub verdict: &'static str,
    /// Its refinement.
    pub sub_cause: Option<&'static str>,
    /// Minute, counted from the onset, and how bad, 0 to 1.
    play: fn(&mut QueueConditions, i64, f64),
}

/// One incident.
pub struct Incident {
    /// What CloudWatch has of it.
    pub published: Vec<Published>,
    /// Instances that serve at the end.
    pub instances: usize,
    /// `MaxConcurrentInvocationsPerInstance`, where it is set.
    pub slots: Option<u32>,
    /// What one instance can process a minute, as it is at the end.
    pub capacity: f64,
}

impl QueueConditions {
    /// What one instance can process a minute.
    fn capacity(&self) -> f64 {
        60.0 * self.slots as f64 / (self.work_seconds + 1.5 * self.transfer_seconds)
    }

    /// What all of them can.
    fn capacity_of_all(&self) -> f64 {
        self.instances as f64 * self.capacity()
    }
}

/// Every kind.
pub static FAMILIES: [Family; 12] = [
    Family {
        name: "growth",
        about: "more arrives than the instances can process",
        verdict: "backlog",
        sub_cause: Some("traffic_growth"),
        play: |now, _, bad| now.arrivals_per_minute = now.capacity_of_all() * (1.5 + 2.0 * bad),
    },
    Family {
        name: "batch",
        about: "somebody sends work for hours at once",
        verdict: "backlog",
        sub_cause: Some("traffic_growth"),
        play: |now, minute, bad| {
            if minute < 3 {
                now.arrivals_per_minute = now.capacity_of_all() * (40.0 + 80.0 * bad);
            }
        },
    },
    Family {
        name: "no-capacity",
        about: "there is no instance, and requests come",
        verdict: "backlog",
        sub_cause: Some("no_capacity"),
        play: |now, _, _| now.instances = 0,
    },
    Family {
        name: "lost",
        about: "instances go away",
        verdict: "backlog",
        sub_cause: Some("capacity_loss"),
        play: |now, _, bad| {
            now.instances = ((now.instances as f64 * (0.45 - 0.2 * bad)) as usize).max(1);
            now.arrivals_per_minute = now.arrivals_per_minute.max(1.3 * now.capacity_of_all());
        },
    },
    Family {
        name: "slower",
        about: "requests take longer, and the queue grows",
        verdict: "backlog",
        sub_cause: Some("slower_processing"),
        play: |now, _, bad| {
            now.arrivals_per_minute = 0.7 * now.capacity_of_all();
            now.work_seconds *= 2.2 + 2.0 * bad;
        },
    },
    Family {
        name: "slower-but-in-time",
        about: "requests take longer, and the queue keeps up",
        verdict: "slow_model",
        sub_cause: None,
        play: |now, _, bad| {
            now.arrivals_per_minute = 0.12 * now.capacity_of_all();
            now.work_seconds *= 2.2 + 1.5 * bad;
        },
    },
    Family {
        name: "failures",
        about: "the model fails requests",
        verdict: "model_errors",
        sub_cause: None,
        play: |now, _, bad| now.failed = 0.2 + 0.5 * bad,
    },
    Family {
        name: "not-fetched",
        about: "inputs are missing in S3",
        verdict: "client_errors",
        sub_cause: Some("request_download_failures"),
        play: |now, _, bad| now.not_fetched = 0.2 + 0.5 * bad,
    },
    Family {
        name: "not-stored",
        about: "answers cannot be stored in S3",
        verdict: "overhead",
        sub_cause: Some("response_upload_failures"),
        play: |now, _, bad| now.not_stored = 0.2 + 0.5 * bad,
    },
    Family {
        name: "slow-storage",
        about: "S3 takes long",
        verdict: "overhead",
        sub_cause: Some("request_download"),
        play: |now, _, bad| {
            now.transfer_seconds = 8.0 + 8.0 * bad;
            now.arrivals_per_minute = 0.4 * now.capacity_of_all();
        },
    },
    Family {
        name: "small-batch",
        about: "a few more requests than usual, worked off in minutes",
        verdict: "transient",
        sub_cause: None,
        play: |now, minute, bad| {
            if minute == 15 {
                now.arrivals_per_minute += now.capacity_of_all() * (1.0 + 1.0 * bad);
            }
        },
    },
    Family { name: "calm", about: "nothing is the matter", verdict: "transient", sub_cause: None, play: |_, _, _| {} },
];

impl Family {
    /// The family of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// An endpoint drawn at random, a day of its life, and this trouble at the end of it.
    #[must_use]
    pub fn incident(&self, seed: u64) -> Incident {
        let mut random = stream(seed, 11);
        let mut uniform = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
        let slots = uniform(1.0, 5.0) as usize;
        let usual = QueueConditions {
            arrivals_per_minute: 0.0,
            instances: uniform(2.0, 7.0) as usize,
            slots,
            work_seconds: uniform(2.0, 30.0),
            work_cv: uniform(0.2, 0.9),
            failed: uniform(0.0, 0.01),
            not_fetched: 0.0,
            not_stored: 0.0,
            transfer_seconds: uniform(0.05, 0.3),
            expire_after_seconds: if uniform(0.0, 1.0) < 0.3 { 3_600.0 } else { f64::INFINITY },
        };
        let busy = uniform(0.3, 0.6);
        let (bad, is_slots_set) = (uniform(0.0, 1.0), uniform(0.0, 1.0) < 0.7);
        let mut run = QueueRun::new(seed);
        let mut now = usual;
        for minute in -MINUTES..0 {
            let day = minute as f64 / 1_440.0 * std::f64::consts::TAU;
            let load = busy * (1.0 + 0.3 * day.cos());
            now = QueueConditions { arrivals_per_minute: load * usual.capacity_of_all(), ..usual };
            let since = minute + TROUBLE_MINUTES;
            // Yesterday's busy hour, so that it was seen what one instance can do.
            if (-1_000..-985).contains(&minute) {
                now.arrivals_per_minute = 1.8 * usual.capacity_of_all();
            }
            if since >= 0 {
                (self.play)(&mut now, since, bad);
            }
            run.step(&now);
        }
        let slots = u32::try_from(now.slots).ok().filter(|_| is_slots_set);
        Incident { published: run.published(), instances: now.instances, slots, capacity: now.capacity() }
    }
}
