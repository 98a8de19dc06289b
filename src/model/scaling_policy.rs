//! Policies and scheduled actions in Application Auto Scaling, as they stand.

use super::{CustomizedMetricSpecification, InstanceCount, MetricDimension, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The prefix of every policy that we write, by which we know our own.
pub const POLICY_NAME_PREFIX: &str = "endpoint-advisor-";

/// A scaling policy as it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingPolicy {
    /// `PolicyName`.
    pub policy_name: String,
    /// `PolicyType`.
    pub policy_type: String,
    /// Its configuration, where it tracks a target.
    pub target_tracking: Option<TargetTracking>,
    /// Its configuration, where it scales in steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_scaling: Option<StepScaling>,
    /// The alarms that trigger it, as they are set; none where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Vec<PolicyAlarm>>,
}

impl ScalingPolicy {
    /// Whether this policy carries our name.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.policy_name.starts_with(POLICY_NAME_PREFIX)
    }

    /// The policy without its alarms, which Application Auto Scaling makes and changes by itself.
    #[must_use]
    pub fn without_alarms(self) -> Self {
        Self { alarms: None, ..self }
    }
}

/// A target-tracking configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetTracking {
    /// The `PredefinedMetricType`, or `namespace/name` of a custom metric; none for metric math.
    pub metric: Option<String>,
    /// `TargetValue`, in the metric's own unit.
    pub target_value: f64,
    /// `ScaleOutCooldown`.
    pub scale_out_cooldown: Option<Seconds>,
    /// `ScaleInCooldown`.
    pub scale_in_cooldown: Option<Seconds>,
    /// `DisableScaleIn`.
    pub disable_scale_in: bool,
    /// `CustomizedMetricSpecification`, where it is of a single metric and all of it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customized: Option<CustomizedMetricSpecification>,
}

/// A step-scaling configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepScaling {
    /// `AdjustmentType`: `ChangeInCapacity`, `PercentChangeInCapacity` or `ExactCapacity`.
    pub adjustment_type: String,
    /// `StepAdjustments`.
    pub steps: Vec<StepAdjustment>,
    /// `MinAdjustmentMagnitude`: a percentage changes at least so many instances.
    pub min_adjustment_magnitude: Option<u32>,
    /// `Cooldown`.
    pub cooldown: Option<Seconds>,
    /// `MetricAggregationType`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_aggregation_type: Option<String>,
}

/// One `StepAdjustment`: what to do where the metric is so far from the alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepAdjustment {
    /// `MetricIntervalLowerBound`, added to the threshold; none: no bound.
    pub lower_bound: Option<f64>,
    /// `MetricIntervalUpperBound`.
    pub upper_bound: Option<f64>,
    /// `ScalingAdjustment`, in instances or percent.
    pub adjustment: i32,
}

/// The CloudWatch alarm of a policy, as far as it matters when the policy acts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyAlarm {
    /// `AlarmName`.
    pub alarm_name: String,
    /// Namespace and name of its metric, as `AWS/SageMaker/InvocationsPerInstance`; none for metric math.
    pub metric: Option<String>,
    /// `Statistic` or `ExtendedStatistic`; none for metric math.
    pub statistic: Option<String>,
    /// `ComparisonOperator`, as `GreaterThanThreshold`.
    pub comparison_operator: String,
    /// `Threshold`, in the metric's unit.
    pub threshold: f64,
    /// `Period`.
    pub period: Seconds,
    /// `EvaluationPeriods`: so many datapoints are looked at.
    pub evaluation_periods: u32,
    /// `DatapointsToAlarm`: so many of them have to be beyond the threshold.
    pub datapoints_to_alarm: u32,
    /// `Dimensions` of its metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<MetricDimension>,
    /// `TreatMissingData`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// `AlarmDescription`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PolicyAlarm {
    /// Whether it fires when the metric is high.
    #[must_use]
    pub fn is_on_high(&self) -> bool {
        self.comparison_operator.starts_with("Greater")
    }
}

/// A scheduled action as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledAction {
    /// `ScheduledActionName`.
    pub name: String,
    /// `Schedule`: `at(…)`, `rate(…)` or `cron(…)`.
    pub schedule: String,
    /// `Timezone`; none is UTC.
    pub timezone: Option<String>,
    /// `ScalableTargetAction.MinCapacity`; none leaves it as it is.
    pub min_capacity: Option<InstanceCount>,
    /// `ScalableTargetAction.MaxCapacity`.
    pub max_capacity: Option<InstanceCount>,
}

impl ScheduledAction {
    /// Whether this action carries our name.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.name.starts_with(POLICY_NAME_PREFIX)
    }
}
