//! A step-scaling policy and the alarm that fires it, exactly as AWS takes them.

use super::{MetricDimension, POLICY_NAME_PREFIX, PolicyAlarm, ScalableKey, Seconds, StepAdjustment, StepScaling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `StepScalingPolicyConfiguration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StepScalingConfiguration {
    /// `ChangeInCapacity`, `PercentChangeInCapacity` or `ExactCapacity`.
    pub adjustment_type: String,
    /// What to add or remove, by how far the metric is beyond the alarm's threshold.
    pub step_adjustments: Vec<StepAdjustmentRequest>,
    /// A percentage changes at least so many instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_adjustment_magnitude: Option<u32>,
    /// Seconds between two changes.
    pub cooldown: Seconds,
    /// How the alarm's datapoints become one number: `Average`, `Minimum` or `Maximum`.
    pub metric_aggregation_type: String,
}

/// One of `StepAdjustments`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StepAdjustmentRequest {
    /// Added to the alarm's threshold; none: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_interval_lower_bound: Option<f64>,
    /// The same above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_interval_upper_bound: Option<f64>,
    /// In instances or percent.
    pub scaling_adjustment: i32,
}

impl StepScalingConfiguration {
    pub(super) fn to_steps(&self) -> StepScaling {
        let steps = self.step_adjustments.iter().map(|step| StepAdjustment {
            lower_bound: step.metric_interval_lower_bound,
            upper_bound: step.metric_interval_upper_bound,
            adjustment: step.scaling_adjustment,
        });
        StepScaling {
            adjustment_type: self.adjustment_type.clone(),
            steps: steps.collect(),
            min_adjustment_magnitude: self.min_adjustment_magnitude,
            cooldown: Some(self.cooldown),
            metric_aggregation_type: Some(self.metric_aggregation_type.clone()),
        }
    }

    /// What a policy that stands does; none where not all of it is known.
    pub(super) fn of(steps: &StepScaling) -> Option<Self> {
        let adjustments = steps.steps.iter().map(|step| StepAdjustmentRequest {
            metric_interval_lower_bound: step.lower_bound,
            metric_interval_upper_bound: step.upper_bound,
            scaling_adjustment: step.adjustment,
        });
        Some(Self {
            adjustment_type: steps.adjustment_type.clone(),
            step_adjustments: adjustments.collect(),
            min_adjustment_magnitude: steps.min_adjustment_magnitude,
            cooldown: steps.cooldown?,
            metric_aggregation_type: steps.metric_aggregation_type.clone()?,
        })
    }
}

/// Input of `PutMetricAlarm`. Unlike target tracking, a step policy has no alarm but the one that is put for it.
///
/// Its `AlarmActions` is missing here: the ARN of the policy that it fires, which only the answer to `PutScalingPolicy` says. Its
/// name says which policy that is: `endpoint-advisor-from-zero/endpoint/orders/variant/AllTraffic`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PutMetricAlarm {
    /// The policy's name and the resource, with a slash between them.
    pub alarm_name: String,
    /// What it is for, to whoever finds it in the console.
    pub alarm_description: String,
    /// As `AWS/SageMaker`.
    pub namespace: String,
    /// As `HasBacklogWithoutCapacity`.
    pub metric_name: String,
    /// Of the metric.
    pub dimensions: Vec<MetricDimension>,
    /// As `Average`.
    pub statistic: String,
    /// Of one datapoint.
    pub period: Seconds,
    /// So many datapoints are looked at.
    pub evaluation_periods: u32,
    /// So many of them have to be beyond the threshold.
    pub datapoints_to_alarm: u32,
    /// In the metric's unit.
    pub threshold: f64,
    /// As `GreaterThanOrEqualToThreshold`.
    pub comparison_operator: String,
    /// As `missing`.
    pub treat_missing_data: String,
}

impl PutMetricAlarm {
    /// The name of the alarm that fires a policy of ours.
    #[must_use]
    pub fn name_for(policy_name: &str, key: &ScalableKey) -> String {
        format!("{policy_name}/{}", key.resource_id)
    }

    /// The policy that it fires.
    #[must_use]
    pub fn policy_name(&self) -> &str {
        self.alarm_name.split('/').next().unwrap_or_default()
    }

    /// The alarm as it will stand.
    #[must_use]
    pub fn to_alarm(&self) -> PolicyAlarm {
        PolicyAlarm {
            alarm_name: self.alarm_name.clone(),
            metric: Some(format!("{}/{}", self.namespace, self.metric_name)),
            statistic: Some(self.statistic.clone()),
            comparison_operator: self.comparison_operator.clone(),
            threshold: self.threshold,
            period: self.period,
            evaluation_periods: self.evaluation_periods,
            datapoints_to_alarm: self.datapoints_to_alarm,
            dimensions: self.dimensions.clone(),
            treat_missing_data: Some(self.treat_missing_data.clone()),
            description: Some(self.alarm_description.clone()),
        }
    }

    /// The request that makes an alarm of ours what it was; none where not all of it is known.
    #[must_use]
    pub fn of(alarm: &PolicyAlarm) -> Option<Self> {
        let (namespace, metric_name) = alarm.metric.as_ref()?.rsplit_once('/')?;
        Some(Self {
            alarm_name: alarm.alarm_name.clone(),
            alarm_description: alarm.description.clone().unwrap_or_default(),
            namespace: namespace.to_owned(),
            metric_name: metric_name.to_owned(),
            dimensions: alarm.dimensions.clone(),
            statistic: alarm.statistic.clone()?,
            period: alarm.period,
            evaluation_periods: alarm.evaluation_periods,
            datapoints_to_alarm: alarm.datapoints_to_alarm,
            threshold: alarm.threshold,
            comparison_operator: alarm.comparison_operator.clone(),
            treat_missing_data: alarm.treat_missing_data.clone()?,
        })
    }

    /// Whether exactly this alarm is among `alarms`.
    #[must_use]
    pub fn stands(&self, alarms: &[PolicyAlarm]) -> bool {
        alarms.contains(&self.to_alarm())
    }
}

/// Input of `DeleteAlarms`: AWS leaves the alarm of a step policy behind when the policy is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAlarms {
    /// Ours: `endpoint-advisor-…`.
    pub alarm_names: Vec<String>,
}

impl PolicyAlarm {
    /// Whether this alarm carries our name.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.alarm_name.starts_with(POLICY_NAME_PREFIX)
    }
}
