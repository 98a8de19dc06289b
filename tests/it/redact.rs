//! An observation that is shared says what it said, and nothing of whose it is.

use crate::components::asleep;
use crate::endpoint::{observed, scheduled, settings};
use crate::scenarios::with_target;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Containers, EndpointName, InferenceComponentName, InstanceCount, InvocationMode, Metrics, Needs, Neighbour,
    Observation, Part, PartMetrics, ScalingActivity, ScalingPolicy, TriggerKind, VariantName, VariantWeight,
};
use endpoint_advisor::redact::redact;
use std::collections::BTreeMap;

/// An endpoint whose names are everywhere.
fn named() -> Observation {
    let policy = ScalingPolicy {
        policy_name: "zebra-target-tracking".to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        ..ScalingPolicy::default()
    };
    let mut observation = with_target(observed("overload"), 1, 4, Some(policy));
    observation.endpoint_name = "zebra".parse().unwrap();
    observation.variant_name = Some("zebra-blue".parse().unwrap());
    observation.endpoint.arn = "arn:aws:sagemaker:us-east-1:210987654321:endpoint/zebra".to_owned();
    observation.endpoint.endpoint_config_name = Some("zebra-2026-10".to_owned());
    observation.endpoint.failure_reason =
        Some("No such image 210987654321.dkr.ecr.us-east-1.amazonaws.com/zebra:7.".to_owned());
    observation.endpoint.weights =
        vec![VariantWeight { variant_name: "zebra-green".parse().unwrap(), current_weight: 1.0, desired_weight: 1.0 }];
    observation.trigger.alarm_name = Some("Zebra team: latency".to_owned());
    observation.variant.model_name = Some("zebra-model".to_owned());
    let names = vec!["tokens".to_owned(), "zebra-net".to_owned()];
    observation.variant.containers = Some(Containers { mode: InvocationMode::Serial, names });
    let parts = [Part::Instance("i-0zebra".to_owned()), Part::Container("zebra-net".to_owned())];
    observation.parts = parts.map(|part| PartMetrics { part, metrics: Metrics::default() }).into();
    observation.tags = Some(BTreeMap::from([
        ("team".to_owned(), "zebra".to_owned()),
        ("endpoint-advisor:objective".to_owned(), "cost".to_owned()),
    ]));
    observation.warnings = vec![
        "tags: AccessDenied: User: arn:aws:sts::210987654321:assumed-role/zebra-role/x is not authorized".to_owned(),
    ];
    observation.scaling.as_mut().unwrap().activities = Some(vec![ScalingActivity {
        started_at: observation.at,
        ended_at: None,
        status_code: "Failed".to_owned(),
        status_message: Some("see s3://zebra-bucket/log".to_owned()),
        description: "Setting desired instance count to 3.".to_owned(),
        cause: "monitor alarm TargetTracking-endpoint/zebra/variant/zebra-blue-AlarmHigh-1 in state ALARM".to_owned(),
        not_scaled_reasons: Vec::new(),
    }]);
    let mut alarm = crate::doctor::latency_alarm();
    alarm.alarm_name = "Zebra team: p90".to_owned();
    alarm.description = Some("Call Zoe of the zebra team".to_owned());
    alarm.alarm_actions = vec!["arn:aws:sns:us-east-1:210987654321:zebra-on-call".to_owned()];
    alarm.metrics[0].dimensions =
        crate::doctor::dimensions(&[("EndpointName", "zebra"), ("VariantName", "zebra-blue")]);
    let mut theirs = alarm.metrics[0].clone();
    theirs.namespace = "ZebraTeam".to_owned();
    theirs.metric_name = "ZebraDepth".to_owned();
    theirs.dimensions = crate::doctor::dimensions(&[("Queue", "zebra-queue")]);
    alarm.metrics.push(theirs);
    observation.alarms = Some(vec![alarm]);
    observation
}

#[test]
fn nothing_says_whose_it_is() {
    let shared = serde_json::to_string(&redact(&named()).unwrap()).unwrap();
    for name in ["zebra", "Zebra", "Zoe", "210987654321", "team", "tokens"] {
        assert!(!shared.contains(name), "{name} in {}", shared.get(..3_000).unwrap_or(&shared));
    }
    for kept in [
        "\"endpoint-1\"",
        "TargetTracking-endpoint/endpoint-1/variant/variant-1-AlarmHigh-1",
        "arn:aws:sagemaker:us-east-1:111122223333:endpoint/endpoint-1",
        "User: redacted is not authorized",
        "endpoint-advisor:objective",
    ] {
        assert!(shared.contains(kept), "{kept}");
    }
}

