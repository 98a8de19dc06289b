//! Application Auto Scaling as the emulator plays it: each rule by itself, and what must hold whatever is played.

use crate::endpoint::{self, observed, scheduled, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, Capacity, DeleteScalingPolicy, InstanceCount, InvocationsPerInstance, LatencyCurve, Microseconds, Minute,
    Observation, ScalableTarget, ScalingState, Series, Spread, WorkByMinute,
};
use endpoint_advisor::replay::{
    AlarmRule, Compiled, Draw, Emulator, Metric, Replay, Rule, Setup, Steps, Timed, Traffic, Usage,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const LIKELY: Draw = Draw { capacity: 1.0, boot_minutes: 5.0 };

fn curve() -> LatencyCurve {
    LatencyCurve {
        base: Microseconds(200e3),
        waiting: Microseconds(40e3),
        shape: 2.0,
        saturation: InvocationsPerInstance(1_000.0),
        spread: vec![Spread { up_to: InvocationsPerInstance(f64::MAX), deviation: 0.05 }],
        regimes: Vec::new(),
    }
}

/// An endpoint that saturates at 1,000 per instance and minute; 500 ms are reached at 900 or so.
fn emulator(offered: &[f64]) -> Emulator {
    let unknown = vec![f64::NAN; offered.len()];
    let traffic = Traffic {
        first: Minute(0),
        offered: offered.to_vec(),
        instances: unknown.clone(),
        missed: unknown,
        work: None,
    };
    Emulator::new(&traffic, &curve(), Microseconds(500e3), None)
}

/// The same endpoint where requests take `work` times the usual; each invocation uses 0.1 % of it.
fn of_work(offered: &[f64], work: &[f64]) -> Emulator {
    let unknown = vec![f64::NAN; offered.len()];
    let work = WorkByMinute { first: Minute(0), smooth: work.to_vec(), measured: work.to_vec() };
    let traffic = Traffic {
        first: Minute(0),
        offered: offered.to_vec(),
        instances: unknown.clone(),
        missed: unknown,
        work: Some(work),
    };
    let usage = Usage { idle: 0.0, each: 0.1, full: 100.0 };
    Emulator::new(&traffic, &curve(), Microseconds(500e3), Some(usage))
}

fn tracking(target: f64, out_cooldown: i64, in_cooldown: i64) -> Rule {
    Rule::Tracking {
        metric: Metric::InvocationsPerInstance,
        target,
        high: AlarmRule { threshold: target, of: 3, needed: 3, is_high: true },
        low: Some(AlarmRule { threshold: 0.9 * target, of: 15, needed: 15, is_high: false }),
        out_cooldown,
        in_cooldown,
    }
}

fn setup(rules: Vec<Rule>, min: f64, max: f64) -> Compiled {
    Compiled { min, max, rules, timed: Vec::new(), is_out_suspended: false, is_in_suspended: false }
}

/// Instances in service, minute by minute.
fn counts(emulator: &Emulator, setup: &Compiled, start: f64) -> Vec<f64> {
    let mut counts = Vec::new();
    emulator.play(setup, start, LIKELY, |step| counts.push(step.serving));
    counts
}

/// The minutes in which the count changed, and to what.
fn changes(counts: &[f64]) -> Vec<(usize, f64)> {
    counts.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]).map(|(at, pair)| (at + 1, pair[1])).collect()
}

#[test]
fn three_minutes_above_the_target_add_instances_after_delay_and_boot() {
    // Minutes 10, 11 and 12 are above; the last of them is known at the beginning of 14, and instances take 5 minutes.
    let offered: Vec<f64> = (0..40).map(|minute| if minute < 10 { 400.0 } else { 1_500.0 }).collect();
    let patient = counts(&emulator(&offered), &setup(vec![tracking(600.0, 5, 5)], 1.0, 8.0), 1.0);
    assert_eq!(changes(&patient), [(19, 3.0)]);
    // A cooldown shorter than the metric's delay multiplies the new count with the old load per instance.
    let hasty = counts(&emulator(&offered), &setup(vec![tracking(600.0, 1, 5)], 1.0, 8.0), 1.0);
    assert_eq!(changes(&hasty), [(19, 3.0), (25, 8.0), (36, 3.0)]);
}

