//! The simulator against queues whose answers are known in closed form.

use crate::{Conditions, Discipline, Endpoint, Run, Samples, Service};

/// Mean work in seconds.
const WORK: f64 = 0.02;
/// Parts of what a queue can serve that come, and how many requests that needs for a firm answer.
const LOADS: [(f64, f64); 4] = [(0.3, 0.6e6), (0.6, 1e6), (0.8, 2e6), (0.9, 4e6)];

/// Latencies in seconds of one instance at this load.
struct Measured {
    mean: f64,
    p90: f64,
}

fn measure(discipline: Discipline, service: Service, servers: usize, load: f64, requests: f64) -> Measured {
    let arrivals_per_minute = 60.0 * load * servers as f64 / WORK;
    let conditions = Conditions { arrivals_per_minute, over_dispersion: 0.0, instances: 1, ..Conditions::default() };
    let mut run = Run::new(Endpoint { discipline, service, ..Endpoint::USUAL }, 11);
    let minutes = (requests / arrivals_per_minute).ceil() as i64;
    let all = (0..minutes).flat_map(|minute| run.step(minute, &conditions).model_latency_us.pairs().to_vec());
    let all = Samples::repeated(all.collect());
    Measured { mean: all.average().unwrap() / 1e6, p90: all.quantile(0.9).unwrap() / 1e6 }
}

fn check(what: &str, load: f64, measured: f64, expected: f64, tolerance: f64) {
    let error = measured / expected - 1.0;
    assert!(error.abs() < tolerance, "{what} at {load}: {measured} instead of {expected}, {:.1} % off", error * 100.0);
}

/// The share of requests that wait where `servers` are offered `erlangs` of work.
fn erlang_c(servers: usize, erlangs: f64) -> f64 {
    let lost = (1..=servers).fold(1.0, |lost, server| erlangs * lost / (server as f64 + erlangs * lost));
    let load = erlangs / servers as f64;
    lost / (1.0 - load * (1.0 - lost))
}

/// The mean wait of M/M/c.
fn mean_wait(servers: usize, load: f64) -> f64 {
    erlang_c(servers, load * servers as f64) * WORK / (servers as f64 * (1.0 - load))
}

/// Where a growing function of seconds passes `level`, before `most`.
fn solve(level: f64, most: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, most);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if function(middle) < level { low = middle } else { high = middle }
    }
    low
}

#[test]
fn exponential_work_waits_as_in_m_m_c() {
    for servers in [1, 4, 16] {
        for (load, requests) in LOADS {
            let seen =
                measure(Discipline::Fifo { workers: servers }, Service::Exponential(WORK), servers, load, requests);
            let name = format!("M/M/{servers}");
            // Where hardly anybody waits, the wait cannot be told from the noise of the work.
            let wait = mean_wait(servers, load);
            if wait > 0.2 * WORK {
                check(&name, load, seen.mean - WORK, wait, 0.02);
            }
            check(&name, load, seen.mean, WORK + wait, 0.02);
            let erlangs = load * servers as f64;
            let slack = servers as f64 - 1.0 - erlangs;
            let answered = |t: f64| {
                let late = erlang_c(servers, erlangs) * (1.0 - (-t / WORK * slack).exp()) / slack;
                1.0 - (-t / WORK).exp() * (1.0 + late)
            };
            check(&format!("{name} p90"), load, seen.p90, solve(0.9, 100.0 * WORK, answered), 0.03);
        }
    }
}

#[test]
fn equal_work_waits_as_in_m_d_1() {
    for (load, requests) in LOADS {
        let seen = measure(Discipline::Fifo { workers: 1 }, Service::Fixed(WORK), 1, load, requests);
        check("M/D/1", load, seen.mean - WORK, WORK * load / (2.0 * (1.0 - load)), 0.02);
        // Erlang's series for the wait; its terms grow and cancel, so it is not exact for long waits.
        let waited = |t: f64| {
            let term = |k: i32| {
                let x = load * (t / WORK - f64::from(k));
                (1..=k).fold(x.exp(), |product, i| product * -x / f64::from(i))
            };
            (1.0 - load) * (0..=(t / WORK) as i32).map(term).sum::<f64>()
        };
        check("M/D/1 p90", load, seen.p90, WORK + solve(0.9, 20.0 * WORK, waited), 0.03);
    }
}

#[test]
fn one_worker_waits_for_spread_work_as_in_m_g_1() {
    for (load, requests) in LOADS {
        let cv = 0.8;
        let service = Service::LogNormal { mean: WORK, cv };
        let seen = measure(Discipline::Fifo { workers: 1 }, service, 1, load, requests.max(2e6));
        check("M/G/1", load, seen.mean - WORK, WORK * load * (1.0 + cv * cv) / (2.0 * (1.0 - load)), 0.02);
    }
}

#[test]
fn shared_cores_do_not_care_how_work_is_spread() {
    for (load, requests) in LOADS {
        for service in [
            Service::LogNormal { mean: WORK, cv: 1.2 },
            Service::Bimodal { short: WORK / 2.0, long: WORK * 3.0, long_share: 0.2 },
        ] {
            let seen = measure(Discipline::ProcessorSharing { cores: 1 }, service, 1, load, requests / 2.0);
            check(&format!("M/G/1-PS of {service:?}"), load, seen.mean, WORK / (1.0 - load), 0.02);
        }
        let service = Service::LogNormal { mean: WORK, cv: 1.2 };
        let seen = measure(Discipline::ProcessorSharing { cores: 4 }, service, 4, load, requests / 2.0);
        check("M/G/4-PS", load, seen.mean, WORK + mean_wait(4, load), 0.02);
    }
}

#[test]
fn batches_of_one_are_a_queue_and_full_batches_serve_what_they_should() {
    for (load, requests) in LOADS {
        let single = Discipline::Batching { largest: 1, fixed: 0.7, window_seconds: 0.0 };
        let seen = measure(single, Service::Fixed(WORK), 1, load, requests / 2.0);
        check("batches of one", load, seen.mean - WORK, WORK * load / (2.0 * (1.0 - load)), 0.02);
    }
    let batching = Discipline::Batching { largest: 8, fixed: 0.75, window_seconds: 0.005 };
    // A full batch takes 0.75 + 0.25 x 8 times the work of one request.
    let most_per_minute = 60.0 * 8.0 / (WORK * 2.75);
    for (share, expected) in [(0.95, 0.95), (1.3, 1.0)] {
        let conditions = Conditions {
            arrivals_per_minute: share * most_per_minute,
            over_dispersion: 0.0,
            instances: 1,
            ..Conditions::default()
        };
        let mut run = Run::new(Endpoint { discipline: batching, service: Service::Fixed(WORK), ..Endpoint::USUAL }, 1);
        // Answers of full queues are 60 s old, and those given up have no work: what counts is before.
        let answered: Vec<f64> = (0..3).map(|minute| run.step(minute, &conditions).invocations as f64).collect();
        check("full batches", share, answered[1], expected * most_per_minute, 0.03);
    }
}
