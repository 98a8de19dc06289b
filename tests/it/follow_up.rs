//! What a later look at an incident means: keep, relax, roll back, or leave alone.

mod limits;

use crate::convergence::applied;
use crate::endpoint::{at, observed, settings, with_their_range};
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::{blocked_by, diagnose};
use endpoint_advisor::follow_up::{Judgement, Look, Occasion, first_look, is_news, judge};
use endpoint_advisor::model::{
    BlockedBy, Diagnosis, Incident, InstanceCount, Measures, Metric, Microseconds, Minute, Observation, OutcomeStatus,
    Phase, Report, ScalingActivity, Series, Statistic, Told, Verdict, Write, Written,
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// The overload of `orders`, as it was when its plan was written: what was observed, and what is remembered.
pub fn opened() -> (Observation, Incident) {
    opened_on(observed("overload"))
}

pub fn opened_on(before: Observation) -> (Observation, Incident) {
    let report = explain(&before, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]));
    let incident = Incident {
        id: report.id.clone(),
        opened_at: at(),
        endpoint_name: before.endpoint_name.clone(),
        variant_name: before.variant_name.clone(),
        inference_component_name: None,
        alarms: BTreeSet::from(["endpoint-latency-orders".to_owned()]),
        objective: before.objective,
        told: told(&report, &before),
        diagnosis: report.diagnosis.clone(),
        capacity: report.capacity.clone(),
        before: Measures::of(&before),
        written: Some(Written::of(&report.plan, at(), None)),
        phase: Phase::Open,
        looks: 0,
        looked_at: at(),
        next_look_at: at() + SignedDuration::from_mins(16),
        claim: None,
    };
    (applied(&before, &report.plan), incident)
}

fn told(report: &Report, observation: &Observation) -> Told {
    let latency = Measures::of(observation).latency;
    Told { verdict: report.diagnosis.verdict, blocked_by: report.diagnosis.blocked_by, latency }
}

/// The endpoint some minutes later: so many instances serve, so slowly, under this share of the load of the incident.
pub struct Later {
    pub minutes: i64,
    pub instances: u32,
    pub latency_ms: f64,
    pub load: f64,
}

const HELPED: Later = Later { minutes: 16, instances: 5, latency_ms: 310.0, load: 1.0 };

/// Nothing is known but what the alarm saw; then new minutes come.
pub fn later(observation: &Observation, later: &Later) -> Observation {
    let mut after = observation.clone();
    let first = Minute::containing(after.at);
    after.at += SignedDuration::from_mins(later.minutes);
    let invocations = 2_280.0 * later.load;
    let served = invocations / f64::from(later.instances);
    let busy = (served / 1_140.0).min(1.0);
    for series in &mut after.metrics.0 {
        let last = series.points().next_back().map(|(_, value)| value);
        let value = match (series.metric, series.statistic) {
            (Metric::Invocations, _) => Some(invocations),
            (Metric::InvocationsPerInstance, _) => Some(served),
            (Metric::ModelLatency, Statistic::Minimum) => Some(60_000.0),
            (Metric::ModelLatency, _) => Some(1_000.0 * later.latency_ms),
            (Metric::CPUUtilization, _) => last.map(|last| last * busy),
            (Metric::ConcurrentRequestsPerModel, _) => Some(served * later.latency_ms / 60_000.0),
            _ => last,
        };
        let old: BTreeMap<Minute, f64> = series.points().collect();
        let from = *old.keys().next().unwrap_or(&first);
        let values = (0..first.since(from) + later.minutes).map(|index| {
            let minute = from.plus(index);
            if minute < first { old.get(&minute).copied() } else { value }
        });
        *series = Series::new(series.metric, series.statistic, from, values.collect());
    }
    after.variant.current_instance_count = Some(InstanceCount(later.instances));
    after.variant.desired_instance_count = Some(InstanceCount(later.instances));
    after
}

pub fn look(incident: &Incident, observation: &Observation) -> Judgement {
    look_on(incident, observation, Occasion::Scheduled)
}

