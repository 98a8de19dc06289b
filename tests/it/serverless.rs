//! Serverless variants: what is said of them, what is planned, and what a later look finds.

use crate::convergence::applied;
use crate::endpoint::{at, observed, settings, without};
use crate::follow_up::{look, opened_on, phase, status};
use crate::scenarios::{check, with_target};
use endpoint_advisor::advise::explain;
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::model::{
    Action, HoldReason, Hosting, Incident, InstanceCount, Metric, Metrics, Milliseconds, Minute, Observation,
    OutcomeStatus, Phase, Plan, ScalingPolicy, Series, Serverless, Statistic, TargetTracking, UsdPerHour, Variant,
    VariantWeight, Verdict,
};
use endpoint_advisor::replay::Replay;
use endpoint_advisor::report::text;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use simulator::suite::{SERVERLESS_FAMILIES, ServerlessFamily, Set, serverless_incident};
use simulator::{ServerlessConditions, ServerlessEndpoint, ServerlessMinute, ServerlessRun, serverless_published};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Everything of an observation that the way of hosting does not change.
static USUAL: LazyLock<Observation> = LazyLock::new(|| observed("hardly-used"));

/// A day and three hours of `orders/AllTraffic` as a serverless variant with the trouble of this family.
pub fn serverless(family: &ServerlessFamily, replicate: u64) -> Observation {
    let incident = serverless_incident(family, Set::Development, replicate);
    let mut observation = of(&incident.endpoint, incident.provisioned, &incident.minutes);
    if let Some(ago) = incident.deployed_minutes_ago {
        let deployed = Minute::containing(at()).plus(-ago).start();
        observation.endpoint.endpoint_config_created_at = Some(deployed);
    }
    observation.objective.as_mut().unwrap().latency_slo_ms = Milliseconds(incident.objective_ms.round());
    observation
}

/// `orders/AllTraffic` as a serverless variant with these minutes.
fn of(endpoint: &ServerlessEndpoint, provisioned: usize, minutes: &[ServerlessMinute]) -> Observation {
    let mut observation = USUAL.clone();
    observation.hosting = Hosting::Serverless;
    observation.variant = Variant {
        serverless: Some(Serverless {
            memory_size_in_mb: endpoint.memory_size_in_mb,
            max_concurrency: u32::try_from(endpoint.max_concurrency).unwrap(),
            provisioned_concurrency: Some(u32::try_from(provisioned).unwrap()).filter(|units| *units > 0),
        }),
        model_name: Some("orders".to_owned()),
        ..Variant::default()
    };
    observation.endpoint.weights = vec![VariantWeight {
        variant_name: observation.variant_name.clone().unwrap(),
        current_weight: 1.0,
        desired_weight: 1.0,
    }];
    let first = Minute::containing(at()).plus(-i64::try_from(minutes.len()).unwrap());
    let series = serverless_published(minutes).into_iter().filter_map(|published| {
        Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values))
    });
    observation.metrics = Metrics(series.collect());
    observation
}

/// What the advisor calls a metric or a statistic, if it knows it.
fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// The family of this name.
pub fn family(name: &str) -> &'static ServerlessFamily {
    SERVERLESS_FAMILIES.iter().find(|family| family.name == name).unwrap()
}

