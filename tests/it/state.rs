//! When a set-up is as it was asked for, and what tells two of them apart: writing and undoing rest on it.

use crate::components::of_component;
use crate::endpoint::{observed, scheduled, settings, tracking};
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    AlarmActions, BlockedBy, Diagnosis, EndpointName, IncidentKey, InstanceCount, Metric, PolicyAlarm, PutMetricAlarm,
    PutScheduledAction, ScalableDimension, ScalableKey, ScalableTarget, ScalableTargetAction, ScalingPolicy,
    ScalingState, ScheduledAction, Seconds, StepAdjustment, StepScaling, Verdict,
};

fn action(name: &str) -> ScheduledAction {
    scheduled(name, "cron(0 7 * * ? *)", 3)
}

fn alarm(name: &str) -> PolicyAlarm {
    PolicyAlarm {
        alarm_name: name.to_owned(),
        metric: Some("AWS/SageMaker/HasBacklogWithoutCapacity".to_owned()),
        statistic: Some("Average".to_owned()),
        comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
        threshold: 1.0,
        period: Seconds(60),
        evaluation_periods: 3,
        datapoints_to_alarm: 2,
        dimensions: Vec::new(),
        treat_missing_data: None,
        description: None,
    }
}

fn policy(name: &str, target_value: f64) -> ScalingPolicy {
    tracking(name, "AWS/SageMaker/InvocationsPerInstance", target_value)
}

/// Two of everything.
fn state() -> ScalingState {
    ScalingState {
        target: Some(ScalableTarget {
            min_capacity: InstanceCount(1),
            max_capacity: InstanceCount(4),
            ..ScalableTarget::default()
        }),
        policies: vec![policy("a", 900.0), policy("b", 50.0)],
        alarms: vec![alarm("a"), alarm("b")],
        scheduled_actions: vec![action("a"), action("b")],
    }
}

#[test]
fn a_scheduled_action_stands_where_all_of_it_does() {
    let key = ScalableKey::of_variant(&"orders".parse::<EndpointName>().unwrap(), &"AllTraffic".parse().unwrap());
    let put = PutScheduledAction::of(&action("ours"), &key).unwrap();
    assert_eq!(put.scalable_target_action, ScalableTargetAction { min_capacity: InstanceCount(3) });
    assert!(put.stands(&[action("theirs"), action("ours")]));
    assert!(put.stands(&[ScheduledAction { timezone: Some("UTC".to_owned()), ..action("ours") }]));
    for other in [
        action("theirs"),
        ScheduledAction { schedule: "cron(0 8 * * ? *)".to_owned(), ..action("ours") },
        ScheduledAction { min_capacity: Some(InstanceCount(2)), ..action("ours") },
        ScheduledAction { min_capacity: None, ..action("ours") },
        ScheduledAction { max_capacity: Some(InstanceCount(9)), ..action("ours") },
        ScheduledAction { timezone: Some("Europe/Berlin".to_owned()), ..action("ours") },
    ] {
        assert!(!put.stands(std::slice::from_ref(&other)), "{other:?}");
    }
    assert!(!put.stands(&[]));
}

/// One of the parts changed, or gone, or come.
fn changed() -> Vec<(&'static str, ScalingState)> {
    let one = |what: &'static str, change: fn(&mut ScalingState)| {
        let mut other = state();
        change(&mut other);
        (what, other)
    };
    vec![
        one("the scalable target", |state| state.target = None),
        one("the scalable target", |state| state.target.as_mut().unwrap().max_capacity = InstanceCount(5)),
        one("the scalable target", |state| state.target.as_mut().unwrap().min_capacity = InstanceCount(2)),
        one("the scalable target", |state| state.target.as_mut().unwrap().is_scale_out_suspended = true),
        one("a scaling policy", |state| state.policies[0] = policy("a", 901.0)),
        one("a scaling policy", |state| state.policies.truncate(1)),
        one("a scaling policy", |state| state.policies.push(policy("c", 900.0))),
        one("an alarm of ours", |state| state.alarms[0].threshold = 2.0),
        one("an alarm of ours", |state| state.alarms.truncate(1)),
        one("an alarm of ours", |state| state.alarms.push(alarm("c"))),
        one("a scheduled action", |state| state.scheduled_actions[0].min_capacity = None),
        one("a scheduled action", |state| state.scheduled_actions.truncate(1)),
        one("a scheduled action", |state| state.scheduled_actions.push(action("c"))),
    ]
}

