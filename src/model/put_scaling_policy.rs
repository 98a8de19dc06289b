//! The request for a scaling policy, exactly as AWS takes it.

use super::{
    EndpointName, Metric, ScalableKey, ScalingPolicy, Seconds, StepScalingConfiguration, TargetTracking, VariantName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `PutScalingPolicy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PutScalingPolicy {
    /// Ours: `endpoint-advisor-…`.
    pub policy_name: String,
    /// `sagemaker`.
    pub service_namespace: String,
    /// As in [`RegisterScalableTarget`](super::RegisterScalableTarget).
    pub resource_id: String,
    /// As in [`RegisterScalableTarget`](super::RegisterScalableTarget).
    pub scalable_dimension: String,
    /// `TargetTrackingScaling` or `StepScaling`.
    pub policy_type: String,
    /// The configuration, under the name that belongs to its type.
    #[serde(flatten)]
    pub configuration: PolicyConfiguration,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum PolicyConfiguration {
    /// It keeps a metric at a target.
    #[serde(rename = "TargetTrackingScalingPolicyConfiguration")]
    TargetTracking(TargetTrackingConfiguration),
    /// It adds or removes a number of instances when its alarm fires.
    #[serde(rename = "StepScalingPolicyConfiguration")]
    Steps(StepScalingConfiguration),
}

/// `TargetTrackingScalingPolicyConfiguration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TargetTrackingConfiguration {
    /// In the metric's unit; for invocations per instance: per minute; for utilisation: percent, summed over cores or GPUs.
    pub target_value: f64,
    /// Which metric.
    #[serde(flatten)]
    pub metric: MetricSpecification,
    /// Seconds between two scale-outs.
    pub scale_out_cooldown: Seconds,
    /// Seconds between two scale-ins.
    pub scale_in_cooldown: Seconds,
    /// Whether instances are only added.
    pub disable_scale_in: bool,
}

/// Which metric a policy tracks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MetricSpecification {
    /// One that Application Auto Scaling knows.
    #[serde(rename = "PredefinedMetricSpecification")]
    Predefined(PredefinedMetricSpecification),
    /// Any other.
    #[serde(rename = "CustomizedMetricSpecification")]
    Customized(CustomizedMetricSpecification),
}

/// `PredefinedMetricSpecification`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PredefinedMetricSpecification {
    /// As `SageMakerVariantInvocationsPerInstance`.
    pub predefined_metric_type: String,
}

/// `CustomizedMetricSpecification` of a single metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CustomizedMetricSpecification {
    /// As `CPUUtilization`.
    pub metric_name: String,
    /// As `/aws/sagemaker/Endpoints`.
    pub namespace: String,
    /// Of the metric.
    pub dimensions: Vec<MetricDimension>,
    /// As `Average`.
    pub statistic: String,
    /// As `Percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// `MetricDimension`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDimension {
    /// As `EndpointName`.
    pub name: String,
    /// As `orders`.
    pub value: String,
}

impl CustomizedMetricSpecification {
    /// The mean of a utilisation metric over the instances of a variant.
    #[must_use]
    pub fn utilization(metric: Metric, endpoint_name: &EndpointName, variant_name: &VariantName) -> Self {
        let dimension = |name: &str, value: String| MetricDimension { name: name.to_owned(), value };
        Self {
            metric_name: metric.name().to_owned(),
            namespace: metric.namespace().to_owned(),
            dimensions: vec![
                dimension("EndpointName", endpoint_name.to_string()),
                dimension("VariantName", variant_name.to_string()),
            ],
            statistic: "Average".to_owned(),
            unit: Some("Percent".to_owned()),
        }
    }

    /// `namespace/name`, by which metrics are known here.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.metric_name)
    }
}

