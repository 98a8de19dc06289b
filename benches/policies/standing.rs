//! The policies that stand before anybody advises.

use crate::draws::Draws;
use crate::observed::minutes_ago;
use crate::trial::FIRST_OF_WEEK_TWO;
use endpoint_advisor::model::{BEFORE_TAG, Scaling};
use serde_json::{Value, json};
use simulator::production::Variant;
use simulator::{Cause, Policy, ScalingActivity as Activity, ScalingMetric, SetUp, TargetTracking};

/// What stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// As `target_too_high`.
    pub kind: &'static str,
    pub set_up: SetUp,
    /// Of its policies, in their order.
    pub names: Vec<String>,
    /// Whether it is registered with Application Auto Scaling.
    pub is_registered: bool,
    /// Instances when the first week begins.
    pub instances: usize,
}

/// The name of the policy that the advisor may rewrite.
const OURS: &str = "endpoint-advisor-invocations";
/// The name of one that it may not.
const THEIRS: &str = "keep-busy";

/// A policy on a metric with the cooldowns that AWS has by default.
pub fn tracking(metric: ScalingMetric, target: f64) -> Policy {
    Policy::TargetTracking(TargetTracking {
        metric,
        target,
        scale_out_cooldown_seconds: 300.0,
        scale_in_cooldown_seconds: 300.0,
        is_scale_in_disabled: false,
    })
}

impl Standing {
    /// What somebody may have set up who knows the endpoint's usual `peak` in requests per minute and something of what
    /// an instance carries.
    pub fn draw(variant: &Variant, week_one: &[f64], seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let mut sorted = week_one.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let need = |quantile: f64| {
            let rate = sorted[((sorted.len() - 1) as f64 * quantile) as usize];
            (rate / variant.capacity).ceil().max(1.0) as usize
        };
        let peak = need(0.999);
        let invocations =
            |target: f64| vec![tracking(ScalingMetric::InvocationsPerInstance, target * variant.capacity)];
        let (kind, min, max, policies) = match draws.index(20) {
            0..=3 => {
                let fixed = need(draws.uniform(0.6, 1.0));
                ("none", fixed, fixed, Vec::new())
            }
            4..=7 => ("aws_formula", 1, 3 * peak, invocations(0.5)),
            8..=10 => {
                let (metric, full) = ScalingMetric::utilization(&variant.endpoint);
                ("utilisation", 1, 2 * peak, vec![tracking(metric, draws.uniform(0.5, 0.8) * full)])
            }
            11..=14 => ("target_too_high", 1, 2 * peak, invocations(draws.uniform(0.95, 1.4))),
            15..=17 => ("target_too_low", 1 + draws.index(2), 8 * peak, invocations(draws.uniform(0.15, 0.35))),
            _ => {
                let max = (draws.uniform(0.6, 0.95) * peak as f64).ceil() as usize;
                ("max_too_low", 1, max, invocations(draws.uniform(0.6, 0.8)))
            }
        };
        let names = policies.iter().map(|policy| {
            if policy.metric() == ScalingMetric::InvocationsPerInstance { OURS } else { THEIRS }.to_owned()
        });
        Self {
            kind,
            names: names.collect(),
            is_registered: !policies.is_empty(),
            instances: ((week_one[0] / variant.capacity / 0.7).ceil() as usize).clamp(min, max),
            set_up: SetUp { min, max, policies, scheduled: Vec::new() },
        }
    }

    /// As `DescribeScalableTargets`, `DescribeScalingPolicies` and `DescribeScalingActivities` would tell it.
    pub fn scaling(&self, activities: &[Activity]) -> Scaling {
        let told = json!({
            "target": self.is_registered.then(|| self.target()),
            "policies": self.names.iter().zip(&self.set_up.policies).filter_map(policy).collect::<Vec<_>>(),
            "activities": if self.is_registered { activities } else { &[] }
                .iter()
                .rev()
                .map(|activity| self.activity(activity))
                .collect::<Vec<_>>(),
            "scheduled_actions": [],
        });
        serde_json::from_value(told).unwrap()
    }

    fn target(&self) -> Value {
        let (min, max) = (self.set_up.min, self.set_up.max);
        // What the advisor may rewrite carries its tag: it says what was there before.
        let is_ours = self.names.iter().any(|name| name == OURS);
        json!({
            "arn": "arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b",
            "min_capacity": min,
            "max_capacity": max,
            "is_scale_out_suspended": false,
            "tags": if is_ours { json!({ BEFORE_TAG: format!("min={min} max={max}") }) } else { json!({}) },
        })
    }

    fn activity(&self, activity: &Activity) -> Value {
        let at = |minute: i64| minutes_ago(FIRST_OF_WEEK_TWO - minute);
        let alarm = if activity.to > activity.from { "AlarmHigh" } else { "AlarmLow" };
        let cause = match activity.cause {
            Cause::Policy(index) => format!(
                "monitor alarm TargetTracking-endpoint/orders/variant/AllTraffic-{alarm}-1a2b in state ALARM triggered \
                 policy {}",
                self.names[index]
            ),
            Cause::Bounds => format!("minimum capacity was set to {}", self.set_up.min),
        };
        json!({
            "started_at": at(activity.began),
            "ended_at": activity.ended.map(at),
            "status_code": if activity.ended.is_some() { "Successful" } else { "InProgress" },
            "status_message": null,
            "description": format!("Setting desired instance count to {}.", activity.to),
            "cause": cause,
            "not_scaled_reasons": [],
        })
    }
}

fn policy((name, policy): (&String, &Policy)) -> Option<Value> {
    let Policy::TargetTracking(tracking) = policy else { return None };
    Some(json!({
        "policy_name": name,
        "policy_type": "TargetTrackingScaling",
        "target_tracking": {
            "metric": metric_name(tracking.metric),
            "target_value": tracking.target,
            "scale_out_cooldown": tracking.scale_out_cooldown_seconds as u32,
            "scale_in_cooldown": tracking.scale_in_cooldown_seconds as u32,
            "disable_scale_in": tracking.is_scale_in_disabled,
        },
    }))
}

/// As in `DescribeScalingPolicies`: a predefined metric, or namespace and name of another.
fn metric_name(metric: ScalingMetric) -> &'static str {
    match metric {
        ScalingMetric::InvocationsPerInstance => "SageMakerVariantInvocationsPerInstance",
        ScalingMetric::CpuUtilization => "/aws/sagemaker/Endpoints/CPUUtilization",
        ScalingMetric::GpuUtilization => "/aws/sagemaker/Endpoints/GPUUtilization",
        ScalingMetric::ConcurrentRequests => "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    }
}
