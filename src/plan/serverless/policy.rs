//! The target-tracking policy on the share of provisioned concurrency in use.

use crate::model::{
    MetricSpecification, POLICY_NAME_PREFIX, PredefinedMetricSpecification, PutScalingPolicy, ScalableKey,
    ScalingPolicy, Seconds, TargetTracking, TargetTrackingConfiguration,
};
use crate::plan::target_tracking::Numbers;

const METRIC_TYPE: &str = "SageMakerVariantProvisionedConcurrencyUtilization";
/// The same metric where a policy names it itself.
const METRIC: &str = "AWS/SageMaker/ServerlessProvisionedConcurrencyUtilization";
/// A larger scale-out follows as soon as the next datapoint asks for it.
const OUT_COOLDOWN: Seconds = Seconds(60);
/// Bursts come back; units that are there meanwhile cost what they cost, and no cold start.
const IN_COOLDOWN: Seconds = Seconds(600);
/// A policy of ours stays as it is while its target would hardly change.
const SAME_TARGET: f64 = 0.051;

/// The numbers of our policy: as they stand where new ones would hardly differ.
pub(super) fn numbers(target: f64, present: Option<&TargetTracking>) -> Numbers {
    let new = Numbers { target, out_cooldown: OUT_COOLDOWN, in_cooldown: IN_COOLDOWN };
    let stands = present.filter(|present| {
        present.metric.as_deref() == Some(METRIC_TYPE)
            && !present.disable_scale_in
            && (present.target_value - target).abs() < SAME_TARGET
            && present.scale_out_cooldown == Some(OUT_COOLDOWN)
            && present.scale_in_cooldown == Some(IN_COOLDOWN)
    });
    stands.map_or(new, |present| Numbers { target: present.target_value, ..new })
}

fn name() -> String {
    format!("{POLICY_NAME_PREFIX}provisioned-concurrency")
}

/// Our policy among those that stand.
pub(super) fn ours(present: &[ScalingPolicy]) -> Option<&TargetTracking> {
    present.iter().find(|policy| policy.policy_name == name())?.target_tracking.as_ref()
}

/// Somebody else's policy on what ours would follow. Metric math and steps may well be on the same; they count as that.
pub(super) fn in_the_way(present: &[ScalingPolicy]) -> Option<&ScalingPolicy> {
    let is_same = |metric: Option<&str>| metric.is_none_or(|metric| metric == METRIC_TYPE || metric == METRIC);
    present.iter().find(|policy| {
        let tracks = policy.target_tracking.as_ref().is_some_and(|tracking| is_same(tracking.metric.as_deref()));
        !policy.is_ours() && (tracks || policy.step_scaling.is_some())
    })
}

/// What to do about it.
pub(super) fn advice(foreign: &ScalingPolicy, target: f64) -> String {
    match &foreign.target_tracking {
        Some(tracking) => format!(
            "Policy `{}` already tracks this metric and is not ours to change: set its TargetValue from {} to {target}.",
            foreign.policy_name, tracking.target_value
        ),
        None => format!(
            "Policy `{}` already scales provisioned concurrency in steps and is not ours to change: a second policy would \
             fight it.",
            foreign.policy_name
        ),
    }
}

/// The request for a policy with these numbers.
pub(super) fn request(key: &ScalableKey, numbers: Numbers) -> PutScalingPolicy {
    PutScalingPolicy {
        policy_name: name(),
        service_namespace: key.service_namespace.clone(),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking_scaling_policy_configuration: TargetTrackingConfiguration {
            target_value: numbers.target,
            metric: MetricSpecification::Predefined(PredefinedMetricSpecification {
                predefined_metric_type: METRIC_TYPE.to_owned(),
            }),
            scale_out_cooldown: numbers.out_cooldown,
            scale_in_cooldown: numbers.in_cooldown,
            disable_scale_in: false,
        },
    }
}
