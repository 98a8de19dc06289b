//! No copy at all: what brings back the first ones, now and by itself.
//!
//! Without a copy there is nothing to track: `InvocationsPerCopy` has no datapoints, and target tracking leaves the count where it
//! is. Requests are refused meanwhile, which `NoCapacityInvocationFailures` counts, and a step policy on its alarm asks for
//! the first copy. From then on target tracking sees the load.

use super::copies::{ceiling, least};
use super::requests::Requests;
use super::room;
use super::target_tracking;
use super::{RELAX_AFTER_MINUTES, may_be_changed};
use crate::config::Guardrails;
use crate::model::{
    AlarmStatistic, Capacity, Diagnosis, History, HoldReason, InstanceCount, InvocationsPerInstance,
    InvocationsPerMinute, Metric, MetricDimension, Observation, Plan, PolicyConfiguration, PutMetricAlarm,
    PutScalingPolicy, Relax, ScalableKey, ScalableTarget, Scaling, ScalingPolicy, Seconds, Statistic,
    StepAdjustmentRequest, StepScalingConfiguration, Thousands,
};
use crate::replay::Boot;
use crate::statistics::quantile;

const POLICY: &str = "endpoint-advisor-from-zero";
/// A start takes this long at least, and an hour is more than any takes.
const START_SECONDS: (f64, f64) = (180.0, 3_600.0);
/// What one copy carries is known from before; with no copy there is no telling how fast load grows now.
const SHARE_OF_CAPACITY: f64 = 0.60;
/// Minutes of refused requests that say how many come.
const REFUSED_MINUTES: i64 = 8;

/// The policy that asks for the first copy, and its alarm; none where at least one is kept, or somebody else's does it.
pub(super) fn policy(
    observation: &Observation,
    scaling: &Scaling,
    guardrails: &Guardrails,
    key: &ScalableKey,
) -> Option<(PutScalingPolicy, PutMetricAlarm)> {
    let is_kept = least(observation, scaling.target.as_ref(), guardrails) > InstanceCount(0);
    if is_kept || starts(&scaling.policies) { None } else { start(observation, key) }
}

/// The same whatever stands; none of what is no component.
pub(super) fn start(observation: &Observation, key: &ScalableKey) -> Option<(PutScalingPolicy, PutMetricAlarm)> {
    let component = observation.inference_component_name.as_ref()?;
    let metric = Metric::NoCapacityInvocationFailures;
    let seconds = (60.0 * Boot::of(observation).slow_minutes()).clamp(START_SECONDS.0, START_SECONDS.1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to an hour")]
    let steps = StepScalingConfiguration {
        adjustment_type: "ChangeInCapacity".to_owned(),
        step_adjustments: vec![StepAdjustmentRequest {
            metric_interval_lower_bound: Some(0.0),
            metric_interval_upper_bound: None,
            scaling_adjustment: 1,
        }],
        min_adjustment_magnitude: None,
        // The alarm acts each minute until the copy serves; one is asked for once.
        cooldown: Seconds(seconds as u32),
        metric_aggregation_type: "Maximum".to_owned(),
    };
    let ScalableKey { service_namespace, resource_id, scalable_dimension } = key.clone();
    let policy = PutScalingPolicy {
        policy_name: POLICY.to_owned(),
        service_namespace,
        resource_id,
        scalable_dimension,
        policy_type: "StepScaling".to_owned(),
        configuration: PolicyConfiguration::Steps(steps),
    };
    // One refused request is enough: who may do without a copy still wants it back for the first caller.
    let alarm = PutMetricAlarm {
        alarm_name: PutMetricAlarm::name_for(POLICY, key),
        alarm_description: format!(
            "Starts the first copy of {component} where requests are refused (Endpoint Advisor)"
        ),
        namespace: metric.namespace().to_owned(),
        metric_name: metric.name().to_owned(),
        dimensions: vec![MetricDimension { name: "InferenceComponentName".to_owned(), value: component.to_string() }],
        statistic: AlarmStatistic::of("Sum"),
        period: Seconds(60),
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        threshold: 1.0,
        comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
        treat_missing_data: "missing".to_owned(),
        evaluate_low_sample_count_percentile: None,
    };
    Some((policy, alarm))
}

/// Why there is such a policy, as one fact; none where the plan has none.
pub(super) fn why(plan: &Plan) -> Option<String> {
    let starts = plan.put_scaling_policies.iter().any(|policy| policy.policy_name == POLICY);
    starts.then(|| {
        "without a copy there is nothing to track: a step policy asks for the first one when a request is refused"
            .to_owned()
    })
}

/// Whether somebody else's step policy starts the first copy. One whose alarm could not be read counts as that.
fn starts(present: &[ScalingPolicy]) -> bool {
    let is_on = |metric: Option<&str>| {
        metric.is_none_or(|metric| metric.ends_with(Metric::NoCapacityInvocationFailures.name()))
    };
    present.iter().filter(|policy| !policy.is_ours() && policy.step_scaling.is_some()).any(|policy| {
        policy.alarms.as_ref().is_none_or(|alarms| alarms.iter().any(|alarm| is_on(alarm.metric.as_deref())))
    })
}

/// Copies for a component that has none while requests come: as many as carry what is refused now, one where it is not known
/// what a copy carries.
pub(super) fn planned(
    observation: &Observation,
    diagnosis: &Diagnosis,
    capacity: Option<&Capacity>,
    guardrails: &Guardrails,
) -> Result<Plan, HoldReason> {
    const NONE: InstanceCount = InstanceCount(0);
    let scaling = observation.known_scaling().ok_or(HoldReason::ScalingStateUnknown)?;
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
        reasoning: reasoning(observation, low.is_some(), needed, ceiling),
        ..requests.complete()?
    };
    plan.reasoning.extend(why(&plan));
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

fn reasoning(observation: &Observation, is_known: bool, needed: InstanceCount, ceiling: InstanceCount) -> Vec<String> {
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
