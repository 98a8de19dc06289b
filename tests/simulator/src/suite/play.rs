//! From a script to an incident: play it, make it worse until the alarm fires, judge, degrade.

use super::dice::Dice;
use super::incident::{Incident, Truth};
use super::script::{Judged, Now, Script};
use super::{Family, Set};
use crate::{Degradation, Minute, Published, Routing, Run, published};

/// Minutes in a row over the objective that raise the alarm.
const ALARM_MINUTES: usize = 3;
/// Minutes from the alarm to the end of the observed window.
const PATIENCE: i64 = 3;
/// Minutes before the trouble in which the alarm must not have fired by itself.
const QUIET_MINUTES: usize = 30;
/// Share of answers that are the container's errors, from which to name them is right too where a script says so.
const ERRORS_DOMINATE: f64 = 0.2;

/// Plays a script; none where its alarm fires before the trouble, or not at all.
pub(super) fn play(
    family: &'static Family,
    set: Set,
    replicate: u64,
    script: &Script,
    dice: &mut Dice,
) -> Option<Incident> {
    let mut run = Run::new(script.site.endpoint, dice.seed());
    let mut minutes: Vec<Minute> = (-script.site.minutes()..0)
        .map(|minute| run.step(minute, &script.conditions(Now { minute, severity: 1.0 }, None)))
        .collect();
    let slow = minutes.iter().filter(|minute| is_over(script, minute)).count();
    let quiet = &minutes[minutes.len().saturating_sub(QUIET_MINUTES)..];
    let is_quiet = script.may_have_fired || alarm(script, quiet, 0).is_none();
    if slow as f64 > script.tolerated * minutes.len() as f64 || !is_quiet {
        return None;
    }
    let mut severity = 1.0;
    for _ in 0..=script.worse.1 {
        let is_as_required = |trouble: &Vec<Minute>| {
            (script.requires)(&trouble.iter().map(|minute| is_over(script, minute)).collect::<Vec<_>>())
        };
        if let Some(trouble) = worsened(script, &run, severity).filter(is_as_required) {
            let settled = settle(script, &run, severity, &trouble);
            let length = trouble.len();
            minutes.extend(trouble);
            minutes.drain(..length);
            return Some(incident(family, set, replicate, script, minutes, length as i64, severity, settled, dice));
        }
        severity *= script.worse.0;
    }
    None
}

/// The trouble's minutes up to the end of the window; none where the alarm does not fire in time.
fn worsened(script: &Script, before: &Run, severity: f64) -> Option<Vec<Minute>> {
    let mut run = before.clone();
    let mut minutes = Vec::new();
    let mut end = match script.judged {
        Judged::After(end) => Some(end),
        Judged::AfterAlarm(_) => None,
    };
    for minute in 0..script.longest + PATIENCE {
        if end.is_some_and(|end| minute >= end) {
            return Some(minutes);
        }
        minutes.push(run.step(minute, &script.conditions(Now { minute, severity }, None)));
        if let (None, Judged::AfterAlarm(from)) = (end, script.judged)
            && minute < script.longest
        {
            end = alarm(script, &minutes, from).map(|minute| minute as i64 + 1 + PATIENCE);
        }
    }
    end.is_some().then_some(minutes)
}

/// The minute in which the alarm fires.
fn alarm(script: &Script, minutes: &[Minute], from: i64) -> Option<usize> {
    let mut over = 0;
    // A minute without requests has no datapoint, and changes nothing.
    let with_requests = minutes.iter().enumerate().filter(|(_, minute)| minute.invocations > 0);
    for (index, minute) in with_requests.skip_while(|(index, _)| (*index as i64) < from) {
        over = if is_over(script, minute) { over + 1 } else { 0 };
        if over == ALARM_MINUTES {
            return Some(index);
        }
    }
    None
}

fn is_over(script: &Script, minute: &Minute) -> bool {
    minute.model_latency_us.quantile(script.site.quantile).is_some_and(|latency| latency > script.site.objective_us)
}

/// Latency of the last minutes.
fn latency(script: &Script, minutes: &[Minute]) -> f64 {
    let mut latencies: Vec<f64> = minutes[minutes.len().saturating_sub(5)..]
        .iter()
        .filter_map(|minute| minute.model_latency_us.quantile(script.site.quantile))
        .collect();
    latencies.sort_unstable_by(f64::total_cmp);
    latencies.get(latencies.len() / 2).copied().unwrap_or(0.0)
}