fn look_on(incident: &Incident, observation: &Observation, occasion: Occasion) -> Judgement {
    let diagnosis = diagnose(observation);
    judge(incident, &Look { occasion, observation, diagnosis: &diagnosis, blocked_by: blocked_by(observation) })
}

/// A look at which the endpoint suffers from this.
pub fn seen(
    incident: &Incident,
    observation: &Observation,
    verdict: Verdict,
    blocked_by: Option<BlockedBy>,
) -> Judgement {
    let diagnosis = Diagnosis { verdict, blocked_by, ..diagnose(observation) };
    judge(incident, &Look { occasion: Occasion::Scheduled, observation, diagnosis: &diagnosis, blocked_by })
}

pub fn status(judgement: &Judgement) -> Option<OutcomeStatus> {
    judgement.news.as_ref().map(|news| news.status)
}

pub fn phase(judgement: &Judgement) -> Option<Phase> {
    judgement.then.map(|next| next.phase)
}

fn activity(status_code: &str, status_message: &str) -> ScalingActivity {
    ScalingActivity {
        started_at: at() + SignedDuration::from_secs(10),
        ended_at: None,
        status_code: status_code.to_owned(),
        status_message: Some(status_message.to_owned()),
        description: "Setting desired instance count to 5.".to_owned(),
        cause: "minimum capacity was set to 5".to_owned(),
        not_scaled_reasons: Vec::new(),
    }
}

#[test]
fn instances_that_came_and_latency_that_fell_are_verified() {
    let (stands, incident) = opened();
    let judgement = look(&incident, &later(&stands, &HELPED));
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Verified), Some(Phase::Verified)));
    assert_eq!(judgement.write, Write::Nothing);
    assert_eq!(judgement.after.latency.map(|latency| latency.0), Some(310_000.0));
    let news = judgement.news.unwrap();
    assert_eq!(news.diagnosis.verdict, Verdict::Overload, "what was found is what was mended");
}

#[test]
fn load_that_fell_and_latency_that_did_not_is_rolled_back() {
    let (stands, incident) = opened();
    let slow = Later { latency_ms: incident.before.latency.unwrap().to_milliseconds().0, ..HELPED };
    let judgement = look(&incident, &later(&stands, &slow));
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::RolledBack), Some(Phase::RolledBack)));
    let Write::Restoration(way) = judgement.write else { panic!("{:?}", judgement.write) };
    assert_eq!(way.delete_scaling_policies[0].policy_name, "endpoint-advisor-invocations");
    assert!(way.deregister_scalable_target.is_some(), "there was no target before");
    assert_eq!(way.gives, incident.written.unwrap().before);
    let news = judgement.news.unwrap();
    assert!(!news.diagnosis.verdict.is_helped_by_scaling(), "{}", news.diagnosis.verdict);
    assert!(news.diagnosis.summary.contains("load is not the cause"), "{}", news.diagnosis.summary);
    assert!(news.steps[0].contains("DesiredInstanceCount=2"), "{:?}", news.steps);
}

#[test]
fn a_range_that_was_there_before_comes_back_exactly() {
    let (stands, incident) = opened_on(with_their_range(observed("overload")));
    let slow = Later { latency_ms: incident.before.latency.unwrap().to_milliseconds().0, ..HELPED };
    let Write::Restoration(way) = look(&incident, &later(&stands, &slow)).write else { panic!("not rolled back") };
    let register = way.register_scalable_target.unwrap();
    assert_eq!((register.min_capacity, register.max_capacity), (InstanceCount(1), InstanceCount(3)));
    assert_eq!(way.untag_resource.unwrap().tag_keys, ["endpoint-advisor:before"], "it is somebody else's again");
    assert_eq!(way.deregister_scalable_target, None);
}

