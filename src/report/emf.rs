//! What CloudWatch counts of the advisor: lines of the function's log in its embedded metric format.
//!
//! Each distinct set of dimensions is a custom metric that is paid for (0.30 USD a month, by the hours in which it has data),
//! so the dimensions are two words of a known list, each by itself, and never an endpoint. Which endpoint it was is in the
//! report, one line above.

use crate::model::Report;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The namespace of every metric here; dashboards and alarms name it.
pub const NAMESPACE: &str = "EndpointAdvisor";

/// One report, given at `now`: `Reports` by verdict and by status, `Changes` of scaling that were written, and, where an
/// alarm asked for it, how many seconds after the alarm's change of state.
#[must_use]
pub fn of_report(report: &Report, now: Timestamp) -> Value {
    let mut line = json!({
        "_aws": {"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [["Verdict"], ["Status"]], "Metrics": [{"Name": "Reports", "Unit": "Count"}]},
            {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": "Changes", "Unit": "Count"}]},
        ]},
        "Verdict": report.diagnosis.verdict.name(),
        "Status": report.outcome.status.name(),
        "Reports": 1,
        "Changes": report.outcome.changes.len(),
    });
    let is_first_word = report.trigger.kind.is_alarm() && report.trigger.state.as_deref() == Some("ALARM");
    if let Some(changed_at) = report.trigger.changed_at.filter(|_| is_first_word) {
        if let Some(directives) = line.pointer_mut("/_aws/CloudWatchMetrics").and_then(Value::as_array_mut) {
            directives.push(json!({
                "Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": "SecondsSinceAlarm", "Unit": "Seconds"}],
            }));
        }
        if let Some(members) = line.as_object_mut() {
            // The clocks of two services may differ by a little; nobody is told before the alarm.
            let seconds = now.duration_since(changed_at).as_secs().max(0);
            members.insert("SecondsSinceAlarm".to_owned(), json!(seconds));
        }
    }
    line
}

/// One answered event: how many calls of AWS it took, retries included.
#[must_use]
pub fn of_event(calls: u32, now: Timestamp) -> Value {
    json!({
        "_aws": {"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": "ApiCalls", "Unit": "Count"}]},
        ]},
        "ApiCalls": calls,
    })
}