impl MetricSpecification {
    /// What a policy that stands follows; none for metric math.
    fn of(tracking: &TargetTracking) -> Option<Self> {
        let predefined = |name: &String| {
            let predefined_metric_type = name.clone();
            Self::Predefined(PredefinedMetricSpecification { predefined_metric_type })
        };
        match &tracking.customized {
            Some(customized) => Some(Self::Customized(customized.clone())),
            // A name with a namespace is one of another metric.
            None => tracking.metric.as_ref().filter(|name| !name.contains('/')).map(predefined),
        }
    }

    /// Its name, as [`TargetTracking::metric`].
    fn id(&self) -> String {
        match self {
            Self::Predefined(predefined) => predefined.predefined_metric_type.clone(),
            Self::Customized(customized) => customized.id(),
        }
    }
}

impl TargetTrackingConfiguration {
    fn to_tracking(&self) -> TargetTracking {
        TargetTracking {
            metric: Some(self.metric.id()),
            target_value: self.target_value,
            scale_out_cooldown: Some(self.scale_out_cooldown),
            scale_in_cooldown: Some(self.scale_in_cooldown),
            disable_scale_in: self.disable_scale_in,
            customized: match &self.metric {
                MetricSpecification::Predefined(_) => None,
                MetricSpecification::Customized(customized) => Some(customized.clone()),
            },
        }
    }
}

impl PutScalingPolicy {
    /// Its configuration, where it tracks a target.
    #[must_use]
    pub fn target_tracking(&self) -> Option<&TargetTrackingConfiguration> {
        match &self.configuration {
            PolicyConfiguration::TargetTracking(tracking) => Some(tracking),
            PolicyConfiguration::Steps(_) => None,
        }
    }

    /// The policy as it will stand.
    #[must_use]
    pub fn to_policy(&self) -> ScalingPolicy {
        let (target_tracking, step_scaling) = match &self.configuration {
            PolicyConfiguration::TargetTracking(tracking) => (Some(tracking.to_tracking()), None),
            PolicyConfiguration::Steps(steps) => (None, Some(steps.to_steps())),
        };
        ScalingPolicy {
            policy_name: self.policy_name.clone(),
            policy_type: self.policy_type.clone(),
            target_tracking,
            step_scaling,
            alarms: None,
        }
    }

    /// The request that makes a policy of ours what it was; none where it tracks metric math.
    #[must_use]
    pub fn of(policy: &ScalingPolicy, key: &ScalableKey) -> Option<Self> {
        let configuration = match (&policy.target_tracking, &policy.step_scaling) {
            (Some(tracking), _) => PolicyConfiguration::TargetTracking(TargetTrackingConfiguration {
                target_value: tracking.target_value,
                metric: MetricSpecification::of(tracking)?,
                scale_out_cooldown: tracking.scale_out_cooldown?,
                scale_in_cooldown: tracking.scale_in_cooldown?,
                disable_scale_in: tracking.disable_scale_in,
            }),
            (None, steps) => PolicyConfiguration::Steps(StepScalingConfiguration::of(steps.as_ref()?)?),
        };
        Some(Self {
            policy_name: policy.policy_name.clone(),
            service_namespace: key.service_namespace.clone(),
            resource_id: key.resource_id.clone(),
            scalable_dimension: key.scalable_dimension.clone(),
            policy_type: policy.policy_type.clone(),
            configuration,
        })
    }

    /// Whether exactly this policy is among `policies`.
    #[must_use]
    pub fn stands(&self, policies: &[ScalingPolicy]) -> bool {
        let Some(present) = policies.iter().find(|policy| policy.policy_name == self.policy_name) else { return false };
        match &self.configuration {
            PolicyConfiguration::TargetTracking(wanted) => present.target_tracking.as_ref().is_some_and(|present| {
                (present.target_value - wanted.target_value).abs() < f64::EPSILON
                    && *present == TargetTracking { target_value: present.target_value, ..wanted.to_tracking() }
            }),
            PolicyConfiguration::Steps(wanted) => present.step_scaling.as_ref() == Some(&wanted.to_steps()),
        }
    }
}
