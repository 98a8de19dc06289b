//! The scaling set-up of an endpoint alone, without its metrics.

use super::sagemaker;
use crate::aws::{Aws, CallError, alarms, auto_scaling};
use crate::model::{EndpointName, InstanceCount, ScalableKey, ScalableTarget, ScalingState, VariantName};
use futures::future::{OptionFuture, join, join_all, join3};
use std::collections::BTreeMap;

/// The scaling set-up of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The endpoint's tags.
    pub tags: BTreeMap<String, String>,
    /// Each variant's.
    pub variants: Vec<StandingVariant>,
}

/// The scaling set-up of a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingVariant {
    /// The variant.
    pub name: VariantName,
    /// By what name Application Auto Scaling knows it.
    pub key: ScalableKey,
    /// Instances that run, or units of provisioned concurrency that are set.
    pub running: Option<InstanceCount>,
    /// Its set-up; the tags of the target are none where they could not be read.
    pub scaling: ScalingState,
}

/// Reads the scaling set-up of one variant, or of all.
///
/// # Errors
/// [`CallError`] where any of it cannot be read: whoever writes over it has to know all of it.
pub async fn standing(
    aws: &Aws,
    endpoint_name: &EndpointName,
    variant_name: Option<&VariantName>,
) -> Result<Standing, CallError> {
    aws.round();
    let endpoint = sagemaker::describe_endpoint(aws, endpoint_name).await?;
    let wanted = endpoint.variants.iter().filter(|variant| variant_name.is_none_or(|name| variant.name == *name));
    let variants = wanted.map(|variant| async {
        let key = match variant.variant.serverless {
            Some(_) => ScalableKey::of_provisioned_concurrency(endpoint_name, &variant.name),
            None => ScalableKey::of_variant(endpoint_name, &variant.name),
        };
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
        Ok(StandingVariant {
            name: variant.name.clone(),
            running: match variant.variant.serverless {
                Some(serverless) => serverless.provisioned_concurrency.map(InstanceCount),
                None => variant.variant.current_instance_count,
            },
            key,
            scaling: ScalingState {
                target: target.map(|target| ScalableTarget { tags, ..target }),
                policies: policies.into_iter().map(|triggered| triggered.policy).collect(),
                alarms,
                scheduled_actions: scheduled_actions?,
            },
        })
    });
    aws.round();
    let (tags, variants) = join(sagemaker::list_tags(aws, &endpoint.arn), join_all(variants)).await;
    Ok(Standing { tags: tags?, variants: variants.into_iter().collect::<Result<_, CallError>>()? })
}