#[test]
fn each_trouble_is_named() {
    const EACH: u64 = 4;
    let mut wrong = Vec::new();
    for family in SERVERLESS_FAMILIES {
        for replicate in 0..EACH {
            let report = explain(&serverless(family, replicate), &settings(&[]));
            let said = (report.diagnosis.verdict.name(), report.diagnosis.sub_cause.as_deref());
            let is_right = said.0 == family.verdict && family.sub_cause.is_none_or(|wanted| said.1 == Some(wanted));
            if !is_right {
                wrong.push(format!("{} {replicate}: {said:?}\n{}", family.name, text::render(&report)));
            }
        }
    }
    let all = SERVERLESS_FAMILIES.len() * usize::try_from(EACH).unwrap();
    assert!(wrong.len() * 20 <= all, "{} of {all} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

fn plan(observation: &Observation, variables: &[(&str, &str)]) -> Plan {
    explain(observation, &settings(variables)).plan
}

/// More requests at once than provisioned concurrency, again and again.
fn spilling() -> Observation {
    serverless(family("serverless_spillover"), 0)
}

#[test]
fn cold_starts_after_hours_without_requests() {
    let observation = serverless(family("serverless_after_idle"), 0);
    check("serverless-cold-after-idle", &observation, Verdict::ColdStart, &[]);
}

#[test]
fn as_many_requests_at_once_as_it_may_have() {
    let observation = serverless(family("serverless_growth"), 0);
    check("serverless-at-max-concurrency", &observation, Verdict::ServerlessConcurrencyLimit, &[]);
}

#[test]
fn more_requests_at_once_than_provisioned_concurrency() {
    check("serverless-spillover", &spilling(), Verdict::ColdStart, &[("ADVISOR_MAX_INSTANCES", "40")]);
}

#[test]
fn a_model_that_is_slow_in_a_small_memory_size() {
    let observation = serverless(family("serverless_small_memory"), 0);
    check("serverless-slow-in-small-memory", &observation, Verdict::SlowModel, &[]);
}

#[test]
fn no_cause_of_instances_is_ever_considered() {
    let of_instances = [
        Verdict::Overload,
        Verdict::Burst,
        Verdict::UnevenLoad,
        Verdict::ContainerConcurrencyLimit,
        Verdict::ModelLoading,
    ];
    for name in ["serverless_growth", "serverless_slower", "serverless_spillover"] {
        let diagnosis = explain(&serverless(family(name), 0), &settings(&[])).diagnosis;
        let named = diagnosis.alternatives.iter().map(|other| other.verdict).chain([diagnosis.verdict]);
        assert!(named.into_iter().all(|verdict| !of_instances.contains(&verdict)), "{name}");
    }
}

#[test]
fn cold_starts_that_are_not_published_are_not_claimed() {
    let observation = without(serverless(family("serverless_after_idle"), 0), Metric::ModelSetupTime);
    let diagnosis = explain(&observation, &settings(&[])).diagnosis;
    assert_ne!(diagnosis.verdict, Verdict::ColdStart);
    // Nothing at all is no calm either.
    let mut silent = observation;
    silent.metrics.0.clear();
    assert_eq!(explain(&silent, &settings(&[])).diagnosis.verdict, Verdict::InsufficientData);
}

#[test]
fn an_alarm_on_overhead_needs_no_objective() {
    let mut observation = spilling();
    observation.objective = None;
    let report = explain(&observation, &settings(&[("ADVISOR_MAX_INSTANCES", "40")]));
    assert_eq!((report.diagnosis.verdict, report.plan.action), (Verdict::ColdStart, Action::Scale));
    assert_eq!(report.capacity, None);
}

#[test]
fn an_applied_plan_is_unchanged() {
    let before = spilling();
    let many = [("ADVISOR_MAX_INSTANCES", "40")];
    let first = plan(&before, &many);
    let after = explain(&applied(&before, &first), &settings(&many));
    assert_eq!(
        (after.plan.action, after.outcome.status),
        (Action::Scale, OutcomeStatus::Unchanged),
        "{:?}",
        after.plan
    );
    assert_eq!(after.plan.relax, first.relax);
}

#[test]
fn a_plan_keeps_within_max_concurrency_and_the_guardrails() {
    let units = |observation: &Observation, most: &str| {
        let register = plan(observation, &[("ADVISOR_MAX_INSTANCES", most)]).register_scalable_target.unwrap();
        assert_eq!(register.scalable_dimension, "sagemaker:variant:DesiredProvisionedConcurrency");
        assert!(register.min_capacity <= register.max_capacity);
        register.max_capacity
    };
    let mut observation = spilling();
    assert_eq!(units(&observation, "9"), InstanceCount(9));
    observation.variant.serverless.as_mut().unwrap().max_concurrency = 12;
    assert!(units(&observation, "1000") <= InstanceCount(12));
    let hold = |variables: &[(&str, &str)]| plan(&observation, variables).hold_reason;
    assert_eq!(hold(&[("ADVISOR_MAX_INSTANCES", "2")]), Some(HoldReason::GuardrailBelowCurrent));
    // A limit that cannot be evaluated refuses.
    assert_eq!(hold(&[("ADVISOR_MAX_HOURLY_USD", "100")]), Some(HoldReason::PriceUnknown));
    observation.instance_price = Some(UsdPerHour(0.09));
    assert!(plan(&observation, &[("ADVISOR_MAX_HOURLY_USD", "0.81")]).hold_reason.is_none());
    let dear = plan(&observation, &[("ADVISOR_MAX_HOURLY_USD", "0.50")]);
    assert_eq!(dear.hold_reason, Some(HoldReason::GuardrailBelowCurrent), "six units are set");
}

#[test]
fn an_incident_lowers_nothing() {
    let observation = with_target(spilling(), 9, 30, None);
    let register = plan(&observation, &[("ADVISOR_MAX_INSTANCES", "40")]).register_scalable_target.unwrap();
    assert!(register.min_capacity >= InstanceCount(9) && register.max_capacity >= InstanceCount(30));
}

#[test]
fn a_policy_of_somebody_else_on_the_same_metric_is_left_alone() {
    let theirs = ScalingPolicy {
        policy_name: "theirs".to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: Some("SageMakerVariantProvisionedConcurrencyUtilization".to_owned()),
            target_value: 0.9,
            scale_out_cooldown: None,
            scale_in_cooldown: None,
            disable_scale_in: false,
            customized: None,
        }),
        ..ScalingPolicy::default()
    };
    let plan = plan(&with_target(spilling(), 1, 20, Some(theirs)), &[("ADVISOR_MAX_INSTANCES", "40")]);
    assert_eq!(plan.put_scaling_policies, []);
    assert!(plan.advice[0].contains("`theirs`"), "{:?}", plan.advice);
}

