//! Golden reports: what an on-call engineer reads, for one situation each.
//!
//! `UPDATE_EXPECT=1 cargo test` rewrites the files under `tests/scenarios/`; read the difference as prose.

use crate::endpoint::{observed, settings, without};
use crate::schema;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, EndpointStatus, Grade, Hosting, InstanceCount, Metric, Milliseconds, Observation, ScalableTarget,
    ScalingPolicy, Seconds, Series, Statistic, TargetTracking, Verdict,
};
use endpoint_advisor::report::{card, text};
use std::collections::BTreeMap;
use std::path::Path;

/// Explains the observation, holds the verdict against the truth, and text and card against their golden files.
pub fn check(name: &str, observation: &Observation, verdict: Verdict, variables: &[(&str, &str)]) {
    let report = explain(observation, &settings(variables));
    assert_eq!(report.diagnosis.verdict, verdict, "{}", text::render(&report));
    schema::hold(observation, &report);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name);
    std::fs::create_dir_all(&golden).unwrap();
    expect_test::expect_file![golden.join("report.txt")].assert_eq(&text::render(&report));
    let card = serde_json::to_string_pretty(&card::render(&report)).unwrap();
    expect_test::expect_file![golden.join("card.json")].assert_eq(&card);
    let plan = serde_json::to_string_pretty(&report.plan).unwrap();
    expect_test::expect_file![golden.join("plan.json")].assert_eq(&plan);
}

pub fn with_target(mut observation: Observation, min: u32, max: u32, policy: Option<ScalingPolicy>) -> Observation {
    let scaling = observation.scaling.as_mut().unwrap();
    scaling.target = Some(ScalableTarget {
        arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
        min_capacity: InstanceCount(min),
        max_capacity: InstanceCount(max),
        is_scale_out_suspended: false,
        tags: Some(BTreeMap::new()),
        ..ScalableTarget::default()
    });
    scaling.policies.extend(policy);
    observation
}

#[test]
fn the_readme_shows_a_real_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = std::fs::read_to_string(root.join("tests/scenarios/container-waits/report.txt")).unwrap();
    let shown = report.split("\nWhere to look").next().unwrap().trim_end();
    assert!(std::fs::read_to_string(root.join("README.md")).unwrap().contains(shown));
}

#[test]
fn traffic_beyond_what_two_instances_sustain() {
    check("traffic-beyond-capacity", &observed("overload"), Verdict::Overload, &[]);
}

#[test]
fn traffic_beyond_capacity_of_requests_whose_work_wanders() {
    let observation = observed("wandering-work");
    check("work-wanders", &observation, Verdict::Overload, &[]);
}

#[test]
fn one_of_two_instances_gone() {
    check("one-of-two-instances-gone", &observed("capacity-loss"), Verdict::Overload, &[]);
}

#[test]
fn overload_behind_a_policy_of_somebody_else() {
    let policy = ScalingPolicy {
        policy_name: "orders-target".to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: Some("SageMakerVariantInvocationsPerInstance".to_owned()),
            target_value: 5_000.0,
            scale_out_cooldown: None,
            scale_in_cooldown: None,
            disable_scale_in: false,
            customized: None,
        }),
        ..ScalingPolicy::default()
    };
    let observation = with_target(observed("overload"), 2, 4, Some(policy));
    check("overload-behind-somebody-elses-policy", &observation, Verdict::Overload, &[]);
}

#[test]
fn overload_at_the_maximum() {
    let observation = with_target(observed("overload"), 1, 2, None);
    check("overload-at-max-capacity", &observation, Verdict::Overload, &[]);
}

#[test]
fn overload_with_a_guardrail_below_what_is_running() {
    check(
        "overload-guardrail-below-current",
        &observed("overload"),
        Verdict::Overload,
        &[("ADVISOR_MAX_INSTANCES", "1")],
    );
}

#[test]
fn overload_without_an_objective() {
    let mut observation = observed("overload");
    observation.objective = None;
    check("overload-without-objective", &observation, Verdict::Overload, &[]);
}

#[test]
fn overload_without_utilisation() {
    let observation = without(observed("overload"), Metric::CPUUtilization);
    check("overload-without-utilisation", &observation, Verdict::Overload, &[]);
    let report = explain(&observation, &settings(&[]));
    assert!(report.diagnosis.confidence < 0.9, "nothing may be written on {}", report.diagnosis.confidence);
}

#[test]
fn overload_while_the_endpoint_is_updating() {
    let mut observation = observed("overload");
    observation.endpoint.status = EndpointStatus("Updating".to_owned());
    check("overload-while-updating", &observation, Verdict::Overload, &[]);
}

#[test]
fn a_heavier_model_after_a_deployment() {
    let mut observation = observed("slow-model");
    observation.endpoint.endpoint_config_created_at = Some("2026-10-05T08:58:00Z".parse().unwrap());
    check("heavier-model-after-deployment", &observation, Verdict::SlowModel, &[]);
}

