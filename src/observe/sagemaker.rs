//! The endpoint, its configuration, model and tags.

use crate::aws::{Aws, CallError};
use crate::model::{
    Endpoint, EndpointName, EndpointStatus, Hosting, InferenceComponentName, InstanceCount, InstanceType, VariantName,
};
use aws_sdk_sagemaker::types::ContainerMode;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// `DescribeEndpoint`.
pub(super) struct EndpointDescription {
    pub arn: String,
    pub status: EndpointStatus,
    pub config_name: Option<String>,
    pub is_asynchronous: bool,
    pub variants: Vec<DescribedVariant>,
    pub failure_reason: Option<String>,
    last_modified_at: Option<Timestamp>,
}

/// A variant as `DescribeEndpoint` shows it.
pub(super) struct DescribedVariant {
    pub name: VariantName,
    pub is_serverless: bool,
    /// Only where one pool of instances serves the variant; else the configuration knows it.
    pub instance_type: Option<InstanceType>,
    pub current_instance_count: Option<InstanceCount>,
    pub desired_instance_count: Option<InstanceCount>,
    pub routing_strategy: Option<String>,
}

/// `DescribeEndpointConfig`.
pub(super) struct EndpointConfig {
    pub variants: Vec<ConfiguredVariant>,
    created_at: Option<Timestamp>,
}

/// A variant as its configuration has it.
pub(super) struct ConfiguredVariant {
    pub name: VariantName,
    /// None where inference components bring the models.
    pub model_name: Option<String>,
    pub instance_type: Option<InstanceType>,
}

impl EndpointDescription {
    /// The endpoint in our own terms.
    pub fn to_endpoint(&self, config: Option<&EndpointConfig>) -> Endpoint {
        Endpoint {
            arn: self.arn.clone(),
            status: self.status.clone(),
            failure_reason: self.failure_reason.clone(),
            last_modified_at: self.last_modified_at,
            endpoint_config_name: self.config_name.clone(),
            endpoint_config_created_at: config.and_then(|config| config.created_at),
        }
    }
}

pub(super) async fn describe_endpoint(aws: &Aws, name: &EndpointName) -> Result<EndpointDescription, CallError> {
    let output = aws.sagemaker.describe_endpoint().endpoint_name(name.as_str()).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeEndpoint", error))?;
    let variants = output.production_variants().iter().filter_map(|variant| {
        let pool = match variant.instance_pools() {
            [pool] => pool.instance_type().map(|kind| InstanceType(kind.as_str().to_owned())),
            _ => None,
        };
        Some(DescribedVariant {
            name: VariantName::parse(variant.variant_name()?).ok()?,
            is_serverless: variant.current_serverless_config().is_some(),
            instance_type: pool,
            current_instance_count: count(variant.current_instance_count()),
            desired_instance_count: count(variant.desired_instance_count()),
            routing_strategy: variant
                .routing_config()
                .and_then(|routing| routing.routing_strategy())
                .map(|strategy| strategy.as_str().to_owned()),
        })
    });
    Ok(EndpointDescription {
        arn: output.endpoint_arn().unwrap_or_default().to_owned(),
        status: EndpointStatus(output.endpoint_status().map(|status| status.as_str().to_owned()).unwrap_or_default()),
        config_name: output.endpoint_config_name().map(str::to_owned),
        is_asynchronous: output.async_inference_config().is_some(),
        variants: variants.collect(),
        failure_reason: output.failure_reason().map(str::to_owned),
        last_modified_at: timestamp(output.last_modified_time()),
    })
}

pub(super) async fn describe_endpoint_config(aws: &Aws, name: &str) -> Result<EndpointConfig, CallError> {
    let output = aws.sagemaker.describe_endpoint_config().endpoint_config_name(name).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeEndpointConfig", error))?;
    let variants = output.production_variants().iter().filter_map(|variant| {
        Some(ConfiguredVariant {
            name: VariantName::parse(variant.variant_name()?).ok()?,
            model_name: variant.model_name().map(str::to_owned),
            instance_type: variant.instance_type().map(|kind| InstanceType(kind.as_str().to_owned())),
        })
    });
    Ok(EndpointConfig { variants: variants.collect(), created_at: timestamp(output.creation_time()) })
}

/// How the variant's model is hosted: alone, with others in one container, or in several containers.
pub(super) async fn model_hosting(aws: &Aws, name: &str) -> Result<Hosting, CallError> {
    let output = aws.sagemaker.describe_model().model_name(name).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeModel", error))?;
    let mut containers = output.primary_container().into_iter().chain(output.containers());
    if containers.any(|container| container.mode() == Some(&ContainerMode::MultiModel)) {
        return Ok(Hosting::MultiModel);
    }
    Ok(if output.containers().len() > 1 { Hosting::MultiContainer } else { Hosting::RealTime })
}

pub(super) async fn list_tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, CallError> {
    let mut pages = aws.sagemaker.list_tags().resource_arn(arn).into_paginator().items().send();
    let mut tags = BTreeMap::new();
    while let Some(tag) = pages.next().await {
        let tag = tag.map_err(|error| CallError::new("sagemaker:ListTags", error))?;
        tags.insert(tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned());
    }
    Ok(tags)
}

/// The endpoint and variant on which a component runs.
pub(super) async fn describe_inference_component(
    aws: &Aws,
    name: &InferenceComponentName,
) -> Result<(EndpointName, Option<VariantName>), CallError> {
    const ACTION: &str = "sagemaker:DescribeInferenceComponent";
    let output = aws.sagemaker.describe_inference_component().inference_component_name(name.as_str()).send().await;
    let output = output.map_err(|error| CallError::new(ACTION, error))?;
    let endpoint = EndpointName::parse(output.endpoint_name().unwrap_or_default());
    let endpoint = endpoint.map_err(|error| CallError::unexpected(ACTION, error))?;
    Ok((endpoint, output.variant_name().and_then(|variant| VariantName::parse(variant).ok())))
}

/// Names of every endpoint in the Region.
///
/// # Errors
/// [`CallError`] where SageMaker does not answer.
pub async fn list_endpoints(aws: &Aws) -> Result<Vec<EndpointName>, CallError> {
    let mut pages = aws.sagemaker.list_endpoints().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(endpoint) = pages.next().await {
        let endpoint = endpoint.map_err(|error| CallError::new("sagemaker:ListEndpoints", error))?;
        names.extend(endpoint.endpoint_name().and_then(|name| EndpointName::parse(name).ok()));
    }
    Ok(names)
}

fn count(value: Option<i32>) -> Option<InstanceCount> {
    value.and_then(|value| u32::try_from(value).ok()).map(InstanceCount)
}

fn timestamp(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok())
}
