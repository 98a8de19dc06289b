//! What stands is respected: the limits, other people's policies and schedules, and what is running.

use crate::convergence::applied;
use crate::endpoint::{observed, scheduled, settings, stepping, tracking};
use crate::scenarios::with_target;
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Action, InstanceCount, Metric, Minute, Observation, ScalingPolicy, ScheduledAction, Series,
};
use endpoint_advisor::{capacity, diagnose, plan};

/// Load beyond what was seen, and the range and policies of somebody else.
fn overloaded(policies: Vec<ScalingPolicy>) -> Observation {
    let mut observation = with_target(observed("overload"), 1, 4, None);
    observation.scaling.as_mut().unwrap().policies = policies;
    observation
}

#[test]
fn a_least_number_of_instances_never_exceeds_what_may_be_paid() {
    let mut observation = observed("overload");
    observation.instance_price = Some(endpoint_advisor::model::UsdPerHour(1.0));
    observation.tags.as_mut().unwrap().extend([
        ("endpoint-advisor:min-instances".to_owned(), "6".to_owned()),
        ("endpoint-advisor:max-hourly-usd".to_owned(), "3".to_owned()),
    ]);
    let report = explain(&observation, &settings(&[]));
    let register = report.plan.register_scalable_target.unwrap();
    assert!(register.min_capacity <= register.max_capacity, "{register:?}");
    assert!(register.max_capacity <= InstanceCount(3), "{register:?}");
}

#[test]
fn no_policy_is_put_beside_steps_on_the_same_metric() {
    let steps = |metric| stepping(metric, 900.0);
    let unread = ScalingPolicy { alarms: None, ..steps(None) };
    // The same metric, metric math, and alarms that could not be read.
    for theirs in [steps(Some("AWS/SageMaker/InvocationsPerInstance")), steps(None), unread] {
        let plan = explain(&overloaded(vec![theirs]), &settings(&[])).plan;
        assert_eq!((plan.action, plan.put_scaling_policies.len()), (Action::Scale, 0));
    }
    let other = steps(Some("/aws/sagemaker/Endpoints/MemoryUtilization"));
    assert_eq!(explain(&overloaded(vec![other]), &settings(&[])).plan.put_scaling_policies.len(), 1);
}

#[test]
fn nothing_is_put_where_the_policies_that_stand_are_as_good() {
    // Each of these targets is near what the search would choose, so that one of them has to be left alone.
    let mut kept = 0;
    for target_value in [240.0, 260.0, 280.0, 300.0, 320.0] {
        let cpu = tracking("keep-up", "/aws/sagemaker/Endpoints/CPUUtilization", target_value);
        let plan = explain(&overloaded(vec![cpu]), &settings(&[])).plan;
        let stays = plan.reasoning.iter().any(|reason| reason.starts_with("the present policy stays"));
        assert_eq!(stays, plan.put_scaling_policies.is_empty(), "{target_value}: {:?}", plan.reasoning);
        kept += usize::from(stays);
    }
    assert!(kept > 0);
}

#[test]
fn a_schedule_that_would_lower_the_range_is_told() {
    let mut observation = overloaded(Vec::new());
    let action = |min, max| ScheduledAction {
        max_capacity: Some(InstanceCount(max)),
        ..scheduled("evening", "cron(25 9 * * ? *)", min)
    };
    for (min, max, is_told) in [(1, 2, true), (9, 20, false)] {
        observation.scaling.as_mut().unwrap().scheduled_actions = Some(vec![action(min, max)]);
        let plan = explain(&observation, &settings(&[])).plan;
        assert_eq!(plan.advice.iter().any(|line| line.contains("`evening`")), is_told, "{:?}", plan.advice);
    }
}

#[test]
fn a_schedule_of_ours_that_the_plan_does_without_is_for_a_person_to_delete() {
    let told = |observation: &Observation, name: &str| {
        let plan = explain(observation, &settings(&[("ADVISOR_MAX_INSTANCES", "20")])).plan;
        assert_eq!(plan.action, Action::Scale, "{:?}", plan.hold_reason);
        let line = format!("Delete scheduled action `{name}`");
        plan.advice.iter().any(|advice| advice.starts_with(&line))
    };
    let with = |mut observation: Observation, name: &str| {
        let action = scheduled(name, "cron(0 7 * * ? *)", 3);
        observation.scaling.as_mut().unwrap().scheduled_actions.get_or_insert_default().push(action);
        observation
    };
    let (ours, theirs) = ("endpoint-advisor-min-at-0700", "mornings");
    assert!(told(&with(overloaded(Vec::new()), ours), ours));
    assert!(!told(&with(overloaded(Vec::new()), theirs), theirs), "it is theirs");
    // A plan with schedules keeps its own, and has no use for others.
    let herd = observed("hourly-herd");
    let plan = explain(&herd, &settings(&[("ADVISOR_MAX_INSTANCES", "20")])).plan;
    let stands = with(applied(&herd, &plan), ours);
    assert!(told(&stands, ours));
    for action in plan.put_scheduled_actions {
        assert!(!told(&stands, &action.scheduled_action_name));
    }
}

#[test]
fn a_policy_of_ours_is_not_rewritten_because_min_was_raised() {
    let before = observed("overload");
    let first = explain(&before, &settings(&[])).plan;
    let mut after = applied(&before, &first);
    for policy in &mut after.scaling.as_mut().unwrap().policies {
        policy.target_tracking.as_mut().unwrap().target_value *= 0.97;
    }
    let plan = explain(&after, &settings(&[])).plan;
    assert!(plan.is_in_place(), "{:?} {:?}", plan.put_scaling_policies, plan.reasoning);
}

