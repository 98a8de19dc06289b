//! What a Region of an account holds as a whole: endpoints, scalable targets and alarms.

use super::{components, kept, list_endpoints};
use crate::aws::{Aws, CallError, alarms, auto_scaling};
use crate::model::{Account, CloudWatchAlarm, WatchedMetric};
use futures::future::{OptionFuture, join};

/// Lists all of it. What cannot be listed is a warning, and what depends on it is not judged.
pub async fn account(aws: &Aws) -> Account {
    let (endpoints, account) = join(list_endpoints(aws), beside_endpoints(aws, &|| true)).await;
    let mut account = account;
    account.endpoints = kept(endpoints, &mut account.warnings);
    account
}

/// The same where the endpoints are listed already. There may be very many alarms: they are listed while there `is_time`.
pub async fn beside_endpoints(aws: &Aws, is_time: &dyn Fn() -> bool) -> Account {
    let mut warnings = Vec::new();
    aws.round();
    let (targets, alarms) = join(auto_scaling::all_targets(aws), alarms::all(aws, is_time)).await;
    let targets = kept(targets, &mut warnings);
    let alarms = kept(alarms, &mut warnings);
    // Most accounts have none.
    let of_component = |metric: &WatchedMetric| metric.dimension("InferenceComponentName").is_some();
    let has_components =
        targets.iter().flatten().any(|target| target.key.resource_id.starts_with("inference-component/"))
            || alarms.iter().flatten().any(|alarm| alarm.metrics.iter().any(of_component));
    let components = OptionFuture::from(has_components.then(|| components::list_all(aws))).await;
    let components = components.and_then(|result| kept(result, &mut warnings));
    Account { endpoints: None, components, targets, alarms, warnings }
}

/// Every metric alarm of the Region.
///
/// # Errors
/// [`CallError`] where CloudWatch does not answer.
pub async fn every_alarm(aws: &Aws) -> Result<Vec<CloudWatchAlarm>, CallError> {
    aws.round();
    alarms::all(aws, &|| true).await
}
