//! Inference components: how few copies may be left, and how many may be asked for.

use super::guardrails;
use crate::config::Guardrails;
use crate::model::{HoldReason, InstanceCount, Observation, ScalableDimension, ScalableTarget, UsdPerHour};

/// The tag by which somebody states the fewest copies.
const MIN_TAG: &str = "endpoint-advisor:min-instances";

/// Whether copies can be scaled now.
pub(super) fn can_be_scaled(observation: &Observation) -> Result<(), HoldReason> {
    // A variant for components that has none, or whose components could not be listed.
    let component = observation.component.as_ref().ok_or(HoldReason::HostingNotSized)?;
    // While copies come and go it is `Updating`.
    if !matches!(component.status.as_str(), "InService" | "Updating") {
        return Err(HoldReason::ComponentNotInService);
    }
    if observation.lack().is_some() { Err(HoldReason::NoRoom) } else { Ok(()) }
}

/// The most instances, or copies, that a plan may allow: what the guardrails allow, and what finds room. What stands is never
/// below it.
///
/// # Errors
/// As [`guardrails::ceiling`].
pub(super) fn ceiling(
    observation: &Observation,
    guardrails: &Guardrails,
    present: Option<&ScalableTarget>,
    current: InstanceCount,
) -> Result<InstanceCount, HoldReason> {
    let allowed = allowed(observation, guardrails, present, current)?;
    let stands = present.map_or(current, |target| target.max_capacity.max(current));
    Ok(observation.room().map_or(allowed, |room| allowed.min(room.most.max(stands))))
}

/// What the guardrails allow, without regard to room.
///
/// # Errors
/// As [`guardrails::ceiling`].
pub(super) fn allowed(
    observation: &Observation,
    guardrails: &Guardrails,
    present: Option<&ScalableTarget>,
    current: InstanceCount,
) -> Result<InstanceCount, HoldReason> {
    if observation.dimension() == ScalableDimension::CopyCount && guardrails.max_hourly_usd.is_some() {
        let at_most = most_usd(observation).ok_or(HoldReason::PriceUnknown)?;
        if guardrails.max_hourly_usd.is_some_and(|limit| at_most.0 <= limit.0) {
            // However many copies there are: the variant costs no more than its instances.
            let unlimited = Guardrails { max_hourly_usd: None, ..guardrails.clone() };
            return guardrails::ceiling(&unlimited, present, current, None);
        }
        if observation.unit_price().is_none() {
            return Err(HoldReason::CostUnknown);
        }
    }
    guardrails::ceiling(guardrails, present, current, observation.unit_price())
}

/// What the variant costs per hour with all the instances that it may have; none where their number or price is not known.
fn most_usd(observation: &Observation) -> Option<UsdPerHour> {
    let price = observation.instance_price.filter(|price| price.0 > 0.0)?;
    Some(UsdPerHour(price.0 * f64::from(observation.most_instances()?.0)))
}

/// The fewest that a plan may leave. No copy at all only where that is how it stands, SageMaker allows it, and nobody asks for
/// more.
pub(super) fn least(
    observation: &Observation,
    present: Option<&ScalableTarget>,
    guardrails: &Guardrails,
) -> InstanceCount {
    let is_tagged = observation.tags.as_ref().is_none_or(|tags| tags.contains_key(MIN_TAG));
    let stands_at_zero = present.is_some_and(|target| target.calm_min_capacity() == InstanceCount(0));
    if observation.may_scale_to_zero() && stands_at_zero && !is_tagged {
        InstanceCount(0)
    } else {
        guardrails.min_instances
    }
}

/// A floor of quiet times: none where the component may do without any copy, because that is somebody's decision.
pub(super) fn calm(floor: InstanceCount, least: InstanceCount) -> InstanceCount {
    if least == InstanceCount(0) { least } else { floor }
}