#[test]
fn tuning_never_registers_a_range_below_what_is_running() {
    for target in [None, Some((1, 9)), Some((1, 2))] {
        let mut observation = match target {
            Some((min, max)) => with_target(observed("overload"), min, max, None),
            None => observed("overload"),
        };
        observation.variant.current_instance_count = Some(InstanceCount(9));
        observation.variant.desired_instance_count = Some(InstanceCount(9));
        let guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
        let capacity = capacity::capacity(&observation);
        let plan = plan::tune(&observation, capacity.as_ref(), &guardrails);
        let register = plan.register_scalable_target.unwrap();
        assert!(register.max_capacity >= InstanceCount(9), "{target:?}: {register:?}");
    }
}

/// The overload with a jump to three times the traffic for ten minutes in every two hours, over before instances start.
fn jumpy() -> Observation {
    let mut observation = observed("overload");
    for series in &mut observation.metrics.0 {
        if matches!(series.metric, Metric::Invocations | Metric::InvocationsPerInstance) {
            let points = series.points().map(|(minute, value)| {
                let is_jump = minute.0.rem_euclid(120) >= 110;
                (minute, if is_jump { 3.0 * value } else { value })
            });
            let jumps: Vec<(Minute, f64)> = points.collect();
            let first = jumps[0].0;
            let length = usize::try_from(jumps[jumps.len() - 1].0.since(first)).unwrap() + 1;
            let mut values = vec![None; length];
            for (minute, value) in jumps {
                values[usize::try_from(minute.since(first)).unwrap()] = Some(value);
            }
            *series = Series::new(series.metric, series.statistic, first, values);
        }
    }
    observation
}

#[test]
fn where_reacting_is_not_enough_a_person_is_told_what_is() {
    let capacity = capacity::capacity(&observed("overload"));
    let observation = jumpy();
    let guardrails = settings(&[]).for_endpoint(observation.tags.as_ref());
    let diagnosis = diagnose::diagnose(&observed("overload"));
    let incident = plan::plan(&observation, &diagnosis, capacity.as_ref(), &guardrails);
    let quiet = plan::tune(&observation, capacity.as_ref(), &guardrails);
    for plan in [&incident, &quiet] {
        assert!(plan.reasoning.iter().any(|line| line.starts_with("reacting is not enough")), "{:?}", plan.reasoning);
        assert!(plan.put_scheduled_actions.is_empty());
    }
    let [floor, schedule] = quiet.advice.as_slice() else { panic!("{:?}", quiet.advice) };
    assert!(floor.starts_with("To keep the objective when load jumps, keep 5 instances running: aws "), "{floor}");
    assert!(floor.ends_with("--min-capacity 5 --max-capacity 8"), "{floor}");
    assert!(schedule.ends_with("endpoint-advisor replay orders --variant AllTraffic"), "{schedule}");
}

#[test]
fn what_the_range_costs_is_said() {
    let mut observation = observed("overload");
    observation.instance_price = Some(endpoint_advisor::model::UsdPerHour(0.5));
    let plan = explain(&observation, &settings(&[])).plan;
    let register = plan.register_scalable_target.unwrap();
    let usd = |count: InstanceCount| 0.5 * f64::from(count.0);
    let said = format!(
        ": {:.2} USD at MinCapacity, {:.2} USD at MaxCapacity",
        usd(register.min_capacity),
        usd(register.max_capacity)
    );
    assert!(plan.reasoning.iter().any(|line| line.ends_with(&said)), "{said}: {:?}", plan.reasoning);
    let planned = plan.forecast.unwrap().planned;
    assert!((planned.usd.unwrap() - 0.5 * planned.instance_hours).abs() < 0.06, "{planned:?}");
}

/// Five days of two instances' load, and of three times as much from 8 to 18 h.
fn daily() -> Observation {
    let mut observation = observed("healthy");
    let last = observation.last_minute();
    let first = last.plus(1 - 5 * 1_440);
    for series in &mut observation.metrics.0 {
        let usual = series.at(last.plus(-1));
        let values = (0..5 * 1_440).map(|index| {
            let is_busy = (480..1_080).contains(&first.plus(index).0.rem_euclid(1_440));
            let times = if is_busy { 3.0 } else { 1.0 };
            match series.metric {
                Metric::Invocations => Some(900.0 * times),
                Metric::InvocationsPerInstance => Some(300.0),
                _ => usual,
            }
        });
        *series = Series::new(series.metric, series.statistic, first, values.collect());
    }
    observation
}

#[test]
fn a_tuned_set_up_has_floors_by_the_clock_only_where_nobody_elses_schedule_moves_them() {
    let action = |name: &str| scheduled(name, "cron(0 3 * * ? *)", 1);
    let floors = |actions: Option<Vec<ScheduledAction>>| {
        let mut observation = daily();
        observation.scaling.as_mut().unwrap().scheduled_actions = actions;
        let guardrails = settings(&[("ADVISOR_MAX_INSTANCES", "20")]).for_endpoint(observation.tags.as_ref());
        let capacity = capacity::capacity(&observed("overload"));
        let plan = plan::tune(&observation, capacity.as_ref(), &guardrails);
        plan.put_scheduled_actions.into_iter().map(|action| action.schedule).collect::<Vec<_>>()
    };
    let by_the_clock = ["cron(50 7 * * ? *)", "cron(0 18 * * ? *)"];
    assert_eq!(floors(Some(Vec::new())), by_the_clock);
    assert_eq!(floors(Some(vec![action("endpoint-advisor-min-at-0300")])), by_the_clock);
    assert!(floors(Some(vec![action("nights")])).is_empty());
    assert!(floors(None).is_empty(), "nobody knows whether there is one");
}
