//! An alarm, exactly as `PutMetricAlarm` takes it, and what it watches.

use super::{Metric, MetricDimension, Observation, PolicyAlarm, ScalableKey, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `PutMetricAlarm`: of the alarm of a step policy, which has no alarm but the one that is put for it, and of a latency
/// alarm.
///
/// What it does when it fires is missing here. A step policy's ARN is only in the answer to `PutScalingPolicy`, and the alarm's name
/// says which policy that is: `endpoint-advisor-from-zero/endpoint/orders/variant/AllTraffic`. A latency alarm keeps the
/// actions that it has. `Unit` is missing on purpose: an alarm with another unit than the metric's never sees a datapoint.
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
    /// Under the name that belongs to it.
    #[serde(flatten)]
    pub statistic: AlarmStatistic,
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
    /// Percentiles of few samples: `ignore` keeps the alarm's state, `evaluate` does not; none for other statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
}

/// The statistic of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AlarmStatistic {
    /// As `Average`.
    Statistic(String),
    /// As `p90`.
    ExtendedStatistic(String),
}

impl AlarmStatistic {
    /// The statistic of this name: CloudWatch has five without a number in their name, and takes every other as extended.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.contains(|c: char| c.is_ascii_digit()) {
            Self::ExtendedStatistic(name.to_owned())
        } else {
            Self::Statistic(name.to_owned())
        }
    }

    /// As `Average` or `p90`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Statistic(name) | Self::ExtendedStatistic(name) => name,
        }
    }
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
            statistic: Some(self.statistic.name().to_owned()),
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
            statistic: AlarmStatistic::of(alarm.statistic.as_deref()?),
            period: alarm.period,
            evaluation_periods: alarm.evaluation_periods,
            datapoints_to_alarm: alarm.datapoints_to_alarm,
            threshold: alarm.threshold,
            comparison_operator: alarm.comparison_operator.clone(),
            treat_missing_data: alarm.treat_missing_data.clone()?,
            evaluate_low_sample_count_percentile: None,
        })
    }

    /// Whether exactly this alarm is among `alarms`.
    #[must_use]
    pub fn stands(&self, alarms: &[PolicyAlarm]) -> bool {
        alarms.contains(&self.to_alarm())
    }
}

/// What an alarm does when its state changes: ARNs, as of SNS topics. `PutMetricAlarm` replaces all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmActions {
    /// Whether any of it happens; none: as AWS has it, it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_enabled: Option<bool>,
    /// When it fires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarm_actions: Vec<String>,
    /// When it is over.
    #[serde(default, rename = "OKActions", skip_serializing_if = "Vec::is_empty")]
    pub ok_actions: Vec<String>,
    /// When there is no data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insufficient_data_actions: Vec<String>,
}

impl AlarmActions {
    /// Fires one policy, and nothing else.
    #[must_use]
    pub fn firing(policy_arn: &str) -> Self {
        Self { alarm_actions: vec![policy_arn.to_owned()], ..Self::default() }
    }
}

impl Observation {
    /// The dimensions under which SageMaker publishes a metric of it; none where it names neither variant nor component.
    #[must_use]
    pub fn dimensions(&self, metric: Metric) -> Option<Vec<MetricDimension>> {
        let dimension = |name: &str, value: &str| MetricDimension { name: name.to_owned(), value: value.to_owned() };
        let endpoint = dimension("EndpointName", self.endpoint_name.as_str());
        match (&self.inference_component_name, &self.variant_name) {
            (Some(component), _) => Some(vec![dimension("InferenceComponentName", component.as_str())]),
            (None, Some(_)) if metric.is_of_endpoint() => Some(vec![endpoint]),
            (None, Some(variant)) => Some(vec![endpoint, dimension("VariantName", variant.as_str())]),
            (None, None) => None,
        }
    }
}
