//! Reading the scaling set-up in Application Auto Scaling: when observing, and again before acting.

use crate::aws::{Aws, CallError};
use crate::model::{
    CustomizedMetricSpecification, InstanceCount, MetricDimension, RegisteredTarget, ScalableKey, ScalableTarget,
    ScalingActivity, ScalingPolicy, ScheduledAction, Seconds, StepAdjustment, StepScaling, TargetTracking,
};
use aws_sdk_applicationautoscaling::types::{
    self, ScalableDimension, ScalableTarget as Described, ServiceNamespace, StepScalingPolicyConfiguration,
    SuspendedState, TargetTrackingScalingPolicyConfiguration,
};
use futures::future::join;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What every request names.
macro_rules! about {
    ($key:expr, $call:expr) => {
        $call
            .service_namespace(ServiceNamespace::from($key.service_namespace.as_str()))
            .scalable_dimension(ScalableDimension::from($key.scalable_dimension.as_str()))
    };
}

/// Activities of six weeks come back; fifty cover any incident and enough scale-outs to know how long one takes.
const ACTIVITIES: i32 = 50;

/// The scalable target; none where the resource is not registered. Its tags are read apart.
pub(crate) async fn target(aws: &Aws, key: &ScalableKey) -> Result<Option<ScalableTarget>, CallError> {
    let output = about!(key, aws.auto_scaling.describe_scalable_targets())
        .resource_ids(&key.resource_id)
        .send()
        .await
        .map_err(|error| CallError::new("application-autoscaling:DescribeScalableTargets", error))?;
    Ok(output.scalable_targets().first().map(|target| ScalableTarget {
        arn: target.scalable_target_arn().map(str::to_owned),
        min_capacity: count(target.min_capacity()),
        max_capacity: count(target.max_capacity()),
        is_scale_out_suspended: suspended(target, |state| state.dynamic_scaling_out_suspended()),
        is_scale_in_suspended: suspended(target, |state| state.dynamic_scaling_in_suspended()),
        is_schedule_suspended: suspended(target, |state| state.scheduled_scaling_suspended()),
        tags: None,
    }))
}

/// Whether something of a target is suspended.
fn suspended(target: &Described, what: impl Fn(&SuspendedState) -> Option<bool>) -> bool {
    target.suspended_state().and_then(what).unwrap_or_default()
}

/// A policy and the names of the alarms that trigger it.
pub(crate) struct Triggered {
    pub arn: String,
    pub policy: ScalingPolicy,
    pub alarm_names: Vec<String>,
}

/// The scalable target and its policies, which cannot be without it: they are deleted with it.
pub(crate) async fn target_and_policies(
    aws: &Aws,
    key: &ScalableKey,
) -> Result<(Option<ScalableTarget>, Vec<Triggered>), CallError> {
    let (target, policies) = join(target(aws, key), policies(aws, key)).await;
    match (target?, policies?) {
        (None, policies) if !policies.is_empty() => {
            Err(CallError::incomplete("application-autoscaling:DescribeScalableTargets"))
        }
        both => Ok(both),
    }
}

/// The policies of a resource.
pub(crate) async fn policies(aws: &Aws, key: &ScalableKey) -> Result<Vec<Triggered>, CallError> {
    let mut pages = about!(key, aws.auto_scaling.describe_scaling_policies())
        .resource_id(&key.resource_id)
        .into_paginator()
        .items()
        .send();
    let mut policies = Vec::new();
    while let Some(policy) = pages.next().await {
        let policy =
            policy.map_err(|error| CallError::new("application-autoscaling:DescribeScalingPolicies", error))?;
        policies.push(Triggered {
            arn: policy.policy_arn().to_owned(),
            alarm_names: policy.alarms().iter().map(|alarm| alarm.alarm_name().to_owned()).collect(),
            policy: ScalingPolicy {
                policy_name: policy.policy_name().to_owned(),
                policy_type: policy.policy_type().as_str().to_owned(),
                target_tracking: policy.target_tracking_scaling_policy_configuration().map(target_tracking),
                step_scaling: policy.step_scaling_policy_configuration().map(step_scaling),
                alarms: None,
            },
        });
    }
    Ok(policies)
}

/// The scheduled actions of a resource.
pub(crate) async fn scheduled_actions(aws: &Aws, key: &ScalableKey) -> Result<Vec<ScheduledAction>, CallError> {
    let mut pages = about!(key, aws.auto_scaling.describe_scheduled_actions())
        .resource_id(&key.resource_id)
        .into_paginator()
        .items()
        .send();
    let mut actions = Vec::new();
    while let Some(action) = pages.next().await {
        let action =
            action.map_err(|error| CallError::new("application-autoscaling:DescribeScheduledActions", error))?;
        let range = action.scalable_target_action();
        actions.push(ScheduledAction {
            name: action.scheduled_action_name().to_owned(),
            schedule: action.schedule().to_owned(),
            timezone: action.timezone().map(str::to_owned),
            min_capacity: range.and_then(|range| range.min_capacity()).map(count),
            max_capacity: range.and_then(|range| range.max_capacity()).map(count),
            end_time: action.end_time().and_then(timestamp),
        });
    }
    Ok(actions)
}

