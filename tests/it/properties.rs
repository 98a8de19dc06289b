//! Laws that hold for every observation, sane or not.

use crate::convergence::applied;
use crate::endpoint::{at, observed, settings};
use crate::utilization::WANDERING;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, HoldReason, InstanceCount, Metrics, Minute, Observation, OutcomeStatus, Plan, Report, ScalableTarget,
    Series,
};
use endpoint_advisor::{capacity, plan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Simulated once: proptest only disturbs it.
static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| observed("overload"));

/// One change to each series: scaled, with gaps, with values that cannot be.
#[derive(Debug, Clone)]
pub struct Disturbance {
    factor: f64,
    gap_every: usize,
    odd: f64,
    odd_every: usize,
}

pub fn disturbance() -> impl Strategy<Value = Disturbance> {
    let odd =
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(0.0), Just(1e300), Just(f64::MIN_POSITIVE)];
    (0.2..5.0_f64, 1_usize..400, odd, 1_usize..400).prop_map(|(factor, gap_every, odd, odd_every)| Disturbance {
        factor,
        gap_every,
        odd,
        odd_every,
    })
}

/// A change that most overloads survive.
fn mild() -> impl Strategy<Value = Disturbance> {
    disturbance().prop_map(|disturbance| Disturbance {
        factor: disturbance.factor.clamp(0.8, 1.25),
        gap_every: disturbance.gap_every + 4,
        odd_every: disturbance.odd_every + 40,
        ..disturbance
    })
}

pub fn disturbed(observation: &Observation, disturbances: &[Disturbance]) -> Observation {
    let first = Minute::containing(at()).plus(-2 * 1_440);
    let series = observation.metrics.0.iter().zip(disturbances.iter().cycle()).map(|(series, disturbance)| {
        let values = (0..2 * 1_440).map(|index| {
            let position = usize::try_from(index).unwrap();
            if disturbance.gap_every > 1 && position % disturbance.gap_every == 0 {
                None
            } else if position % disturbance.odd_every == disturbance.odd_every / 2 {
                Some(disturbance.odd)
            } else {
                series.at(first.plus(index)).map(|value| value * disturbance.factor)
            }
        });
        Series::new(series.metric, series.statistic, first, values.collect())
    });
    Observation { metrics: Metrics(series.collect()), ..observation.clone() }
}

/// What must hold of any report, whatever was observed.
pub fn is_sane(report: &Report, max_instances: u32) {
    let diagnosis = &report.diagnosis;
    assert!((0.0..=1.0).contains(&diagnosis.confidence), "{}", diagnosis.confidence);
    let json = serde_json::to_string(report).unwrap();
    assert_eq!(&serde_json::from_str::<Report>(&json).unwrap(), report, "survives JSON");
    if let Some(capacity) = &report.capacity {
        let (low, value) = (capacity.low.0, capacity.invocations_per_instance_per_minute.0);
        assert!(low.is_finite() && low > 0.0 && low <= value, "{low} {value}");
    }
    if let Some(register) = &report.plan.register_scalable_target {
        assert!(register.min_capacity <= register.max_capacity);
        assert!(register.max_capacity <= InstanceCount(max_instances));
        assert!(report.plan.put_scaling_policies.iter().all(|policy| {
            let target = policy.target_tracking().unwrap().target_value;
            target.is_finite() && target >= 1.0
        }));
    }
    assert_eq!(report.plan.action == Action::Hold, report.plan.hold_reason.is_some());
    assert_eq!(report.plan.action == Action::Hold, report.plan.register_scalable_target.is_none());
}

