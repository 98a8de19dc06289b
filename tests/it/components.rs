//! Inference components: the same traffic on copies that share instances with others.

mod first_copy;

use crate::convergence::applied;
use crate::endpoint::{at, observed, settings};
use crate::follow_up::{look, opened_on};
use crate::scenarios::{check, with_target};
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Action, BlockedBy, EndpointStatus, HoldReason, Hosting, InferenceComponent, InferenceComponentName, InstanceCount,
    InstanceType, ManagedInstanceScaling, Metric, Metrics, Minute, Needs, Neighbour, Observation, OutcomeStatus,
    PolicyAlarm, Report, ScalableKey, ScalingPolicy, ScalingState, Series, Statistic, UsdPerHour, Verdict, Write,
};
use endpoint_advisor::report::text;
use endpoint_advisor::undo::by_tags;
use endpoint_advisor::{capacity, plan, replay};
use jiff::SignedDuration;
use simulator::SCENARIOS;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| of_component(observed("overload")));

/// An endpoint of one container on four cores, as the component `orders-ranker` whose copies have four cores each. They are on
/// `ml.m5.4xlarge`, four to an instance, one of which another component has; SageMaker may start up to three instances.
pub fn of_component(mut observation: Observation) -> Observation {
    let copies = observation.variant.current_instance_count.take();
    let variant_name = observation.variant_name.take();
    observation.inference_component_name = Some(InferenceComponentName::parse("orders-ranker").unwrap());
    observation.hosting = Hosting::InferenceComponent;
    observation.variant.instance_type = Some(InstanceType("ml.m5.4xlarge".to_owned()));
    observation.variant.current_instance_count = Some(InstanceCount(1));
    observation.variant.desired_instance_count = Some(InstanceCount(1));
    observation.variant.managed_instance_scaling = Some(managed(1, 3));
    observation.component = Some(InferenceComponent {
        status: "InService".to_owned(),
        current_copy_count: copies,
        desired_copy_count: copies,
        cpu_cores: Some(4.0),
        min_memory_in_mb: Some(8_192),
        variant_name,
        last_modified_at: Some(at() - SignedDuration::from_hours(40)),
        neighbours: Some(vec![Neighbour {
            name: InferenceComponentName::parse("orders-embedder").unwrap(),
            copies: Some(InstanceCount(1)),
            needs: Needs { cpu_cores: Some(4.0), accelerators: None, min_memory_in_mb: Some(8_192) },
        }]),
        ..InferenceComponent::default()
    });
    observation.metrics = Metrics(observation.metrics.0.iter().map(of_copy).collect());
    observation
}

/// The same as SageMaker publishes it of a copy with four cores.
fn of_copy(series: &Series) -> Series {
    let (metric, share) = match series.metric {
        Metric::InvocationsPerInstance => (Metric::InvocationsPerCopy, 1.0),
        Metric::ConcurrentRequestsPerModel => (Metric::ConcurrentRequestsPerCopy, 1.0),
        Metric::CPUUtilization => (Metric::CPUUtilizationNormalized, 0.25),
        Metric::MemoryUtilization => (Metric::MemoryUtilizationNormalized, 1.0),
        other => (other, 1.0),
    };
    changed(series, metric, |_, value| Some(share * value))
}

fn changed(series: &Series, metric: Metric, change: impl Fn(Minute, f64) -> Option<f64>) -> Series {
    let Some((first, _)) = series.points().next() else {
        return Series::new(metric, series.statistic, Minute::containing(at()), Vec::new());
    };
    let points: BTreeMap<Minute, f64> = series.points().collect();
    let length = Minute::containing(at()).since(first);
    let value = |minute: Minute| points.get(&minute).and_then(|value| change(minute, *value));
    Series::new(metric, series.statistic, first, (0..length).map(|index| value(first.plus(index))).collect())
}

fn managed(min: u32, max: u32) -> ManagedInstanceScaling {
    ManagedInstanceScaling {
        is_enabled: true,
        min_instance_count: Some(InstanceCount(min)),
        max_instance_count: Some(InstanceCount(max)),
    }
}

/// So many copies run, and so many were asked for at this many minutes before the end.
fn copies(observation: &Observation, current: u32, desired: u32, minutes_ago: i64) -> Observation {
    let mut observation = observation.clone();
    let component = observation.component.as_mut().unwrap();
    component.current_copy_count = Some(InstanceCount(current));
    component.desired_copy_count = Some(InstanceCount(desired));
    component.last_modified_at = Some(at() - SignedDuration::from_mins(minutes_ago));
    observation
}

