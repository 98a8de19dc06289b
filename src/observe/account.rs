//! What a Region of an account holds as a whole: endpoints, scalable targets and alarms.

use super::{components, kept, list_endpoints};
use crate::aws::{Aws, CallError, alarms, auto_scaling};
use crate::model::{Account, CloudWatchAlarm};
use futures::future::{OptionFuture, join3};

/// Lists all of it. What cannot be listed is a warning, and what depends on it is not judged.
pub async fn account(aws: &Aws) -> Account {
    let mut warnings = Vec::new();
    aws.round();
    let (endpoints, targets, alarms) =
        join3(list_endpoints(aws), auto_scaling::all_targets(aws), alarms::all(aws)).await;
    let endpoints = kept(endpoints, &mut warnings);
    let targets = kept(targets, &mut warnings);
    let alarms = kept(alarms, &mut warnings);
    // Most accounts have none.
    let has_components =
        targets.iter().flatten().any(|target| target.key.resource_id.starts_with("inference-component/"));
    let components = OptionFuture::from(has_components.then(|| components::list_all(aws))).await;
    let components = components.and_then(|result| kept(result, &mut warnings));
    Account { endpoints, components, targets, alarms, warnings }
}

/// Every metric alarm of the Region.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn every_alarm(aws: &Aws) -> Result<Vec<CloudWatchAlarm>, CallError> {
    aws.round();
    alarms::all(aws).await
}
