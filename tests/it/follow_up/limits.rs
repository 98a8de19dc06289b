//! Where a judgement turns: after how long, at how much of the load and of the latency.

use super::{HELPED, Later, at, later, look, look_on, opened, phase, seen, status};
use endpoint_advisor::diagnose::blocked_by;
use endpoint_advisor::follow_up::{Judgement, Occasion};
use endpoint_advisor::model::{
    BlockedBy, Incident, InstanceCount, InvocationsPerInstance, Measures, Metric, Microseconds, Minute, Observation,
    OutcomeStatus, Phase, ScalingActivity, Series, Verdict, Write,
};
use jiff::{SignedDuration, Timestamp};

/// Minutes until it is looked at again.
fn again(judgement: &Judgement, now: Timestamp) -> Option<i64> {
    judgement.then.map(|next| next.look_at.duration_since(now).as_mins())
}

/// An incident that began at a second, for round numbers.
fn at_one_second() -> (Observation, Incident) {
    let (stands, mut incident) = opened();
    incident.before.latency = Some(Microseconds(1_000_000.0));
    (stands, incident)
}

fn reason(judgement: &Judgement) -> Option<&'static str> {
    judgement.news.as_ref().map(|news| news.reason)
}

#[test]
fn silence_is_looked_at_often_for_an_hour_and_then_less() {
    let (stands, incident) = opened();
    let minutes = |minutes: i64| {
        let mut silent = later(&stands, &Later { minutes, ..HELPED });
        silent.metrics.0.clear();
        again(&look(&incident, &silent), silent.at)
    };
    assert_eq!([16, 59, 60, 120].map(minutes), [Some(5), Some(5), Some(30), Some(30)]);
}

#[test]
fn without_an_objective_latency_has_to_fall_by_a_fifth() {
    let (stands, mut incident) = at_one_second();
    incident.objective = None;
    let helped = |latency_ms: f64| {
        let mut after = later(&stands, &Later { latency_ms, ..HELPED });
        after.objective = None;
        status(&seen(&incident, &after, Verdict::SlowDependency, None)) == Some(OutcomeStatus::Verified)
    };
    assert_eq!([500.0, 800.0, 801.0, 1_000.0].map(helped), [true, true, false, false]);
}

#[test]
fn what_helps_in_part_settles_for_an_hour() {
    let (stands, incident) = at_one_second();
    let judged = |minutes: i64, latency_ms: f64, verdict: Verdict| {
        let after = later(&stands, &Later { minutes, latency_ms, ..HELPED });
        let judgement = seen(&incident, &after, verdict, None);
        (reason(&judgement), again(&judgement, after.at))
    };
    // By a fifth, and not within the objective.
    assert_eq!(judged(16, 800.0, Verdict::SlowDependency), (None, Some(10)));
    assert_eq!(judged(59, 800.0, Verdict::SlowDependency), (None, Some(10)));
    assert_eq!(judged(60, 800.0, Verdict::SlowDependency), (Some("helped_partly"), Some(30)));
    assert_eq!(judged(60, 800.0, Verdict::Undetermined), (None, Some(30)), "knowing less is no news");
    // By less than that.
    assert_eq!(judged(16, 801.0, Verdict::SlowDependency), (Some("did_not_help"), Some(30)));
    assert_eq!(judged(59, 900.0, Verdict::ColdStart), (None, Some(10)), "new instances are slow because they are new");
    assert_eq!(judged(60, 900.0, Verdict::ColdStart), (Some("did_not_help"), Some(30)), "for an hour");
}

#[test]
fn what_is_still_overloaded_is_never_rolled_back() {
    let (stands, incident) = at_one_second();
    let judged = |load: f64, verdict: Verdict| {
        let after = later(&stands, &Later { load, latency_ms: 1_000.0, ..HELPED });
        let judgement = seen(&incident, &after, verdict, None);
        (reason(&judgement), judgement.write == Write::Nothing)
    };
    assert_eq!(judged(1.0, Verdict::SlowDependency), (Some("did_not_help"), false));
    assert_eq!(judged(1.0, Verdict::Overload), (None, true), "one instance carries less than it seemed");
    assert_eq!(judged(9.0, Verdict::SlowDependency), (None, true), "there is more load than was written for");
}