#[test]
fn two_minutes_above_the_target_do_nothing() {
    let offered: Vec<f64> = (0..60).map(|minute| if minute % 6 < 2 { 1_500.0 } else { 300.0 }).collect();
    assert_eq!(changes(&counts(&emulator(&offered), &setup(vec![tracking(1_100.0, 1, 5)], 1.0, 8.0), 1.0)), []);
}

#[test]
fn fifteen_minutes_below_nine_tenths_remove_instances_at_once_and_the_cooldown_holds_the_next() {
    let offered: Vec<f64> = (0..60).map(|minute| if minute < 30 { 580.0 } else { 200.0 }).collect();
    let counts = counts(&emulator(&offered), &setup(vec![tracking(300.0, 1, 5)], 1.0, 8.0), 4.0);
    // 580 on 4 are below 270 from the beginning: two are enough. From 30 on 100 on each, and 15 of those are known at 46.
    assert_eq!(changes(&counts), [(16, 2.0), (46, 1.0)]);
    let just_above = vec![1_090.0; 60];
    assert_eq!(changes(&self::counts(&emulator(&just_above), &setup(vec![tracking(300.0, 1, 5)], 1.0, 8.0), 4.0)), []);
}

#[test]
fn any_policy_adds_and_only_all_together_remove() {
    let busy = vec![1_000.0; 60];
    let both = vec![tracking(900.0, 1, 5), tracking(400.0, 1, 5)];
    // One alone would keep two, the other wants three.
    assert_eq!(counts(&emulator(&busy), &setup(both.clone(), 1.0, 8.0), 2.0).last(), Some(&3.0));
    let quiet = vec![800.0; 60];
    assert_eq!(counts(&emulator(&quiet), &setup(both, 1.0, 8.0), 4.0).last(), Some(&2.0), "the larger wish");
}

#[test]
fn missing_data_never_removes_an_instance() {
    let offered: Vec<f64> = (0..300).map(|minute| if minute % 10 == 0 { f64::NAN } else { 50.0 }).collect();
    let setup = setup(vec![tracking(600.0, 1, 5)], 1.0, 8.0);
    assert_eq!(changes(&counts(&emulator(&offered), &setup, 4.0)), []);
    assert_eq!(counts(&emulator(&[0.0; 60]), &setup, 4.0).last(), Some(&1.0), "no traffic is data");
}

#[test]
fn a_schedule_moves_the_floor_and_suspension_stops_policies() {
    let offered = vec![100.0; 120];
    let floor = |minute, min| Timed { minute, min: Some(min), max: None };
    let scheduled =
        Compiled { timed: vec![floor(20, 3.0), floor(60, 1.0)], ..setup(vec![tracking(600.0, 1, 5)], 1.0, 8.0) };
    assert_eq!(changes(&counts(&emulator(&offered), &scheduled, 1.0)), [(25, 3.0), (60, 1.0)]);
    let suspended = Compiled { is_in_suspended: true, ..scheduled };
    assert_eq!(changes(&counts(&emulator(&offered), &suspended, 1.0)), [(25, 3.0)]);
}

#[test]
fn a_step_policy_adds_its_share() {
    let offered: Vec<f64> = (0..30).map(|minute| if minute < 10 { 400.0 } else { 3_000.0 }).collect();
    let surge = Rule::Stepping {
        metric: Metric::InvocationsPerInstance,
        alarm: AlarmRule { threshold: 600.0, of: 1, needed: 1, is_high: true },
        steps: Steps::by_percent(vec![(0.0, f64::INFINITY, 100.0)], 1.0),
        cooldown: 2,
    };
    let counts = counts(&emulator(&offered), &setup(vec![surge], 2.0, 8.0), 2.0);
    assert_eq!(changes(&counts).first(), Some(&(17, 4.0)), "one minute, its delay and the boot");
}

