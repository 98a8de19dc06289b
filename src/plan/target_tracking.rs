//! The target-tracking policy: on invocations per instance, or on utilisation where the work of requests wanders.

use super::demand::Demand;
use crate::config::ScalingObjective;
use crate::model::{
    Capacity, CustomizedMetricSpecification, InvocationsPerInstance, Metric, MetricSpecification, Observation,
    PolicyConfiguration, PredefinedMetricSpecification, PutScalingPolicy, ScalableDimension, ScalableKey,
    ScalingPolicy, Seconds, TargetTracking, TargetTrackingConfiguration,
};
use crate::replay::Boot;
use crate::statistics::quantile;

/// Our policies' names: one policy per metric, and only one of them at a time.
const INVOCATIONS_POLICY: &str = "endpoint-advisor-invocations";
const UTILIZATION_POLICY: &str = "endpoint-advisor-utilization";
const PROVISIONED_POLICY: &str = "endpoint-advisor-provisioned-concurrency";
/// The predefined metrics.
pub(super) const METRIC_TYPE: &str = "SageMakerVariantInvocationsPerInstance";
/// The same of the copies of an inference component.
pub(super) const METRIC_TYPE_OF_COPIES: &str = "SageMakerInferenceComponentInvocationsPerCopy";
/// A scalable target counts instances or copies, so that one of these is ours there. The last two are custom copies.
const INVOCATIONS: [&str; 4] =
    [METRIC_TYPE, METRIC_TYPE_OF_COPIES, "AWS/SageMaker/InvocationsPerInstance", "AWS/SageMaker/InvocationsPerCopy"];
pub(super) const PROVISIONED_METRIC_TYPE: &str = "SageMakerVariantProvisionedConcurrencyUtilization";

/// What our policy follows. Never latency: it does not fall in proportion to added instances, as target tracking assumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracked {
    /// Invocations per instance, or copy, and minute.
    Invocations,
    /// `CPUUtilization` or `GPUUtilization`: the mean over instances, in percent summed over cores or GPUs.
    Utilization(Metric),
    /// `ServerlessProvisionedConcurrencyUtilization`: the share of the units in use, 0 to 1.
    ProvisionedConcurrency,
}

impl Tracked {
    /// Whether a metric, named as in [`TargetTracking::metric`], is this one. Metric math may well be the same, and so may
    /// an alarm that could not be read; they count as that.
    fn is(self, metric: Option<&str>) -> bool {
        metric.is_none_or(|metric| match self {
            Self::Invocations => INVOCATIONS.contains(&metric),
            Self::Utilization(own) => metric == format!("{}/{}", own.namespace(), own.name()),
            Self::ProvisionedConcurrency => {
                metric == PROVISIONED_METRIC_TYPE
                    || metric == "AWS/SageMaker/ServerlessProvisionedConcurrencyUtilization"
            }
        })
    }

    fn policy_name(self) -> &'static str {
        match self {
            Self::Invocations => INVOCATIONS_POLICY,
            Self::Utilization(_) => UTILIZATION_POLICY,
            Self::ProvisionedConcurrency => PROVISIONED_POLICY,
        }
    }
}

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
    rounded(capacity.low.0 * headroom.share).map(InvocationsPerInstance)
}

/// `TargetValue`, rounded down to a round number within 2 %, so that the same advice a few minutes later is the same plan;
/// none below 1.
pub(super) fn rounded(exact: f64) -> Option<f64> {
    if !exact.is_finite() || exact < 1.0 {
        return None;
    }
    let most = 0.02 * exact;
    let decade = 10.0_f64.powf(most.log10().floor());
    let step =
        [5.0, 2.0, 1.0].map(|digit| digit * decade).into_iter().find(|step| *step <= most).unwrap_or(decade).max(1.0);
    Some((exact / step).floor() * step)
}

/// A policy of ours stays as it is while a closed form would hardly change it: a change costs an interruption of scaling,
/// and capacity is not known more closely than this.
const SAME_TARGET: f64 = 0.05;

/// The numbers of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    pub metric: Tracked,
    pub target: f64,
    pub out_cooldown: Seconds,
    pub in_cooldown: Seconds,
}

