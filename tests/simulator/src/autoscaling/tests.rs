//! What Application Auto Scaling does, decision by decision.

use super::*;

const TRACKED: TargetTracking = TargetTracking {
    metric: ScalingMetric::InvocationsPerInstance,
    target: 100.0,
    scale_out_cooldown_seconds: 300.0,
    scale_in_cooldown_seconds: 300.0,
    is_scale_in_disabled: false,
};

fn tracking(min: usize, max: usize) -> SetUp {
    SetUp { min, max, policies: vec![Policy::TargetTracking(TRACKED)], scheduled: Vec::new() }
}

fn load(invocations_per_instance: f64) -> Measured {
    Measured { invocations_per_instance: Some(invocations_per_instance), ..Measured::default() }
}

/// Plays minutes 0, 1, 2, … and answers how many instances served in each.
fn play(scaler: &mut Autoscaler, from: i64, measured: &[Measured]) -> Vec<usize> {
    (from..)
        .zip(measured)
        .map(|(minute, measured)| {
            let instances = scaler.begin_minute(minute);
            scaler.take(minute, measured);
            instances
        })
        .collect()
}

/// The requests of each minute shared by those who serve.
fn shared(scaler: &mut Autoscaler, from: i64, requests: &[f64]) -> Vec<usize> {
    (from..)
        .zip(requests)
        .map(|(minute, requests)| {
            let instances = scaler.begin_minute(minute);
            scaler.take(minute, &load(requests / instances as f64));
            instances
        })
        .collect()
}

/// Provisioning of less than half a minute takes the one minute that anything takes.
fn quick(set_up: SetUp, instances: usize) -> Autoscaler {
    Autoscaler::new(set_up, instances, 0.1, 1)
}

#[test]
fn three_minutes_above_the_target_scale_out_once_they_are_published() {
    // Minutes 2, 3 and 4 are above; the last of them can be read at the beginning of minute 6.
    let mut scaler = quick(tracking(1, 10), 2);
    let seen = [90.0, 90.0, 130.0, 130.0, 130.0, 130.0, 130.0, 65.0];
    let instances = play(&mut scaler, 0, &seen.map(load));
    assert_eq!(instances, [2, 2, 2, 2, 2, 2, 2, 3]);
    let activity = scaler.activities()[0];
    assert_eq!((activity.began, activity.ended, activity.from, activity.to), (6, Some(7), 2, 3));
    assert_eq!(activity.cause, Cause::Policy(0));
}

#[test]
fn two_minutes_above_or_exactly_the_target_do_nothing() {
    for seen in [[90.0, 500.0, 500.0, 90.0, 500.0, 500.0, 90.0, 90.0], [100.0; 8]] {
        let mut scaler = quick(tracking(1, 10), 2);
        assert_eq!(play(&mut scaler, 0, &seen.map(load)), [2; 8]);
    }
}

#[test]
fn the_new_count_brings_the_metric_back_to_the_target() {
    let mut scaler = quick(tracking(1, 10), 3);
    play(&mut scaler, 0, &[load(170.0), load(170.0), load(210.0), load(210.0), load(210.0)]);
    assert_eq!(scaler.activities()[0].to, 7, "3 instances of 210 at 100 each");
    let mut scaler = quick(tracking(1, 5), 3);
    play(&mut scaler, 0, &[load(210.0), load(210.0), load(210.0), load(210.0), load(210.0)]);
    assert_eq!(scaler.activities()[0].to, 5, "Max");
}

#[test]
fn fifteen_minutes_below_nine_tenths_scale_in() {
    let mut scaler = quick(tracking(1, 10), 4);
    let instances = play(&mut scaler, 0, &vec![load(60.0); 18]);
    // Minutes 0 to 14 are below; the last can be read at 16. 4 x 60 / 100 = 2.4.
    assert_eq!(instances[..16], [4; 16]);
    assert_eq!(instances[16..], [3, 3]);
    for (seen, why) in [(90.0, "exactly nine tenths"), (95.0, "between")] {
        let mut scaler = quick(tracking(1, 10), 4);
        assert_eq!(play(&mut scaler, 0, &vec![load(seen); 40]), [4; 40], "{why}");
    }
    let mut once_above = vec![load(60.0); 40];
    for minute in [12, 26, 39] {
        once_above[minute] = load(95.0);
    }
    assert_eq!(play(&mut quick(tracking(1, 10), 4), 0, &once_above), [4; 40]);
}

