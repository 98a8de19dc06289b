//! Advising on the state that a plan makes asks for nothing more.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, Bound, HoldReason, InstanceCount, Observation, OutcomeStatus, Plan, PutMetricAlarm, PutScheduledAction,
    ScalableTarget, ScalingPolicy,
};
use endpoint_advisor::{capacity, diagnose, plan};

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
        scaling.policies.retain(|policy| policy.policy_name != put.policy_name);
        let fires = plan.put_metric_alarms.iter().filter(|alarm| alarm.policy_name() == put.policy_name);
        let alarms: Vec<_> = fires.map(PutMetricAlarm::to_alarm).collect();
        let alarms = (!alarms.is_empty()).then_some(alarms);
        scaling.policies.push(ScalingPolicy { alarms, ..put.to_policy() });
    }
    for alarm in &plan.put_metric_alarms {
        let policy = scaling.policies.iter_mut().find(|policy| policy.policy_name == alarm.policy_name());
        policy.unwrap().alarms = Some(vec![alarm.to_alarm()]);
    }
    scaling.policies.retain(|policy| !plan.deletes(&policy.policy_name));
    let schedule = scaling.scheduled_actions.get_or_insert_default();
    schedule.extend(plan.put_scheduled_actions.iter().map(PutScheduledAction::to_action));
    let (current, desired) = match &mut after.component {
        Some(component) => (&mut component.current_copy_count, &mut component.desired_copy_count),
        None => (&mut after.variant.current_instance_count, &mut after.variant.desired_instance_count),
    };
    (*current, *desired) = (Some(register.min_capacity), Some(register.min_capacity));
    if let Some(serverless) = &mut after.variant.serverless {
        serverless.provisioned_concurrency = Some(register.min_capacity.0);
    }
    after
}

#[test]
fn an_applied_plan_is_unchanged() {
    for scenario in ["overload", "capacity-loss", "wandering-work"] {
        let before = observed(scenario);
        let report = explain(&before, &settings(&[]));
        assert_eq!((report.plan.action, report.outcome.status), (Action::Scale, OutcomeStatus::Recommended));
        let after = explain(&applied(&before, &report.plan), &settings(&[]));
        assert_eq!((after.plan.action, after.outcome.status), (Action::Scale, OutcomeStatus::Unchanged), "{scenario}");
        // What was there before us is still known, so Min can still go back to it.
        assert_eq!(after.plan.relax, report.plan.relax);
    }
}

#[test]
fn a_tuned_set_up_that_stands_is_in_place() {
    for scenario in ["overload", "healthy", "capacity-loss", "wandering-work"] {
        let before = observed(scenario);
        let capacity = capacity::capacity(&before);
        let guardrails = settings(&[]).for_endpoint(before.tags.as_ref());
        let first = plan::tune(&before, capacity.as_ref(), &guardrails);
        assert_eq!(first.action, Action::Scale, "{scenario}: {:?}", first.hold_reason);
        let again = plan::tune(&applied(&before, &first), capacity.as_ref(), &guardrails);
        assert!(again.is_in_place(), "{scenario}: {first:?}\n{again:?}");
    }
}

#[test]
fn a_limit_behind_the_instances_holds_every_plan() {
    let observation = observed("overload");
    let mut capacity = capacity::capacity(&observation).unwrap();
    assert_eq!((capacity.bound, capacity.is_shared), (Bound::Estimate, false));
    capacity.is_shared = true;
    let guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
    let diagnosis = diagnose::diagnose(&observation);
    for plan in [
        plan::plan(&observation, &diagnosis, Some(&capacity), &guardrails),
        plan::tune(&observation, Some(&capacity), &guardrails),
    ] {
        assert_eq!(plan.hold_reason, Some(HoldReason::NotScalableByInstances));
        assert_eq!(HoldReason::NotScalableByInstances.code(), "not_scalable_by_instances");
    }
}

#[test]
fn tuning_keeps_within_the_guardrails() {
    let observation = observed("overload");
    let capacity = capacity::capacity(&observation);
    for (least, most) in [(1, 3), (2, 4), (3, 20)] {
        let mut guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
        guardrails.min_instances = InstanceCount(least);
        guardrails.max_instances = InstanceCount(most);
        let register = plan::tune(&observation, capacity.as_ref(), &guardrails).register_scalable_target.unwrap();
        assert!(register.min_capacity >= InstanceCount(least) && register.max_capacity <= InstanceCount(most));
        assert!(register.min_capacity <= register.max_capacity);
    }
}
