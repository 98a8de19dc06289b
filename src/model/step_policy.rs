//! A step-scaling policy, exactly as AWS takes it. (The alarm that fires it: [`PutMetricAlarm`](super::PutMetricAlarm).)

use super::{POLICY_NAME_PREFIX, PolicyAlarm, Seconds, StepAdjustment, StepScaling};
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