#[test]
fn missing_minutes_fire_nothing() {
    let nothing = vec![Measured::default(); 60];
    assert_eq!(play(&mut quick(tracking(1, 10), 4), 0, &nothing), [4; 60], "no scale-in");
    let gaps: Vec<Measured> =
        (0..60).map(|minute| if minute % 3 == 2 { Measured::default() } else { load(500.0) }).collect();
    assert_eq!(play(&mut quick(tracking(1, 10), 4), 0, &gaps), [4; 60], "no scale-out");
}

#[test]
fn the_scale_in_cooldown_holds_the_next_scale_in() {
    let mut scaler = quick(tracking(1, 10), 8);
    shared(&mut scaler, 0, &[400.0; 18]);
    assert_eq!((scaler.activities()[0].began, scaler.activities()[0].to), (16, 4));
    let set_up = SetUp {
        policies: vec![Policy::TargetTracking(TargetTracking { scale_in_cooldown_seconds: 1_200.0, ..TRACKED })],
        ..tracking(1, 10)
    };
    let mut scaler = quick(set_up, 8);
    shared(&mut scaler, 0, &[400.0; 18]);
    shared(&mut scaler, 18, &[150.0; 30]);
    // Below nine tenths from minute 18 on: fired at 34, held until 16 + 20.
    assert_eq!((scaler.activities()[1].began, scaler.activities()[1].to), (36, 2));
}

#[test]
fn within_its_cooldown_a_scale_out_counts_as_part_of_the_next() {
    let mut scaler = quick(tracking(1, 20), 2);
    // 400 requests: to 4 instances at minute 4, which serve from 5 on. 700 requests from then on: within the cooldown
    // the two instances from before are the base, and 2 x 175 / 100 is no more than there are.
    let mut instances = shared(&mut scaler, 0, &[400.0; 5]);
    instances.extend(shared(&mut scaler, 5, &[700.0; 9]));
    assert_eq!(instances[4..11], [2, 4, 4, 4, 4, 4, 4]);
    // The cooldown ends at minute 10: 4 x 175 / 100.
    assert_eq!((scaler.activities()[1].began, scaler.activities()[1].to), (10, 7));
    // A load that asks for more than the base and what it added goes through at once: 2 x 300 / 100.
    let mut scaler = quick(tracking(1, 20), 2);
    shared(&mut scaler, 0, &[400.0; 5]);
    shared(&mut scaler, 5, &[1_200.0; 5]);
    assert_eq!((scaler.activities()[1].began, scaler.activities()[1].to), (7, 6));
}

#[test]
fn nothing_is_decided_while_instances_start() {
    let mut scaler = Autoscaler::new(tracking(1, 20), 2, 10.0, 1);
    let instances = shared(&mut scaler, 0, &[400.0; 12]);
    let takes = scaler.activities()[0].ended.map_or(i64::MAX, |ended| ended - scaler.activities()[0].began);
    assert!(takes > 7, "{takes}: 10 minutes give or take a quarter");
    assert_eq!(instances[..11], [2; 11]);
    assert_eq!(scaler.activities().len(), 1);
    let mut scaler = Autoscaler::new(tracking(1, 20), 2, 10.0, 1);
    shared(&mut scaler, 0, &[400.0; 5]);
    assert_eq!(scaler.billed(), 4, "they are paid for from the start");
    let set_up = SetUp { min: 9, ..tracking(9, 20) };
    scaler.adopt(set_up);
    shared(&mut scaler, 5, &[400.0; 2]);
    assert_eq!(scaler.activities().len(), 1, "a new Min waits too");
}