#[test]
fn instances_that_start_are_waited_for_and_named_when_they_do_not_come() {
    let (stands, mut incident) = opened();
    let mut starting = later(&stands, &Later { instances: 2, latency_ms: 900.0, ..HELPED });
    starting.variant.desired_instance_count = Some(InstanceCount(5));
    let judgement = look(&incident, &starting);
    assert_eq!((status(&judgement), phase(&judgement)), (None, Some(Phase::Open)));
    assert_eq!(judgement.then.unwrap().look_at, starting.at + SignedDuration::from_mins(5));

    let mut never = later(&stands, &Later { instances: 2, latency_ms: 900.0, minutes: 61, ..HELPED });
    never.variant.desired_instance_count = Some(InstanceCount(5));
    let judgement = look(&incident, &never);
    assert_eq!(judgement.news.as_ref().map(|news| news.reason), Some("instances_did_not_start"));
    assert_eq!(judgement.write, Write::Nothing);
    incident.told.blocked_by = judgement.news.unwrap().diagnosis.blocked_by;
    assert_eq!(look(&incident, &never).news, None, "once");
}

#[test]
fn instances_that_came_a_moment_ago_are_not_judged_cold() {
    let (stands, incident) = opened();
    let starting = later(&stands, &Later { instances: 2, latency_ms: 1_400.0, minutes: 12, ..HELPED });
    let arrived = later(&starting, &Later { minutes: 4, latency_ms: 1_400.0, ..HELPED });
    assert_eq!(status(&look(&incident, &arrived)), None);
    let warm = later(&arrived, &Later { minutes: 5, ..HELPED });
    assert_eq!(status(&look(&incident, &warm)), Some(OutcomeStatus::Verified));
}

#[test]
fn a_quota_is_named_once_and_what_was_written_stays() {
    let (stands, mut incident) = opened();
    let mut refused = later(&stands, &Later { instances: 2, latency_ms: 900.0, ..HELPED });
    let message = "Reason: The account-level service limit 'ml.m5.xlarge for endpoint usage' is 2 Instances. Error Code: \
                   ResourceLimitExceeded";
    refused.scaling.as_mut().unwrap().activities = Some(vec![activity("Failed", message)]);
    let judgement = look(&incident, &refused);
    let news = judgement.news.unwrap();
    assert_eq!((news.status, news.reason), (OutcomeStatus::Failed, "quota"));
    assert_eq!(judgement.write, Write::Nothing);
    assert!(news.steps[0].contains("Service Quotas"));
    incident.told.blocked_by = Some(BlockedBy::Quota);
    assert_eq!(look(&incident, &refused).news, None);
}

#[test]
fn new_instances_that_are_slow_because_they_are_new_are_not_taken_away() {
    let (stands, incident) = opened();
    let slow = later(&stands, &Later { latency_ms: incident.before.latency.unwrap().to_milliseconds().0, ..HELPED });
    for verdict in [Verdict::ColdStart, Verdict::ModelLoading] {
        let look = |observation| seen(&incident, observation, verdict, blocked_by(observation));
        let judgement = look(&slow);
        assert_eq!((judgement.news, judgement.write), (None, Write::Nothing), "{verdict}");
        let after_an_hour = later(&slow, &Later { minutes: 50, latency_ms: 1_390.0, ..HELPED });
        assert_eq!(status(&look(&after_an_hour)), Some(OutcomeStatus::RolledBack), "they are no longer new");
    }
}

#[test]
fn what_somebody_else_changed_is_left_alone() {
    let (stands, incident) = opened();
    let mut changed = later(&stands, &Later { latency_ms: 1_400.0, ..HELPED });
    changed.scaling.as_mut().unwrap().target.as_mut().unwrap().max_capacity = InstanceCount(20);
    let judgement = look(&incident, &changed);
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Stale), Some(Phase::LeftAlone)));
    assert_eq!(judgement.write, Write::Nothing);

    let mut unknown = later(&stands, &Later { latency_ms: 1_400.0, ..HELPED });
    unknown.scaling = None;
    assert_eq!(look(&incident, &unknown).write, Write::Nothing, "what cannot be read is not written over");
}

#[test]
fn more_load_than_was_written_for_is_no_reason_to_take_instances_away() {
    let (stands, incident) = opened();
    let judgement = look(&incident, &later(&stands, &Later { load: 3.0, latency_ms: 1_600.0, ..HELPED }));
    assert_eq!(judgement.write, Write::Nothing);
    assert_ne!(status(&judgement), Some(OutcomeStatus::RolledBack));
}

