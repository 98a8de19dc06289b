//! What was changed about the endpoint shortly before: a hint at the cause, never a proof.

use super::Instances;
use crate::diagnose::windows::Windows;
use crate::model::Minute;

/// A deployment this many minutes before the rise is named; instances take minutes to come into service.
const AFTER_DEPLOYMENT_MINUTES: i64 = 30;
/// Clocks of metrics and descriptions differ by this much.
const TOLERANCE_MINUTES: i64 = 2;

/// Deployments.
pub(in crate::diagnose) struct Changes {
    pub endpoint_config_name: Option<String>,
    /// Minutes from the last deployment to the onset, where it was shortly before.
    pub minutes_since_deployment: Option<i64>,
}

impl Changes {
    pub(super) fn measure(windows: &Windows, instances: &Instances) -> Self {
        let endpoint = &windows.observation.endpoint;
        let is_shortly_before = |minutes: &i64| (-TOLERANCE_MINUTES..=AFTER_DEPLOYMENT_MINUTES).contains(minutes);
        let since = |time| windows.onset.since(Minute::containing(time));
        let created = endpoint.endpoint_config_created_at.map(since).filter(is_shortly_before);
        // A change of the endpoint is a deployment unless it changed the number of instances.
        let is_scaled = instances.ratio.is_none_or(|ratio| (ratio - 1.0).abs() > 0.05);
        let modified = endpoint.last_modified_at.map(since).filter(is_shortly_before).filter(|_| !is_scaled);
        Self {
            endpoint_config_name: endpoint.endpoint_config_name.clone(),
            minutes_since_deployment: created.or(modified),
        }
    }

    /// `the endpoint was deployed 11 minutes before`.
    pub fn in_words(&self) -> Option<String> {
        let config = self.endpoint_config_name.as_deref().unwrap_or("a new endpoint configuration");
        self.minutes_since_deployment.map(|minutes| match minutes {
            ..1 => format!("{config} was deployed as it began"),
            1 => format!("{config} was deployed a minute before"),
            _ => format!("{config} was deployed {minutes} minutes before"),
        })
    }
}
