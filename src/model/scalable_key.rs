//! What Application Auto Scaling can scale, and the names by which it knows it.

use super::{EndpointName, InferenceComponentName, VariantName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is counted when a variant or a component scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ScalableDimension {
    /// Instances of a variant.
    #[serde(rename = "sagemaker:variant:DesiredInstanceCount")]
    InstanceCount,
    /// Copies of an inference component.
    #[serde(rename = "sagemaker:inference-component:DesiredCopyCount")]
    CopyCount,
    /// Provisioned concurrency of a serverless variant.
    #[serde(rename = "sagemaker:variant:DesiredProvisionedConcurrency")]
    ProvisionedConcurrency,
}

impl ScalableDimension {
    /// As Application Auto Scaling spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InstanceCount => "sagemaker:variant:DesiredInstanceCount",
            Self::CopyCount => "sagemaker:inference-component:DesiredCopyCount",
            Self::ProvisionedConcurrency => "sagemaker:variant:DesiredProvisionedConcurrency",
        }
    }

    /// One of what is counted, in words.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::InstanceCount => "instance",
            Self::CopyCount => "copy",
            Self::ProvisionedConcurrency => "unit of provisioned concurrency",
        }
    }

    /// How many of them, in words.
    #[must_use]
    pub fn count(self) -> &'static str {
        match self {
            Self::InstanceCount => "instance count",
            Self::CopyCount => "copy count",
            Self::ProvisionedConcurrency => "provisioned concurrency",
        }
    }

    /// Several of them, in words.
    #[must_use]
    pub fn units(self) -> &'static str {
        match self {
            Self::InstanceCount => "instances",
            Self::CopyCount => "copies",
            Self::ProvisionedConcurrency => "units of provisioned concurrency",
        }
    }
}

/// What every request to Application Auto Scaling names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScalableKey {
    /// `sagemaker`.
    pub service_namespace: String,
    /// `endpoint/<endpoint>/variant/<variant>`, or `inference-component/<component>`.
    pub resource_id: String,
    /// As `sagemaker:variant:DesiredInstanceCount`.
    pub scalable_dimension: String,
}

impl ScalableKey {
    fn new(resource_id: String, dimension: ScalableDimension) -> Self {
        Self { service_namespace: "sagemaker".to_owned(), resource_id, scalable_dimension: dimension.name().to_owned() }
    }

    /// What it counts.
    #[must_use]
    pub fn dimension(&self) -> Option<ScalableDimension> {
        let all =
            [ScalableDimension::InstanceCount, ScalableDimension::CopyCount, ScalableDimension::ProvisionedConcurrency];
        all.into_iter().find(|dimension| dimension.name() == self.scalable_dimension)
    }

    /// Of the instances of a variant.
    #[must_use]
    pub fn of_variant(endpoint_name: &EndpointName, variant_name: &VariantName) -> Self {
        Self::new(variant_resource_id(endpoint_name, variant_name), ScalableDimension::InstanceCount)
    }

    /// Of the provisioned concurrency of a serverless variant.
    #[must_use]
    pub fn of_provisioned_concurrency(endpoint_name: &EndpointName, variant_name: &VariantName) -> Self {
        Self::new(variant_resource_id(endpoint_name, variant_name), ScalableDimension::ProvisionedConcurrency)
    }

    /// Of the copies of an inference component.
    #[must_use]
    pub fn of_component(component: &InferenceComponentName) -> Self {
        Self::new(format!("inference-component/{component}"), ScalableDimension::CopyCount)
    }
}

fn variant_resource_id(endpoint_name: &EndpointName, variant_name: &VariantName) -> String {
    format!("endpoint/{endpoint_name}/variant/{variant_name}")
}
