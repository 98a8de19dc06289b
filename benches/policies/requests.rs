//! A plan's requests to Application Auto Scaling as what they set up.

use crate::standing::Standing;
use crate::trial::FIRST_OF_WEEK_TWO;
use serde_json::Value;
use simulator::{Policy, ScalingMetric, ScheduledAction, SetUp, Step, StepScaling, TargetTracking, When};

/// What stands once a plan's requests are carried out, `plan` being its JSON; none where it holds.
///
/// # Errors
/// Where a request is not understood: it must not be judged as if it were not there.
pub fn set_up(plan: &Value, standing: &Standing) -> Result<Option<SetUp>, String> {
    if plan["action"] != "scale" {
        return Ok(None);
    }
    let register = &plan["register_scalable_target"];
    let mut named: Vec<(String, Policy)> =
        standing.names.iter().cloned().zip(standing.set_up.policies.iter().cloned()).collect();
    for gone in list(plan, "delete_scaling_policies") {
        named.retain(|(name, _)| gone["PolicyName"] != name.as_str());
    }
    for request in list(plan, "put_scaling_policies") {
        let name = request["PolicyName"].as_str().unwrap_or_default().to_owned();
        named.retain(|(known, _)| *known != name);
        named.push((name, policy(request, plan)?));
    }
    let mut scheduled = Vec::new();
    for request in list(plan, "put_scheduled_actions") {
        scheduled.extend(actions(request)?);
    }
    if let Some(min) = count(&plan["relax"]["MinCapacity"]) {
        let after = plan["relax"]["after_minutes"].as_i64().unwrap_or(60);
        scheduled.push(ScheduledAction { when: When::Once(FIRST_OF_WEEK_TWO + after), min: Some(min), max: None });
    }
    let min = count(&register["MinCapacity"]).unwrap_or(standing.set_up.min);
    let max = count(&register["MaxCapacity"]).unwrap_or(standing.set_up.max);
    Ok(Some(SetUp { min, max, policies: named.into_iter().map(|(_, policy)| policy).collect(), scheduled }))
}

fn list<'a>(plan: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    plan[name].as_array().into_iter().flatten()
}

fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn policy(request: &Value, plan: &Value) -> Result<Policy, String> {
    match request["PolicyType"].as_str() {
        Some("TargetTrackingScaling") => {
            let configuration = &request["TargetTrackingScalingPolicyConfiguration"];
            Ok(Policy::TargetTracking(TargetTracking {
                metric: metric(configuration)?,
                target: number(&configuration["TargetValue"])?,
                scale_out_cooldown_seconds: configuration["ScaleOutCooldown"].as_f64().unwrap_or(300.0),
                scale_in_cooldown_seconds: configuration["ScaleInCooldown"].as_f64().unwrap_or(300.0),
                is_scale_in_disabled: configuration["DisableScaleIn"].as_bool().unwrap_or(false),
            }))
        }
        Some("StepScaling") => steps(request, plan),
        _ => Err(format!("a policy that is not understood: {request}")),
    }
}

/// The metric of a target-tracking configuration.
fn metric(configuration: &Value) -> Result<ScalingMetric, String> {
    let predefined = &configuration["PredefinedMetricSpecification"]["PredefinedMetricType"];
    let custom = &configuration["CustomizedMetricSpecification"]["MetricName"];
    named_metric(predefined).or_else(|_| named_metric(custom))
}

fn named_metric(name: &Value) -> Result<ScalingMetric, String> {
    match name.as_str() {
        Some("SageMakerVariantInvocationsPerInstance" | "InvocationsPerInstance") => {
            Ok(ScalingMetric::InvocationsPerInstance)
        }
        Some("SageMakerVariantConcurrentRequestsPerModelHighResolution" | "ConcurrentRequestsPerModel") => {
            Ok(ScalingMetric::ConcurrentRequests)
        }
        Some("CPUUtilization") => Ok(ScalingMetric::CpuUtilization),
        Some("GPUUtilization") => Ok(ScalingMetric::GpuUtilization),
        _ => Err(format!("a metric that is not understood: {name}")),
    }
}

/// A step policy with the alarm that fires it, which is among the plan's alarms under the policy's name.
fn steps(request: &Value, plan: &Value) -> Result<Policy, String> {
    let configuration = &request["StepScalingPolicyConfiguration"];
    let name = request["PolicyName"].as_str().unwrap_or_default();
    let alarm = list(plan, "put_metric_alarms")
        .find(|alarm| alarm["AlarmName"].as_str().is_some_and(|alarm| alarm.contains(name)))
        .or_else(|| list(plan, "put_metric_alarms").next())
        .ok_or_else(|| format!("a step policy without an alarm: {request}"))?;
    let minutes = alarm["EvaluationPeriods"].as_i64().unwrap_or(1) * alarm["Period"].as_i64().unwrap_or(60) / 60;
    let minutes = minutes.max(1);
    let steps = configuration["StepAdjustments"].as_array().into_iter().flatten().map(|step| {
        Ok(Step {
            from: step["MetricIntervalLowerBound"].as_f64().unwrap_or(f64::NEG_INFINITY),
            below: step["MetricIntervalUpperBound"].as_f64().unwrap_or(f64::INFINITY),
            adjustment: number(&step["ScalingAdjustment"])?,
        })
    });
    let is_percent = match configuration["AdjustmentType"].as_str() {
        Some("PercentChangeInCapacity") => true,
        Some("ChangeInCapacity") => false,
        _ => return Err(format!("an adjustment that is not understood: {configuration}")),
    };
    Ok(Policy::Step(StepScaling {
        metric: named_metric(&alarm["MetricName"])?,
        threshold: number(&alarm["Threshold"])?,
        is_below: alarm["ComparisonOperator"].as_str().is_some_and(|operator| operator.starts_with("LessThan")),
        minutes,
        of_them: alarm["DatapointsToAlarm"].as_u64().map_or(minutes as usize, |of_them| of_them as usize),
        steps: steps.collect::<Result<_, String>>()?,
        is_percent,
        at_least: count(&configuration["MinAdjustmentMagnitude"]).unwrap_or(0),
        cooldown_seconds: configuration["Cooldown"].as_f64().unwrap_or(300.0),
    }))
}

fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or_else(|| format!("a number is missing: {value}"))
}

fn actions(request: &Value) -> Result<Vec<ScheduledAction>, String> {
    let is_utc = request["Timezone"].as_str().is_none_or(|zone| matches!(zone, "UTC" | "Etc/UTC"));
    let times = request["Schedule"].as_str().filter(|_| is_utc).and_then(When::cron);
    let times = times.ok_or_else(|| format!("a schedule that is not understood: {request}"))?;
    let action = &request["ScalableTargetAction"];
    let (min, max) = (count(&action["MinCapacity"]), count(&action["MaxCapacity"]));
    Ok(times.into_iter().map(|when| ScheduledAction { when, min, max }).collect())
}
