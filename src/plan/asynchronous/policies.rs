//! The two policies of an asynchronous endpoint.

use crate::model::{
    AlarmStatistic, CustomizedMetricSpecification, EndpointName, InvocationsPerInstance, Metric, MetricDimension,
    MetricSpecification, PolicyConfiguration, PutMetricAlarm, PutScalingPolicy, ScalableKey, ScalingPolicy, Seconds,
    StepAdjustmentRequest, StepScalingConfiguration, TargetTracking, TargetTrackingConfiguration,
};
use crate::plan::target_tracking::rounded;
use crate::replay::Boot;

const TRACKING: &str = "endpoint-advisor-backlog";
const FROM_ZERO: &str = "endpoint-advisor-from-zero";
/// A policy of ours stays as it is while another target would hardly differ: what one instance processes is known no better.
const SAME_TARGET: f64 = 0.15;
/// A start that is seen to take less, or more, is taken for this long: the alarms of a policy need three minutes by
/// themselves, and with more than a quarter of an hour's work a target would never be reached.
const START_MINUTES: (f64, f64) = (3.0, 15.0);
/// Below so many times what an instance may work on at once nothing waits.
const WAITING_FROM: f64 = 1.5;
const LONGEST_COOLDOWN_SECONDS: f64 = 3_600.0;

/// The numbers of the tracking policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    /// Requests that wait or are in work, for each instance.
    pub target: f64,
    pub out_cooldown: Seconds,
    pub in_cooldown: Seconds,
}

/// Minutes that an instance takes to start, as far as the target takes them into account.
pub(super) fn start_minutes(boot: &Boot) -> f64 {
    boot.slow_minutes().clamp(START_MINUTES.0, START_MINUTES.1)
}

/// The numbers of the policy that tracks the backlog per instance, in closed form.
///
/// `TargetValue` is the backlog that one instance works off in the time in which another one would start: a smaller one is
/// gone before help could come, a larger one is worth it. It is not more than what may wait (`longest_wait`, in minutes).
pub(super) fn closed_form(
    carries: InvocationsPerInstance,
    boot: &Boot,
    slots: Option<f64>,
    longest_wait: f64,
    present: Option<&TargetTracking>,
) -> Option<Numbers> {
    let new = numbers(carries, start_minutes(boot).min(longest_wait), boot, slots, in_cooldown(boot))?;
    let stands = present.and_then(standing).filter(|stands| (stands.target / new.target - 1.0).abs() < SAME_TARGET);
    Some(stands.unwrap_or(new))
}

/// The numbers of a policy that lets so many minutes of work wait on each instance. `TargetValue` is not below what an instance
/// works on at once, because that does not wait.
///
/// While instances start, the backlog grows on, and a policy without a cooldown would ask for more because of what is on its
/// way already; so scaling out waits for as long as a start takes. (A larger need than was asked for is served at once.)
pub(super) fn numbers(
    carries: InvocationsPerInstance,
    work_minutes: f64,
    boot: &Boot,
    slots: Option<f64>,
    in_cooldown: Seconds,
) -> Option<Numbers> {
    let least = WAITING_FROM * slots.unwrap_or(1.0);
    let target = rounded((carries.0 * work_minutes).max(least).max(1.0))?;
    Some(Numbers { target, out_cooldown: seconds(60.0 * start_minutes(boot)), in_cooldown })
}

/// Instances that go are missed for as long as others need to come: twice that, and five minutes at least.
pub(super) fn in_cooldown(boot: &Boot) -> Seconds {
    seconds((2.0 * 60.0 * boot.slow_minutes()).max(300.0))
}

