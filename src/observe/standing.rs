//! The scaling set-up of an endpoint alone, without its metrics.

use super::components;
use super::sagemaker::{DescribedVariant, EndpointDescription, describe_endpoint, describe_endpoint_config, list_tags};
use crate::aws::{Aws, CallError, alarms, auto_scaling};
use crate::model::{
    EndpointName, InferenceComponentName, InstanceCount, ScalableKey, ScalableTarget, ScalingState, Subject,
    VariantName,
};
use futures::future::{OptionFuture, join, join_all, join3};
use std::collections::BTreeMap;

/// The scaling set-up of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The endpoint's tags.
    pub tags: BTreeMap<String, String>,
    /// Each variant's and each inference component's.
    pub parts: Vec<StandingPart>,
}

/// The scaling set-up of a variant or an inference component.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingPart {
    /// The variant's or component's name.
    pub name: String,
    /// By what name Application Auto Scaling knows it.
    pub key: ScalableKey,
    /// Instances or copies that run, or units of provisioned concurrency that are set.
    pub running: Option<InstanceCount>,
    /// Its set-up; the tags of the target are none where they could not be read.
    pub scaling: ScalingState,
}

/// Something that scales, before its set-up is read.
struct Part {
    name: String,
    key: ScalableKey,
    running: Option<InstanceCount>,
}

/// Reads the scaling set-up of one variant or component, or of all.
///
/// # Errors
/// [`CallError`] where any of it cannot be read: whoever writes over it has to know all of it.
pub async fn standing(aws: &Aws, subject: &Subject) -> Result<Standing, CallError> {
    aws.round();
    let (endpoint, endpoint_name, parts) = match subject {
        Subject::InferenceComponent(name) => {
            let described = components::describe(aws, name).await?;
            let part = of_component(name, described.component.current_copy_count);
            aws.round();
            (describe_endpoint(aws, &described.endpoint_name).await?, described.endpoint_name, vec![part])
        }
        Subject::Endpoint(name) => {
            let endpoint = describe_endpoint(aws, name).await?;
            let parts = parts(aws, name, &endpoint, None).await?;
            (endpoint, name.clone(), parts)
        }
        Subject::Variant(name, variant) => {
            let endpoint = describe_endpoint(aws, name).await?;
            let parts = parts(aws, name, &endpoint, Some(variant)).await?;
            (endpoint, name.clone(), parts)
        }
    };
    aws.round();
    let parts = join_all(parts.into_iter().map(|part| read(aws, part)));
    let (tags, parts) = join(list_tags(aws, &endpoint.arn), parts).await;
    Ok(Standing { endpoint_name, tags: tags?, parts: parts.into_iter().collect::<Result<_, CallError>>()? })
}

/// The variants, and the components of those that are made for them.
async fn parts(
    aws: &Aws,
    endpoint_name: &EndpointName,
    endpoint: &EndpointDescription,
    only: Option<&VariantName>,
) -> Result<Vec<Part>, CallError> {
    aws.round();
    let config = endpoint.config_name.as_deref().map(|name| describe_endpoint_config(aws, name));
    let config = OptionFuture::from(config).await.transpose()?;
    let mut parts = Vec::new();
    for variant in endpoint.variants.iter().filter(|variant| only.is_none_or(|name| variant.name == *name)) {
        if !config.as_ref().is_some_and(|config| config.holds_components(&variant.name)) {
            parts.push(of_variant(endpoint_name, variant));
            continue;
        }
        for name in components::list(aws, endpoint_name, &variant.name).await? {
            let described = components::describe(aws, &name).await?;
            parts.push(of_component(&name, described.component.current_copy_count));
        }
    }
    Ok(parts)
}

fn of_variant(endpoint_name: &EndpointName, described: &DescribedVariant) -> Part {
    let DescribedVariant { name, variant, .. } = described;
    let (key, running) = match variant.serverless {
        Some(serverless) => (
            ScalableKey::of_provisioned_concurrency(endpoint_name, name),
            serverless.provisioned_concurrency.map(InstanceCount),
        ),
        None => (ScalableKey::of_variant(endpoint_name, name), variant.current_instance_count),
    };
    Part { name: name.to_string(), key, running }
}

fn of_component(name: &InferenceComponentName, running: Option<InstanceCount>) -> Part {
    Part { name: name.to_string(), key: ScalableKey::of_component(name), running }
}

async fn read(aws: &Aws, Part { name, key, running }: Part) -> Result<StandingPart, CallError> {
    let (target, policies, scheduled_actions) = join3(
        auto_scaling::target(aws, &key),
        auto_scaling::policies(aws, &key),
        auto_scaling::scheduled_actions(aws, &key),
    )
    .await;
    let (target, policies) = (target?, policies?);
    let alarms = alarms::ours(aws, &policies).await?;
    let arn = target.as_ref().and_then(|target| target.arn.as_deref());
    let tags = OptionFuture::from(arn.map(|arn| auto_scaling::tags(aws, arn))).await.transpose()?;
    let scaling = ScalingState {
        target: target.map(|target| ScalableTarget { tags, ..target }),
        policies: policies.into_iter().map(|triggered| triggered.policy).collect(),
        alarms,
        scheduled_actions: scheduled_actions?,
    };
    Ok(StandingPart { name, key, running, scaling })
}
