//! Incidents of asynchronous endpoints whose cause is known.

use super::QueueConditions;
use super::endpoint::Endpoint;
use crate::Published;
use crate::suite::Set;

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
    /// What it does in a minute; the last number is how bad it is, 0 to 1.
    pub(super) play: fn(&mut QueueConditions, At, f64),
}

/// A minute of the trouble.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Minutes since it began.
    pub since: i64,
    /// Minutes until the end.
    pub left: i64,
}

/// One incident.
#[derive(Debug)]
pub struct Incident {
    /// What CloudWatch has of it.
    pub published: Vec<Published>,
    /// Instances that serve at the end.
    pub instances: usize,
    /// `MaxConcurrentInvocationsPerInstance`, where it is set.
    pub slots: Option<u32>,
    /// What one instance can process a minute, as it is at the end.
    pub capacity: f64,
    /// Minutes that the trouble has lasted.
    pub trouble_minutes: i64,
    /// How requests are, in words.
    pub physics: String,
    /// Whether only the hold-out set has endpoints of this kind.
    pub is_new_physics: bool,
}

/// Every kind.
pub static FAMILIES: [Family; 17] = [
    Family {
        name: "growth",
        about: "more arrives than the instances can process",
        verdict: "backlog",
        sub_cause: Some("traffic_growth"),
        play: |now, _, bad| now.arrivals_per_minute = now.capacity_of_all() * (1.3 + 2.0 * bad),
    },
    Family {
        name: "batch",
        about: "somebody sends work for hours at once",
        verdict: "backlog",
        sub_cause: Some("traffic_growth"),
        play: |now, at, bad| {
            if at.since < 3 {
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
            now.work_seconds *= 2.2 + 2.0 * bad;
            now.arrivals_per_minute = now.arrivals_per_minute.max(1.3 * now.capacity_of_all());
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
        play: |now, at, bad| {
            if at.left == 10 {
                now.arrivals_per_minute += now.capacity_of_all() * (1.0 + 1.0 * bad);
            }
        },
    },
    Family {
        name: "larger",
        about: "three in ten requests are several times as large, and the queue grows",
        verdict: "backlog",
        sub_cause: Some("slower_processing"),
        play: |now, _, bad| {
            let times = 5.0 + 5.0 * bad;
            now.work_seconds *= 0.7 + 0.3 * times;
            now.large = (0.3, times);
            now.arrivals_per_minute = now.arrivals_per_minute.max(1.3 * now.capacity_of_all());
        },
    },
    Family {
        name: "refused",
        about: "the model refuses what callers send",
        verdict: "client_errors",
        sub_cause: None,
        play: |now, _, bad| now.refused = 0.2 + 0.5 * bad,
    },
    Family {
        name: "more-but-in-time",
        about: "more arrives than usual, and the instances keep up",
        verdict: "transient",
        sub_cause: None,
        play: |now, _, bad| now.arrivals_per_minute = now.capacity_of_all() * (0.6 + 0.15 * bad),
    },
    Family {
        name: "lost-but-in-time",
        about: "an instance goes away, and the others keep up",
        verdict: "transient",
        sub_cause: None,
        play: |now, _, bad| {
            now.instances = (now.instances - 1).max(1);
            now.arrivals_per_minute = now.arrivals_per_minute.min(now.capacity_of_all() * (0.5 + 0.2 * bad));
        },
    },
    Family {
        name: "at-rest",
        about: "there is no instance, and nobody calls",
        verdict: "transient",
        sub_cause: None,
        play: |now, at, _| {
            now.arrivals_per_minute = 0.0;
            if at.since >= 10 {
                now.instances = 0;
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

    /// A day of a plain endpoint, and this trouble at the end of it: requests come one by one, all metrics are there.
    #[must_use]
    pub fn incident(&self, seed: u64) -> Incident {
        Endpoint::plain(seed).played(self, seed)
    }
}

/// The incident `replicate` of a family in a set: any endpoint, with what arrives of its metrics.
#[must_use]
pub fn queue_incident(family: &Family, set: Set, replicate: u64) -> Incident {
    Endpoint::any(family, set, replicate)
}