/// On the only instance that the variant may have.
fn on_one_instance(mut observation: Observation) -> Observation {
    observation.variant.managed_instance_scaling = Some(managed(1, 1));
    observation
}

/// Everybody had gone home and the last copy with them; in the last twelve minutes forty requests a minute come and are refused.
pub fn asleep() -> Observation {
    let mut observation = copies(&with_target(OVERLOAD.clone(), 0, 6, None), 0, 0, 95);
    observation.variant.managed_instance_scaling = Some(managed(0, 3));
    observation.variant.current_instance_count = Some(InstanceCount(0));
    observation.variant.desired_instance_count = Some(InstanceCount(0));
    let end = Minute::containing(at());
    let is_awake = |minute: Minute| end.since(minute) > 110;
    let awake = |series: &Series| changed(series, series.metric, |minute, value| is_awake(minute).then_some(value));
    observation.metrics = Metrics(observation.metrics.0.iter().map(awake).collect());
    let refused = vec![Some(40.0); 12];
    observation.metrics.0.push(Series::new(
        Metric::NoCapacityInvocationFailures,
        Statistic::Sum,
        end.plus(-12),
        refused,
    ));
    observation.trigger.alarm_name = None;
    observation
}

fn advised(observation: &Observation) -> Report {
    explain(observation, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]))
}

fn range(report: &Report) -> (u32, u32) {
    let register = report.plan.register_scalable_target.as_ref().unwrap();
    (register.min_capacity.0, register.max_capacity.0)
}

#[test]
fn traffic_beyond_what_two_copies_sustain() {
    check("component-overloaded", &OVERLOAD, Verdict::Overload, &[]);
}

#[test]
fn copies_that_were_asked_for_and_find_no_room() {
    let observation = on_one_instance(copies(&with_target(OVERLOAD.clone(), 2, 5, None), 2, 5, 25));
    check("component-without-room", &observation, Verdict::NoCopies, &[]);
}

#[test]
fn copies_on_instances_that_nobody_adds() {
    let mut observation = copies(&with_target(OVERLOAD.clone(), 2, 5, None), 2, 5, 25);
    observation.variant.managed_instance_scaling = None;
    check("component-on-a-fixed-instance", &observation, Verdict::NoCopies, &[]);
}

#[test]
fn requests_come_back_to_a_component_without_a_copy() {
    check("component-scaled-to-zero", &asleep(), Verdict::NoCopies, &[("ADVISOR_EXISTING_TARGETS", "raise")]);
}

#[test]
fn copies_that_wait_for_something() {
    let observation = of_component(observed("slow-dependency"));
    check("component-waits", &observation, Verdict::SlowDependency, &[]);
}

#[test]
fn bursts_on_a_component() {
    let mut observation = of_component(observed("burst"));
    observation.variant.managed_instance_scaling = Some(managed(1, 6));
    check("component-meets-bursts", &observation, Verdict::Burst, &[("ADVISOR_MAX_INSTANCES", "20")]);
}

#[test]
fn a_component_of_an_endpoint_that_is_not_in_service() {
    let mut observation = OVERLOAD.clone();
    observation.endpoint.status = EndpointStatus("Updating".to_owned());
    let report = advised(&observation);
    assert_eq!(report.plan.hold_reason, Some(HoldReason::EndpointNotInService));
    assert!(text::render(&report).contains("Wait until the endpoint is InService"), "{}", text::render(&report));
    let mut observation = OVERLOAD.clone();
    observation.component.as_mut().unwrap().status = "Failed".to_owned();
    let report = advised(&observation);
    assert_eq!(report.plan.hold_reason, Some(HoldReason::ComponentNotInService));
    assert_eq!(report.outcome.status, OutcomeStatus::Refused);
    assert!(report.next_steps[0].contains("describe-inference-component"), "{:?}", report.next_steps);
}

#[test]
fn the_same_traffic_takes_as_many_copies_as_it_took_instances() {
    let of_instances = advised(&observed("overload"));
    let of_copies = advised(&OVERLOAD);
    assert_eq!(range(&of_copies), range(&of_instances));
    let policy = &of_copies.plan.put_scaling_policies[0];
    assert_eq!(policy.resource_id, "inference-component/orders-ranker");
    assert_eq!(policy.scalable_dimension, "sagemaker:inference-component:DesiredCopyCount");
    let metric = serde_json::to_value(policy.target_tracking().unwrap()).unwrap();
    let metric = metric["PredefinedMetricSpecification"]["PredefinedMetricType"].clone();
    assert_eq!(metric, "SageMakerInferenceComponentInvocationsPerCopy");
    assert_eq!(of_copies.capacity, of_instances.capacity);
    // Not one sentence is left that speaks of the wrong thing.
    let told = text::render(&of_copies);
    assert!(!told.contains("per instance") && !told.contains("InvocationsPerInstance"), "{told}");
}

