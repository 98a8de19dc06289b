//! The part of a report that says how an incident goes on.

use crate::model::{Hosting, IncidentSummary, Measures, Milliseconds, OutcomeStatus, Report, Thousands};
use std::fmt::Display;

/// Before and after, one measurement each; empty in the first report of an incident.
#[must_use]
pub fn before_and_after(report: &Report) -> Vec<String> {
    let Some((before, after)) =
        report.incident.as_ref().and_then(|incident| Some((&incident.before, incident.after.as_ref()?)))
    else {
        return Vec::new();
    };
    if before.backlog.is_some() || after.backlog.is_some() {
        return queue_before_and_after(before, after);
    }
    let statistic = report.objective.map_or("p90".to_owned(), |objective| objective.slo_statistic.to_string());
    let objective = report.objective.map(|objective| format!(" (objective {})", objective.latency_slo_ms));
    let milliseconds = |latency: crate::model::Microseconds| -> Milliseconds { latency.to_milliseconds() };
    let latency = change(before.latency.map(milliseconds), after.latency.map(milliseconds));
    let latency = format!("{statistic} ModelLatency {latency}{}", objective.unwrap_or_default());
    if report.hosting == Hosting::Serverless {
        let percent = |share: Option<f64>| share.map(|share| format!("{:.1} %", 100.0 * share));
        let invocations = change(before.invocations, after.invocations);
        return vec![
            latency,
            format!(
                "requests that met no warm container {}",
                change(percent(before.unserved), percent(after.unserved))
            ),
            format!("requests {invocations} per minute"),
            format!("units of provisioned concurrency {}", change(before.instances, after.instances)),
        ];
    }
    let of = report.dimension();
    vec![
        latency,
        format!("load per {} {} per minute", of.unit(), change(before.load, after.load)),
        format!("load on all {} {} per minute", of.units(), change(before.invocations, after.invocations)),
        format!("{} {}", of.units(), change(before.instances, after.instances)),
    ]
}

/// The same of an asynchronous endpoint: its load is not published, and its latency is not what people wait for.
fn queue_before_and_after(before: &Measures, after: &Measures) -> Vec<String> {
    let backlog = change(before.backlog.map(Thousands), after.backlog.map(Thousands));
    vec![format!("backlog {backlog} requests"), format!("instances {}", change(before.instances, after.instances))]
}

/// When it is looked at again; none where nothing follows it through, or it is closed.
#[must_use]
pub fn next_look(incident: &IncidentSummary) -> Option<String> {
    Some(format!("looked at again at {}", incident.next_look_at?.strftime("%H:%M UTC")))
}

/// Whether the verdict in a report is the one that the incident began with, and not today's.
#[must_use]
pub fn is_first_verdict(report: &Report) -> bool {
    let is_look = report.incident.as_ref().is_some_and(|incident| incident.after.is_some());
    let status = report.outcome.status;
    let is_old = matches!(
        status,
        OutcomeStatus::Verified | OutcomeStatus::Relaxed | OutcomeStatus::Stale | OutcomeStatus::Failed
    );
    is_look && is_old
}

/// Whether the last minutes keep the objective; false where that is not known.
#[must_use]
pub fn is_within_objective(report: &Report) -> bool {
    let after = report.incident.as_ref().and_then(|incident| incident.after?.latency);
    let objective = report.objective.map(|objective| objective.latency_slo_ms.to_microseconds());
    after.zip(objective).is_some_and(|(after, objective)| after <= objective)
}

fn change<T: Display>(before: Option<T>, after: Option<T>) -> String {
    let shown = |value: Option<T>| value.map_or("unknown".to_owned(), |value| value.to_string());
    format!("{} -> {}", shown(before), shown(after))
}
