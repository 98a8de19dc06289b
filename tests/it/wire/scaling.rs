//! The scaling set-up as it is read, and a schedule as it is written.

use super::fake::{Answer, Fake};
use super::{DENIED, OVERLOAD, target};
use crate::utilization::WANDERING;
use ciborium::Value as Cbor;
use endpoint_advisor::act::apply;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    InstanceCount, OutcomeStatus, Plan, PolicyAlarm, PutScalingPolicy, PutScheduledAction, ScalableKey,
    ScalableTargetAction, ScheduledAction, Seconds,
};
use serde_json::json;

fn policy_with_alarms() -> serde_json::Value {
    json!({"ScalingPolicies": [{
        "PolicyARN": "arn:policy", "PolicyName": "orders-target", "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/orders/variant/AllTraffic", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "PolicyType": "TargetTrackingScaling", "CreationTime": 1.0,
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 900.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
        "Alarms": [
            {"AlarmName": "TargetTracking-orders-AlarmHigh-1", "AlarmARN": "arn:high"},
            {"AlarmName": "TargetTracking-orders-AlarmLow-2", "AlarmARN": "arn:low"},
        ],
    }]})
}

fn alarms() -> Cbor {
    let alarm = |name: &str, operator: &str, threshold: f64, periods: i64| {
        let fields = [
            ("AlarmName", Cbor::from(name)),
            ("Namespace", Cbor::from("AWS/SageMaker")),
            ("MetricName", Cbor::from("InvocationsPerInstance")),
            ("Statistic", Cbor::from("Sum")),
            ("Period", Cbor::from(60)),
            ("EvaluationPeriods", Cbor::from(periods)),
            ("Threshold", Cbor::from(threshold)),
            ("ComparisonOperator", Cbor::from(operator)),
        ];
        Cbor::Map(fields.map(|(name, value)| (Cbor::from(name), value)).into())
    };
    let both = vec![
        alarm("TargetTracking-orders-AlarmHigh-1", "GreaterThanThreshold", 900.0, 3),
        alarm("TargetTracking-orders-AlarmLow-2", "LessThanThreshold", 810.0, 15),
    ];
    Cbor::Map(vec![(Cbor::from("MetricAlarms"), Cbor::Array(both))])
}

#[test]
fn the_alarms_of_policies_are_read_as_they_are_set() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 4));
    fake.answer("DescribeScalingPolicies", policy_with_alarms());
    fake.script("DescribeAlarms", vec![Answer::Cbor(alarms())]);
    let observation = super::observed_by(&fake);
    let asked = fake.asked();
    let names = asked.iter().find(|(operation, _)| operation == "DescribeAlarms").unwrap();
    assert_eq!(names.1["AlarmNames"], json!(["TargetTracking-orders-AlarmHigh-1", "TargetTracking-orders-AlarmLow-2"]));
    let read = observation.scaling.unwrap().policies.remove(0).alarms.unwrap();
    assert_eq!(
        read[0],
        PolicyAlarm {
            alarm_name: "TargetTracking-orders-AlarmHigh-1".to_owned(),
            metric: Some("AWS/SageMaker/InvocationsPerInstance".to_owned()),
            statistic: Some("Sum".to_owned()),
            comparison_operator: "GreaterThanThreshold".to_owned(),
            threshold: 900.0,
            period: Seconds(60),
            evaluation_periods: 3,
            datapoints_to_alarm: 3,
            dimensions: Vec::new(),
            treat_missing_data: None,
            description: None,
        }
    );
    assert_eq!((read[1].threshold, read[1].evaluation_periods, read[1].is_on_high()), (810.0, 15, false));
}

#[test]
fn alarms_and_schedules_that_cannot_be_read_are_a_warning() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalableTargets", target(1, 4));
    fake.answer("DescribeScalingPolicies", policy_with_alarms());
    for operation in ["DescribeAlarms", "DescribeScheduledActions"] {
        fake.script(operation, vec![DENIED]);
    }
    let observation = super::observed_by(&fake);
    let scaling = observation.scaling.unwrap();
    assert_eq!((&scaling.policies[0].alarms, &scaling.scheduled_actions), (&None, &None));
    for action in ["cloudwatch:DescribeAlarms", "application-autoscaling:DescribeScheduledActions"] {
        assert!(observation.warnings.iter().any(|warning| warning.contains(action)), "{:?}", observation.warnings);
    }
}

