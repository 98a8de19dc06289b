//! The endpoint, its configuration, model and tags.

use crate::aws::{Aws, CallError};
use crate::model::{
    Containers, Endpoint, EndpointName, EndpointStatus, Hosting, InstanceCount, InstancePool, InstanceType,
    InvocationMode, ManagedInstanceScaling, Serverless, Variant, VariantName, VariantWeight,
};
use aws_sdk_sagemaker::types::{
    ContainerMode, InferenceExecutionMode, InstancePool as ConfiguredPool, ManagedInstanceScalingStatus,
    ProductionVariant, ProductionVariantSummary,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// `DescribeEndpoint`.
pub(super) struct EndpointDescription {
    pub arn: String,
    pub status: EndpointStatus,
    pub config_name: Option<String>,
    pub is_asynchronous: bool,
    max_concurrent_invocations_per_instance: Option<u32>,
    pub has_explainer: bool,
    captures_data: bool,
    pub has_enhanced_metrics: bool,
    pub variants: Vec<DescribedVariant>,
    shadows: Vec<DescribedVariant>,
    pub failure_reason: Option<String>,
    last_modified_at: Option<Timestamp>,
}

/// A variant as `DescribeEndpoint` shows it.
pub(super) struct DescribedVariant {
    pub name: VariantName,
    /// Its instance type only where one pool of instances serves it; else the configuration knows it.
    pub variant: Variant,
    weight: Option<(f64, f64)>,
}

/// `DescribeEndpointConfig`.
pub(super) struct EndpointConfig {
    pub variants: Vec<ConfiguredVariant>,
    shadows: Vec<ConfiguredVariant>,
    created_at: Option<Timestamp>,
}

impl EndpointConfig {
    /// A production variant, or a shadow.
    pub fn variant(&self, name: &VariantName) -> Option<&ConfiguredVariant> {
        self.variants.iter().chain(&self.shadows).find(|variant| variant.name == *name)
    }
}

/// A variant as its configuration has it.
pub(super) struct ConfiguredVariant {
    pub name: VariantName,
    /// None where inference components bring the models.
    pub model_name: Option<String>,
    pub is_serverless: bool,
    pub instance_type: Option<InstanceType>,
    pub initial_instance_count: Option<InstanceCount>,
    /// Every type that its pools may bring.
    pub pooled_types: Vec<InstanceType>,
}

impl EndpointConfig {
    /// Whether a variant is made for inference components: it names no model itself.
    pub fn holds_components(&self, variant_name: &VariantName) -> bool {
        let variant = self.variants.iter().find(|variant| variant.name == *variant_name);
        variant.is_some_and(|variant| variant.model_name.is_none() && !variant.is_serverless)
    }
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
            weights: self.variants.iter().filter_map(DescribedVariant::weight).collect(),
            shadow_variants: self.shadows.iter().map(|shadow| shadow.name.clone()).collect(),
            max_concurrent_invocations_per_instance: self.max_concurrent_invocations_per_instance,
            has_explainer: self.has_explainer,
            captures_data: self.captures_data,
            has_enhanced_metrics: self.has_enhanced_metrics,
        }
    }

    /// A production variant, or a shadow.
    pub fn variant(&self, name: &VariantName) -> Option<&DescribedVariant> {
        self.variants.iter().chain(&self.shadows).find(|variant| variant.name == *name)
    }
}

impl DescribedVariant {
    /// Its share of the traffic; a single variant needs none.
    fn weight(&self) -> Option<VariantWeight> {
        let (current_weight, desired_weight) = self.weight?;
        Some(VariantWeight { variant_name: self.name.clone(), current_weight, desired_weight })
    }
}

pub(super) async fn describe_endpoint(aws: &Aws, name: &EndpointName) -> Result<EndpointDescription, CallError> {
    let output = aws.sagemaker.describe_endpoint().endpoint_name(name.as_str()).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeEndpoint", error))?;
    Ok(EndpointDescription {
        arn: output.endpoint_arn().unwrap_or_default().to_owned(),
        status: EndpointStatus(output.endpoint_status().map(|status| status.as_str().to_owned()).unwrap_or_default()),
        config_name: output.endpoint_config_name().map(str::to_owned),
        is_asynchronous: output.async_inference_config().is_some(),
        max_concurrent_invocations_per_instance: output
            .async_inference_config()
            .and_then(|config| config.client_config())
            .and_then(|client| positive(client.max_concurrent_invocations_per_instance())),
        has_explainer: output.explainer_config().is_some_and(|config| config.clarify_explainer_config().is_some()),
        captures_data: output.data_capture_config().is_some_and(|config| config.enable_capture() == Some(true)),
        has_enhanced_metrics: output
            .metrics_config()
            .is_some_and(|config| config.enable_enhanced_metrics() == Some(true)),
        variants: output.production_variants().iter().filter_map(described).collect(),
        shadows: output.shadow_production_variants().iter().filter_map(described).collect(),
        failure_reason: output.failure_reason().map(str::to_owned),
        last_modified_at: timestamp(output.last_modified_time()),
    })
}