/// Which of a script's troubles is the cause, and whether another is as much.
struct Settled {
    primary: usize,
    is_either: bool,
}

/// Where two things went wrong, plays the incident again without each: the cause is what would have had to be absent.
/// Where neither alone would have done, it is what takes more of the latency with it.
fn settle(script: &Script, before: &Run, severity: f64, trouble: &[Minute]) -> Settled {
    if script.troubles.len() < 2 {
        return Settled { primary: 0, is_either: false };
    }
    let without = |index: usize| {
        let mut run = before.clone();
        let minutes: Vec<Minute> = (0..trouble.len() as i64)
            .map(|minute| run.step(minute, &script.conditions(Now { minute, severity }, Some(index))))
            .collect();
        latency(script, &minutes)
    };
    let (without_first, without_second) = (without(0), without(1));
    let objective = script.site.objective_us;
    Settled {
        primary: usize::from(without_second < without_first),
        is_either: without_first <= objective && without_second <= objective,
    }
}

#[expect(clippy::too_many_arguments, reason = "all that an incident is made of, once")]
fn incident(
    family: &'static Family,
    set: Set,
    replicate: u64,
    script: &Script,
    mut minutes: Vec<Minute>,
    length: i64,
    severity: f64,
    settled: Settled,
    dice: &mut Dice,
) -> Incident {
    let count = minutes.len() as i64;
    for (index, minute) in minutes.iter_mut().enumerate() {
        minute.minute = index as i64 - count;
    }
    let trouble = script.troubles.get(settled.primary);
    let verdict = trouble.map_or(family.verdict, |trouble| trouble.verdict);
    let mut also_right = script.also_right.clone();
    let mut is_overload = script.is_overload;
    if script.troubles.len() > 1 {
        let other = &script.troubles[1 - settled.primary];
        let helps = |verdict: &str| matches!(verdict, "overload" | "burst");
        is_overload = Some(helps(verdict));
        if settled.is_either {
            also_right.push(other.verdict);
            if helps(other.verdict) != helps(verdict) {
                is_overload = None;
            }
        }
    }
    let last = &minutes[minutes.len().saturating_sub(3)..];
    let answered: u64 = last.iter().map(|minute| minute.invocations).sum();
    let failed: u64 = last.iter().map(|minute| minute.errors_5xx).sum();
    if script.is_errors_as_right && failed as f64 >= ERRORS_DOMINATE * answered as f64 {
        also_right.push("model_errors");
    }
    let instances = script.conditions(Now { minute: length - 1, severity }, None).instances;
    let mut scaling = script.scaling.clone();
    if let Some(activity) = scaling.as_mut().and_then(|scaling| scaling.activity.as_mut()) {
        activity.minutes_ago += length;
    }
    Incident {
        family: family.name,
        set,
        replicate,
        truth: Truth {
            verdict,
            also_right,
            sub_cause: trouble.and_then(|trouble| trouble.sub_cause),
            is_overload,
            blocked_by: script.blocked_by.clone(),
            trouble_minutes: length,
            severity,
            capacity: (script.site.objective_us > script.site.unloaded_us).then_some(script.site.capacity),
            physics: format!("{:?}, {:?}", script.site.endpoint.discipline, script.site.endpoint.service),
            is_new_physics: script.site.is_new_physics,
        },
        history_hours: script.site.hours,
        objective_ms: script.site.objective_us / 1e3,
        statistic: script.site.statistic,
        instance_type: script.site.instance_type,
        instances: instances as u32,
        desired: script.desired.unwrap_or(instances) as u32,
        scaling,
        minutes_since_deployment: length - script.deployed,
        routing: match script.site.endpoint.routing {
            Routing::Random => "RANDOM",
            Routing::LeastOutstandingRequests => "LEAST_OUTSTANDING_REQUESTS",
        },
        hosting: script.hosting,
        minutes_since_alarm: PATIENCE,
        series: degraded(script, published(&minutes), dice),
    }
}

/// What arrives of the metrics.
fn degraded(script: &Script, mut series: Vec<Published>, dice: &mut Dice) -> Vec<Published> {
    let mut without = Vec::new();
    if script.site.endpoint.gpus > 0 && dice.chance(0.1) {
        without.extend(["GPUUtilization", "GPUMemoryUtilization"]);
    }
    if dice.chance(0.05) {
        without.push("ConcurrentRequestsPerModel");
    }
    Degradation { lag_minutes: 2, missing_share: script.missing, utilization_noise: 0.02, without }
        .apply(&mut series, dice.seed());
    series
}
