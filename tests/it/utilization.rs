//! A policy on utilisation: where it is proposed, where it is not, and how ours on one metric takes the place of the other.

use crate::convergence::applied;
use crate::endpoint::{observed, settings, stepping, without};
use crate::scenarios::with_target;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    BEFORE_TAG, Capacity, CustomizedMetricSpecification, Metric, Minute, Observation, Plan, PutScalingPolicy,
    ScalableKey, ScalingPolicy, ScalingState, Seconds, Series, TargetTracking,
};
use endpoint_advisor::{capacity, plan, undo};
use serde_json::json;
use std::sync::LazyLock;

const INVOCATIONS: &str = "endpoint-advisor-invocations";
const UTILIZATION: &str = "endpoint-advisor-utilization";

/// Five instances; what a request takes is twice as much in some hours as in others.
pub static WANDERING: LazyLock<Observation> = LazyLock::new(|| observed("wandering-work"));

fn told(observation: &Observation) -> Option<Capacity> {
    capacity::capacity(observation)
}

fn tuned(observation: &Observation) -> Plan {
    let guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
    plan::tune(observation, told(observation).as_ref(), &guardrails)
}

fn put(plan: &Plan) -> Vec<&str> {
    plan.put_scaling_policies.iter().map(|policy| policy.policy_name.as_str()).collect()
}

fn deleted(plan: &Plan) -> Vec<&str> {
    plan.delete_scaling_policies.iter().map(|policy| policy.policy_name.as_str()).collect()
}

fn tracking(name: &str, metric: Option<&str>, target_value: f64) -> ScalingPolicy {
    ScalingPolicy {
        policy_name: name.to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: metric.map(str::to_owned),
            target_value,
            scale_out_cooldown: Some(Seconds(60)),
            scale_in_cooldown: Some(Seconds(600)),
            disable_scale_in: false,
            customized: None,
        }),
        ..ScalingPolicy::default()
    }
}

/// The endpoint with policies that stand, on a target of ours.
fn with_policies(policies: Vec<ScalingPolicy>) -> Observation {
    let mut observation = with_target(WANDERING.clone(), 1, 10, None);
    let scaling = observation.scaling.as_mut().unwrap();
    let before = (BEFORE_TAG.to_owned(), "absent".to_owned());
    scaling.target.as_mut().unwrap().tags.as_mut().unwrap().extend([before]);
    scaling.policies = policies;
    observation
}

/// Our policy on invocations, far too careful.
fn with_ours_on_invocations() -> Observation {
    with_policies(vec![tracking(INVOCATIONS, Some("SageMakerVariantInvocationsPerInstance"), 150.0)])
}

#[test]
fn where_work_wanders_the_policy_follows_what_is_used() {
    let plan = tuned(&WANDERING);
    assert_eq!((put(&plan), deleted(&plan)), (vec![UTILIZATION], Vec::new()));
    let policy = serde_json::to_value(&plan.put_scaling_policies[0]).unwrap();
    let configuration = &policy["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(
        configuration["CustomizedMetricSpecification"],
        json!({
            "MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints",
            "Dimensions": [{"Name": "EndpointName", "Value": "orders"}, {"Name": "VariantName", "Value": "AllTraffic"}],
            "Statistic": "Average", "Unit": "Percent",
        })
    );
    assert!(configuration.get("PredefinedMetricSpecification").is_none(), "AWS takes one of them");
    // Percent, summed over the four cores of the instance: people read it as a share of them.
    let target = configuration["TargetValue"].as_f64().unwrap();
    assert_eq!(plan.keeps.unwrap(), format!("CPU at {:.0} % of 4 vCPUs", target / 4.0));
    assert!(plan.reasoning.iter().any(|line| line.contains("the best policy on invocations would cost")));
    let read: PutScalingPolicy = serde_json::from_value(policy).unwrap();
    assert_eq!(read, plan.put_scaling_policies[0], "survives JSON");
}

#[test]
fn where_requests_are_alike_or_changed_for_good_the_policy_follows_their_number() {
    for scenario in ["healthy", "overload", "heavier-requests", "slow-model", "leak", "container-concurrency-limit"] {
        assert_eq!(told(&observed(scenario)).unwrap().work, None, "{scenario}");
    }
    // Without the metric, or a known instance, nothing is known of work.
    let unseen = without(WANDERING.clone(), Metric::CPUUtilization);
    let mut odd = WANDERING.clone();
    odd.variant.instance_type = None;
    for observation in [unseen, odd] {
        assert_eq!(told(&observation).unwrap().work, None);
        assert_eq!(put(&tuned(&observation)), [INVOCATIONS]);
    }
}

#[test]
fn utilisation_that_wanders_for_another_reason_is_not_work() {
    // Something else on the instances uses them more in some hours; requests are all alike, and so is their latency.
    let mut observation = observed("healthy");
    for series in observation.metrics.0.iter_mut().filter(|series| series.metric == Metric::CPUUtilization) {
        let points: Vec<(Minute, f64)> = series.points().collect();
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        let values = (0..=last.since(first)).map(|index| {
            let busy = (index as f64 / 70.0).sin();
            series.at(first.plus(index)).map(|value| value * (0.35 * busy).exp())
        });
        *series = Series::new(series.metric, series.statistic, first, values.collect());
    }
    assert_eq!(told(&observation).unwrap().work, None);
}

