//! What is known of a Region of an account as a whole, beside its endpoints one by one.

use super::{CloudWatchAlarm, EndpointName, InferenceComponentName, InstanceCount, ScalableKey, WatchedMetric};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was listed. A list that could not be read is none, never empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Every endpoint.
    pub endpoints: Option<Vec<EndpointName>>,
    /// Every inference component; none also where no scalable target is of one, and nobody asked.
    pub components: Option<Vec<ListedComponent>>,
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

/// An inference component, as the list of all of them tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedComponent {
    /// Its name.
    pub name: InferenceComponentName,
    /// The endpoint that it is on.
    pub endpoint_name: EndpointName,
}

impl Account {
    /// What is known of one endpoint and its components. An alarm on a component names no endpoint.
    #[must_use]
    pub fn about(&self, endpoint_name: &EndpointName) -> Self {
        let components = self.components.iter().flatten().filter(|component| component.endpoint_name == *endpoint_name);
        let components: Vec<ListedComponent> = components.cloned().collect();
        let has = |name: &str| components.iter().any(|component| component.name.as_str() == name);
        let is_on = |metric: &WatchedMetric| {
            metric.dimension("EndpointName") == Some(endpoint_name.as_str())
                || metric.dimension("InferenceComponentName").is_some_and(has)
        };
        let resource = |target: &&RegisteredTarget| match target.key.resource_id.split('/').collect::<Vec<_>>()[..] {
            ["endpoint", name, ..] => name == endpoint_name.as_str(),
            ["inference-component", name] => has(name),
            _ => false,
        };
        let alarm = |alarm: &&CloudWatchAlarm| alarm.metrics.iter().any(is_on);
        Self {
            endpoints: None,
            alarms: self.alarms.as_ref().map(|alarms| alarms.iter().filter(alarm).cloned().collect()),
            targets: self.targets.as_ref().map(|targets| targets.iter().filter(resource).cloned().collect()),
            components: self.components.as_ref().map(|_| components),
            warnings: Vec::new(),
        }
    }

    /// Takes what is known of another endpoint. A list that one of them lacks is none.
    pub fn add(&mut self, other: Self) {
        fn joined<T>(mine: &mut Option<Vec<T>>, other: Option<Vec<T>>) {
            match (mine.as_mut(), other) {
                (Some(mine), Some(other)) => mine.extend(other),
                _ => *mine = None,
            }
        }
        joined(&mut self.alarms, other.alarms);
        joined(&mut self.targets, other.targets);
        joined(&mut self.components, other.components);
    }
}
