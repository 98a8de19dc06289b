//! Every scenario.

use crate::scenario::{TROUBLE_MINUTES, progress};
use crate::{Burst, Cache, Cold, Discipline, Endpoint, Retries, Scenario, Service};
use std::f64::consts::TAU;

/// A usual endpoint whose requests do not keep a core while they wait.
const ASYNCHRONOUS: Endpoint = Endpoint { discipline: Discipline::ProcessorSharing { cores: 4 }, ..Endpoint::USUAL };

/// Every scenario. An objective of 500 ms for p90 fits all of them.
pub static SCENARIOS: [Scenario; 31] = [
    Scenario { name: "healthy", about: "nothing is the matter", endpoint: Endpoint::USUAL, trouble: |_, _| {} },
    Scenario {
        name: "overload",
        about: "traffic grows beyond what two instances sustain",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.arrivals_per_minute += (2_280.0 - now.arrivals_per_minute) * progress(minute),
    },
    Scenario {
        name: "wandering-work",
        about: "traffic grows beyond what five instances sustain; what a request takes wanders from hour to hour, as always",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.instances = 5;
            now.arrivals_per_minute *= 1.9;
            now.arrivals_per_minute += (5_700.0 - now.arrivals_per_minute) * progress(minute);
            let wave = |period: f64| (TAU * minute as f64 / period).sin();
            now.work_factor = (0.3 * (wave(317.0) + wave(589.0))).exp();
        },
    },
    Scenario {
        name: "capacity-loss",
        about: "one of two instances goes away",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.arrivals_per_minute *= 1.25;
            now.instances = if progress(minute) > 0.0 { 1 } else { 2 };
        },
    },
    Scenario {
        name: "slow-model",
        about: "each request takes 2.4 times the work",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.work_factor += 1.4 * progress(minute),
    },
    Scenario {
        name: "always-slow",
        about: "each request takes more work than the objective allows, whatever the load",
        endpoint: Endpoint::USUAL,
        trouble: |now, _| {
            now.work_factor = 2.6;
            now.arrivals_per_minute *= 0.3;
        },
    },
    Scenario {
        name: "slow-dependency",
        about: "each request waits 600 ms for something else",
        endpoint: ASYNCHRONOUS,
        trouble: |now, minute| now.wait_seconds = 0.6 * progress(minute),
    },
    Scenario {
        name: "slow-dependency-on-a-record-day",
        about: "each request waits 600 ms for something else, on a day with more traffic than ever, little of it work",
        endpoint: ASYNCHRONOUS,
        trouble: |now, minute| {
            now.arrivals_per_minute *= if minute > -20 { 1.9 } else { 1.0 };
            now.work_factor = 0.25;
            now.wait_seconds = 0.2 + 0.6 * progress(minute);
        },
    },
    Scenario {
        name: "dependency-for-some",
        about: "three of ten requests wait 900 ms for something else",
        endpoint: ASYNCHRONOUS,
        trouble: |now, minute| {
            now.wait_seconds = 0.9;
            now.wait_share = 0.3 * progress(minute);
        },
    },
    Scenario {
        name: "workers-exhausted",
        about: "each request waits 30 s for something else and keeps its worker meanwhile",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.wait_seconds = if progress(minute) > 0.0 { 30.0 } else { 0.0 },
    },
    Scenario {
        name: "busy-but-fine",
        about: "the daily peak is now, near what two instances sustain and within the objective, as every day",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            let day = minute as f64 / 1_440.0;
            now.arrivals_per_minute = 1_150.0 * (1.0 + 0.5 * (TAU * day).cos());
        },
    },
    Scenario {
        name: "overload-after-idle-nights",
        about: "traffic grows beyond what two instances sustain; at night hardly anybody calls",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            let day = (minute as f64 + 7.0 * 60.0) / 1_440.0;
            now.arrivals_per_minute = (1_400.0 * (TAU * day).cos()).max(4.0);
            now.arrivals_per_minute += (2_280.0 - now.arrivals_per_minute) * progress(minute);
        },
    },
    Scenario {
        name: "burst",
        about: "most requests of a minute come within 12 s of it",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.burst = (progress(minute) > 0.0).then_some(Burst { seconds: 12.0, factor: 12.0 });
        },
    },
    Scenario {
        name: "hourly-herd",
        about: "at the same minute of every hour, the last time three minutes ago, fifteen times as many requests come",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.arrivals_per_minute = if minute.rem_euclid(60) == 56 { 3_600.0 } else { 240.0 };
        },
    },
    Scenario {
        name: "retry-storm",
        about: "three minutes with twice the traffic; clients ask again after 1.5 s, and go on to keep it busy",
        endpoint: Endpoint {
            retries: Some(Retries { timeout_seconds: 1.5, probability: 0.8, at_most: 2 }),
            queue_limit: Some(100),
            ..Endpoint::USUAL
        },
        trouble: |now, minute| {
            now.arrivals_per_minute = 1_100.0 + 0.3 * now.arrivals_per_minute;
            if (0..3).contains(&(minute + TROUBLE_MINUTES)) {
                now.arrivals_per_minute *= 2.0;
            }
        },
    },
    Scenario {
        name: "container-concurrency-limit",
        about: "traffic grows beyond what one worker sustains, on hardware for four",
        endpoint: Endpoint {
            discipline: Discipline::Fifo { workers: 1 },
            service: Service::LogNormal { mean: 0.1, cv: 0.4 },
            utilization_at_saturation: 0.25,
            ..Endpoint::USUAL
        },
        trouble: |now, minute| {
            now.arrivals_per_minute *= 0.5;
            now.arrivals_per_minute += (1_180.0 - now.arrivals_per_minute) * progress(minute);
        },
    },
    Scenario {
        name: "heavier-requests",
        about: "requests are larger: twice the work and 2.5 times the overhead",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.work_factor += progress(minute);
            now.overhead_seconds *= 1.0 + 1.5 * progress(minute);
        },
    },
    Scenario {
        name: "leak",
        about: "memory and the work of a request climb, for two hours now",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            let climbed = ((minute + 120) as f64 / 120.0).max(0.0);
            now.work_factor += 1.3 * climbed;
            now.memory += 0.5 * climbed;
        },
    },
    Scenario {
        name: "memory-pressure",
        about: "memory fills up, for 40 minutes now, and requests stall and fail with it",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            let climbed = ((minute + 40) as f64 / 40.0).max(0.0);
            now.memory = 0.6 + 0.37 * climbed;
            // It costs nothing until memory is short.
            let short = ((now.memory - 0.8) / 0.17).max(0.0);
            now.work_factor += 0.6 * short;
            now.stall_share = 0.06 * short;
            now.stall_factor = 8.0;
            now.error_5xx_share = 0.06 * short;
        },
    },
    Scenario {
        name: "stalls",
        about: "six of a hundred requests take 20 times the work",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.stall_share = 0.06 * progress(minute);
            now.stall_factor = 20.0;
        },
    },
    Scenario {
        name: "host",
        about: "the host takes more than half of the instances' time, which their utilisation does not show",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.steal += 1.2 * progress(minute),
    },
    Scenario {
        name: "sick-instance",
        about: "one of four instances is six times slower",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| {
            now.arrivals_per_minute *= 0.7;
            now.instances = 4;
            now.sick_instances = 1;
            now.sick_factor += 5.0 * progress(minute);
        },
    },
    Scenario {
        name: "model-loading",
        about: "more models are asked for than the instances hold at a time",
        endpoint: Endpoint { cache: Some(Cache { capacity: 12, load_seconds: 2.0, zipf: 0.8 }), ..Endpoint::USUAL },
        trouble: |now, minute| {
            now.arrivals_per_minute *= 0.25;
            now.models = 10 + (20.0 * progress(minute)) as usize;
        },
    },
    Scenario {
        name: "cold-start",
        about: "a third instance came three minutes ago; it needs four minutes to become fast",
        endpoint: Endpoint { cold: Some(Cold { factor: 8.0, seconds: 240.0 }), ..Endpoint::USUAL },
        trouble: |now, minute| {
            now.arrivals_per_minute *= 0.4;
            now.instances = if minute < -3 { 2 } else { 3 };
        },
    },
    Scenario {
        name: "infrequent-traffic",
        about: "a request every few minutes, each after the instance has gone to sleep",
        endpoint: Endpoint {
            cold: Some(Cold { factor: 6.0, seconds: 20.0 }),
            cold_after_idle_seconds: Some(60.0),
            ..Endpoint::USUAL
        },
        trouble: |now, _| {
            now.arrivals_per_minute = 0.25;
            now.instances = 1;
        },
    },
    Scenario {
        name: "objective-too-tight",
        about: "nothing is the matter, but what is normal is hardly below the objective",
        endpoint: Endpoint::USUAL,
        trouble: |now, _| {
            now.arrivals_per_minute *= 0.4;
            now.work_factor = 1.55;
        },
    },
    Scenario {
        name: "overhead",
        about: "700 ms are lost outside the container",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.overhead_seconds += 0.7 * progress(minute),
    },
    Scenario {
        name: "model-errors",
        about: "a third of the requests fail, and latency with them",
        endpoint: ASYNCHRONOUS,
        trouble: |now, minute| {
            now.error_5xx_share = 0.35 * progress(minute);
            now.wait_seconds = 0.5 * progress(minute);
        },
    },
    Scenario {
        name: "client-errors",
        about: "the container refuses three of ten requests",
        endpoint: Endpoint::USUAL,
        trouble: |now, minute| now.error_4xx_share = 0.3 * progress(minute),
    },
    Scenario {
        name: "blip",
        about: "three slow minutes that are over",
        endpoint: ASYNCHRONOUS,
        trouble: |now, minute| {
            if (-12..-9).contains(&minute) {
                now.wait_seconds = 0.6;
            }
        },
    },
    Scenario {
        name: "hardly-used",
        about: "a few requests an hour",
        endpoint: Endpoint::USUAL,
        trouble: |now, _| now.arrivals_per_minute = 0.1,
    },
];