#[test]
fn each_name_of_somebody_is_replaced_and_ours_and_the_usual_one_stay() {
    let mut observation = named();
    observation.variant_name = Some("AllTraffic".parse().unwrap());
    let scaling = observation.scaling.as_mut().unwrap();
    let policy = |name: &str| ScalingPolicy { policy_name: name.to_owned(), ..ScalingPolicy::default() };
    scaling.policies = ["giraffe", "endpoint-advisor-invocations", "lion"].map(policy).into();
    let action = |name: &str| scheduled(name, "cron(0 7 * * ? *)", 3);
    scaling.scheduled_actions = Some(["mornings", "endpoint-advisor-min-at-0700"].map(action).into());
    let shared = redact(&observation).unwrap();
    assert_eq!(shared.variant_name.unwrap().as_str(), "AllTraffic", "it is everybody's");
    let scaling = shared.scaling.unwrap();
    let policies: Vec<&str> = scaling.policies.iter().map(|policy| policy.policy_name.as_str()).collect();
    assert_eq!(policies, ["policy-1", "endpoint-advisor-invocations", "policy-2"]);
    let actions: Vec<String> = scaling.scheduled_actions.unwrap().into_iter().map(|action| action.name).collect();
    assert_eq!(actions, ["action-1", "endpoint-advisor-min-at-0700"]);
}

#[test]
fn whom_an_alarm_tells_is_replaced_and_the_policy_that_it_fires_stays() {
    let mut observation = named();
    let fires = "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1:resource/sagemaker/x:policyName/giraffe";
    let alarm = &mut observation.alarms.as_mut().unwrap()[0];
    alarm.alarm_actions = vec![fires.to_owned(), "arn:aws:sns:us-east-1:111122223333:lions-on-call".to_owned()];
    let actions = redact(&observation).unwrap().alarms.unwrap().remove(0).alarm_actions;
    assert_eq!(actions, [fires, "arn:aws:sns:us-east-1:111122223333:target-1"]);
}

#[test]
fn roles_buckets_and_images_go_whole_and_the_sentence_around_them_stays() {
    let mut observation = named();
    observation.endpoint.failure_reason = Some(
        "Role arn:aws:iam::210987654321:role/x, (s3://y/z), from=s3://y, http://y:80 and https://y/z. Not 7 or sagemaker:z!"
            .to_owned(),
    );
    let shared = redact(&observation).unwrap();
    assert_eq!(
        shared.endpoint.failure_reason.unwrap(),
        "Role redacted, (redacted), redacted, redacted and redacted. Not 7 or sagemaker:z!"
    );
}

#[test]
fn the_verdict_and_the_numbers_stay() {
    for scenario in ["overload", "slow-model", "capacity-loss"] {
        let before = explain(&observed(scenario), &settings(&[]));
        let after = explain(&redact(&observed(scenario)).unwrap(), &settings(&[]));
        assert_eq!(after.diagnosis, before.diagnosis);
        assert_eq!(after.capacity, before.capacity);
        assert_eq!(after.plan.forecast, before.plan.forecast);
        let range = |report: &endpoint_advisor::model::Report| {
            report.plan.register_scalable_target.as_ref().map(|register| (register.min_capacity, register.max_capacity))
        };
        assert_eq!(range(&after), range(&before));
    }
}

#[test]
fn a_name_inside_a_word_is_another_word() {
    let mut observation = observed("overload");
    observation.endpoint_name = "m5".parse::<EndpointName>().unwrap();
    observation.variant_name = Some("ALARM".parse::<VariantName>().unwrap());
    observation.inference_component_name = Some("Sum".parse::<InferenceComponentName>().unwrap());
    observation.warnings = vec!["m5x and m5".to_owned()];
    let shared = redact(&observation).unwrap();
    assert_eq!(shared.variant.instance_type, observation.variant.instance_type);
    assert_eq!((shared.trigger.kind, shared.trigger.state), (TriggerKind::EventbridgeAlarm, Some("ALARM".to_owned())));
    assert_eq!(shared.metrics, observation.metrics);
    assert_eq!(shared.warnings, ["m5x and endpoint-1"]);
}

#[test]
fn a_component_is_shared_without_its_name_and_those_beside_it() {
    let mut observation = asleep();
    let component = observation.component.as_mut().unwrap();
    component.variant_name = Some("zebra-blue".parse().unwrap());
    let beside = |name: &str| Neighbour {
        name: name.parse().unwrap(),
        copies: Some(InstanceCount(1)),
        needs: Needs { cpu_cores: Some(1.0), ..Needs::default() },
    };
    component.neighbours = Some(vec![beside("zebra-ranker"), beside("zebra-embedder")]);
    let shared = redact(&observation).unwrap();
    let text = serde_json::to_string(&shared).unwrap();
    assert!(!text.contains("zebra") && !text.contains("orders-ranker"), "{text:.3000}");
    let neighbours = shared.component.as_ref().unwrap().neighbours.as_ref().unwrap();
    let names: Vec<&str> = neighbours.iter().map(|neighbour| neighbour.name.as_str()).collect();
    assert_eq!(names, ["component-2", "component-3"]);
    let (before, after) = (explain(&observation, &settings(&[])), explain(&shared, &settings(&[])));
    assert_eq!(after.diagnosis, before.diagnosis);
    assert_eq!(after.plan.hold_reason, before.plan.hold_reason);
}