/// The plan of an overload, with a floor for the morning besides.
fn plan_with_schedule() -> Plan {
    let plan = explain(&OVERLOAD, &crate::endpoint::settings(&[])).plan;
    let action = PutScheduledAction {
        service_namespace: "sagemaker".to_owned(),
        schedule: "cron(50 7 * * ? *)".to_owned(),
        scheduled_action_name: "endpoint-advisor-min-at-0750".to_owned(),
        resource_id: "endpoint/orders/variant/AllTraffic".to_owned(),
        scalable_dimension: "sagemaker:variant:DesiredInstanceCount".to_owned(),
        scalable_target_action: ScalableTargetAction { min_capacity: InstanceCount(3) },
    };
    Plan { put_scheduled_actions: vec![action], ..plan }
}

#[test]
fn a_schedule_is_written_exactly_and_once() {
    let plan = plan_with_schedule();
    let fake = Fake::with(&OVERLOAD);
    let outcome = super::run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Applied);
    let written = fake.writes();
    let (_, body) = written.iter().find(|(operation, _)| operation == "PutScheduledAction").unwrap();
    assert_eq!(
        *body,
        json!({
            "ServiceNamespace": "sagemaker", "Schedule": "cron(50 7 * * ? *)",
            "ScheduledActionName": "endpoint-advisor-min-at-0750", "ResourceId": "endpoint/orders/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "ScalableTargetAction": {"MinCapacity": 3},
        })
    );
    assert_eq!(written.last().unwrap().0, "RegisterScalableTarget", "instances start last");

    let standing = json!({"ScheduledActions": [{
        "ScheduledActionName": "endpoint-advisor-min-at-0750", "ScheduledActionARN": "arn:action",
        "ServiceNamespace": "sagemaker", "Schedule": "cron(50 7 * * ? *)", "CreationTime": 1.0,
        "ResourceId": "endpoint/orders/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "ScalableTargetAction": {"MinCapacity": 3},
    }]});
    fake.answer("DescribeScheduledActions", standing);
    // An earlier attempt at the same plan came so far: it is finished, and what stands is not put again.
    let before = fake.writes().len();
    let finished = super::run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(finished.status, OutcomeStatus::Applied);
    assert!(finished.changes.iter().any(|change| change.operation == "PutScheduledAction"), "all of it is told");
    assert!(fake.writes()[before..].iter().all(|(operation, _)| operation != "PutScheduledAction"));

    let mut of_somebody_else = plan;
    of_somebody_else.put_scheduled_actions[0].scheduled_action_name = "endpoint-advisor-min-at-0900".to_owned();
    let stale = super::run(apply(&fake.aws(), &of_somebody_else)).unwrap();
    assert_eq!(
        (stale.status, stale.reason.as_str()),
        (OutcomeStatus::Stale, "a scheduled action changed since it was read")
    );
}

#[test]
fn a_plan_is_in_place_only_with_its_schedule() {
    let mut plan = plan_with_schedule();
    let state = plan.based_on.as_mut().unwrap();
    let register = plan.register_scalable_target.clone().unwrap();
    state.target = Some(endpoint_advisor::model::ScalableTarget {
        min_capacity: register.min_capacity,
        max_capacity: register.max_capacity,
        ..Default::default()
    });
    state.policies =
        plan.put_scaling_policies.iter().map(endpoint_advisor::model::PutScalingPolicy::to_policy).collect();
    assert!(!plan.is_in_place());
    let action: ScheduledAction = plan.put_scheduled_actions[0].to_action();
    plan.based_on.as_mut().unwrap().scheduled_actions = vec![action];
    assert!(plan.is_in_place());
}

/// A policy of ours as `DescribeScalingPolicies` tells it.
fn described(put: &serde_json::Value) -> serde_json::Value {
    let mut policy = put.clone();
    policy["PolicyARN"] = json!("arn:policy");
    policy["CreationTime"] = json!(1.0);
    json!({"ScalingPolicies": [policy]})
}