/// Every scalable target of SageMaker.
pub(crate) async fn all_targets(aws: &Aws) -> Result<Vec<RegisteredTarget>, CallError> {
    let request = aws.auto_scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Sagemaker);
    let mut pages = request.into_paginator().items().send();
    let mut targets = Vec::new();
    while let Some(target) = pages.next().await {
        let target =
            target.map_err(|error| CallError::new("application-autoscaling:DescribeScalableTargets", error))?;
        targets.push(RegisteredTarget {
            key: ScalableKey {
                service_namespace: target.service_namespace().as_str().to_owned(),
                resource_id: target.resource_id().to_owned(),
                scalable_dimension: target.scalable_dimension().as_str().to_owned(),
            },
            min_capacity: count(target.min_capacity()),
            max_capacity: count(target.max_capacity()),
        });
    }
    Ok(targets)
}

/// The latest activities, those that did not scale among them.
pub(crate) async fn activities(aws: &Aws, key: &ScalableKey) -> Result<Vec<ScalingActivity>, CallError> {
    let output = about!(key, aws.auto_scaling.describe_scaling_activities())
        .resource_id(&key.resource_id)
        .include_not_scaled_activities(true)
        .max_results(ACTIVITIES)
        .send()
        .await
        .map_err(|error| CallError::new("application-autoscaling:DescribeScalingActivities", error))?;
    let activities = output.scaling_activities().iter().filter_map(|activity| {
        Some(ScalingActivity {
            started_at: timestamp(activity.start_time())?,
            ended_at: activity.end_time().and_then(timestamp),
            status_code: activity.status_code().as_str().to_owned(),
            status_message: activity.status_message().map(str::to_owned),
            description: activity.description().to_owned(),
            cause: activity.cause().to_owned(),
            not_scaled_reasons: activity.not_scaled_reasons().iter().map(|reason| reason.code().to_owned()).collect(),
        })
    });
    Ok(activities.collect())
}

/// The tags of a scalable target.
pub(crate) async fn tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, CallError> {
    let output = aws.auto_scaling.list_tags_for_resource().resource_arn(arn).send().await;
    let output = output.map_err(|error| CallError::new("application-autoscaling:ListTagsForResource", error))?;
    Ok(output.tags().map(|tags| tags.clone().into_iter().collect()).unwrap_or_default())
}

fn target_tracking(configuration: &TargetTrackingScalingPolicyConfiguration) -> TargetTracking {
    let predefined = configuration
        .predefined_metric_specification()
        .map(|metric| metric.predefined_metric_type().as_str().to_owned());
    let customized = configuration.customized_metric_specification();
    let name = customized.and_then(|metric| Some(format!("{}/{}", metric.namespace()?, metric.metric_name()?)));
    TargetTracking {
        metric: predefined.or(name),
        target_value: configuration.target_value(),
        scale_out_cooldown: seconds(configuration.scale_out_cooldown()),
        scale_in_cooldown: seconds(configuration.scale_in_cooldown()),
        disable_scale_in: configuration.disable_scale_in().unwrap_or_default(),
        customized: customized.and_then(single_metric),
    }
}

/// A specification of a single metric; none of metric math.
fn single_metric(metric: &types::CustomizedMetricSpecification) -> Option<CustomizedMetricSpecification> {
    let mut dimensions: Vec<MetricDimension> = metric
        .dimensions()
        .iter()
        .map(|dimension| MetricDimension { name: dimension.name().to_owned(), value: dimension.value().to_owned() })
        .collect();
    // In one order, so that two that are the same look the same.
    dimensions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Some(CustomizedMetricSpecification {
        metric_name: metric.metric_name()?.to_owned(),
        namespace: metric.namespace()?.to_owned(),
        dimensions,
        statistic: metric.statistic()?.as_str().to_owned(),
        unit: metric.unit().map(str::to_owned),
    })
}

fn step_scaling(configuration: &StepScalingPolicyConfiguration) -> StepScaling {
    let steps = configuration.step_adjustments().iter().map(|step| StepAdjustment {
        lower_bound: step.metric_interval_lower_bound(),
        upper_bound: step.metric_interval_upper_bound(),
        adjustment: step.scaling_adjustment(),
    });
    StepScaling {
        adjustment_type: configuration.adjustment_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        steps: steps.collect(),
        min_adjustment_magnitude: configuration.min_adjustment_magnitude().and_then(|least| u32::try_from(least).ok()),
        cooldown: seconds(configuration.cooldown()),
        metric_aggregation_type: configuration.metric_aggregation_type().map(|kind| kind.as_str().to_owned()),
    }
}

fn seconds(value: Option<i32>) -> Option<Seconds> {
    value.and_then(|value| u32::try_from(value).ok()).map(Seconds)
}

fn count(value: i32) -> InstanceCount {
    InstanceCount(u32::try_from(value).unwrap_or_default())
}

fn timestamp(time: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