#[test]
fn no_plan_asks_for_copies_that_find_no_room() {
    // Four on each instance, beside one of another component.
    for (instances, fit) in [(1, 3), (2, 7), (3, 11)] {
        let mut observation = OVERLOAD.clone();
        observation.variant.managed_instance_scaling = Some(managed(1, instances));
        assert_eq!(observation.room().unwrap().most, InstanceCount(fit));
        let report = explain(&observation, &settings(&[("ADVISOR_MAX_INSTANCES", "100")]));
        assert!(range(&report).1 <= fit, "{:?}", report.plan);
    }
    // Three copies fit, two run, and the traffic asks for more: what would help is said.
    let report = advised(&on_one_instance(OVERLOAD.clone()));
    assert!(report.plan.advice.iter().any(|advice| advice.contains("MaxInstanceCount")), "{:?}", report.plan.advice);
    // With another copy of the neighbour there is no room at all.
    let mut full = on_one_instance(OVERLOAD.clone());
    full.component.as_mut().unwrap().neighbours.as_mut().unwrap()[0].copies = Some(InstanceCount(2));
    let report = advised(&full);
    assert_eq!(report.plan.hold_reason, Some(HoldReason::NoRoom));
    assert!(report.next_steps.iter().any(|step| step.contains("MaxInstanceCount")), "{:?}", report.next_steps);
}

#[test]
fn copies_that_are_still_starting_are_waited_for() {
    let report = advised(&copies(&with_target(OVERLOAD.clone(), 2, 5, None), 2, 3, 6));
    assert_eq!(report.diagnosis.verdict, Verdict::Overload);
    assert_eq!(report.diagnosis.blocked_by, Some(BlockedBy::ScalingInProgress));
    assert_eq!(report.plan.hold_reason, Some(HoldReason::ScalingInProgress));
    // After a quarter of an hour they do not start any more.
    let report = advised(&copies(&with_target(OVERLOAD.clone(), 2, 5, None), 2, 3, 16));
    assert_eq!(report.diagnosis.verdict, Verdict::NoCopies);
}

#[test]
fn applied_plans_are_unchanged() {
    let raise = settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]);
    for before in [OVERLOAD.clone(), asleep()] {
        let report = explain(&before, &raise);
        assert_eq!((report.plan.action, report.outcome.status), (Action::Scale, OutcomeStatus::Recommended));
        let mut asked_for = applied(&before, &report.plan);
        if before.running() == Some(InstanceCount(0)) {
            // The copies have not come yet: what was asked for stands.
            let component = asked_for.component.as_mut().unwrap();
            (component.current_copy_count, component.last_modified_at) = (Some(InstanceCount(0)), Some(at()));
        }
        let after = explain(&asked_for, &raise);
        assert_eq!(after.outcome.status, OutcomeStatus::Unchanged, "{:?}", after.plan);
    }
}

#[test]
fn a_tuned_component_is_in_place_also_where_it_may_sleep() {
    let mut may_sleep = with_target(OVERLOAD.clone(), 0, 6, None);
    may_sleep.variant.managed_instance_scaling = Some(managed(0, 3));
    let guardrails = settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]).for_endpoint(OVERLOAD.tags.as_ref());
    for (before, policies, min) in [(OVERLOAD.clone(), 1, 1..=2), (may_sleep, 2, 0..=0)] {
        let capacity = capacity::capacity(&before);
        let first = plan::tune(&before, capacity.as_ref(), &guardrails);
        assert_eq!(first.put_scaling_policies.len(), policies, "{first:?}");
        assert!(min.contains(&first.register_scalable_target.as_ref().unwrap().min_capacity.0), "{first:?}");
        let again = plan::tune(&applied(&before, &first), capacity.as_ref(), &guardrails);
        assert!(again.is_in_place(), "{first:?}\n{again:?}");
    }
}

