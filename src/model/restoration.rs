//! The way back: what to ask of AWS so that the set-up is what it was.

use super::{
    DeleteAlarms, PutMetricAlarm, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, ScalableKey,
    ScalingPolicy, ScalingState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests that bring back a set-up, complete like those of a plan: acting on them makes no choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restoration {
    /// What all of the requests name.
    pub key: ScalableKey,
    /// `DeleteScheduledAction`, exactly as AWS takes it.
    pub delete_scheduled_actions: Vec<DeleteScheduledAction>,
    /// `PutScheduledAction`: ours, as they were.
    pub put_scheduled_actions: Vec<PutScheduledAction>,
    /// `DeleteAlarms`: ours, whose policy goes or fires no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_alarms: Option<DeleteAlarms>,
    /// `DeleteScalingPolicy`, exactly as AWS takes it.
    pub delete_scaling_policies: Vec<DeleteScalingPolicy>,
    /// `PutScalingPolicy`: ours, as they were.
    pub put_scaling_policies: Vec<PutScalingPolicy>,
    /// `PutMetricAlarm`: ours, as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_metric_alarms: Vec<PutMetricAlarm>,
    /// `RegisterScalableTarget`: the range as it was.
    pub register_scalable_target: Option<RegisterScalableTarget>,
    /// `DeregisterScalableTarget`: there was no target, and nobody else uses it.
    pub deregister_scalable_target: Option<DeregisterScalableTarget>,
    /// `UntagResource`: our memory, once everything else is back.
    pub untag_resource: Option<UntagResource>,
    /// The set-up that this was made for.
    pub based_on: ScalingState,
    /// The set-up afterwards.
    pub gives: ScalingState,
}

impl Restoration {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delete_scheduled_actions.is_empty()
            && self.put_scheduled_actions.is_empty()
            && self.delete_alarms.is_none()
            && self.put_metric_alarms.is_empty()
            && self.delete_scaling_policies.is_empty()
            && self.put_scaling_policies.is_empty()
            && self.register_scalable_target.is_none()
            && self.deregister_scalable_target.is_none()
            && self.untag_resource.is_none()
    }
}

/// Input of `DeleteScalingPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteScalingPolicy {
    /// Ours: `endpoint-advisor-…`.
    pub policy_name: String,
    /// `sagemaker`.
    pub service_namespace: String,
    /// As in [`RegisterScalableTarget`].
    pub resource_id: String,
    /// As in [`RegisterScalableTarget`].
    pub scalable_dimension: String,
}

impl DeleteScalingPolicy {
    /// The request that deletes the policy of this name.
    #[must_use]
    pub fn named(policy_name: &str, key: &ScalableKey) -> Self {
        Self {
            policy_name: policy_name.to_owned(),
            service_namespace: key.service_namespace.clone(),
            resource_id: key.resource_id.clone(),
            scalable_dimension: key.scalable_dimension.clone(),
        }
    }

    /// Whether it is gone from among `policies`.
    #[must_use]
    pub fn is_gone(&self, policies: &[ScalingPolicy]) -> bool {
        policies.iter().all(|policy| policy.policy_name != self.policy_name)
    }
}

/// Input of `DeleteScheduledAction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteScheduledAction {
    /// `sagemaker`.
    pub service_namespace: String,
    /// Ours: `endpoint-advisor-…`.
    pub scheduled_action_name: String,
    /// As in [`RegisterScalableTarget`].
    pub resource_id: String,
    /// As in [`RegisterScalableTarget`].
    pub scalable_dimension: String,
}

/// Input of `DeregisterScalableTarget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DeregisterScalableTarget {
    /// `sagemaker`.
    pub service_namespace: String,
    /// As in [`RegisterScalableTarget`].
    pub resource_id: String,
    /// As in [`RegisterScalableTarget`].
    pub scalable_dimension: String,
}

/// Input of `UntagResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UntagResource {
    /// `ScalableTargetARN`.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The tags to remove.
    #[serde(rename = "TagKeys")]
    pub tag_keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_gone_where_none_has_its_name() {
        let key = ScalableKey {
            service_namespace: "sagemaker".to_owned(),
            resource_id: "endpoint/orders/variant/AllTraffic".to_owned(),
            scalable_dimension: "sagemaker:variant:DesiredInstanceCount".to_owned(),
        };
        let delete = DeleteScalingPolicy::named("endpoint-advisor-cpu", &key);
        let named = |name: &str| ScalingPolicy { policy_name: name.to_owned(), ..ScalingPolicy::default() };
        assert!(delete.is_gone(&[]) && delete.is_gone(&[named("theirs")]));
        assert!(!delete.is_gone(&[named("theirs"), named("endpoint-advisor-cpu")]));
    }
}
