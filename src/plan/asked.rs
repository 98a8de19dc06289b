//! A set-up with one target, as a person asks to have it compared.

use super::target_tracking::{METRIC_TYPE, METRIC_TYPE_OF_COPIES, PROVISIONED_METRIC_TYPE};
use super::{asynchronous, from_zero};
use crate::model::{
    Hosting, InstanceCount, Metric, Observation, PutMetricAlarm, PutScalingPolicy, ScalableDimension, ScalingPolicy,
};
use crate::replay::Setup;

/// Why a set-up with a target cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchTarget {
    /// Nothing can be kept at nothing.
    #[error("a target is above 0")]
    NotAboveZero,
    /// Utilisation of provisioned concurrency is a share.
    #[error("a target of provisioned concurrency is the share of it that is in use: 0.7 is 70 %, and none is above 1")]
    NotAShare,
}

/// Target tracking on what a policy of ours follows for this way of hosting, with the cooldowns that AWS takes by itself; where
/// `min` is 0, also what starts the first instance or copy.
///
/// `target` is in invocations per instance (or copy) and minute, of an asynchronous endpoint in requests that wait or are in work
/// for each instance, of a serverless variant in the share of its provisioned concurrency that is in use.
///
/// # Errors
/// Why there is no such target.
pub fn asked(
    observation: &Observation,
    target: f64,
    min: InstanceCount,
    max: InstanceCount,
) -> Result<Setup, NoSuchTarget> {
    if !(target.is_finite() && target > 0.0) {
        return Err(NoSuchTarget::NotAboveZero);
    }
    let backlog = Metric::ApproximateBacklogSizePerInstance;
    let metric = match (observation.dimension(), observation.hosting) {
        (ScalableDimension::ProvisionedConcurrency, _) if target > 1.0 => return Err(NoSuchTarget::NotAShare),
        (ScalableDimension::ProvisionedConcurrency, _) => PROVISIONED_METRIC_TYPE.to_owned(),
        (ScalableDimension::CopyCount, _) => METRIC_TYPE_OF_COPIES.to_owned(),
        (ScalableDimension::InstanceCount, Hosting::Asynchronous) => {
            format!("{}/{}", backlog.namespace(), backlog.name())
        }
        (ScalableDimension::InstanceCount, _) => METRIC_TYPE.to_owned(),
    };
    let mut setup = Setup::tracking(&metric, target, min, max);
    if min == InstanceCount(0) {
        setup.policies.extend(start(observation));
    }
    Ok(setup)
}

/// What starts the first instance of a queue, or the first copy; none elsewhere.
fn start(observation: &Observation) -> Option<ScalingPolicy> {
    let key = observation.scalable_key()?;
    let (policy, alarm) = if observation.is_asynchronous() {
        asynchronous::from_zero(&key, observation)
    } else {
        from_zero::start(observation, &key)?
    };
    Some(with_alarm(&policy, &alarm))
}

/// A policy that is to be put, as it stands with its alarm.
pub(super) fn with_alarm(policy: &PutScalingPolicy, alarm: &PutMetricAlarm) -> ScalingPolicy {
    ScalingPolicy { alarms: Some(vec![alarm.to_alarm()]), ..policy.to_policy() }
}
