//! The target-tracking policy on invocations per instance.

use super::demand::Demand;
use crate::config::ScalingObjective;
use crate::model::{
    Capacity, InvocationsPerInstance, MetricSpecification, PredefinedMetricSpecification, PutScalingPolicy,
    ScalableDimension, ScalableKey, ScalingPolicy, Seconds, TargetTracking, TargetTrackingConfiguration,
};
use crate::replay::Boot;
use crate::statistics::quantile;

/// Our policy's name: one policy per metric.
const POLICY_NAME: &str = "endpoint-advisor-invocations";
/// Never latency: it does not fall in proportion to added instances, as target tracking assumes.
const METRIC_TYPE: &str = "SageMakerVariantInvocationsPerInstance";
/// The same of the copies of an inference component.
const METRIC_TYPE_OF_COPIES: &str = "SageMakerInferenceComponentInvocationsPerCopy";
/// A scalable target counts instances or copies, so that one of these is ours there. The last two are custom copies.
const SAME_METRIC: [&str; 4] =
    [METRIC_TYPE, METRIC_TYPE_OF_COPIES, "AWS/SageMaker/InvocationsPerInstance", "AWS/SageMaker/InvocationsPerCopy"];
/// Scale-outs are serialised by SageMaker anyway; a minute lets a larger one follow as soon as the next datapoint asks.
const SCALE_OUT_COOLDOWN: Seconds = Seconds(60);
/// Below this share of an instance, money is burnt without need; above, a minute's noise is an overload.
const HEADROOM: (f64, f64) = (0.40, 0.90);
/// The most of an instance that is planned for where less than a day was seen.
const SHORT_HISTORY_HEADROOM: f64 = 0.60;

/// The share of an instance's capacity that is aimed at.
pub(super) struct Headroom {
    pub share: f64,
    /// Growth during a scale-out that this leaves room for.
    pub growth: f64,
    /// Share of the minutes seen whose growth it covers.
    pub quantile: f64,
}

/// Leaves room for the growth of load during one scale-out: 1/growth, within bounds. The objective says for how rare a
/// growth: a minute over the latency objective that is worth 100, 20 or 5 minutes of the fleet is accepted in 1, 2 or
/// 10 % of the minutes.
pub(super) fn headroom(demand: &Demand, objective: ScalingObjective) -> Headroom {
    let covered = match objective {
        ScalingObjective::Availability => 0.99,
        ScalingObjective::Balanced => 0.98,
        ScalingObjective::Cost => 0.90,
    };
    // One instance has carried everything that ever came: nothing to leave room for.
    let growth = quantile(demand.growth.iter().copied(), covered).unwrap_or(1.0);
    let most = if demand.is_short { SHORT_HISTORY_HEADROOM } else { HEADROOM.1 };
    let share = (1.0 / growth).clamp(HEADROOM.0, most);
    Headroom { share, growth: growth.min(1.0 / HEADROOM.0), quantile: covered }
}

/// `TargetValue` for a share of the interval's lower end; none where nothing is left.
pub(super) fn target_value(capacity: &Capacity, headroom: &Headroom) -> Option<InvocationsPerInstance> {
    rounded(capacity.low.0 * headroom.share)
}

/// `TargetValue` in invocations per instance per minute, rounded down to a round number within 2 %, so that the same
/// advice a few minutes later is the same plan; none below 1.
pub(super) fn rounded(exact: f64) -> Option<InvocationsPerInstance> {
    if !exact.is_finite() || exact < 1.0 {
        return None;
    }
    let most = 0.02 * exact;
    let decade = 10.0_f64.powf(most.log10().floor());
    let step =
        [5.0, 2.0, 1.0].map(|digit| digit * decade).into_iter().find(|step| *step <= most).unwrap_or(decade).max(1.0);
    Some(InvocationsPerInstance((exact / step).floor() * step))
}

/// A policy of ours stays as it is while a closed form would hardly change it: a change costs an interruption of scaling,
/// and capacity is not known more closely than this.
const SAME_TARGET: f64 = 0.05;

/// The numbers of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    pub target: f64,
    pub out_cooldown: Seconds,
    pub in_cooldown: Seconds,
}

/// The closed form's numbers: ours as they stand where the new ones would hardly differ. Scaling in waits for twice the
/// time that it takes to come back, and five minutes at least.
pub(super) fn closed_form(
    target_value: InvocationsPerInstance,
    boot: &Boot,
    present: Option<&TargetTracking>,
) -> Numbers {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes; clamped to an hour")]
    let in_cooldown = (2.0 * 60.0 * boot.slow_minutes()).clamp(300.0, 3_600.0) as u32;
    let new = Numbers { target: target_value.0, out_cooldown: SCALE_OUT_COOLDOWN, in_cooldown: Seconds(in_cooldown) };
    match present.and_then(numbers) {
        Some(present)
            if (present.target / target_value.0 - 1.0).abs() < SAME_TARGET
                && present.out_cooldown == SCALE_OUT_COOLDOWN =>
        {
            present
        }
        _ => new,
    }
}

/// The numbers of a policy of ours, where it is what we would put.
pub(super) fn numbers(present: &TargetTracking) -> Option<Numbers> {
    let is_ours = matches!(present.metric.as_deref(), Some(METRIC_TYPE | METRIC_TYPE_OF_COPIES));
    (is_ours && !present.disable_scale_in).then_some(Numbers {
        target: present.target_value,
        out_cooldown: present.scale_out_cooldown?,
        in_cooldown: present.scale_in_cooldown?,
    })
}

/// Our policy among those that stand.
pub(super) fn ours(present: &[ScalingPolicy]) -> Option<&TargetTracking> {
    present.iter().find(|policy| policy.policy_name == POLICY_NAME)?.target_tracking.as_ref()
}

/// The request for a policy with these numbers.
pub(super) fn request(key: &ScalableKey, numbers: Numbers) -> PutScalingPolicy {
    let is_of_copies = key.scalable_dimension == ScalableDimension::CopyCount.name();
    PutScalingPolicy {
        policy_name: POLICY_NAME.to_owned(),
        service_namespace: key.service_namespace.clone(),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking_scaling_policy_configuration: TargetTrackingConfiguration {
            target_value: numbers.target,
            metric: MetricSpecification::Predefined(PredefinedMetricSpecification {
                predefined_metric_type: if is_of_copies { METRIC_TYPE_OF_COPIES } else { METRIC_TYPE }.to_owned(),
            }),
            scale_out_cooldown: numbers.out_cooldown,
            scale_in_cooldown: numbers.in_cooldown,
            disable_scale_in: false,
        },
    }
}

/// Somebody else's policy on the metric that ours would follow.
pub(super) fn in_the_way(present: &[ScalingPolicy]) -> Option<&ScalingPolicy> {
    present.iter().find(|policy| !policy.is_ours() && is_on_the_same_metric(policy))
}

/// Whether `policy` follows what ours would: Application Auto Scaling allows one policy per metric, and a second on a
/// custom copy of it would fight the first.
pub(super) fn is_on_the_same_metric(policy: &ScalingPolicy) -> bool {
    // Metric math may well be the same, and so may an alarm that could not be read; they count as that.
    let is_same = |metric: Option<&str>| metric.is_none_or(|metric| SAME_METRIC.contains(&metric));
    let tracks = policy.target_tracking.as_ref().is_some_and(|tracking| is_same(tracking.metric.as_deref()));
    let steps = policy.step_scaling.is_some()
        && policy.alarms.as_ref().is_none_or(|alarms| alarms.iter().any(|alarm| is_same(alarm.metric.as_deref())));
    tracks || steps
}