#[test]
fn silence_is_never_a_reason_to_roll_back() {
    let (stands, incident) = opened();
    let mut silent = later(&stands, &HELPED);
    silent.metrics.0.clear();
    let judgement = look(&incident, &silent);
    assert_eq!((judgement.news, judgement.write), (None, Write::Nothing));
}

#[test]
fn a_raised_min_goes_back_after_its_hour_and_only_where_load_allows_it() {
    let (stands, mut incident) = opened();
    let relax = incident.written.as_ref().unwrap().relax.unwrap();
    let verified = later(&stands, &HELPED);
    incident.phase = Phase::Verified;
    // The alarm is OK after half an hour: the thread is closed, Min stays.
    let early = later(&verified, &Later { minutes: 14, load: 0.4, ..HELPED });
    let judgement = look_on(&incident, &early, Occasion::AlarmsOk);
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Verified), Some(Phase::Recovered)));
    assert_eq!(judgement.write, Write::Nothing);
    assert_eq!(judgement.then.unwrap().look_at, at() + SignedDuration::from_mins(60));

    incident.phase = Phase::Recovered;
    let busy = later(&verified, &Later { minutes: 60, load: 1.0, ..HELPED });
    assert_eq!(look(&incident, &busy).news, None, "load still needs it");

    let quiet = later(&verified, &Later { minutes: 60, load: 0.4, ..HELPED });
    let judgement = look(&incident, &quiet);
    assert_eq!((status(&judgement), judgement.then), (Some(OutcomeStatus::Relaxed), None));
    let Write::Restoration(way) = judgement.write else { panic!("not relaxed") };
    let register = way.register_scalable_target.unwrap();
    assert_eq!(register.min_capacity, relax.min_capacity);
    assert_eq!(register.max_capacity, stands.scaling.as_ref().unwrap().target.as_ref().unwrap().max_capacity);
    assert_eq!(way.delete_scaling_policies, [], "the policy stays");

    let mut unknown = quiet;
    unknown.metrics.0.retain(|series| series.metric != Metric::Invocations);
    unknown.metrics.0.retain(|series| series.metric != Metric::InvocationsPerInstance);
    assert_eq!(look(&incident, &unknown).write, Write::Nothing, "missing data never removes an instance");
}

#[test]
fn an_ok_after_the_hour_relaxes_at_once() {
    let (stands, incident) = opened();
    let quiet = later(&stands, &Later { minutes: 75, load: 0.4, ..HELPED });
    let judgement = look_on(&incident, &quiet, Occasion::AlarmsOk);
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Relaxed), Some(Phase::Recovered)));
    assert!(matches!(judgement.write, Write::Restoration(_)));
}

#[test]
fn an_incident_in_which_nothing_was_written_is_watched_and_closed() {
    let (_, incident) = opened();
    let mut incident = Incident { written: None, ..incident };
    let before = observed("overload");
    let same = later(&before, &Later { instances: 2, latency_ms: 1_390.0, ..HELPED });
    assert_eq!(look(&incident, &same).news, None, "the same verdict is no news");
    let over = later(&before, &Later { minutes: 40, instances: 2, latency_ms: 120.0, load: 0.5 });
    let judgement = look_on(&incident, &over, Occasion::AlarmsOk);
    assert_eq!((status(&judgement), phase(&judgement)), (Some(OutcomeStatus::Verified), Some(Phase::Recovered)));
    incident.phase = Phase::Recovered;
    let judgement = look(&incident, &over);
    assert_eq!((judgement.news, judgement.then), (None, None), "closed in silence");
}

#[test]
fn after_a_day_an_incident_is_closed() {
    let (_, incident) = opened();
    let before = observed("overload");
    let next_day = later(&before, &Later { minutes: 24 * 60, instances: 2, latency_ms: 1_390.0, load: 1.0 });
    let recommended = Incident { written: None, ..incident };
    assert_eq!(look(&recommended, &next_day).then, None);
}