#[test]
fn a_model_that_was_always_too_slow() {
    check("model-always-too-slow", &observed("always-slow"), Verdict::SlowModel, &[]);
}

#[test]
fn a_container_that_waits_for_something() {
    check("container-waits", &observed("slow-dependency"), Verdict::SlowDependency, &[]);
}

#[test]
fn a_container_that_waits_and_no_utilisation_to_tell() {
    let observation = without(observed("slow-dependency"), Metric::CPUUtilization);
    check("slower-without-utilisation", &observation, Verdict::Undetermined, &[]);
}

#[test]
fn a_container_that_waits_on_a_day_of_record_traffic() {
    // Load beyond anything seen, and latency over the objective; but every request waits alike, minute after minute, while
    // the hardware has time to spare: no queue does that.
    let observation = observed("slow-dependency-on-a-record-day");
    check("container-waits-on-a-record-day", &observation, Verdict::SlowDependency, &[]);
}

#[test]
fn a_daily_peak_within_the_objective() {
    check("daily-peak-within-objective", &observed("busy-but-fine"), Verdict::Transient, &[]);
}

#[test]
fn two_bad_minutes_are_enough_where_others_are_missing() {
    // CloudWatch has not answered for the minutes around: what is left is not mixed with minutes from before it began.
    let mut observation = observed("overload");
    let whole = explain(&observation, &settings(&[])).diagnosis;
    let last = observation.last_minute();
    for series in &mut observation.metrics.0 {
        let (first, count) = (series.points().next().unwrap().0, series.points().count());
        assert!(count > 100, "{}", series.metric);
        let values = (0..=last.since(first)).map(|minute| {
            let minute = first.plus(minute);
            series.at(minute).filter(|_| last.since(minute) > 14 || [3, 4].contains(&last.since(minute)))
        });
        *series = Series::new(series.metric, series.statistic, first, values.collect());
    }
    let diagnosis = explain(&observation, &settings(&[])).diagnosis;
    assert_eq!((diagnosis.verdict, whole.verdict), (Verdict::Overload, Verdict::Overload));
    assert!(diagnosis.grade <= Grade::Medium, "{:?}", diagnosis.grade);
}

#[test]
fn a_gauge_that_shows_as_full_at_any_load_says_nothing_of_work() {
    // The model became heavier, and utilisation cannot show it: that is no reason to call it a wait.
    let mut observation = observed("slow-model");
    assert_eq!(explain(&observation, &settings(&[])).diagnosis.verdict, Verdict::SlowModel);
    for series in observation.metrics.0.iter_mut().filter(|series| series.metric == Metric::CPUUtilization) {
        let first = series.points().next().unwrap().0;
        let full = series.points().map(|(minute, _)| Some(390.0 + f64::from(u8::from(minute.0 % 2 == 0)))).collect();
        *series = Series::new(series.metric, series.statistic, first, full);
    }
    let diagnosis = explain(&observation, &settings(&[])).diagnosis;
    assert_eq!(diagnosis.verdict, Verdict::Undetermined, "{}", diagnosis.summary);
}

#[test]
fn growth_at_night_does_not_buy_instances() {
    let target = |scenario: &str| {
        let report = explain(&observed(scenario), &settings(&[]));
        assert_eq!(report.diagnosis.verdict, Verdict::Overload);
        report.plan.put_scaling_policies[0].target_tracking().unwrap().target_value
    };
    let (by_day, with_idle_nights) = (target("overload"), target("overload-after-idle-nights"));
    assert!(with_idle_nights > 0.75 * by_day, "{with_idle_nights} {by_day}");
}

#[test]
fn the_objective_may_be_stated_in_any_statistic_of_latency() {
    for (statistic, limit) in [(Statistic::P99, 600.0), (Statistic::Average, 350.0), (Statistic::P90, 500.0)] {
        for (scenario, verdict) in [("overload", Verdict::Overload), ("slow-dependency", Verdict::SlowDependency)] {
            let mut observation = observed(scenario);
            let objective = observation.objective.as_mut().unwrap();
            (objective.slo_statistic, objective.latency_slo_ms) = (statistic, Milliseconds(limit));
            let report = explain(&observation, &settings(&[]));
            assert_eq!(report.diagnosis.verdict, verdict, "{statistic}: {}", text::render(&report));
            assert_eq!(report.plan.action == Action::Scale, verdict == Verdict::Overload);
        }
    }
}

#[test]
fn time_lost_outside_the_container() {
    check("time-lost-outside-the-container", &observed("overhead"), Verdict::Overhead, &[]);
}

#[test]
fn a_third_of_the_requests_fail() {
    check("a-third-of-requests-fail", &observed("model-errors"), Verdict::ModelErrors, &[]);
}

#[test]
fn three_slow_minutes_that_are_over() {
    check("three-slow-minutes-over", &observed("blip"), Verdict::Transient, &[]);
}

#[test]
fn callers_that_ask_again_and_again() {
    check("callers-ask-again", &observed("retry-storm"), Verdict::Overload, &[]);
}

