//! Taking back what was written, by what the scalable target itself remembers: no incident is needed for it, and no
//! function.

use crate::act;
use crate::aws::{Aws, CallError};
use crate::model::{EndpointName, InstanceCount, Outcome, OutcomeStatus, Restoration, Subject};
use crate::observe;
use crate::undo;
use std::collections::BTreeMap;

/// What can be taken back at one endpoint.
#[derive(Debug, Clone)]
pub struct WayBack {
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The endpoint's tags.
    pub tags: BTreeMap<String, String>,
    /// Each variant and each inference component.
    pub parts: Vec<PartWayBack>,
}

/// What can be taken back at one variant or inference component.
#[derive(Debug, Clone)]
pub struct PartWayBack {
    /// The variant or component.
    pub name: String,
    /// Instances or copies that run, or units of provisioned concurrency that are set.
    pub running: Option<InstanceCount>,
    /// The requests, or why there is nothing to take back.
    pub restoration: Result<Restoration, &'static str>,
}

/// Finds the way back.
///
/// # Errors
/// [`CallError`] where something could not be read that it depends on.
pub async fn way_back(aws: &Aws, subject: &Subject) -> Result<WayBack, CallError> {
    let standing = observe::standing(aws, subject).await?;
    let parts = standing.parts.into_iter().map(|part| {
        let restoration = undo::by_tags(&part.scaling, &part.key);
        PartWayBack { name: part.name, running: part.running, restoration }
    });
    Ok(WayBack { endpoint_name: standing.endpoint_name, tags: standing.tags, parts: parts.collect() })
}

/// Goes it.
///
/// # Errors
/// [`CallError`] where AWS failed in a way that may pass; asking again finishes what is left.
pub async fn take_back(aws: &Aws, part: &PartWayBack) -> Result<Outcome, CallError> {
    let hoped = Outcome::without_change(OutcomeStatus::RolledBack, "undo").because("what was there before is back");
    match &part.restoration {
        Ok(restoration) => act::restore(aws, restoration, hoped).await,
        Err(reason) => Ok(Outcome::without_change(OutcomeStatus::Unchanged, *reason)),
    }
}
