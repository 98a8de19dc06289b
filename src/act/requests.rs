//! Each request that changes scaling, as it is sent.

use crate::aws::{Aws, CallError, patient, patient_with_alarms};
use crate::model::{
    AlarmActions, AlarmStatistic, CustomizedMetricSpecification as CustomizedMetric, DeleteAlarms, DeleteScalingPolicy,
    DeleteScheduledAction, DeregisterScalableTarget, MetricSpecification, PolicyConfiguration, PutMetricAlarm,
    PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, StepScalingConfiguration, TagResource,
    TargetTrackingConfiguration, UntagResource,
};
use aws_sdk_applicationautoscaling::error::BuildError;
use aws_sdk_applicationautoscaling::types::{
    AdjustmentType, CustomizedMetricSpecification, MetricAggregationType, MetricDimension, MetricStatistic, MetricType,
    PolicyType, PredefinedMetricSpecification, ScalableDimension, ScalableTargetAction, ServiceNamespace,
    StepAdjustment, StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration,
};
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Statistic};

/// Sends one request, patiently.
macro_rules! send {
    ($action:literal, $call:expr) => {
        $call
            .customize()
            .config_override(patient())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CallError::new($action, error))
    };
}

/// What every request names that is about a scalable target.
macro_rules! about {
    ($request:expr, $call:expr) => {
        $call
            .service_namespace(ServiceNamespace::from($request.service_namespace.as_str()))
            .resource_id(&$request.resource_id)
            .scalable_dimension(ScalableDimension::from($request.scalable_dimension.as_str()))
    };
}

/// Sends a request about a scalable target, patiently.
macro_rules! send_about {
    ($request:expr, $action:literal, $call:expr) => {
        send!($action, about!($request, $call))
    };
}

pub(super) async fn tag_resource(aws: &Aws, tag: &TagResource) -> Result<(), CallError> {
    let tags = tag.tags.clone().into_iter().collect();
    let call = aws.auto_scaling.tag_resource().resource_arn(&tag.resource_arn).set_tags(Some(tags));
    send!("application-autoscaling:TagResource", call)
}

pub(super) async fn untag_resource(aws: &Aws, untag: &UntagResource) -> Result<(), CallError> {
    let keys = Some(untag.tag_keys.clone());
    let call = aws.auto_scaling.untag_resource().resource_arn(&untag.resource_arn).set_tag_keys(keys);
    send!("application-autoscaling:UntagResource", call)
}

pub(super) async fn register_scalable_target(aws: &Aws, register: &RegisterScalableTarget) -> Result<(), CallError> {
    let tags = (!register.tags.is_empty()).then(|| register.tags.clone().into_iter().collect());
    let call = aws
        .auto_scaling
        .register_scalable_target()
        .min_capacity(integer(register.min_capacity.0))
        .max_capacity(integer(register.max_capacity.0))
        .set_tags(tags);
    send_about!(register, "application-autoscaling:RegisterScalableTarget", call)
}

pub(super) async fn deregister_scalable_target(
    aws: &Aws,
    deregister: &DeregisterScalableTarget,
) -> Result<(), CallError> {
    send_about!(
        deregister,
        "application-autoscaling:DeregisterScalableTarget",
        aws.auto_scaling.deregister_scalable_target()
    )
}

/// Puts a policy; gives its ARN, which its alarm names.
pub(super) async fn put_scaling_policy(aws: &Aws, policy: &PutScalingPolicy) -> Result<String, CallError> {
    const ACTION: &str = "application-autoscaling:PutScalingPolicy";
    let unexpected = |error| CallError::unexpected(ACTION, error);
    let call = about!(policy, aws.auto_scaling.put_scaling_policy())
        .policy_name(&policy.policy_name)
        .policy_type(PolicyType::from(policy.policy_type.as_str()));
    let call = match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => {
            call.target_tracking_scaling_policy_configuration(target_tracking(tracking).map_err(unexpected)?)
        }
        PolicyConfiguration::Steps(steps) => {
            call.step_scaling_policy_configuration(step_scaling(steps).map_err(unexpected)?)
        }
    };
    let output = call.customize().config_override(patient()).send().await;
    output.map(|output| output.policy_arn().to_owned()).map_err(|error| CallError::new(ACTION, error))
}

fn target_tracking(
    tracking: &TargetTrackingConfiguration,
) -> Result<TargetTrackingScalingPolicyConfiguration, BuildError> {
    let configuration = TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(tracking.target_value)
        .scale_out_cooldown(integer(tracking.scale_out_cooldown.0))
        .scale_in_cooldown(integer(tracking.scale_in_cooldown.0))
        .disable_scale_in(tracking.disable_scale_in);
    let configuration = match &tracking.metric {
        MetricSpecification::Predefined(metric) => {
            let metric_type = MetricType::from(metric.predefined_metric_type.as_str());
            let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric_type).build()?;
            configuration.predefined_metric_specification(metric)
        }
        MetricSpecification::Customized(metric) => configuration.customized_metric_specification(customized(metric)?),
    };
    configuration.build()
}