/// The numbers of a policy as it stands; none where it is not one that we would put.
pub(super) fn standing(present: &TargetTracking) -> Option<Numbers> {
    let (out_cooldown, in_cooldown) = present.scale_out_cooldown.zip(present.scale_in_cooldown)?;
    (!present.disable_scale_in).then_some(Numbers { target: present.target_value, out_cooldown, in_cooldown })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to an hour")]
fn seconds(exact: f64) -> Seconds {
    Seconds(exact.clamp(0.0, LONGEST_COOLDOWN_SECONDS) as u32)
}

/// Our tracking policy among those that stand.
pub(super) fn ours(present: &[ScalingPolicy]) -> Option<&TargetTracking> {
    present.iter().find(|policy| policy.policy_name == TRACKING)?.target_tracking.as_ref()
}

/// Somebody else's policy on the backlog per instance. Metric math may well be the same, and counts as that.
pub(super) fn in_the_way(present: &[ScalingPolicy]) -> Option<&ScalingPolicy> {
    present.iter().find(|policy| !policy.is_ours() && tracks_backlog(policy))
}

/// Whether a policy tracks the backlog per instance.
pub(super) fn tracks_backlog(policy: &ScalingPolicy) -> bool {
    let name = Metric::ApproximateBacklogSizePerInstance.name();
    let is_same = |tracking: &TargetTracking| tracking.metric.as_deref().is_none_or(|metric| metric.ends_with(name));
    policy.target_tracking.as_ref().is_some_and(is_same)
}

/// Whether somebody else's step policy starts the first instance. One whose alarm could not be read counts as that.
pub(super) fn starts_from_zero(present: &[ScalingPolicy]) -> bool {
    let is_on =
        |metric: Option<&str>| metric.is_none_or(|metric| metric.ends_with(Metric::HasBacklogWithoutCapacity.name()));
    present.iter().filter(|policy| !policy.is_ours() && policy.step_scaling.is_some()).any(|policy| {
        policy.alarms.as_ref().is_none_or(|alarms| alarms.iter().any(|alarm| is_on(alarm.metric.as_deref())))
    })
}

fn of_endpoint(endpoint_name: &EndpointName) -> Vec<MetricDimension> {
    vec![MetricDimension { name: "EndpointName".to_owned(), value: endpoint_name.to_string() }]
}

fn put(key: &ScalableKey, name: &str, policy_type: &str, configuration: PolicyConfiguration) -> PutScalingPolicy {
    PutScalingPolicy {
        policy_name: name.to_owned(),
        service_namespace: key.service_namespace.clone(),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        policy_type: policy_type.to_owned(),
        configuration,
    }
}

/// The policy that tracks the backlog per instance.
pub(super) fn tracking(key: &ScalableKey, endpoint_name: &EndpointName, numbers: Numbers) -> PutScalingPolicy {
    let metric = Metric::ApproximateBacklogSizePerInstance;
    let configuration = PolicyConfiguration::TargetTracking(TargetTrackingConfiguration {
        target_value: numbers.target,
        metric: MetricSpecification::Customized(CustomizedMetricSpecification {
            metric_name: metric.name().to_owned(),
            namespace: metric.namespace().to_owned(),
            dimensions: of_endpoint(endpoint_name),
            statistic: "Average".to_owned(),
            unit: None,
        }),
        scale_out_cooldown: numbers.out_cooldown,
        scale_in_cooldown: numbers.in_cooldown,
        disable_scale_in: false,
    });
    put(key, TRACKING, "TargetTrackingScaling", configuration)
}

/// The policy that starts the first instance, and its alarm: requests wait without an instance in two minutes of two, as AWS
/// advises. One instance is enough to begin with: from then on the other policy sees the backlog.
pub(super) fn from_zero(
    key: &ScalableKey,
    endpoint_name: &EndpointName,
    boot: &Boot,
) -> (PutScalingPolicy, PutMetricAlarm) {
    let metric = Metric::HasBacklogWithoutCapacity;
    let configuration = PolicyConfiguration::Steps(StepScalingConfiguration {
        adjustment_type: "ChangeInCapacity".to_owned(),
        step_adjustments: vec![StepAdjustmentRequest {
            metric_interval_lower_bound: Some(0.0),
            metric_interval_upper_bound: None,
            scaling_adjustment: 1,
        }],
        min_adjustment_magnitude: None,
        // The alarm acts each minute until the instance serves; one is asked for once.
        cooldown: seconds(60.0 * boot.slow_minutes().max(START_MINUTES.0)),
        metric_aggregation_type: "Average".to_owned(),
    });
    let alarm = PutMetricAlarm {
        alarm_name: PutMetricAlarm::name_for(FROM_ZERO, key),
        alarm_description: format!(
            "Starts the first instance of {endpoint_name} where requests wait (Endpoint Advisor)"
        ),
        namespace: metric.namespace().to_owned(),
        metric_name: metric.name().to_owned(),
        dimensions: of_endpoint(endpoint_name),
        statistic: AlarmStatistic::of("Average"),
        period: Seconds(60),
        evaluation_periods: 2,
        datapoints_to_alarm: 2,
        threshold: 1.0,
        comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
        treat_missing_data: "missing".to_owned(),
        evaluate_low_sample_count_percentile: None,
    };
    (put(key, FROM_ZERO, "StepScaling", configuration), alarm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, metric: Option<&str>) -> ScalingPolicy {
        ScalingPolicy {
            policy_name: name.to_owned(),
            policy_type: "TargetTrackingScaling".to_owned(),
            target_tracking: Some(TargetTracking {
                metric: metric.map(str::to_owned),
                target_value: 5.0,
                scale_out_cooldown: Some(Seconds(300)),
                scale_in_cooldown: Some(Seconds(600)),
                disable_scale_in: false,
                customized: None,
            }),
            ..ScalingPolicy::default()
        }
    }

    const BACKLOG: Option<&str> = Some("AWS/SageMaker/ApproximateBacklogSizePerInstance");

    #[test]
    fn a_policy_on_the_backlog_is_in_the_way_whose_ever_it_is_but_ours() {
        let cpu = policy("cpu", Some("/aws/sagemaker/Endpoints/CPUUtilization"));
        let steps = ScalingPolicy { target_tracking: None, ..policy("steps", None) };
        assert!(!tracks_backlog(&cpu) && !tracks_backlog(&steps));
        assert!(tracks_backlog(&policy("theirs", BACKLOG)) && tracks_backlog(&policy("theirs", None)));
        let named = |present: &[ScalingPolicy]| in_the_way(present).map(|policy| policy.policy_name.clone());
        assert_eq!(named(&[cpu.clone(), steps.clone(), policy(TRACKING, BACKLOG)]), None);
        assert_eq!(named(&[cpu, steps, policy("theirs", BACKLOG)]).as_deref(), Some("theirs"));
    }

    #[test]
    fn ours_is_known_by_its_name() {
        assert_eq!(ours(&[policy("theirs", BACKLOG), policy(FROM_ZERO, BACKLOG)]), None);
        let all = [policy("theirs", None), policy(TRACKING, BACKLOG)];
        assert_eq!(ours(&all).and_then(|ours| ours.metric.as_deref()), BACKLOG);
    }

    #[test]
    fn a_policy_that_we_would_not_put_has_no_numbers() {
        let tracking = policy("theirs", BACKLOG).target_tracking.unwrap();
        let numbers = Numbers { target: 5.0, out_cooldown: Seconds(300), in_cooldown: Seconds(600) };
        assert_eq!(standing(&tracking), Some(numbers));
        assert_eq!(standing(&TargetTracking { disable_scale_in: true, ..tracking.clone() }), None);
        assert_eq!(standing(&TargetTracking { scale_in_cooldown: None, ..tracking }), None);
    }

    #[test]
    fn our_policy_stays_while_another_target_would_hardly_differ() {
        // 10 requests a minute, and 6 minutes until another instance serves: 60 may wait for each.
        let target = |stands: Option<f64>, longest_wait: f64| {
            let present = stands.map(|target_value| TargetTracking {
                target_value,
                ..policy(TRACKING, BACKLOG).target_tracking.unwrap()
            });
            let carries = InvocationsPerInstance(10.0);
            closed_form(carries, &Boot::measured(6.0), None, longest_wait, present.as_ref()).unwrap().target
        };
        assert_eq!(target(None, 60.0), 60.0);
        assert_eq!(target(None, 3.0), 30.0, "no more than may wait");
        assert_eq!([52.0, 68.0].map(|stands| target(Some(stands), 60.0)), [52.0, 68.0]);
        assert_eq!([50.0, 70.0, 6.0, 600.0].map(|stands| target(Some(stands), 60.0)), [60.0; 4]);
    }

    #[test]
    fn instances_go_after_twice_the_time_that_others_need_to_come() {
        let cooldown = |minutes: f64| in_cooldown(&Boot::measured(minutes)).0;
        assert_eq!([1.0, 2.5, 6.0, 10.0, 60.0].map(cooldown), [300, 300, 720, 1_200, 3_600]);
    }
}