#[test]
fn every_difference_is_named_and_seen_from_both_sides() {
    let state = state();
    assert_eq!(state.difference(&state), None);
    let mut tagged = state.clone();
    tagged.target.as_mut().unwrap().tags = Some([("team".to_owned(), "orders".to_owned())].into());
    assert_eq!(state.difference(&tagged), None, "tags change nothing that scales");
    for (what, other) in changed() {
        assert_eq!(state.difference(&other), Some(what));
        assert_eq!(other.difference(&state), Some(what));
    }
}

#[test]
fn a_state_between_two_is_made_of_their_parts() {
    let from = state();
    for (what, to) in changed() {
        assert_eq!((from.leaves(&from, &to), to.leaves(&from, &to)), (None, None), "{what}");
        // Something else that neither has.
        for (other, third) in changed() {
            if third != to && other != what {
                assert_eq!(third.leaves(&from, &to), Some(other), "{what}");
            }
        }
    }
    // A new target is registered with what is running first, and raised last.
    let with = |min, max| {
        let range = ScalableTarget {
            min_capacity: InstanceCount(min),
            max_capacity: InstanceCount(max),
            ..ScalableTarget::default()
        };
        ScalingState { target: Some(range), ..ScalingState::default() }
    };
    let none = ScalingState::default();
    assert_eq!(with(2, 8).leaves(&none, &with(5, 8)), None);
    assert_eq!(with(6, 8).leaves(&none, &with(5, 8)), Some("the scalable target"), "not with more than is asked for");
    assert_eq!(with(2, 9).leaves(&none, &with(5, 8)), Some("the scalable target"));
    assert_eq!(with(2, 8).leaves(&with(1, 3), &with(5, 8)), Some("the scalable target"), "it is not new");
}

#[test]
fn each_part_in_short() {
    let state = state();
    assert_eq!(state.target_in_words(), "min=1 max=4");
    assert_eq!(ScalingState::default().target_in_words(), "absent");
    assert_eq!(state.policy_in_words("b"), "TargetValue=50");
    assert_eq!(state.policy_in_words("c"), "absent");
    let steps = StepScaling {
        adjustment_type: "ChangeInCapacity".to_owned(),
        steps: vec![StepAdjustment { lower_bound: None, upper_bound: Some(0.0), adjustment: -1 }],
        min_adjustment_magnitude: None,
        cooldown: None,
        metric_aggregation_type: None,
    };
    let policies = vec![ScalingPolicy { step_scaling: Some(steps), target_tracking: None, ..policy("steps", 1.0) }];
    assert_eq!(ScalingState { policies, ..state.clone() }.policy_in_words("steps"), "ChangeInCapacity -1");
    assert_eq!(state.alarm_in_words("b"), "HasBacklogWithoutCapacity at 1 in 2 of 3 datapoints");
    assert_eq!(state.alarm_in_words("c"), "absent");
    assert_eq!(state.action_in_words("b"), "min=3 at cron(0 7 * * ? *)");
    assert_eq!(state.action_in_words("c"), "absent");
    let unchanged = vec![ScheduledAction { min_capacity: None, ..action("max") }];
    let words = ScalingState { scheduled_actions: unchanged, ..state }.action_in_words("max");
    assert_eq!(words, "min=unchanged at cron(0 7 * * ? *)");
}

#[test]
fn a_dimension_is_known_by_its_name() {
    let (endpoint, variant) = ("orders".parse::<EndpointName>().unwrap(), "AllTraffic".parse().unwrap());
    let instances = ScalableKey::of_variant(&endpoint, &variant);
    assert_eq!(instances.dimension(), Some(ScalableDimension::InstanceCount));
    let units = ScalableKey::of_provisioned_concurrency(&endpoint, &variant);
    assert_eq!(units.dimension(), Some(ScalableDimension::ProvisionedConcurrency));
    let other = ScalableKey { scalable_dimension: "ecs:service:DesiredCount".to_owned(), ..instances };
    assert_eq!(other.dimension(), None);
}