#[test]
fn requests_that_come_all_at_once() {
    check("requests-come-in-bursts", &observed("burst"), Verdict::Burst, &[]);
}

#[test]
fn a_herd_by_the_clock() {
    check("herd-every-hour", &observed("hourly-herd"), Verdict::Burst, &[("ADVISOR_MAX_INSTANCES", "20")]);
}

#[test]
fn bursts_beyond_the_guardrail() {
    check("bursts-beyond-the-guardrail", &observed("burst"), Verdict::Burst, &[("ADVISOR_MAX_INSTANCES", "3")]);
}

#[test]
fn bursts_and_no_utilisation_to_tell_batches() {
    let observation = without(observed("burst"), Metric::CPUUtilization);
    check("bursts-without-utilisation", &observation, Verdict::Burst, &[]);
}

#[test]
fn one_worker_on_four_cores() {
    let observation = observed("container-concurrency-limit");
    check("one-worker-on-four-cores", &observation, Verdict::ContainerConcurrencyLimit, &[]);
}

#[test]
fn payloads_that_grew() {
    check("payloads-grew", &observed("heavier-requests"), Verdict::HeavierRequests, &[]);
}

#[test]
fn a_leak_that_slows_every_request_for_two_hours() {
    check("leak", &observed("leak"), Verdict::SlowModel, &[]);
}

#[test]
fn a_container_that_stalls_now_and_then() {
    check("container-stalls", &observed("stalls"), Verdict::SlowModel, &[]);
}

#[test]
fn a_dependency_that_is_slow_for_some() {
    check("dependency-slow-for-some", &observed("dependency-for-some"), Verdict::SlowDependency, &[]);
}

#[test]
fn workers_that_are_all_stuck() {
    check("workers-all-stuck", &observed("workers-exhausted"), Verdict::SlowDependency, &[]);
}

#[test]
fn a_host_that_gives_less_than_it_should() {
    check("host-gives-less", &observed("host"), Verdict::SlowDependency, &[]);
}

#[test]
fn memory_that_runs_out() {
    check("memory-runs-out", &observed("memory-pressure"), Verdict::MemoryPressure, &[]);
}

#[test]
fn requests_that_the_model_refuses() {
    check("model-refuses-requests", &observed("client-errors"), Verdict::ClientErrors, &[]);
}

#[test]
fn more_models_than_fit_into_memory() {
    let mut observation = observed("model-loading");
    observation.hosting = Hosting::MultiModel;
    check("more-models-than-fit", &observation, Verdict::ModelLoading, &[]);
}

#[test]
fn a_new_instance_that_is_still_cold() {
    check("new-instance-still-cold", &observed("cold-start"), Verdict::ColdStart, &[]);
}

#[test]
fn one_of_four_instances_ill() {
    check("one-of-four-instances-ill", &observed("sick-instance"), Verdict::UnevenLoad, &[]);
}

#[test]
fn a_request_every_few_minutes() {
    check("a-request-every-few-minutes", &observed("infrequent-traffic"), Verdict::InfrequentTraffic, &[]);
}

#[test]
fn an_objective_on_top_of_what_is_normal() {
    check("objective-on-top-of-normal", &observed("objective-too-tight"), Verdict::ObjectiveTooTight, &[]);
}

#[test]
fn an_endpoint_that_is_hardly_used() {
    check("hardly-used", &observed("hardly-used"), Verdict::InsufficientData, &[]);
}

#[test]
fn an_endpoint_whose_metrics_are_not_there() {
    let mut observation = observed("healthy");
    observation.metrics.0.clear();
    check("no-metrics", &observation, Verdict::InsufficientData, &[]);
}

#[test]
fn a_policy_of_ours_that_is_nearly_right_stays() {
    // Our own policy is not touched where it does as well as the best, within 5 %.
    let policy = ScalingPolicy {
        policy_name: "endpoint-advisor-invocations".to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: Some("SageMakerVariantInvocationsPerInstance".to_owned()),
            target_value: 1.0,
            scale_out_cooldown: Some(Seconds(60)),
            scale_in_cooldown: Some(Seconds(720)),
            disable_scale_in: false,
            customized: None,
        }),
        ..ScalingPolicy::default()
    };
    let advised = explain(&with_target(observed("overload"), 1, 4, None), &settings(&[]));
    let target = advised.plan.put_scaling_policies[0].target_tracking().unwrap().target_value;
    for (factor, is_kept) in [(1.04, true), (0.97, true), (2.0, false)] {
        let mut present = policy.clone();
        present.target_tracking.as_mut().unwrap().target_value = target * factor;
        let report = explain(&with_target(observed("overload"), 1, 4, Some(present)), &settings(&[]));
        let planned = report.plan.put_scaling_policies[0].target_tracking().unwrap().target_value;
        assert_eq!((planned - target * factor).abs() < 1e-9, is_kept, "{factor}");
    }
}
