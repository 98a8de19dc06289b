//! Commands that mend something. Whatever somebody else named stands in JSON within one word of the shell, where no name can
//! become an option, a file to read or a second command.

use super::patient::Patient;
use super::words::named;
use crate::export::{input, quoted};
use crate::model::{
    CloudWatchAlarm, DeleteScalingPolicy, EndpointName, InstanceCount, PutScalingPolicy, RegisterScalableTarget,
    ScalableKey, ScalingPolicy, WatchedMetric,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// SageMaker's limit for names.
const NAME: usize = 63;

/// `register-scalable-target` with another range.
pub(super) fn register(patient: &Patient<'_>, min: InstanceCount, max: InstanceCount) -> Option<String> {
    let ScalableKey { service_namespace, resource_id, scalable_dimension } = patient.key()?;
    let (min_capacity, max_capacity, tags) = (min, max.max(min), BTreeMap::new());
    let request =
        RegisterScalableTarget { service_namespace, resource_id, scalable_dimension, min_capacity, max_capacity, tags };
    Some(request.command())
}

/// Application Auto Scaling with a request about `key`.
pub(super) fn scaling(operation: &str, key: &ScalableKey, more: Value) -> String {
    let mut request = Map::new();
    for (name, value) in [
        ("ServiceNamespace", &key.service_namespace),
        ("ResourceId", &key.resource_id),
        ("ScalableDimension", &key.scalable_dimension),
    ] {
        request.insert(name.to_owned(), Value::String(value.clone()));
    }
    if let Value::Object(more) = more {
        request.extend(more);
    }
    let request = Value::Object(request).to_string();
    format!("aws application-autoscaling {operation} --cli-input-json {}", quoted(&request))
}

/// `delete-scaling-policy`.
pub(super) fn delete_policy(patient: &Patient<'_>, policy: &ScalingPolicy) -> Option<String> {
    let key = patient.key()?;
    let request = DeleteScalingPolicy {
        policy_name: policy.policy_name.clone(),
        service_namespace: key.service_namespace,
        resource_id: key.resource_id,
        scalable_dimension: key.scalable_dimension,
    };
    Some(format!("aws application-autoscaling delete-scaling-policy {}", input(&request)))
}

/// `put-scaling-policy` with the policy as `change` leaves it; none for metric math, which is not read in full.
pub(super) fn put_policy(
    patient: &Patient<'_>,
    policy: &ScalingPolicy,
    change: impl FnOnce(&mut ScalingPolicy),
) -> Option<String> {
    let mut changed = policy.clone();
    change(&mut changed);
    // What is not set is what Application Auto Scaling takes: 300 seconds for SageMaker.
    if let Some(tracking) = &mut changed.target_tracking {
        tracking.scale_out_cooldown.get_or_insert(super::timing::DEFAULT_COOLDOWN);
        tracking.scale_in_cooldown.get_or_insert(super::timing::DEFAULT_COOLDOWN);
    }
    let request = PutScalingPolicy::of(&changed, &patient.key()?)?;
    Some(format!("aws application-autoscaling put-scaling-policy {}", input(&request)))
}

/// `put-metric-alarm` with the alarm as `change` leaves it: it replaces the whole alarm. None for metric math.
pub(super) fn put_alarm(
    alarm: &CloudWatchAlarm,
    change: impl FnOnce(&mut CloudWatchAlarm, &mut WatchedMetric),
) -> Option<String> {
    let mut alarm = alarm.clone();
    let mut metric = alarm.only_metric()?.clone();
    change(&mut alarm, &mut metric);
    let is_simple = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&metric.statistic.as_str());
    let statistic = if is_simple { "Statistic" } else { "ExtendedStatistic" };
    let mut request = json!({
        "AlarmName": alarm.alarm_name,
        "AlarmDescription": alarm.description,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Namespace": metric.namespace,
        "MetricName": metric.metric_name,
        "Dimensions": metric.dimensions,
        "Period": metric.period,
        "Unit": metric.unit,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "Threshold": alarm.threshold?,
        "ComparisonOperator": alarm.comparison_operator,
        "TreatMissingData": alarm.treat_missing_data,
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile,
    });
    if let Value::Object(fields) = &mut request {
        fields.insert(statistic.to_owned(), Value::String(metric.statistic));
        // CloudWatch knows the last field for percentiles only.
        fields.retain(|name, value| !value.is_null() && (!is_simple || name != "EvaluateLowSampleCountPercentile"));
    }
    Some(format!("aws cloudwatch put-metric-alarm --cli-input-json {}", quoted(&request.to_string())))
}

/// A command of this tool about the variant or component.
pub(super) fn tool(patient: &Patient<'_>, command: &str) -> String {
    let observation = patient.observation;
    let part = match (&observation.inference_component_name, &observation.variant_name) {
        (Some(component), _) => format!(" --component {component}"),
        (None, Some(variant)) => format!(" --variant {variant}"),
        (None, None) => String::new(),
    };
    format!("endpoint-advisor {command} {}{part}", observation.endpoint_name)
}

/// A new endpoint configuration in which the variant has these fields, and the update to it. None where the new one would lack
/// what the old one has besides variants and role.
pub(super) fn new_configuration(patient: &Patient<'_>, ending: &str, fields: &str) -> Option<String> {
    let observation = patient.observation;
    let endpoint = &observation.endpoint;
    let variant = observation.variant_name.as_ref()?;
    let has_more = endpoint.captures_data
        || endpoint.has_explainer
        || endpoint.has_enhanced_metrics
        || observation.is_asynchronous()
        || !endpoint.shadow_variants.is_empty();
    // The name of a configuration follows the pattern of the endpoint's.
    let old = EndpointName::parse(endpoint.endpoint_config_name.as_ref()?).ok().filter(|_| !has_more)?;
    let stem: String = old.as_str().chars().take(NAME.saturating_sub(ending.len())).collect();
    let new = format!("{}{ending}", stem.trim_end_matches('-'));
    let describe = format!("aws sagemaker describe-endpoint-config --endpoint-config-name {old}");
    Some(format!(
        "aws sagemaker create-endpoint-config --endpoint-config-name {new} --production-variants \"$({describe} --output json \
         --query 'map(&(VariantName==`\"{variant}\"` && merge(@, {fields}) || @), ProductionVariants)')\" && aws sagemaker \
         update-endpoint --endpoint-name {} --endpoint-config-name {new} --retain-all-variant-properties",
        observation.endpoint_name
    ))
}

/// `request-service-quota-increase`; none for what is no instance type.
pub(super) fn raise_quota(kind: &str, wanted: InstanceCount) -> Option<String> {
    let is_type = kind.starts_with("ml.") && kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    is_type.then(|| {
        format!(
            "aws service-quotas request-service-quota-increase --service-code sagemaker --desired-value {wanted} --quota-code \
             \"$(aws service-quotas list-service-quotas --service-code sagemaker --output text --query \
             'Quotas[?QuotaName==`\"{kind} for endpoint usage\"`].QuotaCode')\""
        )
    })
}

/// The alarm by its name.
pub(super) fn alarm(alarm: &CloudWatchAlarm) -> String {
    format!("the alarm {}", named(&alarm.alarm_name))
}