#[test]
fn a_person_is_told_once_that_the_instances_that_are_allowed_are_not_enough() {
    let (stands, mut incident) = at_one_second();
    let judged = |incident: &Incident, minutes: i64, blocked_by| {
        let after = later(&stands, &Later { minutes, load: 9.0, latency_ms: 1_000.0, ..HELPED });
        let judgement = seen(incident, &after, Verdict::Overload, blocked_by);
        assert_eq!(judgement.write, Write::Nothing);
        (reason(&judgement), again(&judgement, after.at))
    };
    let full = Some(BlockedBy::AtMaxCapacity);
    assert_eq!(judged(&incident, 16, None), (None, Some(10)), "the policy goes on");
    assert_eq!(judged(&incident, 59, None), (None, Some(10)));
    assert_eq!(judged(&incident, 60, None), (None, Some(30)));
    assert_eq!(judged(&incident, 16, full), (Some("at_max_capacity"), Some(30)));
    incident.told.blocked_by = full;
    assert_eq!(judged(&incident, 16, full), (None, Some(10)));
}

#[test]
fn load_fits_within_a_twentieth_of_what_one_instance_carries() {
    let (stands, mut incident) = at_one_second();
    // 2,280 requests a minute on five instances: 456 on each.
    let slow = later(&stands, &Later { latency_ms: 1_000.0, ..HELPED });
    let fits = |incident: &Incident, slow: &Observation| {
        reason(&seen(incident, slow, Verdict::SlowDependency, None)) == Some("did_not_help")
    };
    for (carries, expected) in [(435.0, true), (434.0, false)] {
        incident.capacity.as_mut().unwrap().invocations_per_instance_per_minute = InvocationsPerInstance(carries);
        assert_eq!(fits(&incident, &slow), expected, "{carries}");
    }
    // Where that is not known it has to fall by a fifth.
    incident.capacity = None;
    for (before, expected) in [(571.0, true), (569.0, false)] {
        incident.before.load = Some(InvocationsPerInstance(before));
        assert_eq!(fits(&incident, &slow), expected, "{before}");
    }
    incident.before.load = None;
    assert!(!fits(&incident, &slow), "load that nobody knew did not fall");
    incident.before.load = Some(InvocationsPerInstance(9_000.0));
    let mut unknown = slow;
    unknown
        .metrics
        .0
        .retain(|series| series.metric != Metric::InvocationsPerInstance && series.metric != Metric::Invocations);
    assert!(!fits(&incident, &unknown), "load that is not published did not fall");
}

#[test]
fn an_incident_in_which_nothing_was_written_tells_what_changed() {
    let (stands, mut incident) = opened();
    incident.written = None;
    let words = |incident: &Incident, verdict| {
        let after = later(&stands, &HELPED);
        seen(incident, &after, verdict, None).news.map(|news| news.words)
    };
    let changed = words(&incident, Verdict::SlowDependency).unwrap();
    assert_eq!(changed, "the verdict changed from overload to slow_dependency");
    assert_eq!(words(&incident, Verdict::Overload), None);
    incident.told.latency = Some(Microseconds(100_000.0));
    assert_eq!(words(&incident, Verdict::Overload).unwrap(), "it became worse");
}

#[test]
fn after_an_ok_it_is_looked_at_when_min_capacity_may_go_back_and_not_before_half_an_hour() {
    let (stands, mut incident) = opened();
    let next = |incident: &Incident, minutes: i64| {
        let judgement = look_on(incident, &later(&stands, &Later { minutes, ..HELPED }), Occasion::AlarmsOk);
        assert_eq!(phase(&judgement), Some(Phase::Recovered));
        again(&judgement, at())
    };
    assert_eq!(next(&incident, 16), Some(60), "MinCapacity goes back after an hour");
    assert_eq!(next(&incident, 50), Some(80));
    incident.written = None;
    assert_eq!(next(&incident, 16), Some(46));
}

#[test]
fn min_capacity_does_not_go_back_before_its_time() {
    let (stands, mut incident) = opened();
    incident.phase = Phase::Recovered;
    let quiet = later(&stands, &Later { minutes: 75, load: 0.4, ..HELPED });
    let after = |incident: &Incident, minutes: u32| {
        let mut incident = incident.clone();
        let relax = incident.written.as_mut().unwrap().relax.as_mut().unwrap();
        relax.after_minutes = minutes;
        status(&look(&incident, &quiet))
    };
    assert_eq!(after(&incident, 75), Some(OutcomeStatus::Relaxed));
    assert_eq!(after(&incident, 76), None);
    assert_eq!(after(&incident, 120), None);
}

#[test]
fn after_a_day_only_what_is_still_raised_is_told() {
    let (stands, mut incident) = opened();
    let next_day = later(&stands, &Later { minutes: 24 * 60, latency_ms: 1_390.0, ..HELPED });
    for (phase, told) in [
        (Phase::Open, Some("still_raised")),
        (Phase::Verified, Some("still_raised")),
        (Phase::RolledBack, None),
        (Phase::LeftAlone, None),
    ] {
        incident.phase = phase;
        let judgement = look(&incident, &next_day);
        assert_eq!((reason(&judgement), judgement.then), (told, None), "{phase:?}");
        assert_eq!(judgement.write, Write::Nothing, "{phase:?}");
    }
}