fn step_scaling(steps: &StepScalingConfiguration) -> Result<StepScalingPolicyConfiguration, BuildError> {
    let adjustments = steps.step_adjustments.iter().map(|step| {
        StepAdjustment::builder()
            .set_metric_interval_lower_bound(step.metric_interval_lower_bound)
            .set_metric_interval_upper_bound(step.metric_interval_upper_bound)
            .scaling_adjustment(step.scaling_adjustment)
            .build()
    });
    Ok(StepScalingPolicyConfiguration::builder()
        .adjustment_type(AdjustmentType::from(steps.adjustment_type.as_str()))
        .set_step_adjustments(Some(adjustments.collect::<Result<_, _>>()?))
        .set_min_adjustment_magnitude(steps.min_adjustment_magnitude.map(integer))
        .cooldown(integer(steps.cooldown.0))
        .metric_aggregation_type(MetricAggregationType::from(steps.metric_aggregation_type.as_str()))
        .build())
}

fn customized(metric: &CustomizedMetric) -> Result<CustomizedMetricSpecification, BuildError> {
    let dimensions = metric
        .dimensions
        .iter()
        .map(|dimension| MetricDimension::builder().name(&dimension.name).value(&dimension.value).build());
    Ok(CustomizedMetricSpecification::builder()
        .metric_name(&metric.metric_name)
        .namespace(&metric.namespace)
        .set_dimensions(Some(dimensions.collect::<Result<_, _>>()?))
        .statistic(MetricStatistic::from(metric.statistic.as_str()))
        .set_unit(metric.unit.clone())
        .build())
}

pub(super) async fn delete_scaling_policy(aws: &Aws, policy: &DeleteScalingPolicy) -> Result<(), CallError> {
    let call = aws.auto_scaling.delete_scaling_policy().policy_name(&policy.policy_name);
    send_about!(policy, "application-autoscaling:DeleteScalingPolicy", call)
}

pub(super) async fn put_scheduled_action(aws: &Aws, action: &PutScheduledAction) -> Result<(), CallError> {
    let range =
        ScalableTargetAction::builder().min_capacity(integer(action.scalable_target_action.min_capacity.0)).build();
    let call = aws
        .auto_scaling
        .put_scheduled_action()
        .schedule(&action.schedule)
        .scheduled_action_name(&action.scheduled_action_name)
        .scalable_target_action(range);
    send_about!(action, "application-autoscaling:PutScheduledAction", call)
}

pub(super) async fn delete_scheduled_action(aws: &Aws, action: &DeleteScheduledAction) -> Result<(), CallError> {
    let call = aws.auto_scaling.delete_scheduled_action().scheduled_action_name(&action.scheduled_action_name);
    send_about!(action, "application-autoscaling:DeleteScheduledAction", call)
}

/// Puts an alarm: `actions` is all that it does.
pub(super) async fn put_metric_alarm(
    aws: &Aws,
    alarm: &PutMetricAlarm,
    actions: &AlarmActions,
) -> Result<(), CallError> {
    let dimensions = alarm
        .dimensions
        .iter()
        .map(|dimension| Dimension::builder().name(&dimension.name).value(&dimension.value).build());
    let some = |arns: &Vec<String>| (!arns.is_empty()).then(|| arns.clone());
    let call = aws
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(&alarm.alarm_name)
        .alarm_description(&alarm.alarm_description)
        .namespace(&alarm.namespace)
        .metric_name(&alarm.metric_name)
        .set_dimensions(Some(dimensions.collect()))
        .period(integer(alarm.period.0))
        .evaluation_periods(integer(alarm.evaluation_periods))
        .datapoints_to_alarm(integer(alarm.datapoints_to_alarm))
        .threshold(alarm.threshold)
        .comparison_operator(ComparisonOperator::from(alarm.comparison_operator.as_str()))
        .treat_missing_data(&alarm.treat_missing_data)
        .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile.clone())
        .set_actions_enabled(actions.actions_enabled)
        .set_alarm_actions(some(&actions.alarm_actions))
        .set_ok_actions(some(&actions.ok_actions))
        .set_insufficient_data_actions(some(&actions.insufficient_data_actions));
    let call = match &alarm.statistic {
        AlarmStatistic::Statistic(name) => call.statistic(Statistic::from(name.as_str())),
        AlarmStatistic::ExtendedStatistic(name) => call.extended_statistic(name),
    };
    call.customize()
        .config_override(patient_with_alarms())
        .send()
        .await
        .map(|_| ())
        .map_err(|error| CallError::new("cloudwatch:PutMetricAlarm", error))
}

pub(super) async fn delete_alarms(aws: &Aws, alarms: &DeleteAlarms) -> Result<(), CallError> {
    let call = aws.cloudwatch.delete_alarms().set_alarm_names(Some(alarms.alarm_names.clone()));
    let output = call.customize().config_override(patient_with_alarms()).send().await;
    output.map(|_| ()).map_err(|error| CallError::new("cloudwatch:DeleteAlarms", error))
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