#[test]
fn only_cold_starts_lead_to_a_change() {
    for (name, reason) in [
        ("serverless_fine", HoldReason::NothingToDo),
        ("serverless_growth", HoldReason::MaxConcurrencyNotScaled),
        ("serverless_after_idle", HoldReason::ProvisionedConcurrencyNotSet),
        ("serverless_slower", HoldReason::ProvisionedConcurrencyWillNotHelp),
        ("serverless_model_errors", HoldReason::ProvisionedConcurrencyWillNotHelp),
        ("serverless_memory", HoldReason::ProvisionedConcurrencyWillNotHelp),
    ] {
        assert_eq!(plan(&serverless(family(name), 0), &[]).hold_reason, Some(reason), "{name}");
    }
}

/// A day and three hours with so many units of provisioned concurrency, busier by day.
fn day(provisioned: usize) -> (ServerlessEndpoint, Vec<ServerlessMinute>) {
    let endpoint = ServerlessEndpoint {
        max_concurrency: 60,
        memory_size_in_mb: 2_048,
        service_seconds: 1.2,
        service_cv: 0.3,
        setup_seconds: 6.0,
        keep_warm_seconds: 300.0,
    };
    let mut run = ServerlessRun::new(endpoint, 11);
    let minutes = (0..1_620_i32).map(|minute| {
        let hour = f64::from(minute) / 60.0;
        let arrivals_per_minute = 160.0 * (1.0 + 0.7 * (std::f64::consts::TAU * (hour - 9.0) / 24.0).sin());
        let conditions = ServerlessConditions { arrivals_per_minute, provisioned, ..ServerlessConditions::default() };
        run.step(i64::from(minute), &conditions)
    });
    (endpoint, minutes.collect())
}

/// Minutes in which one request in fifty found no unit idle.
fn short(minutes: &[ServerlessMinute]) -> f64 {
    let is_short = |minute: &&ServerlessMinute| minute.invocations > 0 && 50 * minute.spillover >= minute.invocations;
    f64::from(u32::try_from(minutes.iter().filter(is_short).count()).unwrap())
}

#[test]
fn what_is_foretold_of_other_units_is_what_comes() {
    let (endpoint, minutes) = day(5);
    let mut observation = of(&endpoint, 5, &minutes);
    observation.objective.as_mut().unwrap().latency_slo_ms = Milliseconds(3_000.0);
    let replay = Replay::of(&observation, &capacity(&observation).unwrap()).unwrap();
    assert!(replay.validate().passed, "{:?}", replay.validate());
    let mut last = f64::INFINITY;
    for units in [3, 4, 5, 6, 7, 8, 10] {
        let came = short(&day(units).1);
        let counts = vec![f64::from(u32::try_from(units).unwrap()); minutes.len()];
        let foretold = replay.emulator.run_counts(&counts, replay.likely()).over_minutes();
        // Half as wide as what a forecast says of itself: `Replay::project`.
        assert!((foretold - came).abs() <= 15.0_f64.max(0.3 * came), "{units} units: {foretold} foretold, {came} came");
        assert!(foretold <= last, "more units are never worse");
        last = foretold;
    }
}

/// Some minutes later, with as many requests, of which this share spills over.
fn later(observation: &Observation, minutes: i64, spilled: f64) -> Observation {
    let mut after = observation.clone();
    let first = Minute::containing(after.at);
    after.at += SignedDuration::from_mins(minutes);
    let invocations = after.metrics.at(Metric::Invocations, Statistic::Sum, first.plus(-1)).unwrap();
    for series in &mut after.metrics.0 {
        let old: BTreeMap<Minute, f64> = series.points().collect();
        let value = match series.metric {
            Metric::ServerlessProvisionedConcurrencySpilloverInvocations => Some(spilled * invocations),
            Metric::ModelSetupTime => None,
            _ => old.values().next_back().copied(),
        };
        let from = *old.keys().next().unwrap();
        let values = (0..first.since(from) + minutes).map(|index| {
            let minute = from.plus(index);
            if minute < first { old.get(&minute).copied() } else { value }
        });
        *series = Series::new(series.metric, series.statistic, from, values.collect());
    }
    after
}

