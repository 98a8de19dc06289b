//! Changes of a serverless variant that people make: Application Auto Scaling makes none of them.

use super::{EndpointName, InstanceCount, VariantName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `UpdateEndpointWeightsAndCapacities` for one serverless variant. The endpoint is `Updating` meanwhile and goes
/// on to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateServerless {
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// One variant.
    pub desired_weights_and_capacities: [DesiredServerless; 1],
}

/// `DesiredWeightAndCapacity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DesiredServerless {
    /// The variant.
    pub variant_name: VariantName,
    /// What changes.
    pub serverless_update_config: ServerlessUpdateConfig,
}

/// `ServerlessUpdateConfig`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ServerlessUpdateConfig {
    /// 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<InstanceCount>,
    /// 1 to `MaxConcurrency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioned_concurrency: Option<InstanceCount>,
}

impl UpdateServerless {
    /// Changes one variant.
    #[must_use]
    pub fn of(endpoint_name: &EndpointName, variant_name: &VariantName, config: ServerlessUpdateConfig) -> Self {
        Self {
            endpoint_name: endpoint_name.clone(),
            desired_weights_and_capacities: [DesiredServerless {
                variant_name: variant_name.clone(),
                serverless_update_config: config,
            }],
        }
    }

    /// The AWS CLI command for it.
    #[must_use]
    pub fn command(&self) -> String {
        let desired = serde_json::to_string(&self.desired_weights_and_capacities).unwrap_or_default();
        format!(
            "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {} --desired-weights-and-capacities \
             '{desired}'",
            self.endpoint_name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_sent() {
        let (endpoint, variant) = (EndpointName::parse("orders").unwrap(), VariantName::parse("AllTraffic").unwrap());
        let config = ServerlessUpdateConfig { max_concurrency: Some(InstanceCount(40)), ..Default::default() };
        assert_eq!(
            UpdateServerless::of(&endpoint, &variant, config).command(),
            "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name orders --desired-weights-and-capacities \
             '[{\"VariantName\":\"AllTraffic\",\"ServerlessUpdateConfig\":{\"MaxConcurrency\":40}}]'"
        );
    }
}