fn described(variant: &ProductionVariantSummary) -> Option<DescribedVariant> {
    let pools = variant.instance_pools().iter().filter_map(|pool| {
        Some(InstancePool {
            instance_type: InstanceType(pool.instance_type()?.as_str().to_owned()),
            current_instance_count: count(pool.current_instance_count()),
        })
    });
    let instance_pools: Vec<InstancePool> = pools.collect();
    let instance_type = match instance_pools.as_slice() {
        [pool] => Some(pool.instance_type.clone()),
        _ => None,
    };
    let serverless = variant.current_serverless_config().and_then(|config| {
        Some(Serverless {
            memory_size_in_mb: positive(config.memory_size_in_mb())?,
            max_concurrency: positive(config.max_concurrency())?,
            provisioned_concurrency: positive(config.provisioned_concurrency()),
        })
    });
    let managed_instance_scaling = variant.managed_instance_scaling().map(|scaling| ManagedInstanceScaling {
        is_enabled: scaling.status() == Some(&ManagedInstanceScalingStatus::Enabled),
        min_instance_count: count(scaling.min_instance_count()),
        max_instance_count: count(scaling.max_instance_count()),
    });
    let routing = variant.routing_config().and_then(|routing| routing.routing_strategy());
    Some(DescribedVariant {
        name: VariantName::parse(variant.variant_name()?).ok()?,
        weight: variant
            .current_weight()
            .map(|current| (f64::from(current), f64::from(variant.desired_weight().unwrap_or(current)))),
        variant: Variant {
            instance_type,
            current_instance_count: count(variant.current_instance_count()).or_else(|| sum(&instance_pools)),
            desired_instance_count: count(variant.desired_instance_count()),
            routing_strategy: routing.map(|strategy| strategy.as_str().to_owned()),
            initial_instance_count: None,
            model_name: None,
            serverless,
            managed_instance_scaling,
            instance_pools,
            containers: None,
        },
    })
}

pub(super) async fn describe_endpoint_config(aws: &Aws, name: &str) -> Result<EndpointConfig, CallError> {
    let output = aws.sagemaker.describe_endpoint_config().endpoint_config_name(name).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeEndpointConfig", error))?;
    let configured = |variant: &ProductionVariant| {
        Some(ConfiguredVariant {
            name: VariantName::parse(variant.variant_name()?).ok()?,
            model_name: variant.model_name().map(str::to_owned),
            is_serverless: variant.serverless_config().is_some(),
            instance_type: variant.instance_type().map(|kind| InstanceType(kind.as_str().to_owned())),
            initial_instance_count: count(variant.initial_instance_count()),
            pooled_types: variant.instance_pools().iter().filter_map(pooled_type).collect(),
        })
    };
    Ok(EndpointConfig {
        variants: output.production_variants().iter().filter_map(configured).collect(),
        shadows: output.shadow_production_variants().iter().filter_map(configured).collect(),
        created_at: timestamp(output.creation_time()),
    })
}

/// How the variant's model is hosted: alone, with others in one container, or in several containers, and which those are.
pub(super) async fn model_hosting(aws: &Aws, name: &str) -> Result<(Hosting, Option<Containers>), CallError> {
    let output = aws.sagemaker.describe_model().model_name(name).send().await;
    let output = output.map_err(|error| CallError::new("sagemaker:DescribeModel", error))?;
    let mut containers = output.primary_container().into_iter().chain(output.containers());
    if containers.any(|container| container.mode() == Some(&ContainerMode::MultiModel)) {
        return Ok((Hosting::MultiModel, None));
    }
    if output.containers().len() <= 1 {
        return Ok((Hosting::RealTime, None));
    }
    let is_direct = output
        .inference_execution_config()
        .is_some_and(|config| config.mode() == Some(&InferenceExecutionMode::Direct));
    let names = output.containers().iter().filter_map(|container| container.container_hostname().map(str::to_owned));
    let mode = if is_direct { InvocationMode::Direct } else { InvocationMode::Serial };
    Ok((Hosting::MultiContainer, Some(Containers { mode, names: names.collect() })))
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

/// The endpoint's tags.
///
/// # Errors
/// [`CallError`] where there is no such endpoint, or its tags cannot be read.
pub async fn endpoint_tags(aws: &Aws, endpoint_name: &EndpointName) -> Result<BTreeMap<String, String>, CallError> {
    aws.round();
    let endpoint = describe_endpoint(aws, endpoint_name).await?;
    aws.round();
    list_tags(aws, &endpoint.arn).await
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

fn pooled_type(pool: &ConfiguredPool) -> Option<InstanceType> {
    pool.instance_type().map(|kind| InstanceType(kind.as_str().to_owned()))
}

pub(super) fn count(value: Option<i32>) -> Option<InstanceCount> {
    value.and_then(|value| u32::try_from(value).ok()).map(InstanceCount)
}

/// Instances of all pools; none where there is no pool, or one does not say.
fn sum(pools: &[InstancePool]) -> Option<InstanceCount> {
    let counts = pools.iter().map(|pool| pool.current_instance_count.map(|count| count.0));
    let sum = counts.sum::<Option<u32>>().map(InstanceCount);
    sum.filter(|_| !pools.is_empty())
}

pub(super) fn positive(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0)
}

pub(super) fn timestamp(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok())
}