#[test]
fn a_policy_on_utilisation_is_written_exactly_read_back_and_not_put_again() {
    let plan = explain(&WANDERING, &crate::endpoint::settings(&[])).plan;
    let fake = Fake::with(&WANDERING);
    assert_eq!(super::run(apply(&fake.aws(), &plan)).unwrap().status, OutcomeStatus::Applied);
    let written = fake.writes();
    let (_, body) = written.iter().find(|(operation, _)| operation == "PutScalingPolicy").unwrap();
    let put = serde_json::to_value(&plan.put_scaling_policies[0]).unwrap();
    assert_eq!(*body, put);
    assert_eq!(
        body["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Statistic"],
        "Average"
    );

    let register = plan.register_scalable_target.clone().unwrap();
    fake.answer("DescribeScalableTargets", target(register.min_capacity.0, register.max_capacity.0));
    fake.answer("DescribeScalingPolicies", described(&put));
    let read = super::observed_by(&fake).scaling.unwrap().policies.remove(0);
    assert_eq!(read.without_alarms(), plan.put_scaling_policies[0].to_policy());
}

#[test]
fn the_policy_on_the_other_metric_is_deleted_last_and_a_second_attempt_finishes_it() {
    let was =
        PutScalingPolicy::to_policy(&explain(&OVERLOAD, &crate::endpoint::settings(&[])).plan.put_scaling_policies[0]);
    let mut before = crate::scenarios::with_target(WANDERING.clone(), 1, 10, None);
    let scaling = before.scaling.as_mut().unwrap();
    let mut careful = was.clone();
    careful.target_tracking.as_mut().unwrap().target_value = 150.0;
    let tags = scaling.target.as_mut().unwrap().tags.as_mut().unwrap();
    tags.insert("endpoint-advisor:before".to_owned(), "absent".to_owned());
    scaling.policies = vec![careful.clone()];
    let plan = explain(&before, &crate::endpoint::settings(&[])).plan;
    assert_eq!(plan.delete_scaling_policies[0].policy_name, "endpoint-advisor-invocations");

    let key = ScalableKey::of_variant(&before.endpoint_name, before.variant_name.as_ref().unwrap());
    let old = serde_json::to_value(PutScalingPolicy::of(&careful, &key).unwrap()).unwrap();
    let new = serde_json::to_value(&plan.put_scaling_policies[0]).unwrap();
    let fake = Fake::with(&before);
    fake.answer("DescribeScalableTargets", target(1, 10));
    fake.answer("DescribeScalingPolicies", described(&old));
    // The deletion does not get through: the invocation fails, and is tried again.
    fake.script("DeleteScalingPolicy", vec![Answer::Error(500, "InternalServiceException", "again")]);
    assert!(super::run(apply(&fake.aws(), &plan)).is_err());
    let operations: Vec<String> = fake.writes().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations[..2], ["PutScalingPolicy", "DeleteScalingPolicy"]);
    assert!(!operations.contains(&"RegisterScalableTarget".to_owned()), "instances start last");

    let mut both = described(&old);
    both["ScalingPolicies"].as_array_mut().unwrap().push(described(&new)["ScalingPolicies"][0].clone());
    fake.answer("DescribeScalingPolicies", both);
    fake.script("DeleteScalingPolicy", vec![Answer::Json(json!({}))]);
    let done = fake.writes().len();
    let outcome = super::run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Applied);
    let again: Vec<(String, serde_json::Value)> = fake.writes().split_off(done);
    assert_eq!(again[0].0, "DeleteScalingPolicy");
    assert_eq!(again[0].1, serde_json::to_value(&plan.delete_scaling_policies[0]).unwrap());
    assert_eq!(again[1].0, "RegisterScalableTarget");
    let told: Vec<(&str, &str)> =
        outcome.changes.iter().map(|change| (change.operation.as_str(), change.after.as_str())).collect();
    assert_eq!((told[0].0, told[1]), ("PutScalingPolicy", ("DeleteScalingPolicy", "absent")));
    assert!(told[0].1.ends_with(" of CPUUtilization"), "{}", told[0].1);
}
