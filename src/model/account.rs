//! What is known of a Region of an account as a whole, beside its endpoints one by one.

use super::{CloudWatchAlarm, EndpointName, InferenceComponentName, InstanceCount, ScalableKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was listed. A list that could not be read is none, never empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Every endpoint.
    pub endpoints: Option<Vec<EndpointName>>,
    /// Every inference component; none also where no scalable target is of one, and nobody asked.
    pub components: Option<Vec<InferenceComponentName>>,
    /// Every scalable target of the namespace `sagemaker`.
    pub targets: Option<Vec<RegisteredTarget>>,
    /// Every metric alarm.
    pub alarms: Option<Vec<CloudWatchAlarm>>,
    /// What could not be read, in words.
    pub warnings: Vec<String>,
}

/// A scalable target, as the list of all of them tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredTarget {
    /// Whose it is.
    #[serde(flatten)]
    pub key: ScalableKey,
    /// `MinCapacity`.
    pub min_capacity: InstanceCount,
    /// `MaxCapacity`.
    pub max_capacity: InstanceCount,
}