#[test]
fn what_is_counted_has_a_word_for_one_and_for_several() {
    let words =
        [ScalableDimension::InstanceCount, ScalableDimension::CopyCount, ScalableDimension::ProvisionedConcurrency]
            .map(|dimension| (dimension.unit(), dimension.units()));
    assert_eq!(
        words,
        [
            ("instance", "instances"),
            ("copy", "copies"),
            ("unit of provisioned concurrency", "units of provisioned concurrency")
        ]
    );
}

#[test]
fn an_alarm_stands_where_all_of_it_does() {
    let stands = alarm("endpoint-advisor-from-zero");
    let stands = PolicyAlarm { treat_missing_data: Some("missing".to_owned()), ..stands };
    let put = PutMetricAlarm::of(&stands).unwrap();
    assert!(put.stands(&[alarm("theirs"), put.to_alarm()]));
    assert!(!put.stands(&[]));
    for other in [
        PolicyAlarm { alarm_name: "theirs".to_owned(), ..put.to_alarm() },
        PolicyAlarm { threshold: 2.0, ..put.to_alarm() },
        PolicyAlarm { datapoints_to_alarm: 3, ..put.to_alarm() },
        PolicyAlarm { treat_missing_data: Some("breaching".to_owned()), ..put.to_alarm() },
    ] {
        assert!(!put.stands(std::slice::from_ref(&other)), "{other:?}");
    }
}

#[test]
fn what_is_in_the_way_is_said_of_what_is_scaled() {
    let said = |verdict, blocked_by, of| {
        let diagnosis = diagnose(&observed("overload"));
        Diagnosis { verdict, blocked_by, ..diagnosis }.in_the_way(of)
    };
    let (instances, copies) = (ScalableDimension::InstanceCount, ScalableDimension::CopyCount);
    let down = Some(BlockedBy::EndpointNotInService);
    assert_eq!(said(Verdict::Overload, down, instances).unwrap(), BlockedBy::EndpointNotInService.text());
    assert_eq!(said(Verdict::Overload, down, copies).unwrap(), "the endpoint or the component is not InService");
    let full = Some(BlockedBy::AtMaxCapacity);
    assert_eq!(said(Verdict::NoCopies, full, copies).unwrap(), "the variant has as many instances as it may have");
    assert_eq!(said(Verdict::Overload, None, copies), None);
}

#[test]
fn an_incident_has_one_schedule_by_region_endpoint_and_part() {
    let name = |region: &str, endpoint: &str, part: &str| {
        let key =
            IncidentKey { region: region.to_owned(), endpoint_name: endpoint.parse().unwrap(), part: part.to_owned() };
        key.schedule_name()
    };
    // SHA-256 of `us-east-1/orders/AllTraffic`.
    assert_eq!(name("us-east-1", "orders", "AllTraffic"), "ea-d369eb475dd3442ee3e9b40e4ec852a8");
    let others = [
        name("eu-west-1", "orders", "AllTraffic"),
        name("us-east-1", "search", "AllTraffic"),
        name("us-east-1", "orders", "Blue"),
    ];
    assert!(others.iter().all(|other| *other != name("us-east-1", "orders", "AllTraffic")), "{others:?}");
}

#[test]
fn a_report_says_how_the_tool_is_asked_about_it() {
    let report = explain(&observed("overload"), &settings(&[]));
    assert_eq!(report.asked_of_the_tool(), "orders --variant AllTraffic");
    let of_component = explain(&of_component(observed("overload")), &settings(&[]));
    assert_eq!(of_component.asked_of_the_tool(), "orders --component orders-ranker");
}

#[test]
fn an_alarm_that_fires_a_policy_does_nothing_else() {
    let actions = AlarmActions::firing("arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1");
    assert_eq!(actions.alarm_actions, ["arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1"]);
    assert_eq!(AlarmActions { alarm_actions: Vec::new(), ..actions }, AlarmActions::default());
}

#[test]
fn metrics_of_the_instances_are_told_from_those_of_the_endpoint() {
    assert!(Metric::CPUUtilization.is_of_instances() && Metric::GPUMemoryUtilization.is_of_instances());
    assert!(!Metric::ModelLatency.is_of_instances() && !Metric::CPUUtilizationNormalized.is_of_instances());
}
