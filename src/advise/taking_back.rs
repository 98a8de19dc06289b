//! Taking back what was written, by what the scalable target itself remembers: no incident is needed for it, and no
//! function.

use crate::act;
use crate::aws::{Aws, CallError};
use crate::model::{EndpointName, InstanceCount, Outcome, OutcomeStatus, Restoration, VariantName};
use crate::observe;
use crate::undo;
use std::collections::BTreeMap;

/// What can be taken back at one endpoint.
#[derive(Debug, Clone)]
pub struct WayBack {
    /// The endpoint's tags.
    pub tags: BTreeMap<String, String>,
    /// Each variant.
    pub variants: Vec<VariantWayBack>,
}

/// What can be taken back at one variant.
#[derive(Debug, Clone)]
pub struct VariantWayBack {
    /// The variant.
    pub name: VariantName,
    /// Instances that run, or units of provisioned concurrency that are set.
    pub running: Option<InstanceCount>,
    /// The requests, or why there is nothing to take back.
    pub restoration: Result<Restoration, &'static str>,
}

/// Finds the way back.
///
/// # Errors
/// [`CallError`] where something could not be read that it depends on.
pub async fn way_back(
    aws: &Aws,
    endpoint_name: &EndpointName,
    variant_name: Option<&VariantName>,
) -> Result<WayBack, CallError> {
    let standing = observe::standing(aws, endpoint_name, variant_name).await?;
    let variants = standing.variants.into_iter().map(|variant| {
        let restoration = undo::by_tags(&variant.scaling, &variant.key);
        VariantWayBack { name: variant.name, running: variant.running, restoration }
    });
    Ok(WayBack { tags: standing.tags, variants: variants.collect() })
}

/// Goes it.
///
/// # Errors
/// [`CallError`] where AWS failed in a way that may pass; asking again finishes what is left.
pub async fn take_back(aws: &Aws, variant: &VariantWayBack) -> Result<Outcome, CallError> {
    let hoped = Outcome::without_change(OutcomeStatus::RolledBack, "undo").because("what was there before is back");
    match &variant.restoration {
        Ok(restoration) => act::restore(aws, restoration, hoped).await,
        Err(reason) => Ok(Outcome::without_change(OutcomeStatus::Unchanged, *reason)),
    }
}
