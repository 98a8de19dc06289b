//! Step policies and their alarms: what is written, in which order, and how it is taken back.

use super::fake::{Answer, Fake};
use super::{OVERLOAD, run, target};
use crate::export::{STEP_POLICY as POLICY, with_step_policy};
use ciborium::Value as Cbor;
use endpoint_advisor::act::{apply, restore};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Observation, Outcome, OutcomeStatus, Plan, PutScalingPolicy, ScalableKey, ScalableTarget, ScalingState, Trigger,
};
use endpoint_advisor::report::policies::{alarm_command, policy_command};
use endpoint_advisor::trigger::{Event, parse};
use endpoint_advisor::undo::by_tags;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ALARM: &str = "endpoint-advisor-from-zero/endpoint/orders/variant/AllTraffic";
const ARN: &str = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:6d89:policyName/endpoint-advisor-from-zero";

fn key() -> ScalableKey {
    ScalableKey::of_variant(&OVERLOAD.endpoint_name, OVERLOAD.variant_name.as_ref().unwrap())
}

/// The plan of an overload, with a step policy besides.
fn plan() -> Plan {
    with_step_policy(explain(&OVERLOAD, &crate::endpoint::settings(&[])).plan)
}

/// The policies of the plan as `DescribeScalingPolicies` tells them.
fn described(plan: &Plan, has_alarm: bool) -> Value {
    let policies = plan.put_scaling_policies.iter().map(|policy| {
        let mut described = serde_json::to_value(policy).unwrap();
        let fields = described.as_object_mut().unwrap();
        fields.extend([("PolicyARN".to_owned(), json!(ARN)), ("CreationTime".to_owned(), json!(1.0))]);
        if has_alarm && policy.policy_name == POLICY {
            fields.insert("Alarms".to_owned(), json!([{"AlarmName": ALARM, "AlarmARN": "arn:alarm"}]));
        }
        described
    });
    json!({"ScalingPolicies": policies.collect::<Vec<_>>()})
}

/// The plan's alarm as `DescribeAlarms` tells it.
fn alarm_as_it_stands() -> Answer {
    let dimension = [("Name", Cbor::from("EndpointName")), ("Value", Cbor::from("orders"))];
    let fields = [
        ("AlarmName", Cbor::from(ALARM)),
        ("AlarmDescription", Cbor::from("Fires endpoint-advisor-from-zero")),
        ("AlarmActions", Cbor::Array(vec![Cbor::from(ARN)])),
        ("Namespace", Cbor::from("AWS/SageMaker")),
        ("MetricName", Cbor::from("HasBacklogWithoutCapacity")),
        ("Dimensions", Cbor::Array(vec![map(dimension.into())])),
        ("Statistic", Cbor::from("Average")),
        ("Period", Cbor::from(60)),
        ("EvaluationPeriods", Cbor::from(2)),
        ("DatapointsToAlarm", Cbor::from(2)),
        ("Threshold", Cbor::from(1.0)),
        ("ComparisonOperator", Cbor::from("GreaterThanOrEqualToThreshold")),
        ("TreatMissingData", Cbor::from("missing")),
    ];
    Answer::Cbor(map(vec![("MetricAlarms", Cbor::Array(vec![map(fields.into())]))]))
}

fn map(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (Cbor::from(name), value)).collect())
}

fn operations(fake: &Fake) -> Vec<String> {
    fake.writes().into_iter().map(|(operation, _)| operation).collect()
}

#[test]
fn the_alarm_of_a_step_policy_is_put_after_it_and_names_its_arn() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("PutScalingPolicy", json!({"PolicyARN": ARN}));
    let outcome = run(apply(&fake.aws(), &plan())).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Applied);
    assert_eq!(
        operations(&fake),
        ["RegisterScalableTarget", "PutScalingPolicy", "PutScalingPolicy", "PutMetricAlarm", "RegisterScalableTarget"]
    );
    let written = fake.writes();
    assert_eq!(
        written[2].1,
        json!({
            "PolicyName": POLICY, "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/orders/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity", "Cooldown": 300, "MetricAggregationType": "Average",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
            },
        })
    );
    assert_eq!(
        written[3].1,
        json!({
            "AlarmName": ALARM, "AlarmDescription": "Fires endpoint-advisor-from-zero", "AlarmActions": [ARN],
            "Namespace": "AWS/SageMaker", "MetricName": "HasBacklogWithoutCapacity",
            "Dimensions": [{"Name": "EndpointName", "Value": "orders"}], "Statistic": "Average", "Period": 60,
            "EvaluationPeriods": 2, "DatapointsToAlarm": 2, "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "missing",
        })
    );
    let told: Vec<_> = outcome.changes.iter().map(|change| change.after.as_str()).collect();
    assert!(told.contains(&"ChangeInCapacity +1"), "{told:?}");
    assert!(told.contains(&"HasBacklogWithoutCapacity at 1 in 2 of 2 datapoints"), "{told:?}");
}

