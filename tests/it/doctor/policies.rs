//! Rules about policies and schedules.

use super::range::action;
use super::{OWN, SOUND, but, check, dimensions, fired_by, found, latency_alarm, tracking, with_policy};
use crate::asynchronous;
use crate::endpoint::at;
use endpoint_advisor::model::{
    CustomizedMetricSpecification, Observation, ScalingActivity, ScalingPolicy, ScheduledAction, Seconds,
    StepAdjustment, StepScaling,
};
use jiff::SignedDuration;

/// Target tracking of a customised metric.
fn customized(namespace: &str, metric: &str, statistic: &str, own: &[(&str, &str)], target: f64) -> ScalingPolicy {
    let mut policy = tracking("by-hand", &format!("{namespace}/{metric}"), target);
    policy.target_tracking.as_mut().unwrap().customized = Some(CustomizedMetricSpecification {
        metric_name: metric.to_owned(),
        namespace: namespace.to_owned(),
        dimensions: dimensions(own),
        statistic: statistic.to_owned(),
        unit: None,
    });
    policy
}

const ENDPOINTS: &str = "/aws/sagemaker/Endpoints";

#[test]
fn ea011_a_target_above_capacity() {
    let late = with_policy(tracking("load", "SageMakerVariantInvocationsPerInstance", 5_000.0));
    check("EA011", "invocations", &late, &[&SOUND]);
    let never = with_policy(customized(ENDPOINTS, "CPUUtilization", "Average", &OWN, 450.0));
    let busy = with_policy(customized(ENDPOINTS, "CPUUtilization", "Average", &OWN, 240.0));
    check("EA011", "more-than-all-cores", &never, &[&busy]);
    let mut unknown = late;
    unknown.objective = None;
    assert_eq!(found("EA011", &unknown), []);
}

#[test]
fn ea012_the_wrong_metric() {
    let latency = with_policy(customized("AWS/SageMaker", "ModelLatency", "Average", &OWN, 200_000.0));
    check("EA012", "latency", &latency, &[&SOUND]);
    let mut queue = asynchronous::observed("growth", 3);
    queue.scaling = with_policy(tracking("load", "SageMakerVariantInvocationsPerInstance", 10.0)).scaling;
    check("EA012", "invocations-of-a-queue", &queue, &[]);
    let own = [("EndpointName", "transcribe")];
    let mut right = queue.clone();
    right.scaling =
        with_policy(customized("AWS/SageMaker", "ApproximateBacklogSizePerInstance", "Average", &own, 5.0)).scaling;
    assert_eq!(found("EA012", &right), []);
    assert_eq!(found("EA013", &right), []);
    right.is_hosting_known = false;
    queue.is_hosting_known = false;
    assert_eq!(found("EA012", &queue), [], "what is hosted how is not known");
}

#[test]
fn ea013_no_datapoints() {
    let cpu = |own: &[(&str, &str)]| with_policy(customized(ENDPOINTS, "CPUUtilization", "Average", own, 240.0));
    let endpoint_only = cpu(&OWN[..1]);
    check("EA013", "without-variant-name", &endpoint_only, &[&SOUND, &cpu(&OWN)]);
    let elsewhere = with_policy(customized("AWS/SageMaker", "CPUUtilization", "Average", &OWN, 240.0));
    check("EA013", "other-namespace", &elsewhere, &[]);
    let other = cpu(&[("EndpointName", "payments"), ("VariantName", "AllTraffic")]);
    assert_eq!(found("EA013", &other).len(), 1);
    let theirs = with_policy(customized("Team/Queue", "Depth", "Average", &[], 5.0));
    assert_eq!(found("EA013", &theirs), [], "metrics of people are their own");
}

#[test]
fn ea014_forgotten_cores() {
    let careful = with_policy(customized(ENDPOINTS, "CPUUtilization", "Average", &OWN, 60.0));
    let meant = with_policy(customized(ENDPOINTS, "CPUUtilization", "Average", &OWN, 240.0));
    check("EA014", "sixty-of-four-hundred", &careful, &[&SOUND, &meant]);
}

#[test]
fn ea015_the_wrong_statistic() {
    let of =
        |statistic: &str| with_policy(customized("AWS/SageMaker", "ConcurrentRequestsPerModel", statistic, &OWN, 4.0));
    check("EA015", "sum-of-concurrency", &of("Sum"), &[&SOUND, &of("Maximum"), &of("Average")]);
    let load =
        |statistic: &str| with_policy(customized("AWS/SageMaker", "InvocationsPerInstance", statistic, &OWN, 500.0));
    check("EA015", "mean-of-invocations", &load("Average"), &[&load("Sum")]);
}

