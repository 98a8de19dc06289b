//! What happens to an endpoint, minute by minute.

use std::f64::consts::TAU;

/// What one minute is like.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    /// Mean arrivals on the whole endpoint; they come at random.
    pub arrivals_per_minute: f64,
    /// Instances in service.
    pub instances: usize,
    /// Work per request, 1 being normal.
    pub work_factor: f64,
    /// Time that each request waits for something else, without work.
    pub wait_seconds: f64,
    /// Time outside the container.
    pub overhead_seconds: f64,
    /// Share of requests that fail in the container.
    pub error_5xx_share: f64,
    /// Share of requests that the container refuses.
    pub error_4xx_share: f64,
}

/// An endpoint with one known trouble in its last quarter of an hour, or none.
#[derive(Debug)]
pub struct Scenario {
    /// Name, as `slow-model`.
    pub name: &'static str,
    /// What is the matter.
    pub about: &'static str,
    pub(crate) trouble: fn(&mut Conditions, i64),
}

/// Minutes that the trouble has lasted at the end.
const TROUBLE_MINUTES: i64 = 15;

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// What a minute (counted back from the end) is like.
    #[must_use]
    pub fn at(&self, minute: i64) -> Conditions {
        // The day's peak is seven hours before the end, so the end lies on a usual load.
        let day = (minute as f64 + 7.0 * 60.0) / 1_440.0;
        let mut conditions = Conditions {
            arrivals_per_minute: 1_000.0 * (1.0 + 0.4 * (TAU * day).cos()),
            instances: 2,
            work_factor: 1.0,
            wait_seconds: 0.0,
            overhead_seconds: 0.004,
            error_5xx_share: 0.0,
            error_4xx_share: 0.0,
        };
        (self.trouble)(&mut conditions, minute);
        conditions
    }
}

/// How far the trouble has come: 0 before it, 1 once its first five minutes are over.
fn progress(minute: i64) -> f64 {
    ((minute + TROUBLE_MINUTES) as f64 / 5.0).clamp(0.0, 1.0)
}

/// Every scenario.
pub const SCENARIOS: [Scenario; 13] = [
    Scenario { name: "healthy", about: "nothing is the matter", trouble: |_, _| {} },
    Scenario {
        name: "overload",
        about: "traffic grows beyond what two instances sustain",
        trouble: |now, minute| now.arrivals_per_minute += (2_280.0 - now.arrivals_per_minute) * progress(minute),
    },
    Scenario {
        name: "capacity-loss",
        about: "one of two instances goes away",
        trouble: |now, minute| {
            now.arrivals_per_minute *= 1.25;
            now.instances = if progress(minute) > 0.0 { 1 } else { 2 };
        },
    },
    Scenario {
        name: "slow-model",
        about: "each request takes 2.4 times the work",
        trouble: |now, minute| now.work_factor += 1.4 * progress(minute),
    },
    Scenario {
        name: "always-slow",
        about: "each request takes more work than the objective allows, whatever the load",
        trouble: |now, _| {
            now.work_factor = 2.6;
            now.arrivals_per_minute *= 0.3;
        },
    },
    Scenario {
        name: "slow-dependency",
        about: "each request waits 600 ms for something else",
        trouble: |now, minute| now.wait_seconds = 0.6 * progress(minute),
    },
    Scenario {
        name: "slow-dependency-on-a-record-day",
        about: "each request waits 600 ms for something else, on a day with more traffic than ever, little of it work",
        trouble: |now, minute| {
            now.arrivals_per_minute *= if minute > -20 { 1.9 } else { 1.0 };
            now.work_factor = 0.25;
            now.wait_seconds = 0.2 + 0.6 * progress(minute);
        },
    },
    Scenario {
        name: "busy-but-fine",
        about: "the daily peak is now, near what two instances sustain and within the objective, as every day",
        trouble: |now, minute| {
            let day = minute as f64 / 1_440.0;
            now.arrivals_per_minute = 1_150.0 * (1.0 + 0.5 * (TAU * day).cos());
        },
    },
    Scenario {
        name: "overload-after-idle-nights",
        about: "traffic grows beyond what two instances sustain; at night hardly anybody calls",
        trouble: |now, minute| {
            let day = (minute as f64 + 7.0 * 60.0) / 1_440.0;
            now.arrivals_per_minute = (1_400.0 * (TAU * day).cos()).max(4.0);
            now.arrivals_per_minute += (2_280.0 - now.arrivals_per_minute) * progress(minute);
        },
    },
    Scenario {
        name: "overhead",
        about: "700 ms are lost outside the container",
        trouble: |now, minute| now.overhead_seconds += 0.7 * progress(minute),
    },
    Scenario {
        name: "model-errors",
        about: "a third of the requests fail, and latency with them",
        trouble: |now, minute| {
            now.error_5xx_share = 0.35 * progress(minute);
            now.wait_seconds = 0.5 * progress(minute);
        },
    },
    Scenario {
        name: "blip",
        about: "three slow minutes that are over",
        trouble: |now, minute| {
            if (-12..-9).contains(&minute) {
                now.wait_seconds = 0.6;
            }
        },
    },
    Scenario { name: "hardly-used", about: "a few requests an hour", trouble: |now, _| now.arrivals_per_minute = 0.1 },
];