#[test]
fn no_copy_is_left_only_where_aws_and_somebody_allow_it() {
    let starts = |observation: &Observation| {
        let plan = advised(observation).plan;
        plan.put_scaling_policies.iter().any(|policy| policy.policy_type == "StepScaling")
    };
    assert!(starts(&asleep()));
    let mut kept_awake = asleep();
    kept_awake.variant.managed_instance_scaling = Some(managed(1, 3));
    assert!(!starts(&kept_awake), "SageMaker keeps an instance");
    let mut tagged = asleep();
    tagged.tags = Some(BTreeMap::from([("endpoint-advisor:min-instances".to_owned(), "1".to_owned())]));
    assert!(!starts(&tagged), "somebody asks for a copy");
    let mut unknown = asleep();
    unknown.tags = None;
    assert!(!starts(&unknown), "nobody knows what is asked for");
    let mut theirs = asleep();
    let ours = advised(&asleep()).plan;
    let steps =
        ours.put_scaling_policies.iter().find(|policy| policy.policy_type == "StepScaling").unwrap().to_policy();
    let alarm = PolicyAlarm { alarm_name: "wake-up".to_owned(), ..ours.put_metric_alarms[0].to_alarm() };
    let wake_up = ScalingPolicy { policy_name: "wake-up".to_owned(), alarms: Some(vec![alarm]), ..steps };
    theirs.scaling.as_mut().unwrap().policies.push(wake_up);
    assert!(!starts(&theirs), "another policy does it already");
}

#[test]
fn a_replay_lets_copies_go_and_come_back() {
    // Nobody calls at night, for six hours of each day.
    let mut observation = OVERLOAD.clone();
    let is_night = |minute: Minute| minute.0.rem_euclid(1_440) < 360;
    let by_day = |series: &Series| changed(series, series.metric, |minute, value| (!is_night(minute)).then_some(value));
    let mut metrics: Vec<Series> = observation.metrics.0.iter().map(by_day).collect();
    for series in metrics.iter_mut().filter(|series| series.metric == Metric::Invocations) {
        let points: BTreeMap<Minute, f64> = series.points().collect();
        let first = *points.keys().next().unwrap();
        let length = Minute::containing(at()).since(first);
        let count = |index| points.get(&first.plus(index)).copied().or(Some(0.0));
        *series = Series::new(series.metric, series.statistic, first, (0..length).map(count).collect());
    }
    observation.metrics = Metrics(metrics);
    let mut may_sleep = with_target(observation, 0, 6, None);
    may_sleep.variant.managed_instance_scaling = Some(managed(0, 3));
    let capacity = capacity::capacity(&may_sleep).unwrap();
    let guardrails = settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]).for_endpoint(OVERLOAD.tags.as_ref());
    let plan = plan::tune(&may_sleep, Some(&capacity), &guardrails);
    let replay = replay::Replay::of(&may_sleep, &capacity).unwrap();
    let sleeping = replay::Setup::planned(&plan).unwrap();
    let awake = replay::Setup { min_capacity: InstanceCount(1), ..sleeping.clone() };
    let project = |setup: &replay::Setup| replay.project(&replay.compile(setup).unwrap());
    let (sleeping, awake) = (project(&sleeping), project(&awake));
    // It takes a quarter of an hour to go, and each morning some minutes of refused requests to come back.
    assert!((4.0..12.0).contains(&(awake.instance_hours - sleeping.instance_hours)), "{awake:?} {sleeping:?}");
    let lost = sleeping.slo_violation_minutes - awake.slo_violation_minutes;
    assert!((5.0..60.0).contains(&lost), "{awake:?} {sleeping:?}");
}

#[test]
fn one_copy_has_a_price_only_where_it_fills_an_instance() {
    let mut observation = OVERLOAD.clone();
    observation.instance_price = Some(UsdPerHour(0.922));
    let limited =
        |usd: &str, observation: &Observation| explain(observation, &settings(&[("ADVISOR_MAX_HOURLY_USD", usd)])).plan;
    // Three instances at most, whatever the copies.
    assert_eq!(limited("3", &observation).action, Action::Scale);
    assert_eq!(limited("2", &observation).hold_reason, Some(HoldReason::CostUnknown));
    assert_eq!(observation.unit_price(), None);
    let component = observation.component.as_mut().unwrap();
    (component.cpu_cores, component.neighbours) = (Some(16.0), Some(Vec::new()));
    assert_eq!(observation.unit_price(), Some(UsdPerHour(0.922)));
    observation.variant.managed_instance_scaling = Some(managed(1, 10));
    let plan = limited("4", &observation);
    assert_eq!(plan.register_scalable_target.unwrap().max_capacity, InstanceCount(4));
}