#[test]
fn provisioning_differs_from_one_action_to_the_next() {
    let scheduled =
        (0..40).map(|hour| ScheduledAction { when: When::Once(hour * 60), min: Some(hour as usize + 2), max: None });
    let set_up = SetUp { max: 100, scheduled: scheduled.collect(), ..SetUp::fixed(1) };
    let mut scaler = Autoscaler::new(set_up, 1, 10.0, 1);
    play(&mut scaler, 0, &vec![Measured::default(); 2_400]);
    let took: Vec<i64> =
        scaler.activities().iter().filter_map(|activity| Some(activity.ended? - activity.began)).collect();
    assert_eq!(took.len(), 40);
    assert!(took.iter().all(|took| (7..=13).contains(took)), "{took:?}");
    assert!((9..=11).all(|minutes| took.contains(&minutes)), "{took:?}");
}

#[test]
fn bounds_hold_at_once_and_without_an_alarm() {
    let mut scaler = quick(tracking(3, 5), 1);
    assert_eq!(play(&mut scaler, 0, &[load(50.0), load(50.0)]), [1, 3]);
    assert_eq!(scaler.activities()[0].cause, Cause::Bounds);
    assert_eq!(play(&mut quick(tracking(1, 5), 9), 0, &[load(99.0)]), [5]);
}

#[test]
fn scheduled_actions_move_the_bounds_at_their_time() {
    let days = [true, true, true, true, true, false, false];
    let at =
        |minute_of_day, min| ScheduledAction { when: When::Weekly { minute_of_day, days }, min: Some(min), max: None };
    let set_up = SetUp { scheduled: vec![at(480, 4), at(1_200, 1)], ..tracking(1, 10) };
    let mut scaler = quick(set_up, 1);
    let week = vec![load(95.0); 7 * 1_440];
    let instances = play(&mut scaler, 0, &week);
    for day in 0..5 {
        assert_eq!((instances[day * 1_440 + 480], instances[day * 1_440 + 481]), (1 + 3 * usize::from(day > 0), 4));
    }
    let raised = scaler.activities().iter().filter(|activity| activity.to == 4).count();
    assert_eq!(raised, 1, "at 95 of 100 nothing scales in again");
    assert_eq!(scaler.set_up().min, 1);
}

#[test]
fn any_policy_scales_out_and_only_all_scale_in() {
    let on_cpu =
        Policy::TargetTracking(TargetTracking { metric: ScalingMetric::CpuUtilization, target: 200.0, ..TRACKED });
    let set_up = SetUp { policies: vec![Policy::TargetTracking(TRACKED), on_cpu], ..tracking(1, 20) };
    let both = |invocations, cpu| Measured { cpu_percent: Some(cpu), ..load(invocations) };
    let mut scaler = quick(set_up.clone(), 4);
    play(&mut scaler, 0, &vec![both(50.0, 260.0); 6]);
    assert_eq!((scaler.activities()[0].to, scaler.activities()[0].cause), (6, Cause::Policy(1)));
    let mut scaler = quick(set_up.clone(), 4);
    play(&mut scaler, 0, &vec![both(150.0, 400.0); 6]);
    assert_eq!((scaler.activities()[0].to, scaler.activities()[0].cause), (8, Cause::Policy(1)), "the larger");
    let mut scaler = quick(set_up.clone(), 4);
    assert_eq!(play(&mut scaler, 0, &vec![both(20.0, 190.0); 40]), [4; 40]);
    let mut scaler = quick(set_up, 4);
    play(&mut scaler, 0, &vec![both(20.0, 140.0); 17]);
    assert_eq!(scaler.activities()[0].to, 3, "4 x 140 / 200 is more than 4 x 20 / 100");
}

#[test]
fn scale_in_can_be_disabled() {
    let quiet = Policy::TargetTracking(TargetTracking { is_scale_in_disabled: true, ..TRACKED });
    let mut scaler = quick(SetUp { policies: vec![quiet.clone()], ..tracking(1, 20) }, 4);
    assert_eq!(play(&mut scaler, 0, &vec![load(5.0); 40]), [4; 40]);
    let mut scaler = quick(SetUp { policies: vec![quiet, Policy::TargetTracking(TRACKED)], ..tracking(1, 20) }, 4);
    play(&mut scaler, 0, &vec![load(60.0); 20]);
    assert_eq!(scaler.activities()[0].to, 3, "such a policy keeps no other from it");
}

