//! Variants beside each other, shadows, and pools of several instance types.

use crate::convergence::applied;
use crate::endpoint::{observed, settings};
use crate::scenarios::check;
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Action, Diagnosis, HoldReason, InstanceCount, Metric, Metrics, Minute, Observation, OutcomeStatus, Part,
    PartMetrics, Report, Series, Statistic, VariantName, VariantWeight, Verdict,
};
use endpoint_advisor::report::{overview, text};
use endpoint_advisor::{capacity, plan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::LazyLock;

/// Simulated once: proptest only adds to it.
static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| observed("overload"));

fn name(name: &str) -> VariantName {
    VariantName::parse(name).unwrap()
}

fn weight(variant: &str, current_weight: f64, desired_weight: f64) -> VariantWeight {
    VariantWeight { variant_name: name(variant), current_weight, desired_weight }
}

/// Half an hour before the end: nothing had happened yet.
fn before_it_began(observation: &Observation) -> Minute {
    observation.last_minute().plus(-30)
}

/// Requests to the observed variant.
fn own(observation: &Observation, minute: Minute) -> Option<f64> {
    observation.metrics.at(Metric::Invocations, Statistic::Sum, minute)
}

/// The observation with another variant, `Stable`, that gets what `requests` says of each minute of the last day.
fn beside(mut observation: Observation, requests: impl Fn(Minute) -> Option<f64>) -> Observation {
    let first = observation.last_minute().plus(-1_439);
    let values = (0..1_440).map(|index| requests(first.plus(index))).collect();
    let series = Series::new(Metric::Invocations, Statistic::Sum, first, values);
    observation.parts = vec![PartMetrics { part: Part::Variant(name("Stable")), metrics: Metrics(vec![series]) }];
    observation.endpoint.weights = vec![weight("AllTraffic", 1.0, 1.0), weight("Stable", 3.0, 3.0)];
    observation
}

/// An overload, while `Stable` gets that much less: requests moved from there.
pub fn shifted() -> Observation {
    let observation = observed("overload");
    let all = 10.0 * own(&observation, before_it_began(&observation)).unwrap();
    let since = before_it_began(&observation);
    let requests = |minute: Minute| {
        let own = own(&observation, minute)?;
        Some(if minute <= since { 9.0 * own } else { all - own })
    };
    beside(observation.clone(), requests)
}

#[test]
fn requests_that_moved_from_the_variant_beside_it() {
    let observation = shifted();
    check("requests-moved-from-another-variant", &observation, Verdict::Overload, &[]);
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("weight_shift"));
    let fact = report.diagnosis.evidence.iter().find(|fact| fact.signal == "traffic_share").unwrap();
    assert!(fact.supports && fact.text.contains("of the endpoint's requests rose from 10 to"), "{}", fact.text);
    let alone = explain(&observed("overload"), &settings(&[]));
    assert_eq!(alone.diagnosis.sub_cause.as_deref(), Some("traffic_growth"));
    assert_eq!(report.diagnosis.confidence, alone.diagnosis.confidence);
    assert_eq!(report.plan.put_scaling_policies, alone.plan.put_scaling_policies);
}

#[test]
fn the_range_has_room_for_the_busiest_minute_at_the_share_that_it_has_now() {
    let range = |report: &Report| report.plan.register_scalable_target.clone().unwrap();
    let (report, alone) = (explain(&shifted(), &settings(&[])), explain(&observed("overload"), &settings(&[])));
    assert_eq!(range(&report).min_capacity, range(&alone).min_capacity, "what is needed now is the same");
    assert!(range(&report).max_capacity > range(&alone).max_capacity);
    // By hand: the endpoint's busiest minute of the day, of which this variant now gets its share.
    let observation = shifted();
    let last = observation.last_minute();
    let busiest = (0..1_440).filter_map(|back| observation.requests_to_all_variants(last.plus(-back)));
    let busiest = busiest.max_by(f64::total_cmp).unwrap();
    let share = report.diagnosis.evidence.iter().find(|fact| fact.signal == "traffic_share").unwrap().observed.unwrap();
    let carried = report.capacity.as_ref().unwrap().low.0;
    assert_eq!(f64::from(range(&report).max_capacity.0), (1.5 * share * busiest / carried).ceil());
    assert!(report.plan.reasoning.iter().any(|reason| reason.starts_with("at its present share of 24 %")));
    // A guardrail stays one.
    let guarded = explain(&observation, &settings(&[("ADVISOR_MAX_INSTANCES", "4")]));
    assert_eq!(range(&guarded).max_capacity, InstanceCount(4));
    let told = |reason: &&String| reason.contains("that takes 5 instances, and 4 are allowed");
    assert!(guarded.plan.reasoning.iter().any(|reason| told(&reason)), "{:?}", guarded.plan.reasoning);
}

