//! What stands in the way of adding instances, whatever the cause.

use crate::model::{BlockedBy, Lack, Observation, Scaling, ScalingActivity};

/// A failed scale-out older than this was another incident.
const RECENT_SECONDS: i64 = 3_600;

/// What stands in the way of adding instances to the observed variant.
#[must_use]
pub fn blocked_by(observation: &Observation) -> Option<BlockedBy> {
    if !observation.endpoint.status.is_in_service() {
        return Some(BlockedBy::EndpointNotInService);
    }
    // While copies come and go, a component is `Updating`.
    let is_refusing = |status: &str| !matches!(status, "InService" | "Updating");
    if observation.component.as_ref().is_some_and(|component| is_refusing(&component.status)) {
        return Some(BlockedBy::EndpointNotInService);
    }
    if observation.wanted().zip(observation.running()).is_some_and(|(wanted, running)| wanted > running) {
        return Some(missing(observation));
    }
    let scaling = observation.scaling.as_ref()?;
    let target = scaling.target.as_ref()?;
    if target.is_scale_out_suspended {
        return Some(BlockedBy::ScalingSuspended);
    }
    if let Some(blocked) = latest(scaling).and_then(|activity| failure(activity, observation)) {
        return Some(blocked);
    }
    (observation.running()? >= target.max_capacity).then_some(BlockedBy::AtMaxCapacity)
}

/// Why fewer run than were asked for. Instances start; copies start too, where they find room.
fn missing(observation: &Observation) -> BlockedBy {
    let refused = || {
        let latest = observation.scaling.as_ref().and_then(latest);
        latest.and_then(|activity| failure(activity, observation)).filter(|why| *why != BlockedBy::ScalingInProgress)
    };
    match observation.lack() {
        _ if observation.component.is_none() => BlockedBy::ScalingInProgress,
        Some(Lack::AtMaxInstances | Lack::FixedInstances) => BlockedBy::AtMaxCapacity,
        Some(Lack::NoInstanceCame) => refused().unwrap_or(BlockedBy::InsufficientCapacity),
        None => refused().unwrap_or(BlockedBy::ScalingInProgress),
    }
}

/// What scaled last, or tried to.
fn latest(scaling: &Scaling) -> Option<&ScalingActivity> {
    let tried = scaling.activities.iter().flatten().filter(|activity| activity.not_scaled_reasons.is_empty());
    tried.max_by_key(|activity| activity.started_at)
}

/// Why the latest activity got stuck, by the texts in which SageMaker says so.
fn failure(activity: &ScalingActivity, observation: &Observation) -> Option<BlockedBy> {
    let is_recent = observation.at.as_second() - activity.started_at.as_second() < RECENT_SECONDS;
    match activity.status_code.as_str() {
        "InProgress" | "Pending" => Some(BlockedBy::ScalingInProgress),
        "Failed" | "Unfulfilled" if is_recent => {
            let message = activity.status_message.as_deref().unwrap_or_default();
            if message.contains("ResourceLimitExceeded") || message.contains("service limit") {
                Some(BlockedBy::Quota)
            } else if message.contains("Capacity") {
                Some(BlockedBy::InsufficientCapacity)
            } else {
                None
            }
        }
        _ => None,
    }
}
