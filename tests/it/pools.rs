//! Pools of several instance types behind one variant.

use crate::endpoint::{observed, settings};
use crate::scenarios::check;
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Capacity, Grade, HoldReason, InstanceCount, InstancePool, InstanceType, Metric, Metrics, Observation, Part,
    PartMetrics, Series, Statistic, UsdPerHour, Verdict,
};
use endpoint_advisor::report::text;

/// The overload on two instances of these types.
pub fn pooled(pools: &[(&str, u32)]) -> Observation {
    let mut observation = observed("overload");
    observation.variant.instance_type = None;
    let pool = |(kind, count): &(&str, u32)| InstancePool {
        instance_type: InstanceType((*kind).to_owned()),
        current_instance_count: Some(InstanceCount(*count)),
    };
    observation.variant.instance_pools = pools.iter().map(pool).collect();
    observation
}

#[test]
fn instances_of_several_types() {
    let observation = pooled(&[("ml.m5.xlarge", 1), ("ml.c5.xlarge", 1)]);
    check("instances-of-several-types", &observation, Verdict::Overload, &[]);
    // With as many cores each, the diagnosis is the same as of one type.
    let (mixed, one) = (explain(&observation, &settings(&[])), explain(&observed("overload"), &settings(&[])));
    assert_eq!(mixed.diagnosis, one.diagnosis);
    let grade = |capacity: Option<Capacity>| capacity.map(|capacity| capacity.grade);
    assert!(grade(mixed.capacity.clone()).unwrap() <= Grade::Medium);
    assert!(mixed.capacity.unwrap().method.ends_with("a mean over instances of several types, as they were mixed"));
    assert!(mixed.plan.reasoning.iter().any(|reason| reason.starts_with("instances of several types serve")));
    assert_eq!(mixed.plan.digest, one.plan.digest);
}

/// Each type with its own latency, as many times the variant's, and half of the requests each.
fn each_type(mut observation: Observation, types: [(&str, f64, f64); 2]) -> Observation {
    let first = observation.last_minute().plus(-59);
    let part = |(kind, slower, busy): (&str, f64, f64)| {
        let own = |metric, statistic, factor: f64| {
            let value = |minute| Some(factor * observation.metrics.at(metric, statistic, minute)?);
            Series::new(metric, statistic, first, (0..60).map(|index| value(first.plus(index))).collect())
        };
        PartMetrics {
            part: Part::InstanceType(InstanceType(kind.to_owned())),
            metrics: Metrics(vec![
                own(Metric::ModelLatency, Statistic::P90, slower),
                own(Metric::Invocations, Statistic::Sum, 0.5),
                own(Metric::CPUUtilization, Statistic::Average, busy),
            ]),
        }
    };
    observation.parts = types.map(part).into();
    observation
}

#[test]
fn the_smaller_type_of_a_mix_is_slow_and_the_larger_is_not() {
    let mixed = pooled(&[("ml.m5.large", 1), ("ml.m5.2xlarge", 1)]);
    let observation = each_type(mixed.clone(), [("ml.m5.large", 1.2, 0.5), ("ml.m5.2xlarge", 0.2, 1.5)]);
    check("only-the-smaller-instances-are-slow", &observation, Verdict::Overload, &[]);
    let report = explain(&observation, &settings(&[]));
    assert!(report.diagnosis.summary.contains("Only the instances of ml.m5.large are slow"));
    assert!(report.diagnosis.next_steps[0].contains("LEAST_OUTSTANDING_REQUESTS"));
    // What it is called, and what is done, does not hang on it.
    let without = explain(&mixed, &settings(&[]));
    assert_eq!((report.diagnosis.verdict, report.plan), (without.diagnosis.verdict, without.plan));
    // Where requests avoid the slower instances already, the type does not suit the model.
    let mut routed = observation.clone();
    routed.variant.routing_strategy = Some("LEAST_OUTSTANDING_REQUESTS".to_owned());
    let step = diagnose(&routed).next_steps.remove(0);
    assert!(step.starts_with("Take ml.m5.large out of the instance pools"), "{step}");
}

#[test]
fn types_that_are_all_slow_or_all_within_the_objective_are_facts_only() {
    let mixed = pooled(&[("ml.m5.large", 1), ("ml.m5.2xlarge", 1)]);
    for (small, large) in [(1.1, 0.9), (0.2, 0.1)] {
        let observation = each_type(mixed.clone(), [("ml.m5.large", small, 0.4), ("ml.m5.2xlarge", large, 0.8)]);
        let diagnosis = diagnose(&observation);
        assert!(!diagnosis.summary.contains("Only the instances"), "{}", diagnosis.summary);
        let told = diagnosis.context.iter().filter(|fact| fact.signal == "instance_type_latency").count();
        assert_eq!(told, 2);
    }
}

#[test]
fn utilisation_of_a_mix_is_of_the_mean_of_its_cores() {
    let report = explain(&pooled(&[("ml.m5.xlarge", 1), ("ml.m5.2xlarge", 1)]), &settings(&[]));
    let text = text::render(&report);
    assert!(text.contains("instances by type: 1 of ml.m5.xlarge, 1 of ml.m5.2xlarge; utilisation is of"), "{text}");
    assert!(text.contains("their mean, 6.0 vCPUs"), "{text}");
    let busy = |report: &endpoint_advisor::model::Report| {
        let facts = report.diagnosis.evidence.iter().map(|fact| (&fact.signal, fact.observed));
        let mut facts = facts.chain(report.diagnosis.context.iter().map(|fact| (&fact.signal, fact.observed)));
        facts.find(|(signal, _)| *signal == "utilization").and_then(|(_, busy)| busy).unwrap()
    };
    let one = explain(&observed("overload"), &settings(&[]));
    assert!((busy(&one) / busy(&report) - 1.5).abs() < 1e-6, "six cores instead of four");
}

#[test]
fn a_mix_that_cannot_be_priced_refuses_under_an_hourly_limit() {
    let mut observation = pooled(&[("ml.m5.xlarge", 2), ("ml.g5.xlarge", 0)]);
    let limit = [("ADVISOR_MAX_HOURLY_USD", "5.00")];
    let report = explain(&observation, &settings(&limit));
    assert_eq!(report.plan.hold_reason, Some(HoldReason::PriceUnknown));
    // The dearest: three of them are affordable.
    observation.instance_price = Some(UsdPerHour(1.41));
    let register = explain(&observation, &settings(&limit)).plan.register_scalable_target.unwrap();
    assert_eq!(register.max_capacity, InstanceCount(3));
}

#[test]
fn a_burstable_type_in_a_pool_cannot_be_scaled() {
    let report = explain(&pooled(&[("ml.m5.xlarge", 1), ("ml.t2.xlarge", 1)]), &settings(&[]));
    assert_eq!(report.plan.hold_reason, Some(HoldReason::BurstableInstance));
}