#[test]
fn a_shift_is_taken_back_with_the_weights_that_were_usual() {
    let report = explain(&shifted(), &settings(&[]));
    let command = "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name orders \
                   --desired-weights-and-capacities VariantName=AllTraffic,DesiredWeight=0.1 \
                   VariantName=Stable,DesiredWeight=0.9";
    assert!(report.next_steps.iter().any(|step| step.ends_with(command)), "{:#?}", report.next_steps);
}

#[test]
fn weights_that_do_not_explain_the_shift_are_not_to_be_set() {
    let mut observation = shifted();
    observation.endpoint.weights = vec![weight("AllTraffic", 0.01, 0.01), weight("Stable", 0.99, 0.99)];
    let report = explain(&observation, &settings(&[]));
    assert!(report.next_steps.iter().any(|step| step.contains("TargetVariant")), "{:#?}", report.next_steps);
    assert!(!report.next_steps.iter().any(|step| step.contains("update-endpoint-weights")));
}

#[test]
fn traffic_that_grows_on_all_variants_alike_is_no_shift() {
    let observation = observed("overload");
    let report =
        explain(&beside(observation.clone(), |minute| own(&observation, minute).map(|own| 3.0 * own)), &settings(&[]));
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("traffic_growth"));
    let fact = report.diagnosis.context.iter().find(|fact| fact.signal == "traffic_share").unwrap();
    assert!(fact.text.contains("is 25 %, as before"), "{}", fact.text);
}

#[test]
fn requests_that_come_on_top_for_one_variant_are_growth() {
    let observation = observed("overload");
    let since = before_it_began(&observation);
    let level = 9.0 * own(&observation, since).unwrap();
    let requests =
        |minute: Minute| if minute <= since { own(&observation, minute).map(|own| 9.0 * own) } else { Some(level) };
    let mut on_top = beside(observation.clone(), requests);
    on_top.endpoint.weights = vec![weight("AllTraffic", 1.0, 1.0), weight("Stable", 9.0, 9.0)];
    let report = explain(&on_top, &settings(&[]));
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("traffic_growth"));
    let fact = report.diagnosis.context.iter().find(|fact| fact.signal == "traffic_share").unwrap();
    assert!(fact.text.contains("rose from 10 to 21 %"), "{}", fact.text);
    // All of it grows, and the weights were changed meanwhile: that is a shift, whatever the others get.
    on_top.endpoint.weights = vec![weight("AllTraffic", 2.0, 2.0), weight("Stable", 8.0, 8.0)];
    assert_eq!(explain(&on_top, &settings(&[])).diagnosis.sub_cause.as_deref(), Some("weight_shift"));
}

#[test]
fn a_variant_whose_requests_are_not_published_is_not_taken_for_one_without_requests() {
    let mut observation = beside(observed("overload"), |_| None);
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("traffic_growth"));
    assert!(report.diagnosis.context.iter().all(|fact| fact.signal != "traffic_share"));
    // Without weight no request can have come: from then on its gap is a zero.
    let shifted = shifted();
    let since = before_it_began(&shifted);
    let stable = shifted.parts[0].metrics.clone();
    observation = beside(observed("overload"), |minute| {
        stable.at(Metric::Invocations, Statistic::Sum, minute).filter(|_| minute <= since)
    });
    assert_eq!(explain(&observation, &settings(&[])).diagnosis.sub_cause.as_deref(), Some("traffic_growth"));
    observation.endpoint.weights = vec![weight("AllTraffic", 1.0, 1.0), weight("Stable", 0.0, 0.0)];
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.diagnosis.sub_cause.as_deref(), Some("weight_shift"), "{}", text::render(&report));
}

#[test]
fn a_share_that_fell_is_told_and_explains_no_slowness() {
    let observation = observed("slow-dependency");
    let since = before_it_began(&observation);
    let requests = |minute: Minute| own(&observation, minute).map(|own| own * if minute <= since { 1.0 } else { 3.0 });
    let report = explain(&beside(observation.clone(), requests), &settings(&[]));
    assert_eq!(report.diagnosis.verdict, Verdict::SlowDependency);
    let fact = report.diagnosis.context.iter().find(|fact| fact.signal == "traffic_share").unwrap();
    assert!(fact.text.contains("fell from 50 to 25 %"), "{}", fact.text);
}

#[test]
fn a_shift_of_weights_that_is_under_way_is_told() {
    let mut observation = shifted();
    observation.endpoint.weights = vec![weight("AllTraffic", 1.0, 3.0), weight("Stable", 1.0, 1.0)];
    let text = text::render(&explain(&observation, &settings(&[])));
    assert!(text.contains("its weight is 1 of 2, 50 % of the requests that name no variant; a shift to"), "{text}");
    assert!(text.contains("75 % is under way"), "{text}");
}