fn surge() -> StepScaling {
    StepScaling {
        metric: ScalingMetric::InvocationsPerInstance,
        threshold: 130.0,
        is_below: false,
        minutes: 1,
        of_them: 1,
        steps: vec![
            Step { from: 0.0, below: 70.0, adjustment: 50.0 },
            Step { from: 70.0, below: f64::INFINITY, adjustment: 100.0 },
        ],
        is_percent: true,
        at_least: 1,
        cooldown_seconds: 120.0,
    }
}

#[test]
fn steps_add_by_how_far_the_metric_is_beyond() {
    for (seen, expected) in [(131.0, Some(6)), (199.0, Some(6)), (200.0, Some(8)), (130.0, None)] {
        let mut scaler = quick(SetUp { policies: vec![Policy::Step(surge())], ..tracking(1, 20) }, 4);
        play(&mut scaler, 0, &[load(seen), load(90.0), load(90.0)]);
        let first = scaler.activities().first().map(|activity| (activity.began, activity.to));
        assert_eq!(first, expected.map(|to| (2, to)), "{seen}");
    }
    let mut scaler = quick(SetUp { policies: vec![Policy::Step(surge())], ..tracking(1, 20) }, 1);
    play(&mut scaler, 0, &[load(150.0), load(90.0), load(90.0)]);
    assert_eq!(scaler.activities()[0].to, 2, "half an instance is one");
}

#[test]
fn steps_beside_a_target_do_not_hold_its_scale_in() {
    let policies = vec![Policy::TargetTracking(TRACKED), Policy::Step(surge())];
    let mut scaler = quick(SetUp { policies, ..tracking(1, 20) }, 4);
    play(&mut scaler, 0, &vec![load(60.0); 20]);
    assert_eq!(scaler.activities()[0].to, 3);
    let fewer = StepScaling {
        threshold: 50.0,
        is_below: true,
        minutes: 5,
        of_them: 5,
        steps: vec![Step { from: f64::NEG_INFINITY, below: 0.0, adjustment: -1.0 }],
        is_percent: false,
        ..surge()
    };
    let mut scaler = quick(SetUp { policies: vec![Policy::Step(fewer)], ..tracking(1, 20) }, 4);
    play(&mut scaler, 0, &vec![load(40.0); 10]);
    let all: Vec<(i64, usize)> = scaler.activities().iter().map(|activity| (activity.began, activity.to)).collect();
    assert_eq!(all, [(6, 3), (8, 2)], "two minutes apart");
}

#[test]
fn requests_in_flight_count_in_tens_of_seconds() {
    let policy =
        Policy::TargetTracking(TargetTracking { metric: ScalingMetric::ConcurrentRequests, target: 4.0, ..TRACKED });
    let set_up = SetUp { policies: vec![policy], ..tracking(1, 20) };
    let in_flight = |values: [f64; 6]| Measured { concurrent_requests: values.to_vec(), ..Measured::default() };
    let mut scaler = quick(set_up.clone(), 2);
    play(&mut scaler, 0, &[in_flight([1.0, 1.0, 1.0, 5.0, 6.0, 8.0]), in_flight([1.0; 6])]);
    assert_eq!((scaler.activities()[0].began, scaler.activities()[0].to), (1, 4), "no minute of delay");
    let mut scaler = quick(set_up, 2);
    play(&mut scaler, 0, &[in_flight([9.0, 9.0, 9.0, 9.0, 9.0, 4.0]), in_flight([1.0; 6])]);
    assert_eq!(scaler.activities(), []);
}

#[test]
fn policies_that_stay_keep_their_datapoints() {
    let mut scaler = quick(tracking(1, 10), 4);
    play(&mut scaler, 0, &vec![load(60.0); 14]);
    scaler.adopt(tracking(2, 12));
    play(&mut scaler, 14, &vec![load(60.0); 4]);
    assert_eq!(scaler.activities()[0].began, 16);
    let mut scaler = quick(tracking(1, 10), 4);
    play(&mut scaler, 0, &vec![load(60.0); 14]);
    let other = Policy::TargetTracking(TargetTracking { target: 110.0, ..TRACKED });
    scaler.adopt(SetUp { policies: vec![other], ..tracking(1, 10) });
    play(&mut scaler, 14, &vec![load(60.0); 20]);
    assert_eq!(scaler.activities()[0].began, 14 + 16);
}