#[test]
fn a_slower_boot_and_a_smaller_capacity_cost_minutes() {
    let offered: Vec<f64> = (0..1_440).map(|minute| 900.0 + 800.0 * (f64::from(minute) / 30.0).sin()).collect();
    let emulator = emulator(&offered);
    let setup = setup(vec![tracking(700.0, 1, 5)], 1.0, 8.0);
    let over = |draw| emulator.run(&setup, 1.0, draw).over_minutes();
    let likely = over(LIKELY);
    assert!(over(Draw { boot_minutes: 12.0, ..LIKELY }) > likely);
    assert!(over(Draw { capacity: 0.85, ..LIKELY }) > likely);
}

#[test]
fn a_set_up_survives_json_and_says_what_cannot_be_replayed() {
    let setup = Setup::tracking("SageMakerVariantInvocationsPerInstance", 900.0, InstanceCount(1), InstanceCount(4));
    let json = serde_json::to_string(&setup).unwrap();
    assert_eq!(serde_json::from_str::<Setup>(&json).unwrap(), setup);
    assert!(setup.compile(Minute(0), 100, None).is_ok());
    let mut other = setup.clone();
    other.policies[0].target_tracking.as_mut().unwrap().metric = Some("MyApp/Queue".to_owned());
    assert!(
        other
            .compile(Minute(0), 100, Some("/aws/sagemaker/Endpoints/CPUUtilization"))
            .unwrap_err()
            .to_string()
            .contains("cannot be worked out")
    );
    let timed = scheduled("odd", "rate(7 minutes)", 2);
    let odd = Setup { scheduled_actions: vec![timed], ..setup.clone() };
    assert!(
        odd.compile(Minute(0), 100, Some("/aws/sagemaker/Endpoints/CPUUtilization"))
            .unwrap_err()
            .to_string()
            .contains("`odd`")
    );
    let upside_down = Setup { min_capacity: InstanceCount(9), ..setup };
    assert!(upside_down.compile(Minute(0), 100, Some("/aws/sagemaker/Endpoints/CPUUtilization")).is_err());
}

#[test]
fn a_replay_of_the_recorded_counts_comes_close_to_what_happened() {
    let observation = crate::endpoint::observed("overload");
    let capacity: Capacity = endpoint_advisor::capacity::capacity(&observation).unwrap();
    let validation = Replay::of(&observation, &capacity).unwrap().validate();
    assert!(validation.passed, "{validation:?}");
    assert!((validation.recorded_violation_minutes - validation.replayed_violation_minutes).abs() < 5.0);
}

/// CloudWatch publishes a minute or two late, so the last of them are missing whenever somebody asks.
#[test]
fn a_day_is_a_day_though_its_last_minutes_are_not_published_yet() {
    let observation = crate::endpoint::observed_for("overload", 1);
    let end = Minute::containing(observation.at);
    let published = |hours: i64, late: i64| {
        let mut observation = observation.clone();
        for series in &mut observation.metrics.0 {
            let (first, last) = (end.plus(-60 * hours), end.plus(-late));
            let values = (0..last.since(first)).map(|index| series.at(first.plus(index))).collect();
            *series = Series::new(series.metric, series.statistic, first, values);
        }
        explain(&observation, &settings(&[])).plan
    };
    for late in [0, 1, 3] {
        assert_eq!(published(24, late).forecast.map(|forecast| forecast.days), Some(1), "{late} minutes late");
    }
    let short = published(22, 1);
    assert!(
        short.forecast.is_none() && short.reasoning.iter().any(|fact| fact.contains("less than 24 hours of history"))
    );
}