#[test]
fn several_variants_are_reported_together_and_the_worst_first() {
    let fine = explain(&observed("busy-but-fine"), &settings(&[]));
    let mut canary = observed("slow-dependency");
    canary.variant_name = Some(name("Canary"));
    let slow = explain(&canary, &settings(&[]));
    let text = overview::render(&[fine.clone(), slow.clone()], text::render);
    let first = "orders/Canary is slow because the container waits for something; orders/AllTraffic is within its limits \
                 now\n\n";
    assert_eq!(text, format!("{first}{}\n{}", text::render(&slow), text::render(&fine)));
    assert_eq!(
        overview::render(std::slice::from_ref(&fine), text::render),
        text::render(&fine),
        "one needs no overview"
    );
    let sorted = overview::worst_first([(&fine, "fine"), (&slow, "slow")]);
    assert_eq!(sorted.iter().map(|(_, which)| *which).collect::<Vec<_>>(), ["slow", "fine"]);
}

fn shadow(scenario: &str) -> Observation {
    let mut observation = observed(scenario);
    observation.endpoint.shadow_variants = vec![name("AllTraffic")];
    observation
}

#[test]
fn an_overloaded_shadow() {
    check("overloaded-shadow", &shadow("overload"), Verdict::Overload, &[]);
}

#[test]
fn a_shadow_is_diagnosed_and_never_scaled() {
    let incidents = [("overload", Verdict::Overload), ("burst", Verdict::Burst), ("slow-model", Verdict::SlowModel)];
    for (scenario, verdict) in incidents {
        let observation = shadow(scenario);
        let report = explain(&observation, &settings(&[("ADVISOR_MODE", "apply")]));
        assert_eq!((report.diagnosis.verdict, report.plan.action), (verdict, Action::Hold));
        assert_eq!(report.plan.hold_reason.map(HoldReason::code).as_deref(), Some("shadow_variant"));
        assert_eq!(report.outcome.status, OutcomeStatus::NotNeeded);
        assert!(report.next_steps[0].starts_with("Callers do not feel it."), "{:?}", report.next_steps);
        let guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
        let tuned = plan::tune(&observation, capacity::capacity(&observation).as_ref(), &guardrails);
        assert_eq!(tuned.hold_reason, Some(HoldReason::ShadowVariant));
    }
}

#[test]
fn a_variant_with_a_shadow_beside_it_says_so_and_is_scaled() {
    let mut observation = observed("overload");
    observation.endpoint.shadow_variants = vec![name("Candidate")];
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.plan.action, Action::Scale);
    assert!(text::render(&report).contains("shadow variant Candidate gets copies of requests"));
}

#[test]
fn an_observation_saved_before_there_were_parts_is_still_read() {
    let observation = observed("overload");
    let json = serde_json::to_value(&observation).unwrap();
    assert!(json.get("parts").is_none() && json["variant"].get("containers").is_none());
    assert_eq!(serde_json::from_value::<Observation>(json).unwrap(), observation);
    let observation = shifted();
    let json = serde_json::to_string(&observation).unwrap();
    assert_eq!(serde_json::from_str::<Observation>(&json).unwrap(), observation);
}

#[test]
fn a_plan_for_a_shift_asks_for_nothing_more_once_it_stands() {
    let before = shifted();
    let report = explain(&before, &settings(&[]));
    let after = explain(&applied(&before, &report.plan), &settings(&[]));
    assert_eq!((after.plan.action, after.outcome.status), (Action::Scale, OutcomeStatus::Unchanged), "{after:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn the_variant_beside_it_never_changes_the_verdict(
        scale in prop_oneof![Just(0.0), Just(f64::NAN), Just(1e300), 0.1..20.0_f64],
        later in 0.0..5.0_f64,
        gap_every in 1_i64..40,
    ) {
        let observation = OVERLOAD.clone();
        let since = before_it_began(&observation);
        let requests = |minute: Minute| {
            let own = own(&observation, minute)?;
            let factor = if minute <= since { scale } else { scale * later };
            Some(own * factor).filter(|_| minute.0 % gap_every != 1)
        };
        let (with, alone) = (diagnose(&beside(observation.clone(), requests)), diagnose(&observation));
        prop_assert_eq!((with.verdict, with.confidence, with.grade), (alone.verdict, alone.confidence, alone.grade));
        let json = serde_json::to_string(&with).unwrap();
        prop_assert_eq!(serde_json::from_str::<Diagnosis>(&json).unwrap(), with);
    }
}

proptest! {
    // Each is replayed.
    #![proptest_config(ProptestConfig { cases: 6, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn a_shift_of_any_size_stays_within_the_guardrails(
        times in prop_oneof![Just(1e300), Just(f64::MAX), 1.5..1e6_f64],
        most in 2_u32..9,
    ) {
        let observation = OVERLOAD.clone();
        let since = before_it_began(&observation);
        let requests = |minute: Minute| {
            let own = own(&observation, minute)?;
            Some(if minute <= since { times * own } else { own })
        };
        let guarded = settings(&[("ADVISOR_MAX_INSTANCES", &most.to_string())]);
        let report = explain(&beside(observation.clone(), requests), &guarded);
        if let Some(register) = report.plan.register_scalable_target {
            prop_assert!(register.min_capacity <= register.max_capacity);
            prop_assert!(register.max_capacity <= InstanceCount(most), "{}", register.max_capacity);
        }
    }
}
