//! Advising on the state that a plan makes asks for nothing more.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, Observation, OutcomeStatus, Plan, ScalableTarget, ScalingPolicy, Seconds, TargetTracking,
};

/// The endpoint as it stands once the plan is applied and its instances have come up.
pub fn applied(observation: &Observation, plan: &Plan) -> Observation {
    let mut after = observation.clone();
    let register = plan.register_scalable_target.clone().unwrap();
    let scaling = after.scaling.as_mut().unwrap();
    let mut tags = scaling.target.take().and_then(|target| target.tags).unwrap_or_default();
    tags.extend(register.tags);
    tags.extend(plan.tag_resource.clone().map(|tag| tag.tags).unwrap_or_default());
    scaling.target = Some(ScalableTarget {
        arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
        min_capacity: register.min_capacity,
        max_capacity: register.max_capacity,
        is_scale_out_suspended: false,
        tags: Some(tags),
        ..ScalableTarget::default()
    });
    for put in &plan.put_scaling_policies {
        let configuration = put.target_tracking_scaling_policy_configuration.clone();
        scaling.policies.retain(|policy| policy.policy_name != put.policy_name);
        scaling.policies.push(ScalingPolicy {
            policy_name: put.policy_name.clone(),
            policy_type: put.policy_type.clone(),
            target_tracking: Some(TargetTracking {
                metric: Some(configuration.predefined_metric_specification.predefined_metric_type),
                target_value: configuration.target_value,
                scale_out_cooldown: Some(Seconds(configuration.scale_out_cooldown.0)),
                scale_in_cooldown: Some(configuration.scale_in_cooldown),
                disable_scale_in: configuration.disable_scale_in,
            }),
            ..ScalingPolicy::default()
        });
    }
    after.variant.current_instance_count = Some(register.min_capacity);
    after.variant.desired_instance_count = Some(register.min_capacity);
    after
}

#[test]
fn an_applied_plan_is_unchanged() {
    for scenario in ["overload", "capacity-loss"] {
        let before = observed(scenario);
        let report = explain(&before, &settings(&[]));
        assert_eq!((report.plan.action, report.outcome.status), (Action::Scale, OutcomeStatus::Recommended));
        let after = explain(&applied(&before, &report.plan), &settings(&[]));
        assert_eq!((after.plan.action, after.outcome.status), (Action::Scale, OutcomeStatus::Unchanged), "{scenario}");
        // What was there before us is still known, so Min can still go back to it.
        assert_eq!(after.plan.relax, report.plan.relax);
    }
}
