//! The policies and alarms of a plan in words, and as commands of the AWS CLI.

use crate::model::{
    DeleteScalingPolicy, MetricSpecification, Plan, PolicyConfiguration, PutMetricAlarm, PutScalingPolicy,
    StepScalingConfiguration, Thousands,
};

/// One line for each policy and each alarm.
pub(super) fn lines(plan: &Plan) -> Vec<String> {
    let put = plan.put_scaling_policies.iter();
    let put = put.map(|policy| format!("policy {}: {}", policy.policy_name, what(policy, plan.keeps.as_deref())));
    let gone = plan.delete_scaling_policies.iter();
    let gone = gone.map(|policy| format!("policy {}: deleted, the other takes its place", policy.policy_name));
    put.chain(plan.put_metric_alarms.iter().map(alarm_line)).chain(gone).collect()
}

/// What a policy does. `keeps`: what it keeps, where its target does not tell people.
fn what(policy: &PutScalingPolicy, keeps: Option<&str>) -> String {
    let tracking = match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => tracking,
        PolicyConfiguration::Steps(steps) => return step_words(steps),
    };
    let target = Thousands(tracking.target_value);
    let tracked = match (&tracking.metric, keeps) {
        (MetricSpecification::Predefined(metric), _) if metric.predefined_metric_type.contains("Invocations") => {
            format!("{} at {target} per minute", metric.predefined_metric_type)
        }
        (MetricSpecification::Predefined(metric), _) => format!("{} at {target}", metric.predefined_metric_type),
        (MetricSpecification::Customized(_), Some(keeps)) => format!("{keeps}: TargetValue {target}"),
        (MetricSpecification::Customized(metric), None) => format!("{} at {target}", metric.metric_name),
    };
    let (out, back) = (tracking.scale_out_cooldown.0, tracking.scale_in_cooldown.0);
    format!("{tracked}, cooldown {out} s out and {back} s in")
}

fn step_words(steps: &StepScalingConfiguration) -> String {
    let adjustments: Vec<String> =
        steps.step_adjustments.iter().map(|step| format!("{:+}", step.scaling_adjustment)).collect();
    format!("{} {}, cooldown {} s", steps.adjustment_type, adjustments.join(", "), steps.cooldown.0)
}

fn alarm_line(alarm: &PutMetricAlarm) -> String {
    format!(
        "alarm {}: {} {} {} in {} of {} datapoints of {} s, missing data {}",
        alarm.alarm_name,
        alarm.metric_name,
        alarm.comparison_operator,
        alarm.threshold,
        alarm.datapoints_to_alarm,
        alarm.evaluation_periods,
        alarm.period.0,
        alarm.treat_missing_data
    )
}

/// The AWS CLI command for `PutScalingPolicy`.
#[must_use]
pub fn policy_command(policy: &PutScalingPolicy) -> String {
    let (option, configuration) = match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => ("target-tracking", serde_json::to_string(tracking)),
        PolicyConfiguration::Steps(steps) => ("step", serde_json::to_string(steps)),
    };
    format!(
        "aws application-autoscaling put-scaling-policy --service-namespace {} --resource-id {} --scalable-dimension {} \
         --policy-name {} --policy-type {} --{option}-scaling-policy-configuration '{}'",
        policy.service_namespace,
        policy.resource_id,
        policy.scalable_dimension,
        policy.policy_name,
        policy.policy_type,
        configuration.unwrap_or_default()
    )
}

/// The AWS CLI command for `DeleteScalingPolicy`.
#[must_use]
pub fn delete_command(policy: &DeleteScalingPolicy) -> String {
    format!(
        "aws application-autoscaling delete-scaling-policy --service-namespace {} --resource-id {} --scalable-dimension {} \
         --policy-name {}",
        policy.service_namespace, policy.resource_id, policy.scalable_dimension, policy.policy_name
    )
}

/// The AWS CLI command for `PutMetricAlarm`, which asks for the ARN of the policy; none without the policy's target.
#[must_use]
pub fn alarm_command(plan: &Plan, alarm: &PutMetricAlarm) -> Option<String> {
    let key = plan.register_scalable_target.as_ref()?.key();
    let dimensions: Vec<String> =
        alarm.dimensions.iter().map(|dimension| format!("Name={},Value={}", dimension.name, dimension.value)).collect();
    let arn = format!(
        "aws application-autoscaling describe-scaling-policies --service-namespace {} --resource-id {} --policy-names {} \
         --query 'ScalingPolicies[0].PolicyARN' --output text",
        key.service_namespace,
        key.resource_id,
        alarm.policy_name()
    );
    Some(format!(
        "aws cloudwatch put-metric-alarm --alarm-name {} --alarm-description '{}' --namespace {} --metric-name {} \
         --dimensions {} --statistic {} --period {} --evaluation-periods {} --datapoints-to-alarm {} --threshold {} \
         --comparison-operator {} --treat-missing-data {} --alarm-actions \"$({arn})\"",
        alarm.alarm_name,
        alarm.alarm_description,
        alarm.namespace,
        alarm.metric_name,
        dimensions.join(" "),
        alarm.statistic.name(),
        alarm.period.0,
        alarm.evaluation_periods,
        alarm.datapoints_to_alarm,
        alarm.threshold,
        alarm.comparison_operator,
        alarm.treat_missing_data
    ))
}