#[test]
fn what_an_earlier_attempt_left_undone_is_only_the_alarm() {
    let plan = plan();
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalingPolicies", described(&plan, false));
    let register = plan.register_first.as_ref().unwrap();
    fake.answer("DescribeScalableTargets", target(register.min_capacity.0, register.max_capacity.0));
    let outcome = run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Applied);
    assert_eq!(operations(&fake), ["PutMetricAlarm", "RegisterScalableTarget"]);
    assert_eq!(fake.writes()[0].1["AlarmActions"], json!([ARN]), "as the policy that stands says");
    let told: Vec<_> = outcome.changes.iter().map(|change| change.operation.as_str()).collect();
    assert_eq!(told, ["PutScalingPolicy", "PutScalingPolicy", "PutMetricAlarm", "RegisterScalableTarget"], "all of it");

    fake.forget();
    fake.answer("DescribeScalingPolicies", described(&plan, true));
    fake.script("DescribeAlarms", vec![alarm_as_it_stands()]);
    run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(operations(&fake), ["RegisterScalableTarget"]);
}

#[test]
fn an_alarm_that_somebody_changed_makes_the_plan_stale() {
    let mut plan = plan();
    let fake = Fake::with(&OVERLOAD);
    fake.answer("DescribeScalingPolicies", described(&plan, true));
    fake.script("DescribeAlarms", vec![alarm_as_it_stands()]);
    plan.put_metric_alarms[0].threshold = 2.0;
    let outcome = run(apply(&fake.aws(), &plan)).unwrap();
    assert_eq!(
        (outcome.status, outcome.reason.as_str()),
        (OutcomeStatus::Stale, "an alarm of ours changed since it was read")
    );
    assert_eq!(fake.writes(), []);
}

/// What stands once the plan is written, as it is observed.
fn observed_after(fake: &Fake, plan: &Plan) -> Observation {
    let register = plan.register_scalable_target.as_ref().unwrap();
    fake.answer("DescribeScalableTargets", target(register.min_capacity.0, register.max_capacity.0));
    fake.answer("ListTagsForResource", json!({"Tags": register.tags}));
    fake.answer("DescribeScalingPolicies", described(plan, true));
    fake.script("DescribeAlarms", vec![alarm_as_it_stands()]);
    super::observed_by(fake)
}

#[test]
fn a_plan_is_in_place_only_with_its_alarm() {
    let fake = Fake::with(&OVERLOAD);
    let mut plan = plan();
    let state = ScalingState::of(&observed_after(&fake, &plan).scaling.unwrap());
    assert_eq!(state.alarms, [plan.put_metric_alarms[0].to_alarm()]);
    plan.based_on = Some(state.clone());
    assert!(plan.is_in_place());
    plan.based_on = Some(ScalingState { alarms: Vec::new(), ..state });
    assert!(!plan.is_in_place());
}

#[test]
fn the_way_back_deletes_the_alarm_before_its_policy() {
    let fake = Fake::with(&OVERLOAD);
    let plan = plan();
    let mut stands = ScalingState::of(&observed_after(&fake, &plan).scaling.unwrap());
    let way = by_tags(&stands, &key()).unwrap();
    assert_eq!(way.gives, ScalingState::default());
    let hoped = || Outcome::without_change(OutcomeStatus::RolledBack, "undo");
    let outcome = run(restore(&fake.aws(), &way, hoped())).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::RolledBack);
    assert_eq!(
        operations(&fake),
        ["DeleteAlarms", "DeleteScalingPolicy", "DeleteScalingPolicy", "DeregisterScalableTarget"]
    );
    assert_eq!(fake.writes()[0].1, json!({"AlarmNames": [ALARM]}));

    // What stood before an incident is put back with its alarm.
    fake.forget();
    let before = stands.clone();
    stands.alarms[0].threshold = 2.0;
    let way = endpoint_advisor::undo::to(&before, &stands, &key());
    assert_eq!(way.put_metric_alarms, plan.put_metric_alarms);
    assert_eq!(way.gives.alarms, before.alarms);
}

#[test]
fn people_get_commands_that_work() {
    let plan = plan();
    let policy = policy_command(&plan.put_scaling_policies[1]);
    assert!(policy.contains("--policy-type StepScaling --step-scaling-policy-configuration '{\"AdjustmentType\":"));
    let alarm = alarm_command(&plan, &plan.put_metric_alarms[0]).unwrap();
    assert!(alarm.starts_with(&format!("aws cloudwatch put-metric-alarm --alarm-name {ALARM} ")), "{alarm}");
    assert!(alarm.contains("--dimensions Name=EndpointName,Value=orders "), "{alarm}");
    assert!(alarm.contains(&format!("--policy-names {POLICY} --query 'ScalingPolicies[0].PolicyARN'")), "{alarm}");
}

#[test]
fn our_own_alarms_open_no_incident() {
    let mut event = super::alarm();
    event["detail"]["alarmName"] = json!(ALARM);
    let Event::One(Trigger::Ignored(reason)) = parse(event).unwrap() else { panic!("not ignored") };
    assert_eq!(reason, format!("alarm `{ALARM}` is ours, and fires a scaling policy by itself"));
}

#[test]
fn a_target_of_ours_that_lost_its_alarm_is_still_taken_back() {
    let plan = plan();
    let tags = plan.register_scalable_target.as_ref().unwrap().tags.clone();
    let state = ScalingState {
        target: Some(ScalableTarget { tags: Some(BTreeMap::from_iter(tags)), ..ScalableTarget::default() }),
        policies: plan.put_scaling_policies.iter().map(PutScalingPolicy::to_policy).collect(),
        ..ScalingState::default()
    };
    let way = by_tags(&state, &key()).unwrap();
    assert_eq!((way.delete_alarms, way.delete_scaling_policies.len()), (None, 2));
}
