//! Inference components: how many copies may be asked for, from no copy to as many as find room.

use super::guardrails;
use super::requests::Requests;
use super::room;
use super::target_tracking;
use super::{RELAX_AFTER_MINUTES, may_be_changed};
use crate::config::Guardrails;
use crate::model::{
    Capacity, Diagnosis, History, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Metric,
    Observation, Plan, Relax, ScalableDimension, ScalableTarget, Statistic, Thousands, UsdPerHour,
};
use crate::replay::Boot;
use crate::statistics::quantile;

/// What one copy carries is known from before; with no copy there is no telling how fast load grows now.
const SHARE_OF_CAPACITY: f64 = 0.60;
/// Minutes of refused requests that say how many come.
const REFUSED_MINUTES: i64 = 8;
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

/// Copies for a component that has none while requests come: as many as carry what is refused now, one where it is not known
/// what a copy carries.
pub(super) fn from_zero(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    const NONE: InstanceCount = InstanceCount(0);
    let scaling = observation.scaling.as_ref().ok_or(HoldReason::ScalingStateUnknown)?;
    let present = scaling.target.as_ref();
    let ceiling = ceiling(observation, guardrails, present, NONE)?;
    let low = capacity.map(|capacity| capacity.low);
    let needed = low.zip(refused(observation)).and_then(|(low, refused)| low.instances_for(refused));
    let needed = needed.unwrap_or(InstanceCount(1)).max(guardrails.min_instances);
    let history = History::of(observation);
    let peak = history.0.values().filter_map(|row| row.invocations).map(|count| count.0).max_by(f64::total_cmp);
    let room = low.zip(peak).and_then(|(low, peak)| low.instances_for(InvocationsPerMinute(1.5 * peak)));
    let calm_min = present.map_or(InstanceCount(1), ScalableTarget::calm_min_capacity);
    let calm_min = calm_min.max(least(observation, present, guardrails)).min(ceiling);
    let min_capacity = needed.max(calm_min).max(present.map_or(NONE, |target| target.min_capacity)).min(ceiling);
    let max_capacity = room.unwrap_or(needed).max(min_capacity).min(ceiling);
    let max_capacity = present.map_or(max_capacity, |target| max_capacity.max(target.max_capacity));
    if ceiling == NONE {
        return Err(HoldReason::NoRoom);
    }
    let ours = target_tracking::ours(&scaling.policies);
    let target_value = low.and_then(|low| target_tracking::rounded(SHARE_OF_CAPACITY * low.0));
    let closed = target_value
        .map(|value| target_tracking::closed_form(InvocationsPerInstance(value), &Boot::of(observation), ours));
    let numbers = ours.and_then(target_tracking::numbers).or(closed);
    let requests = Requests {
        observation,
        scaling,
        guardrails,
        current: NONE,
        min_capacity,
        max_capacity,
        // Without a capacity there is no target to track: the copies that come show it.
        numbers,
        keeps_policies: false,
        floors: &[],
    };
    let mut plan = Plan {
        relax: (min_capacity > calm_min)
            .then_some(Relax { after_minutes: RELAX_AFTER_MINUTES, min_capacity: calm_min }),
        reasoning: from_zero_reasoning(observation, low.is_some(), needed, ceiling),
        ..requests.complete()?
    };
    plan.reasoning.extend(room::reasoning(observation));
    if !plan.is_in_place() {
        may_be_changed(observation, diagnosis)?;
    }
    Ok(plan)
}

/// Requests a minute that find no copy: the upper quartile of the last minutes.
fn refused(observation: &Observation) -> Option<InvocationsPerMinute> {
    let last = observation.last_minute();
    let series = observation.metrics.series(Metric::NoCapacityInvocationFailures, Statistic::Sum)?;
    let recent = series.points().filter(|(minute, _)| (0..REFUSED_MINUTES).contains(&last.since(*minute)));
    quantile(recent.map(|(_, count)| count), 0.75).map(InvocationsPerMinute)
}

fn from_zero_reasoning(
    observation: &Observation,
    is_known: bool,
    needed: InstanceCount,
    ceiling: InstanceCount,
) -> Vec<String> {
    let refused = refused(observation).map_or(0.0, |refused| refused.0);
    let copies = if needed.0 == 1 { "copy" } else { "copies" };
    let mut reasoning = vec![if is_known {
        format!(
            "{} requests per minute are refused now, which takes {needed} {copies} at the lower end of what one carries",
            Thousands(refused)
        )
    } else {
        "what one copy carries is not known, so one is asked for; with its first hours of traffic the rest can be sized"
            .to_owned()
    }];
    if needed > ceiling {
        reasoning.push(format!("{needed} copies are needed and {ceiling} are allowed"));
    }
    reasoning
}