#[test]
fn our_policy_on_the_other_metric_goes_once_the_new_one_stands() {
    let before = with_ours_on_invocations();
    for plan in [tuned(&before), explain(&before, &settings(&[])).plan] {
        assert_eq!((put(&plan), deleted(&plan)), (vec![UTILIZATION], vec![INVOCATIONS]));
        assert!(!plan.is_in_place());
        let was = ScalingState::of(before.scaling.as_ref().unwrap());
        let will = plan.stands_on(&was);
        assert_eq!(will.policies.len(), 1);
        // A process that was cut off between the two calls left this; it is on the way, and not in place.
        let mut between = will.clone();
        between.policies.extend(was.policies.iter().cloned());
        assert_eq!(between.leaves(&was, &will), None);
        assert!(!Plan { based_on: Some(between), ..plan.clone() }.is_in_place());
        // Advised again, nothing more is asked; and the way back is the policy that stood.
        let after = applied(&before, &plan);
        assert!(tuned(&after).is_in_place(), "{:?}", tuned(&after).reasoning);
        let variant = before.variant_name.as_ref().unwrap();
        let key = ScalableKey::of_variant(&before.endpoint_name, variant);
        let back = undo::to(&was, &ScalingState::of(after.scaling.as_ref().unwrap()), &key);
        assert_eq!(back.gives.policies, was.policies);
        assert_eq!(back.delete_scaling_policies[0].policy_name, UTILIZATION);
        // And forth again.
        let forth = undo::to(&will, &was, &key);
        assert_eq!(forth.put_scaling_policies, plan.put_scaling_policies);
    }
}

#[test]
fn the_digest_approves_the_deletion_too() {
    let plan = tuned(&with_ours_on_invocations());
    let without = tuned(&with_policies(Vec::new()));
    assert_eq!(plan.put_scaling_policies, without.put_scaling_policies);
    assert_ne!(plan.digest, without.digest);
}

#[test]
fn of_two_policies_of_ours_one_goes() {
    let [utilization] = tuned(&WANDERING).put_scaling_policies.try_into().unwrap();
    let mut both = with_ours_on_invocations();
    both.scaling.as_mut().unwrap().policies.push(utilization.to_policy());
    for plan in [tuned(&both), explain(&both, &settings(&[])).plan] {
        assert_eq!((put(&plan), deleted(&plan)), (vec![UTILIZATION], vec![INVOCATIONS]));
        assert!(tuned(&applied(&both, &plan)).is_in_place());
    }
}

#[test]
fn a_policy_of_ours_stays_where_its_metric_cannot_be_replayed_any_more() {
    // A metric that could not be read says nothing against the policy that follows it.
    let stands = applied(&WANDERING, &tuned(&WANDERING));
    let blind = without(stands, Metric::CPUUtilization);
    assert_eq!(told(&blind).unwrap().work, None);
    for plan in [tuned(&blind), explain(&blind, &settings(&[])).plan] {
        assert_eq!(deleted(&plan), Vec::<&str>::new());
        let standing = &blind.scaling.as_ref().unwrap().policies;
        assert!(plan.put_scaling_policies.iter().all(|policy| policy.stands(standing)), "{:?}", put(&plan));
    }
}

#[test]
fn never_on_a_metric_that_somebody_else_follows() {
    let cpu = "/aws/sagemaker/Endpoints/CPUUtilization";
    let steps = stepping(Some(cpu), 300.0);
    let customized = |statistic: &str| {
        let variant = WANDERING.variant_name.as_ref().unwrap();
        let metric =
            CustomizedMetricSpecification::utilization(Metric::CPUUtilization, &WANDERING.endpoint_name, variant);
        let mut policy = tracking("busy", Some(cpu), 390.0);
        policy.target_tracking.as_mut().unwrap().customized =
            Some(CustomizedMetricSpecification { statistic: statistic.to_owned(), ..metric });
        policy
    };
    let theirs = [
        tracking("orders-target", Some("SageMakerVariantInvocationsPerInstance"), 5_000.0),
        tracking("orders-target", Some("AWS/SageMaker/InvocationsPerInstance"), 5_000.0),
        tracking("sum", None, 5_000.0),
        tracking("busy", Some(cpu), 390.0),
        customized("Average"),
        customized("Maximum"),
        steps,
    ];
    for policy in theirs {
        let observation = with_policies(vec![policy.clone()]);
        for plan in [tuned(&observation), explain(&observation, &settings(&[])).plan] {
            assert!(!put(&plan).contains(&UTILIZATION), "{policy:?}");
            assert_eq!(deleted(&plan), Vec::<&str>::new());
        }
    }
    // On a metric of their own they may stand beside.
    let memory = tracking("memory", Some("/aws/sagemaker/Endpoints/MemoryUtilization"), 80.0);
    assert_eq!(put(&tuned(&with_policies(vec![memory]))), [UTILIZATION]);
}