/// The closed form's numbers: ours as they stand where the new ones would hardly differ, or where they are of another
/// metric: nothing was replayed that could say which of the two is better. Scaling in waits for twice the
/// time that it takes to come back, and five minutes at least.
pub(super) fn closed_form(
    target_value: InvocationsPerInstance,
    boot: &Boot,
    present: Option<&TargetTracking>,
) -> Numbers {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes; clamped to an hour")]
    let in_cooldown = (2.0 * 60.0 * boot.slow_minutes()).clamp(300.0, 3_600.0) as u32;
    let new = Numbers {
        metric: Tracked::Invocations,
        target: target_value.0,
        out_cooldown: SCALE_OUT_COOLDOWN,
        in_cooldown: Seconds(in_cooldown),
    };
    match present.and_then(numbers) {
        Some(present) if present.metric != Tracked::Invocations => present,
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
    let all = [
        Tracked::Invocations,
        Tracked::Utilization(Metric::CPUUtilization),
        Tracked::Utilization(Metric::GPUUtilization),
        Tracked::ProvisionedConcurrency,
    ];
    let metric = all.into_iter().find(|tracked| present.metric.is_some() && tracked.is(present.metric.as_deref()))?;
    (!present.disable_scale_in).then_some(Numbers {
        metric,
        target: present.target_value,
        out_cooldown: present.scale_out_cooldown?,
        in_cooldown: present.scale_in_cooldown?,
    })
}

/// Our policy among those that stand: the one on invocations, where somebody has brought both to stand. Provisioned
/// concurrency has a scalable target of its own.
pub(super) fn ours(present: &[ScalingPolicy]) -> Option<&TargetTracking> {
    let named = |name: &str| present.iter().find(|policy| policy.policy_name == name)?.target_tracking.as_ref();
    [INVOCATIONS_POLICY, UTILIZATION_POLICY, PROVISIONED_POLICY].into_iter().find_map(named)
}

/// Whether both of our policies stand, as a plan leaves them that was cut off while it wrote. They do not belong together.
pub(super) fn are_both_ours(present: &[ScalingPolicy]) -> bool {
    [INVOCATIONS_POLICY, UTILIZATION_POLICY].iter().all(|name| present.iter().any(|policy| policy.policy_name == *name))
}

/// Our policies that have to go where one on `metric` stands: two of them would fight, because instances go only where both
/// agree.
pub(super) fn superseded(present: &[ScalingPolicy], metric: Tracked) -> impl Iterator<Item = &str> {
    let names = present.iter().map(|policy| policy.policy_name.as_str());
    names.filter(move |name| [INVOCATIONS_POLICY, UTILIZATION_POLICY].contains(name) && *name != metric.policy_name())
}

/// The request for a policy with these numbers; none for the utilisation of something that is no variant.
pub(super) fn request(key: &ScalableKey, observation: &Observation, numbers: Numbers) -> Option<PutScalingPolicy> {
    let predefined = |name: &str| {
        MetricSpecification::Predefined(PredefinedMetricSpecification { predefined_metric_type: name.to_owned() })
    };
    let metric = match numbers.metric {
        Tracked::Invocations => {
            let is_of_copies = key.scalable_dimension == ScalableDimension::CopyCount.name();
            predefined(if is_of_copies { METRIC_TYPE_OF_COPIES } else { METRIC_TYPE })
        }
        Tracked::ProvisionedConcurrency => predefined(PROVISIONED_METRIC_TYPE),
        Tracked::Utilization(metric) => {
            let variant_name = observation.variant_name.as_ref()?;
            let of_variant = CustomizedMetricSpecification::utilization;
            MetricSpecification::Customized(of_variant(metric, &observation.endpoint_name, variant_name))
        }
    };
    Some(PutScalingPolicy {
        policy_name: numbers.metric.policy_name().to_owned(),
        service_namespace: key.service_namespace.clone(),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        policy_type: "TargetTrackingScaling".to_owned(),
        configuration: PolicyConfiguration::TargetTracking(TargetTrackingConfiguration {
            target_value: numbers.target,
            metric,
            scale_out_cooldown: numbers.out_cooldown,
            scale_in_cooldown: numbers.in_cooldown,
            disable_scale_in: false,
        }),
    })
}

/// Somebody else's policy on the metric that ours would follow.
pub(super) fn in_the_way(present: &[ScalingPolicy], metric: Tracked) -> Option<&ScalingPolicy> {
    present.iter().find(|policy| !policy.is_ours() && is_on(policy, metric))
}

/// Whether `policy` follows what ours would: Application Auto Scaling allows one policy per metric, and a second on a
/// custom copy of it would fight the first.
pub(super) fn is_on(policy: &ScalingPolicy, metric: Tracked) -> bool {
    let is_same = |name: Option<&str>| metric.is(name);
    let tracks = policy.target_tracking.as_ref().is_some_and(|tracking| is_same(tracking.metric.as_deref()));
    let steps = policy.step_scaling.is_some()
        && policy.alarms.as_ref().is_none_or(|alarms| alarms.iter().any(|alarm| is_same(alarm.metric.as_deref())));
    tracks || steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_metric_has_several_names_and_metric_math_may_be_any() {
        let cpu = Tracked::Utilization(Metric::CPUUtilization);
        for (tracked, names) in [
            (Tracked::Invocations, INVOCATIONS.to_vec()),
            (cpu, vec!["/aws/sagemaker/Endpoints/CPUUtilization"]),
            (
                Tracked::ProvisionedConcurrency,
                vec![PROVISIONED_METRIC_TYPE, "AWS/SageMaker/ServerlessProvisionedConcurrencyUtilization"],
            ),
        ] {
            assert!(names.into_iter().all(|name| tracked.is(Some(name))), "{tracked:?}");
            assert!(tracked.is(None), "{tracked:?}");
            for other in ["/aws/sagemaker/Endpoints/GPUUtilization", "AWS/SageMaker/ModelLatency"] {
                assert!(!tracked.is(Some(other)), "{tracked:?}");
            }
        }
    }
}