#[test]
fn people_are_told_when_min_capacity_goes_back() {
    let (stands, incident) = opened();
    let news = look(&incident, &later(&stands, &HELPED)).news.unwrap();
    let due = (at() + SignedDuration::from_mins(60)).strftime("%H:%M UTC").to_string();
    let relax = incident.written.unwrap().relax.unwrap();
    assert_eq!(
        news.steps,
        [format!(
            "Nothing: MinCapacity goes back to {} by itself when load allows it, not before {due}.",
            relax.min_capacity
        )]
    );
}

#[test]
fn what_a_roll_back_taught_is_said_with_its_numbers() {
    let (stands, incident) = opened();
    let before = incident.before.load.unwrap();
    let slow = Later { latency_ms: incident.before.latency.unwrap().to_milliseconds().0, ..HELPED };
    let judgement = look(&incident, &later(&stands, &slow));
    let summary = judgement.news.unwrap().diagnosis.summary;
    let learned = format!("Load per instance fell from {before} to {}", InvocationsPerInstance(456.0));
    assert!(summary.starts_with(&learned), "{summary}");
}

#[test]
fn who_has_to_finish_by_hand_is_told_how() {
    let (stands, incident) = opened();
    let mut changed = later(&stands, &HELPED);
    changed.scaling.as_mut().unwrap().target.as_mut().unwrap().max_capacity = InstanceCount(20);
    let news = look(&incident, &changed).news.unwrap();
    assert!(news.words.starts_with("the scalable target was changed by somebody else"), "{}", news.words);
    assert!(news.steps[0].ends_with(": endpoint-advisor undo orders --variant AllTraffic"), "{:?}", news.steps);
    // Back to what it was is no other change.
    let mut undone = later(&stands, &HELPED);
    let scaling = undone.scaling.as_mut().unwrap();
    scaling.policies.clear();
    scaling.target = None;
    let news = look(&incident, &undone).news.unwrap();
    assert!(news.words.starts_with("somebody took back what was written"), "{}", news.words);
}

#[test]
fn only_the_last_ten_minutes_with_latency_are_judged() {
    let (stands, _) = opened();
    let after = later(&stands, &Later { minutes: 40, ..HELPED });
    // Latency was published in these minutes, counted back from the last one.
    let published = |back: &[i64]| {
        let last = after.last_minute();
        let mut some = after.clone();
        for series in some.metrics.0.iter_mut().filter(|series| series.metric == Metric::ModelLatency) {
            let points: Vec<(Minute, f64)> = series.points().collect();
            let (first, _) = points[0];
            let keep = |minute: Minute| last.since(minute) > 20 || back.contains(&last.since(minute));
            let values = points.iter().map(|(minute, value)| keep(*minute).then_some(*value));
            *series = Series::new(series.metric, series.statistic, first, values.collect());
        }
        Measures::served_by(&some, InstanceCount(5)).is_some()
    };
    assert!(published(&[0, 1, 9]));
    assert!(!published(&[0, 1, 10]), "the eleventh is too long ago");
    assert!(!published(&[0, 1]), "two are no answer");
}

#[test]
fn why_instances_do_not_come_is_read_from_what_sagemaker_says() {
    let (stands, _) = opened();
    let mut short = later(&stands, &Later { minutes: 16, ..HELPED });
    short.scaling.as_mut().unwrap().target.as_mut().unwrap().max_capacity = InstanceCount(9);
    let mut why = |status_code: &str, message: &str| {
        let activity = ScalingActivity { started_at: short.at, ..super::activity(status_code, message) };
        short.scaling.as_mut().unwrap().activities = Some(vec![activity]);
        blocked_by(&short)
    };
    assert_eq!(why("Failed", "Error Code: ResourceLimitExceeded"), Some(BlockedBy::Quota));
    assert_eq!(why("Failed", "The account-level service limit is 2 Instances"), Some(BlockedBy::Quota));
    assert_eq!(why("Unfulfilled", "Error Code: Insufficient Capacity"), Some(BlockedBy::InsufficientCapacity));
    assert_eq!(why("Failed", "something else"), None);
    assert_eq!(why("InProgress", ""), Some(BlockedBy::ScalingInProgress));
    assert_eq!(why("Successful", "Error Code: ResourceLimitExceeded"), None);
}
