//! CloudWatch alarms as they stand, those of people and those that fire scaling policies.

use super::{Metric, MetricDimension, Observation, POLICY_NAME_PREFIX, ScalableKey, Seconds};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A metric alarm, as `DescribeAlarms` tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchAlarm {
    /// `AlarmName`.
    pub alarm_name: String,
    /// `AlarmDescription`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The metric; several where it compares an expression of them.
    pub metrics: Vec<WatchedMetric>,
    /// Metric math; empty where it compares its only metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<String>,
    /// `ComparisonOperator`, as `GreaterThanThreshold`.
    pub comparison_operator: String,
    /// `Threshold`, in the metric's unit; none for anomaly detection.
    pub threshold: Option<f64>,
    /// `EvaluationPeriods`: so many datapoints are looked at.
    pub evaluation_periods: u32,
    /// `DatapointsToAlarm`: so many of them have to be beyond the threshold.
    pub datapoints_to_alarm: u32,
    /// `TreatMissingData`; none is `missing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// `EvaluateLowSampleCountPercentile`; none is `evaluate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// `ActionsEnabled`.
    pub actions_enabled: bool,
    /// `AlarmActions`: ARNs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarm_actions: Vec<String>,
    /// `OKActions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ok_actions: Vec<String>,
    /// `InsufficientDataActions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insufficient_data_actions: Vec<String>,
    /// `StateValue`: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// `StateTransitionedTimestamp`: since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Timestamp>,
}

/// A metric behind an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WatchedMetric {
    /// As `AWS/SageMaker`.
    pub namespace: String,
    /// As `ModelLatency`.
    pub metric_name: String,
    /// Of the metric.
    pub dimensions: Vec<MetricDimension>,
    /// `Statistic`, `ExtendedStatistic` or `Stat`, as `p90`.
    pub statistic: String,
    /// Of one datapoint.
    pub period: Seconds,
    /// `Unit`, where one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl WatchedMetric {
    /// The value of a dimension.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|dimension| dimension.name == name).map(|dimension| dimension.value.as_str())
    }

    /// Whether it is one of SageMaker's endpoints.
    #[must_use]
    pub fn is_of_sagemaker(&self) -> bool {
        is_of_sagemaker(&self.namespace)
    }

    /// Whether it is this metric.
    #[must_use]
    pub fn is(&self, metric: Metric) -> bool {
        self.namespace == metric.namespace() && self.metric_name == metric.name()
    }
}

/// Whether SageMaker publishes metrics of endpoints in this namespace.
#[must_use]
pub fn is_of_sagemaker(namespace: &str) -> bool {
    namespace == "AWS/SageMaker" || namespace.starts_with("/aws/sagemaker/")
}

impl CloudWatchAlarm {
    /// Whether Application Auto Scaling made it for a target tracking policy.
    #[must_use]
    pub fn is_of_target_tracking(&self) -> bool {
        self.alarm_name.starts_with("TargetTracking-")
    }

    /// Whether it fires scaling policies only, whoever made it.
    #[must_use]
    pub fn is_of_scaling(&self) -> bool {
        let is_policy = |action: &String| action.contains(":scalingPolicy:");
        self.is_of_target_tracking()
            || self.alarm_name.starts_with(POLICY_NAME_PREFIX)
            || (!self.alarm_actions.is_empty() && self.alarm_actions.iter().all(is_policy))
    }

    /// Whether it fires this policy: the ARN of a policy names the resource and the policy, and the action of an
    /// alarm that Application Auto Scaling made adds by whom.
    #[must_use]
    pub fn fires(&self, policy_name: &str, key: &ScalableKey) -> bool {
        let named = format!(":resource/{}/{}:policyName/{policy_name}", key.service_namespace, key.resource_id);
        self.alarm_actions
            .iter()
            .any(|action| action.split_once(&named).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with(':')))
    }

    /// Whether it fires on high values.
    #[must_use]
    pub fn is_on_high(&self) -> bool {
        super::fires_on_high(&self.comparison_operator)
    }

    /// The metric that it compares with its threshold; none of metric math.
    #[must_use]
    pub fn only_metric(&self) -> Option<&WatchedMetric> {
        self.metrics.first().filter(|_| self.expressions.is_empty() && self.metrics.len() == 1)
    }

    fn is_about(&self, observation: &Observation) -> bool {
        let endpoint = observation.endpoint_name.as_str();
        let is_own = |metric: &WatchedMetric| match &observation.inference_component_name {
            Some(component) => metric.dimension("InferenceComponentName") == Some(component.as_str()),
            None => {
                let variant = metric.dimension("VariantName");
                metric.dimension("EndpointName") == Some(endpoint)
                    && variant.is_none_or(|name| name == observation.part_name())
            }
        };
        let key = observation.scalable_key();
        let resource = key.map(|key| format!(":resource/{}/{}:policyName/", key.service_namespace, key.resource_id));
        let fires = |action: &String| resource.as_ref().is_some_and(|resource| action.contains(resource));
        self.metrics.iter().any(|metric| metric.is_of_sagemaker() && is_own(metric))
            || self.alarm_actions.iter().any(fires)
    }
}

impl Observation {
    /// Those of `all` that watch the variant or component, or the endpoint without naming a variant, and those that fire its
    /// policies.
    #[must_use]
    pub fn alarms_among(&self, all: &[CloudWatchAlarm]) -> Vec<CloudWatchAlarm> {
        all.iter().filter(|alarm| alarm.is_about(self)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_fires_the_policy_that_its_action_names_and_no_other() {
        let key = ScalableKey::of_variant(&"orders".parse().unwrap(), &"AllTraffic".parse().unwrap());
        let arn = |rest: &str| {
            format!(
                "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1a2b:resource/sagemaker/endpoint/orders/variant/\
                 AllTraffic:policyName/{rest}"
            )
        };
        let fires = |rest: &str, policy: &str| {
            CloudWatchAlarm { alarm_actions: vec![arn(rest)], ..CloudWatchAlarm::default() }.fires(policy, &key)
        };
        assert!(fires("load", "load"));
        assert!(fires("load:createdBy/7c-9", "load"));
        assert!(!fires("load-2", "load"));
        assert!(!fires("load", "load-2"));
    }
}