#[test]
fn units_that_meet_the_requests_have_helped() {
    let (after, incident) = opened_on(spilling());
    assert!(incident.before.unserved.unwrap() > 0.05, "{:?}", incident.before);
    let judgement = look(&incident, &later(&after, 16, 0.0));
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Verified), Some(Phase::Verified)));
}

#[test]
fn units_that_do_not_are_waited_for_and_never_taken_away() {
    let (after, incident) = opened_on(spilling());
    let soon = look(&incident, &later(&after, 16, 0.2));
    assert_eq!((status(&soon), phase(&soon)), (None, Some(Phase::Open)));
    let an_hour_later = look(&incident, &later(&after, 70, 0.2));
    assert_eq!(status(&an_hour_later), Some(OutcomeStatus::NotNeeded));
    let news = an_hour_later.news.unwrap();
    assert!(news.words.contains("units of provisioned concurrency"), "{}", news.words);
    assert_eq!(an_hour_later.write, endpoint_advisor::model::Write::Nothing);
}

#[test]
fn requests_that_met_no_warm_container_are_counted_over_the_last_ten_minutes() {
    let (after, incident) = opened_on(spilling());
    let unserved = |observation: &Observation| look(&incident, observation).after.unserved;
    assert!((unserved(&later(&after, 16, 0.2)).unwrap() - 0.2).abs() < 1e-9);
    // They stop: after ten minutes none of them counts, a minute before one does.
    let before = later(&after, 16, 0.2);
    assert_eq!(unserved(&later(&before, 10, 0.0)), Some(0.0));
    assert!((unserved(&later(&before, 9, 0.0)).unwrap() - 0.02).abs() < 1e-9);
    // Where nothing comes there is no share of it, and nothing to judge by: often for an hour, then less.
    for (minutes, until) in [(16, 5), (59, 5), (60, 30)] {
        let mut silent = later(&after, minutes, 0.0);
        silent.metrics.0.clear();
        let judgement = look(&incident, &silent);
        assert_eq!((judgement.after.unserved, &judgement.news), (None, &None));
        assert_eq!(judgement.then.unwrap().look_at, silent.at + SignedDuration::from_mins(until));
    }
}

#[test]
fn units_have_an_hour_to_help() {
    let (after, mut incident) = opened_on(spilling());
    incident.before.unserved = Some(0.25);
    let judged = |incident: &Incident, minutes: i64, spilled: f64| {
        let judgement = look(incident, &later(&after, minutes, spilled));
        (status(&judgement), judgement.news.map(|news| news.words.contains("fewer than before")))
    };
    assert_eq!(judged(&incident, 59, 0.2), (None, None));
    assert_eq!(judged(&incident, 60, 0.195), (Some(OutcomeStatus::NotNeeded), Some(true)));
    assert_eq!(judged(&incident, 60, 0.205), (Some(OutcomeStatus::NotNeeded), Some(false)), "by less than a fifth");
    incident.before.unserved = None;
    assert_eq!(judged(&incident, 60, 0.1), (Some(OutcomeStatus::NotNeeded), Some(false)), "nobody knows");
    // One in a hundred is nothing to act on.
    assert_eq!(judged(&incident, 60, 0.01), (Some(OutcomeStatus::Verified), Some(false)));
}

#[test]
fn raised_units_go_back_where_the_last_hour_did_without_them() {
    let (after, mut incident) = opened_on(spilling());
    incident.phase = Phase::Recovered;
    let calm = incident.written.as_ref().unwrap().relax.unwrap().min_capacity;
    let serverless = after.variant.serverless.unwrap();
    // An hour in which so many containers served at once, with requests in so many of its minutes.
    let judged = |units: u32, requests_in: i64| {
        let mut hour = later(&after, 75, 0.0);
        let last = hour.last_minute();
        for series in &mut hour.metrics.0 {
            let share = f64::from(units) / f64::from(serverless.max_concurrency);
            let points: BTreeMap<Minute, f64> = series.points().collect();
            let (first, _) = points.first_key_value().unwrap();
            let values = points.iter().map(|(minute, value)| {
                let is_now = last.since(*minute) < 75;
                match series.metric {
                    Metric::ServerlessConcurrentExecutionsUtilization if is_now => Some(share),
                    Metric::Invocations if is_now && last.since(*minute) >= requests_in => Some(0.0),
                    _ => Some(*value),
                }
            });
            *series = Series::new(series.metric, series.statistic, *first, values.collect());
        }
        status(&look(&incident, &hour))
    };
    assert_eq!(judged(calm.0, 60), Some(OutcomeStatus::Relaxed));
    assert_eq!(judged(calm.0 + 1, 60), None, "they would not have been enough");
    assert_eq!(judged(calm.0, 3), Some(OutcomeStatus::Relaxed));
    assert_eq!(judged(calm.0, 2), None, "too little came to tell");
}