#[test]
fn news_is_another_cause_an_obstacle_or_twice_the_latency() {
    let (_, incident) = opened();
    let told = incident.told;
    let is = |now: Told| is_news(&told, &now);
    assert!(!is(told));
    assert!(is(Told { verdict: Verdict::SlowDependency, ..told }));
    assert!(is(Told { blocked_by: Some(BlockedBy::Quota), ..told }));
    assert!(is(Told { latency: told.latency.map(|l| Microseconds(2.1 * l.0)), ..told }));
    for less in [Verdict::Transient, Verdict::Undetermined, Verdict::InsufficientData] {
        assert!(!is(Told { verdict: less, ..told }), "knowing less is no news");
    }
    for starting in [BlockedBy::ScalingInProgress, BlockedBy::EndpointNotInService] {
        assert!(!is(Told { blocked_by: Some(starting), ..told }), "that is what was asked for");
    }
}

#[test]
fn twice_the_latency_is_news_and_a_little_less_is_not() {
    let (_, incident) = opened();
    let told = incident.told;
    let times = |factor: f64| {
        let latency = told.latency.map(|latency| Microseconds(factor * latency.0));
        is_news(&told, &Told { latency, ..told })
    };
    assert_eq!([1.0, 1.99, 2.0, 2.01].map(times), [false, false, true, true]);
    assert!(!is_news(&told, &Told { latency: None, ..told }), "what is not known is no news");
    let nameless =
        Told { verdict: Verdict::Undetermined, latency: told.latency.map(|l| Microseconds(9.0 * l.0)), ..told };
    assert!(!is_news(&told, &nameless));
}

#[test]
fn the_first_look_is_ten_minutes_after_instances_serve() {
    let minutes = |boot: f64| first_look(at(), boot).duration_since(at()).as_mins();
    assert_eq!([0.0, 6.0, 10.0, 60.0, 600.0].map(minutes), [10, 16, 20, 70, 70]);
    assert_eq!(minutes(-3.0), 10, "nothing serves before it starts");
}

#[test]
fn a_look_with_an_alarm_that_is_still_on_does_not_close_what_was_verified() {
    let (stands, mut incident) = opened();
    incident.phase = Phase::Verified;
    let quiet = later(&stands, &Later { minutes: 75, load: 0.4, ..HELPED });
    let judgement = look(&incident, &quiet);
    assert_eq!((judgement.write.clone(), phase(&judgement)), (Write::Nothing, Some(Phase::Verified)));
    incident.alarms.clear();
    assert_eq!(status(&look(&incident, &quiet)), Some(OutcomeStatus::Relaxed), "with none left it is over");
}

#[test]
fn while_the_endpoint_scales_what_was_written_is_not_judged() {
    let (stands, incident) = opened();
    let slow = Later { latency_ms: incident.before.latency.unwrap().to_milliseconds().0, ..HELPED };
    let observation = later(&stands, &slow);
    let diagnosis = diagnose(&observation);
    for blocked in [BlockedBy::ScalingInProgress, BlockedBy::EndpointNotInService] {
        let look = |blocked_by| Look {
            occasion: Occasion::Scheduled,
            observation: &observation,
            diagnosis: &diagnosis,
            blocked_by,
        };
        let judgement = judge(&incident, &look(Some(blocked)));
        assert_eq!((judgement.news, judgement.write), (None, Write::Nothing), "{blocked:?}");
        assert!(matches!(judge(&incident, &look(None)).write, Write::Restoration(_)), "else it is");
    }
}

#[test]
fn a_quota_that_stops_nothing_that_was_asked_for_is_not_told() {
    let (stands, incident) = opened();
    let helped = later(&stands, &HELPED);
    let diagnosis = diagnose(&helped);
    let blocked_by = Some(BlockedBy::Quota);
    let look = Look { occasion: Occasion::Scheduled, observation: &helped, diagnosis: &diagnosis, blocked_by };
    assert_eq!(status(&judge(&incident, &look)), Some(OutcomeStatus::Verified), "all of the instances are there");
}
