//! What an endpoint does when it is built or treated in some way.

use crate::{Burst, Cache, Cold, Conditions, Discipline, Endpoint, Minute, Retries, Routing, Run, Samples, Service};

/// Two usual instances at 60 % of what they sustain.
const BUSY: f64 = 1_440.0;

fn minutes(endpoint: Endpoint, conditions: Conditions, minutes: i64) -> Vec<Minute> {
    let mut run = Run::new(endpoint, 3);
    (0..minutes).map(|minute| run.step(minute, &conditions)).collect()
}

fn busy() -> Conditions {
    Conditions { arrivals_per_minute: BUSY, over_dispersion: 0.0, ..Conditions::default() }
}

fn quantile(minutes: &[Minute], quantile: f64) -> f64 {
    let all = minutes.iter().flat_map(|minute| minute.model_latency_us.pairs().to_vec());
    Samples::repeated(all.collect()).quantile(quantile).unwrap() / 1e6
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

fn cpu(minutes: &[Minute]) -> f64 {
    mean(minutes.iter().flat_map(|minute| minute.cpu_percent.iter().copied()))
}

fn near(seen: f64, expected: f64, tolerance: f64) {
    assert!((seen / expected - 1.0).abs() < tolerance, "{seen} instead of {expected}");
}

/// One endpoint of each kind, with everything that can happen to it.
fn eventful() -> Vec<(Endpoint, Conditions)> {
    let conditions = Conditions {
        arrivals_per_minute: 1_500.0,
        over_dispersion: 0.3,
        burst: Some(Burst { seconds: 10.0, factor: 4.0 }),
        stall_share: 0.01,
        stall_factor: 10.0,
        wait_seconds: 0.2,
        wait_share: 0.3,
        error_4xx_share: 0.05,
        error_5xx_share: 0.05,
        sick_instances: 1,
        sick_factor: 1.5,
        models: 30,
        ..Conditions::default()
    };
    let endpoint = Endpoint {
        queue_limit: Some(200),
        speed_spread: 0.03,
        retries: Some(Retries { timeout_seconds: 1.0, probability: 0.8, at_most: 2 }),
        cold: Some(Cold { factor: 4.0, seconds: 60.0 }),
        ..Endpoint::USUAL
    };
    [
        Endpoint { routing: Routing::LeastOutstandingRequests, gpus: 1, ..endpoint },
        Endpoint { discipline: Discipline::ProcessorSharing { cores: 4 }, ..endpoint },
        Endpoint {
            discipline: Discipline::Batching { largest: 8, fixed: 0.7, window_seconds: 0.01 },
            service: Service::Bimodal { short: 0.1, long: 0.4, long_share: 0.2 },
            ..endpoint
        },
        Endpoint {
            service: Service::LogNormal { mean: 0.05, cv: 1.0 },
            cache: Some(Cache { capacity: 20, load_seconds: 0.5, zipf: 1.0 }),
            ..endpoint
        },
    ]
    .map(|endpoint| (endpoint, conditions))
    .into()
}

/// Minutes of growing and shrinking, then of nothing, by which everybody is answered.
fn play(endpoint: Endpoint, conditions: Conditions, seed: u64) -> Vec<Minute> {
    let mut run = Run::new(endpoint, seed);
    (0..30)
        .map(|minute| {
            let instances = [2, 3, 1, 4, 2, 2][minute as usize / 5];
            let workers = (minute % 7 == 3).then_some(2);
            let arrivals_per_minute = if minute < 26 { conditions.arrivals_per_minute } else { 0.0 };
            run.step(minute, &Conditions { instances, workers, arrivals_per_minute, ..conditions })
        })
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_minutes() {
    for (endpoint, conditions) in eventful() {
        let json = |seed| serde_json::to_string(&play(endpoint, conditions, seed)).unwrap();
        assert_eq!(json(3), json(3));
        assert_ne!(json(3), json(4));
    }
}

#[test]
fn the_numbers_are_what_they_were() {
    let fnv = |text: String| {
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    };
    let sums: Vec<String> = eventful()
        .into_iter()
        .map(|(endpoint, conditions)| {
            format!("{:016x}", fnv(serde_json::to_string(&play(endpoint, conditions, 1)).unwrap()))
        })
        .collect();
    assert_eq!(
        sums,
        ["ab3c43ff1e91642d", "2f8c8b51739c931c", "f76eab380ef6c33a", "c1144405add325ed"],
        "a change of the simulator changes every result that was obtained with it"
    );
}

#[test]
fn a_copy_goes_on_in_the_same_way() {
    for (endpoint, conditions) in eventful() {
        let mut run = Run::new(endpoint, 3);
        (0..10).for_each(|minute| drop(run.step(minute, &conditions)));
        let mut copy = run.clone();
        let json =
            |run: &mut Run| serde_json::to_string(&(10..20).map(|m| run.step(m, &conditions)).collect::<Vec<_>>());
        assert_eq!(json(&mut run).unwrap(), json(&mut copy).unwrap());
    }
}

#[test]
fn every_request_is_answered_once() {
    for (endpoint, conditions) in eventful() {
        let minutes = play(endpoint, conditions, 5);
        let sum = |read: fn(&Minute) -> u64| minutes.iter().map(read).sum::<u64>();
        assert_eq!(sum(|m| m.arrivals), sum(|m| m.invocations));
        assert_eq!(sum(|m| m.invocations), sum(|m| m.model_latency_us.count()));
        assert_eq!(sum(|m| m.invocations), sum(|m| m.overhead_latency_us.count()));
        assert_eq!(sum(|m| m.model_errors), sum(|m| m.errors_4xx + m.errors_5xx));
        assert!(
            minutes
                .iter()
                .all(|m| m.concurrent_requests.len() == 6 * m.instances && m.cpu_percent.len() == m.instances)
        );
        assert!(minutes.iter().all(|m| m.model_latency_us.maximum().unwrap_or(0.0) <= 60e6));
        assert_eq!(minutes.last().unwrap().concurrent_requests, [0; 12]);
    }
}

#[test]
fn utilisation_is_arrivals_times_work() {
    for discipline in [Discipline::Fifo { workers: 4 }, Discipline::ProcessorSharing { cores: 4 }] {
        let usual = minutes(Endpoint { discipline, ..Endpoint::USUAL }, busy(), 600);
        let per_minute = mean(usual.iter().map(|minute| minute.invocations as f64));
        near(cpu(&usual), 100.0 * (0.12 + 0.97 * per_minute / 60.0 * 0.2 / 2.0), 0.01);
    }
    // A container that is not made for its hardware shows less, and a GPU does the work of the cores.
    let half = minutes(Endpoint { utilization_at_saturation: 0.5, ..Endpoint::USUAL }, busy(), 100);
    near(cpu(&half), 400.0 * (0.03 + 0.97 * 0.5 * 0.6), 0.03);
    let with_gpus = minutes(Endpoint { gpus: 2, ..Endpoint::USUAL }, busy(), 100);
    near(cpu(&with_gpus), 400.0 * (0.03 + 0.97 * 0.1 * 0.6), 0.03);
    near(mean(with_gpus.iter().flat_map(|m| m.gpu_percent.clone())), 200.0 * (0.03 + 0.97 * 0.6), 0.03);
    near(mean(with_gpus.iter().flat_map(|m| m.gpu_memory_percent.clone())), 120.0, 0.01);
}

#[test]
fn nobody_waits_where_hardly_anybody_comes() {
    let quiet = minutes(Endpoint::USUAL, Conditions { arrivals_per_minute: 20.0, ..busy() }, 2_000);
    near(mean(quiet.iter().filter_map(|minute| minute.model_latency_us.average())), 0.2e6, 0.01);
}

#[test]
fn the_instance_with_the_fewest_requests_answers_sooner() {
    let p90 = |routing| {
        quantile(
            &minutes(
                Endpoint { routing, ..Endpoint::USUAL },
                Conditions { arrivals_per_minute: 2_000.0, ..busy() },
                300,
            ),
            0.9,
        )
    };
    assert!(p90(Routing::LeastOutstandingRequests) < 0.9 * p90(Routing::Random));
}

#[test]
fn a_queue_limit_refuses_at_once() {
    let overload = Conditions { arrivals_per_minute: 3_600.0, ..busy() };
    let limited = minutes(Endpoint { queue_limit: Some(8), ..Endpoint::USUAL }, overload, 30);
    near(mean(limited.iter().map(|m| m.errors_5xx as f64)), 1_200.0, 0.1);
    assert!(quantile(&limited, 1.0) < 3.0 && quantile(&limited, 0.2) < 0.01);
    assert!(limited.iter().all(|minute| *minute.concurrent_requests.iter().max().unwrap() <= 12));
}

#[test]
fn sagemaker_gives_up_after_a_minute() {
    let overload = minutes(Endpoint::USUAL, Conditions { arrivals_per_minute: 9_000.0, ..busy() }, 20);
    let last = overload.last().unwrap();
    near(last.invocations as f64, 9_000.0, 0.05);
    // The workers are busy with those who have waited for almost a minute: they answer nobody in time.
    assert_eq!(last.model_latency_us.quantile(0.1), Some(60e6));
    near(last.errors_5xx as f64, last.invocations as f64, 0.01);
    near(cpu(&overload), 400.0, 0.02);
    // Who is worked on already goes on after everybody has left.
    let mut run = Run::new(Endpoint { service: Service::Fixed(150.0), ..Endpoint::USUAL }, 1);
    let conditions = |arrivals_per_minute| Conditions { arrivals_per_minute, ..busy() };
    let seen: Vec<Minute> = [200.0, 0.0, 0.0, 0.0].map(|arrivals| run.step(0, &conditions(arrivals))).into();
    assert_eq!(seen[0].arrivals, seen[0].errors_5xx + seen[1].errors_5xx);
    near(cpu(&seen[1..2]), 400.0, 0.02);
    near(cpu(&seen[3..]), 12.0, 0.02);
}

#[test]
fn who_waits_holds_a_worker_but_no_core() {
    let waiting = Conditions { arrivals_per_minute: 600.0, wait_seconds: 0.8, ..busy() };
    let (fifo, sharing) =
        (Endpoint::USUAL, Endpoint { discipline: Discipline::ProcessorSharing { cores: 4 }, ..Endpoint::USUAL });
    near(cpu(&minutes(sharing, waiting, 200)), 400.0 * (0.03 + 0.97 * 0.25), 0.03);
    near(quantile(&minutes(sharing, waiting, 200), 0.5), 1.0, 0.03);
    // Five requests a second on each instance, of one second each: more than four workers can do.
    near(cpu(&minutes(fifo, waiting, 200)), 400.0 * (0.03 + 0.97 * 0.2), 0.03);
    assert!(quantile(&minutes(fifo, waiting, 60), 0.5) > 10.0);
    let some = minutes(sharing, Conditions { wait_share: 0.3, ..waiting }, 200);
    assert!(quantile(&some, 0.5) < 0.3 && quantile(&some, 0.9) > 0.8);
}

#[test]
fn a_lock_limits_what_a_container_can_do() {
    for discipline in [Discipline::Fifo { workers: 4 }, Discipline::ProcessorSharing { cores: 4 }] {
        let endpoint = Endpoint { discipline, ..Endpoint::USUAL };
        let locked = minutes(endpoint, Conditions { workers: Some(1), ..busy() }, 30);
        near(locked[3].cpu_percent[0], 400.0 * (0.03 + 0.97 * 0.25), 0.05);
        assert!(locked[10].model_latency_us.quantile(0.9).unwrap() > 10e6);
    }
}

#[test]
fn those_who_ask_again_come_on_top() {
    let retries = Some(Retries { timeout_seconds: 0.3, probability: 0.5, at_most: 2 });
    let quiet = Conditions { arrivals_per_minute: 120.0, ..busy() };
    let retried = minutes(Endpoint { retries, service: Service::Fixed(0.4), ..Endpoint::USUAL }, quiet, 300);
    // Everybody loses patience: half of them ask again, and half of those once more.
    near(mean(retried.iter().map(|minute| minute.arrivals as f64)), 120.0 * 1.75, 0.02);
    let patient = minutes(Endpoint { retries, service: Service::Fixed(0.2), ..Endpoint::USUAL }, quiet, 300);
    near(mean(patient.iter().map(|minute| minute.arrivals as f64)), 120.0, 0.03);
}

#[test]
fn new_instances_are_cold_for_a_while() {
    let cold = Some(Cold { factor: 4.0, seconds: 120.0 });
    let mut run = Run::new(Endpoint { cold, ..Endpoint::USUAL }, 1);
    let seen: Vec<Minute> = (0..10)
        .map(|minute| {
            run.step(
                minute,
                &Conditions { arrivals_per_minute: 400.0, instances: if minute < 4 { 1 } else { 2 }, ..busy() },
            )
        })
        .collect();
    let p90 = |minute: usize| seen[minute].model_latency_us.quantile(0.9).unwrap();
    assert!(p90(0) < 0.5e6 && p90(4) > 0.8e6 && p90(9) < 0.5e6);
    assert!(seen[4].cpu_percent[1] > 2.0 * seen[4].cpu_percent[0]);
    near(seen[9].cpu_percent[1], seen[9].cpu_percent[0], 0.3);
}

#[test]
fn an_instance_that_was_idle_is_cold_again() {
    let endpoint = Endpoint {
        cold: Some(Cold { factor: 5.0, seconds: 30.0 }),
        cold_after_idle_seconds: Some(60.0),
        service: Service::Fixed(0.1),
        ..Endpoint::USUAL
    };
    let rare = minutes(endpoint, Conditions { arrivals_per_minute: 0.2, instances: 1, ..busy() }, 2_000);
    near(quantile(&rare, 0.5), 0.5, 0.01);
    let steady = minutes(endpoint, Conditions { arrivals_per_minute: 60.0, instances: 1, ..busy() }, 200);
    near(quantile(&steady, 0.5), 0.1, 0.01);
}

#[test]
fn instances_that_leave_finish_what_they_have() {
    let mut run = Run::new(Endpoint { service: Service::Fixed(20.0), ..Endpoint::USUAL }, 1);
    let conditions = |instances, arrivals_per_minute| Conditions { instances, arrivals_per_minute, ..busy() };
    let before = run.step(0, &conditions(4, 24.0));
    let after = run.step(1, &conditions(1, 0.0));
    assert_eq!(before.arrivals, before.invocations + after.invocations);
    assert!(after.invocations > 2 && after.errors_5xx == 0);
}

#[test]
fn a_host_that_steals_time_slows_work_and_does_not_show_it() {
    let (fair, stolen) =
        (minutes(Endpoint::USUAL, busy(), 200), minutes(Endpoint::USUAL, Conditions { steal: 1.5, ..busy() }, 200));
    near(cpu(&stolen), cpu(&fair), 0.01);
    assert!(quantile(&stolen, 0.5) > 1.5 * quantile(&fair, 0.5));
}

#[test]
fn a_sick_instance_is_slow_and_shows_it_or_not() {
    let sick = Conditions { sick_instances: 1, sick_factor: 1.5, ..busy() };
    let seen = minutes(Endpoint::USUAL, sick, 200);
    let cpu =
        |minutes: &[Minute], instance: usize| mean(minutes.iter().map(|minute| minute.cpu_percent[instance])) - 12.0;
    near(cpu(&seen, 0), 1.5 * cpu(&seen, 1), 0.03);
    let hidden = minutes(Endpoint::USUAL, Conditions { sick_is_busy: false, ..sick }, 200);
    near(cpu(&hidden, 0), cpu(&hidden, 1), 0.03);
    assert_eq!(quantile(&hidden, 0.9), quantile(&seen, 0.9));
}

#[test]
fn bursts_keep_the_mean_and_raise_what_is_in_flight() {
    let most = |minutes: &[Minute]| {
        mean(minutes.iter().map(|minute| *minute.concurrent_requests.iter().max().unwrap() as f64))
    };
    let burst = Some(Burst { seconds: 12.0, factor: 6.0 });
    let (even, bursting) =
        (minutes(Endpoint::USUAL, busy(), 300), minutes(Endpoint::USUAL, Conditions { burst, ..busy() }, 300));
    near(mean(bursting.iter().map(|minute| minute.arrivals as f64)), BUSY, 0.01);
    assert!(most(&bursting) > 3.0 * most(&even), "{} {}", most(&bursting), most(&even));
}

#[test]
fn a_cache_hits_as_often_as_it_should() {
    let (capacity, models) = (20, 60);
    let endpoint = Endpoint {
        service: Service::Fixed(0.01),
        cache: Some(Cache { capacity, load_seconds: 0.001, zipf: 0.9 }),
        ..Endpoint::USUAL
    };
    let seen = minutes(endpoint, Conditions { models, ..busy() }, 200);
    let multi = seen.iter().map(|minute| minute.multi_model.as_ref().unwrap());
    let hits = multi.clone().map(|m| m.cache_hits).sum::<u64>() as f64
        / multi.clone().map(|m| m.loading_wait_us.count()).sum::<u64>() as f64;
    // Che's approximation: a model is there if it was asked for within the time in which `capacity` models were.
    let total: f64 = (1..=models).map(|k| (k as f64).powf(-0.9)).sum();
    let shares: Vec<f64> = (1..=models).map(|k| (k as f64).powf(-0.9) / total).collect();
    let held = |time: f64| shares.iter().map(|share| 1.0 - (-share * time).exp()).sum::<f64>();
    let time = (1..100_000).map(f64::from).find(|time| held(*time) >= capacity as f64).unwrap();
    near(hits, shares.iter().map(|share| share * (1.0 - (-share * time).exp())).sum(), 0.02);
    assert!(multi.clone().all(|m| m.loaded_models == [20, 20]));
    assert!(multi.clone().all(|m| m.loading_us.count() == m.downloading_us.count() && m.unloading_us.count() == m.loading_us.count()));
    // Few models are all there.
    let few = minutes(endpoint, Conditions { models: 15, ..busy() }, 20);
    assert!(few.iter().filter_map(|m| m.multi_model.as_ref()).all(|m| m.loading_wait_us.maximum() == Some(0.0)));
}