/// Steps that change the count by these numbers.
fn steps(adjustments: &[i32], cooldown: u32) -> ScalingPolicy {
    ScalingPolicy {
        policy_name: "steps".to_owned(),
        policy_type: "StepScaling".to_owned(),
        step_scaling: Some(StepScaling {
            adjustment_type: "ChangeInCapacity".to_owned(),
            steps: adjustments
                .iter()
                .map(|adjustment| StepAdjustment { lower_bound: None, upper_bound: None, adjustment: *adjustment })
                .collect(),
            min_adjustment_magnitude: None,
            cooldown: Some(Seconds(cooldown)),
            metric_aggregation_type: Some("Average".to_owned()),
        }),
        ..ScalingPolicy::default()
    }
}

fn beside(policy: ScalingPolicy) -> Observation {
    but(|observation| {
        observation.alarms.as_mut().unwrap().push(fired_by(&policy.policy_name, "by-hand"));
        observation.scaling.as_mut().unwrap().policies.push(policy);
    })
}

#[test]
fn ea016_policies_that_compete() {
    let twin = beside(customized("AWS/SageMaker", "InvocationsPerInstance", "Sum", &OWN, 700.0));
    let other = beside(customized(ENDPOINTS, "CPUUtilization", "Average", &OWN, 240.0));
    check("EA016", "one-metric-twice", &twin, &[&SOUND, &other, &beside(steps(&[2], 600))]);
    check("EA016", "steps-that-remove", &beside(steps(&[-1], 600)), &[]);
}

/// A scale-out that took so many minutes.
fn scale_out(minutes: i64) -> ScalingActivity {
    let started_at = at() - SignedDuration::from_hours(5);
    ScalingActivity {
        started_at,
        ended_at: Some(started_at + SignedDuration::from_mins(minutes)),
        status_code: "Successful".to_owned(),
        status_message: None,
        description: "Setting desired instance count to 3.".to_owned(),
        cause: "monitor alarm TargetTracking-endpoint/orders/variant/AllTraffic-AlarmHigh-1 in state ALARM".to_owned(),
        not_scaled_reasons: Vec::new(),
    }
}

#[test]
fn ea017_short_cooldowns() {
    let slow = but(|observation| {
        observation.scaling.as_mut().unwrap().activities = Some((0..6).map(|_| scale_out(14)).collect());
    });
    let quick = but(|observation| {
        observation.scaling.as_mut().unwrap().activities = Some((0..6).map(|_| scale_out(4)).collect());
    });
    check("EA017", "scale-in-before-it-could-come-back", &slow, &[&SOUND, &quick]);
    check("EA017", "steps-while-instances-start", &beside(steps(&[1], 60)), &[&beside(steps(&[1], 600))]);
    let mut unread = slow;
    unread.scaling.as_mut().unwrap().activities = None;
    assert_eq!(found("EA017", &unread), []);
}

#[test]
fn ea018_a_policy_that_no_alarm_fires() {
    let deleted = but(|observation| observation.alarms = Some(vec![latency_alarm(), fired_by("load", "AlarmLow")]));
    check("EA018", "alarm-deleted", &deleted, &[&SOUND]);
    let silent = |hours: i64| {
        but(|observation| {
            for alarm in observation.alarms.as_mut().unwrap() {
                alarm.state = "INSUFFICIENT_DATA".to_owned();
                alarm.state_since = Some(at() - SignedDuration::from_mins(60 * hours + 5));
            }
        })
    };
    check("EA018", "insufficient-data", &silent(26), &[&silent(0)]);
    let unread = but(|observation| observation.alarms = None);
    assert_eq!(found("EA018", &unread), []);
    let steps = but(|observation| observation.scaling.as_mut().unwrap().policies.push(steps(&[1], 600)));
    check("EA018", "steps-without-alarm", &steps, &[]);
}

#[test]
fn ea019_schedules_that_are_over() {
    let with = |action: ScheduledAction| {
        but(|observation| observation.scaling.as_mut().unwrap().scheduled_actions = Some(vec![action]))
    };
    let over = with(action("at(2026-09-01T07:00:00)"));
    let to_come = with(action("at(2026-11-01T07:00:00)"));
    // Half past eight in Lisbon is over, in Honolulu it is to come; nothing here knows where either is.
    let somewhere =
        with(ScheduledAction { timezone: Some("Pacific/Honolulu".to_owned()), ..action("at(2026-10-05T08:30:00)") });
    let every_day = with(action("cron(0 7 * * ? *)"));
    check("EA019", "once-and-over", &over, &[&SOUND, &to_come, &somewhere, &every_day]);
    let ended =
        ScheduledAction { end_time: Some("2026-10-01T00:00:00Z".parse().unwrap()), ..action("cron(0 7 * * ? *)") };
    check("EA019", "end-time-passed", &with(ended), &[]);
}