#[test]
fn what_was_written_for_a_component_is_undone() {
    let key = ScalableKey::of_component(OVERLOAD.inference_component_name.as_ref().unwrap());
    let state =
        |before: &Observation| ScalingState::of(applied(before, &advised(before).plan).scaling.as_ref().unwrap());
    let way = by_tags(&state(&OVERLOAD), &key).unwrap();
    assert_eq!(way.deregister_scalable_target.unwrap().resource_id, "inference-component/orders-ranker");
    // The alarm of the policy goes with it, and the range is theirs again.
    let way = by_tags(&state(&asleep()), &key).unwrap();
    let register = way.register_scalable_target.as_ref().unwrap();
    assert_eq!((register.min_capacity, register.max_capacity), (InstanceCount(0), InstanceCount(6)));
    assert_eq!(
        way.delete_alarms.as_ref().unwrap().alarm_names,
        ["endpoint-advisor-from-zero/inference-component/orders-ranker"]
    );
    assert_eq!(way.delete_scaling_policies.len(), 2);
}

/// So many minutes later, with nothing new but the clock.
fn after(observation: &Observation, minutes: i64) -> Observation {
    Observation { at: observation.at + SignedDuration::from_mins(minutes), ..observation.clone() }
}

#[test]
fn copies_that_were_asked_for_and_do_not_come_are_told_once() {
    let (stands, mut incident) = opened_on(OVERLOAD.clone());
    incident.inference_component_name = OVERLOAD.inference_component_name.clone();
    let mut short = after(&stands, 20);
    short.component.as_mut().unwrap().current_copy_count = Some(InstanceCount(2));
    short.component.as_mut().unwrap().last_modified_at = Some(at());
    short.variant.managed_instance_scaling = Some(managed(1, 1));
    let judgement = look(&incident, &short);
    let news = judgement.news.unwrap();
    assert_eq!((news.status, news.reason), (OutcomeStatus::Failed, "no_room"));
    assert!(news.steps[0].contains("Raise MaxInstanceCount"), "{:?}", news.steps);
    incident.told = judgement.told;
    incident.told.blocked_by = Some(BlockedBy::AtMaxCapacity);
    assert!(look(&incident, &short).news.is_none(), "people know");
}

/// So many minutes later: for all of them but the first four, one copy has served forty requests a minute in 300 ms.
fn woken(stands: &Observation, minutes: i64) -> Observation {
    let mut observation = after(stands, minutes);
    let component = observation.component.as_mut().unwrap();
    component.current_copy_count = Some(InstanceCount(1));
    let start = Minute::containing(at());
    for series in &mut observation.metrics.0 {
        let value = match series.metric {
            Metric::Invocations | Metric::InvocationsPerCopy => 40.0,
            Metric::ModelLatency => 300_000.0,
            Metric::CPUUtilizationNormalized => 5.0,
            _ => continue,
        };
        let old: BTreeMap<Minute, f64> = series.points().collect();
        let first = *old.keys().next().unwrap();
        let length = start.since(first) + minutes;
        let values = (0..length).map(|index| {
            let minute = first.plus(index);
            if minute >= start.plus(4) { Some(value) } else { old.get(&minute).copied() }
        });
        *series = Series::new(series.metric, series.statistic, first, values.collect());
    }
    observation
}

#[test]
fn a_component_that_was_woken_may_sleep_again() {
    let (stands, mut incident) = opened_on(asleep());
    incident.inference_component_name = stands.inference_component_name.clone();
    let judgement = look(&incident, &woken(&stands, 20));
    assert_eq!(judgement.news.map(|news| news.status), Some(OutcomeStatus::Verified));
    incident.phase = judgement.then.unwrap().phase;
    // Nobody raised an alarm, so nobody will say that it is over: an hour later the floor goes back to none.
    incident.alarms.clear();
    let judgement = look(&incident, &woken(&stands, 75));
    let Write::Restoration(way) = judgement.write else { panic!("nothing is written: {judgement:?}") };
    assert_eq!(way.register_scalable_target.unwrap().min_capacity, InstanceCount(0));
}

#[test]
fn a_copy_is_slow_for_the_same_reasons_as_an_instance() {
    // Models that are loaded on demand share an instance, not a copy.
    let of_containers = SCENARIOS.iter().filter(|scenario| scenario.endpoint.cache.is_none());
    for scenario in of_containers {
        let instance = observed(scenario.name);
        let (expected, found) = (diagnose(&instance), diagnose(&of_component(instance)));
        assert_eq!((found.verdict, found.sub_cause), (expected.verdict, expected.sub_cause), "{}", scenario.name);
        assert!((found.confidence - expected.confidence).abs() < 0.02, "{}", scenario.name);
    }
}