#[test]
fn a_forecast_is_shown_only_where_the_replay_can_be_trusted() {
    let mut observation = crate::endpoint::observed("overload");
    let advise = |observation: &Observation| explain(observation, &settings(&[]));
    let forecast = advise(&observation).plan.forecast.unwrap();
    assert!(
        forecast.validation.passed && forecast.planned.slo_violation_minutes <= forecast.current.slo_violation_minutes
    );
    // A policy of somebody else's that would have added instances long ago, had it stood then.
    let policy = Setup::tracking("SageMakerVariantInvocationsPerInstance", 200.0, InstanceCount(2), InstanceCount(9))
        .policies
        .remove(0);
    let scaling = observation.scaling.as_mut().unwrap();
    scaling.policies = vec![policy];
    scaling.target = Some(ScalableTarget {
        arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
        min_capacity: InstanceCount(2),
        max_capacity: InstanceCount(9),
        ..ScalableTarget::default()
    });
    let report = advise(&observation);
    assert_eq!((report.plan.action, &report.plan.forecast), (Action::Scale, &None));
    assert!(report.plan.reasoning.iter().any(|line| line.starts_with("no forecast is shown")), "{report:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn a_replay_stays_within_the_range_whatever_comes(
        offered in prop::collection::vec(
            prop_oneof![8 => 0.0..20_000.0_f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => Just(1e11)], 200..600,
        ),
        target in 1.0..2_000.0_f64, min in 1_u32..4, extra in 0_u32..6, boot in 1.0..30.0_f64,
    ) {
        let (min, max) = (f64::from(min), f64::from(min + extra));
        let setup = setup(vec![tracking(target, 1, 5)], min, max);
        let draw = Draw { boot_minutes: boot, ..LIKELY };
        emulator(&offered).play(&setup, min, draw, |step| {
            assert!((min..=max).contains(&step.serving) && (min..=max).contains(&step.paid));
            assert!((0.0..=1.0).contains(&step.over), "{}", step.over);
        });
    }
}

#[test]
fn heavier_requests_are_slower_and_show_in_utilisation_only() {
    // As many requests all the time; from the twentieth minute on each takes twice the work.
    let offered = [1_000.0; 60];
    let work: Vec<f64> = (0..60).map(|minute| if minute < 20 { 1.0 } else { 2.0 }).collect();
    let emulator = of_work(&offered, &work);
    let on_requests = setup(vec![tracking(600.0, 1, 5)], 1.0, 8.0);
    assert_eq!(changes(&counts(&emulator, &on_requests, 2.0)), [], "the number of requests did not change");
    let late = emulator.run(&on_requests, 2.0, LIKELY).over_minutes();
    assert!(late > 35.0, "1,000 usual requests for each instance are more than it takes: {late}");
    let mut rule = tracking(60.0, 1, 5);
    if let Rule::Tracking { metric, .. } = &mut rule {
        *metric = Metric::Utilization;
    }
    let on_use = setup(vec![rule], 1.0, 8.0);
    // Full at once, and no more than full is shown: 2 instances at 100 % of a target of 60 %.
    assert_eq!(counts(&emulator, &on_use, 2.0).last(), Some(&4.0));
    assert!(emulator.run(&on_use, 2.0, LIKELY).over_minutes() < 0.5 * late);
}

#[test]
fn what_a_plan_makes_has_its_policies_and_those_that_it_leaves() {
    let policy = |name: &str| endpoint::tracking(name, "AWS/SageMaker/InvocationsPerInstance", 9.0);
    let mut plan = explain(&observed("overload"), &settings(&[])).plan;
    let put = plan.put_scaling_policies[0].to_policy();
    let key = plan.register_scalable_target.as_ref().unwrap().key();
    plan.delete_scaling_policies = vec![DeleteScalingPolicy {
        policy_name: "gone".to_owned(),
        service_namespace: key.service_namespace,
        resource_id: key.resource_id,
        scalable_dimension: key.scalable_dimension,
    }];
    let policies = vec![policy("theirs"), policy("gone"), policy(&put.policy_name)];
    plan.based_on = Some(ScalingState { policies, ..ScalingState::default() });
    assert_eq!(Setup::planned(&plan).unwrap().policies, [policy("theirs"), put]);
    plan.register_scalable_target = None;
    assert!(Setup::planned(&plan).is_none(), "it holds");
}