proptest! {
    // The same cases each time, so that a change is judged by itself. (1,500 others of each law were tried once.)
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn no_observation_breaks_the_advice_or_leaves_the_guardrails(
        disturbances in prop::collection::vec(disturbance(), 11), max in 2_u32..30,
    ) {
        let observation = disturbed(&OVERLOAD, &disturbances);
        let settings = settings(&[("ADVISOR_MAX_INSTANCES", &max.to_string())]);
        is_sane(&explain(&observation, &settings), max);
        let guardrails = settings.for_endpoint(observation.tags.as_ref());
        let tuned = plan::tune(&observation, capacity::capacity(&observation).as_ref(), &guardrails);
        let json = serde_json::to_string(&tuned).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Plan>(&json).unwrap(), &tuned);
        if let Some(register) = tuned.register_scalable_target {
            prop_assert!(register.min_capacity.0 >= 1 && register.min_capacity <= register.max_capacity);
            prop_assert!(register.max_capacity <= InstanceCount(max));
        }
    }

    #[test]
    fn nothing_is_ever_lowered(min in 1_u32..6, extra in 0_u32..6, current in 1_u32..8) {
        let mut observation = OVERLOAD.clone();
        observation.scaling.as_mut().unwrap().target = Some(ScalableTarget {
            arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
            min_capacity: InstanceCount(min),
            max_capacity: InstanceCount(min + extra),
            is_scale_out_suspended: false,
            tags: Some(BTreeMap::new()),
            ..ScalableTarget::default()
        });
        observation.variant.current_instance_count = Some(InstanceCount(current));
        observation.variant.desired_instance_count = Some(InstanceCount(current));
        let report = explain(&observation, &settings(&[("ADVISOR_MAX_INSTANCES", "20")]));
        // Cases that hold do not count; too many of them fail the test.
        let register = report.plan.register_scalable_target;
        prop_assume!(register.is_some());
        let register = register.unwrap();
        prop_assert!(register.min_capacity >= InstanceCount(min));
        prop_assert!(register.min_capacity >= InstanceCount(current));
        prop_assert!(register.max_capacity >= InstanceCount(min + extra));
    }

    #[test]
    fn more_load_never_asks_for_fewer_instances(factor in 1.0..3.0_f64) {
        let needed = |observation: &Observation| {
            let report = explain(observation, &settings(&[("ADVISOR_MAX_INSTANCES", "100")]));
            report.plan.register_scalable_target.map(|register| (register.min_capacity, register.max_capacity))
        };
        // More of everything that arrives in the last minutes, on as many instances.
        let first = Minute::containing(at()).plus(-2 * 1_440);
        let mut busier = OVERLOAD.clone();
        for series in &mut busier.metrics.0 {
            if matches!(series.metric.name(), "Invocations" | "InvocationsPerInstance") {
                let values = (0..2 * 1_440).map(|index| {
                    let value = series.at(first.plus(index));
                    if index >= 2 * 1_440 - 10 { value.map(|value| value * factor) } else { value }
                });
                *series = Series::new(series.metric, series.statistic, first, values.collect());
            }
        }
        let (before, after) = (needed(&OVERLOAD).unwrap(), needed(&busier));
        prop_assert!(after.is_some_and(|after| after >= before), "{before:?} {after:?}");
    }

    #[test]
    fn an_applied_plan_asks_for_nothing_more(disturbances in prop::collection::vec(mild(), 11)) {
        let observation = disturbed(&OVERLOAD, &disturbances);
        let report = explain(&observation, &settings(&[("ADVISOR_MAX_INSTANCES", "50")]));
        // Cases that do not scale do not count; too many of them fail the test.
        prop_assume!(report.plan.action == Action::Scale);
        let after = explain(&applied(&observation, &report.plan), &settings(&[("ADVISOR_MAX_INSTANCES", "50")]));
        prop_assert_eq!(after.outcome.status, OutcomeStatus::Unchanged);
    }

    #[test]
    fn a_tuned_set_up_asks_for_nothing_more_whatever_it_follows(disturbances in prop::collection::vec(mild(), 11)) {
        let observation = disturbed(&WANDERING, &disturbances);
        let guardrails = settings(&[("ADVISOR_MAX_INSTANCES", "50")]).for_endpoint(observation.tags.as_ref());
        let capacity = capacity::capacity(&observation);
        let plan = plan::tune(&observation, capacity.as_ref(), &guardrails);
        prop_assume!(plan.action == Action::Scale);
        prop_assert!(plan.put_scaling_policies.len() <= 1, "two of ours would fight");
        let again = plan::tune(&applied(&observation, &plan), capacity.as_ref(), &guardrails);
        prop_assert!(again.is_in_place() || again.hold_reason == Some(HoldReason::NothingToDo), "{:?}", again.reasoning);
    }
}
