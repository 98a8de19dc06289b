//! The report as an SNS message: text for people, the whole report as JSON for machines.

use super::{document, text};
use crate::model::{Action, OutcomeStatus, Report};
use serde_json::json;

/// SNS takes 256 KiB; this leaves room for attributes and for subscribers that wrap the message again.
const MOST_BYTES: usize = 200 * 1024;

/// SNS refuses 100 characters and more.
const SUBJECT: usize = 99;

/// A message to the report topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// At most 99 printable ASCII characters.
    pub subject: String,
    /// For `MessageStructure=json`: `default` and `email` are text, `sqs`, `lambda` and `https` the report as JSON.
    pub body: String,
    /// For the filter policies of subscriptions.
    pub attributes: [(&'static str, String); 5],
}

/// Renders the message. Evidence and alternatives are cut where it would grow too large.
#[must_use]
pub fn render(report: &Report) -> Message {
    let mut body = body(report);
    if body.len() > MOST_BYTES {
        let mut shorter = report.clone();
        shorter.diagnosis.evidence.clear();
        shorter.diagnosis.context.clear();
        shorter.diagnosis.alternatives.clear();
        shorter.truncated = true;
        body = self::body(&shorter);
    }
    let action = match report.plan.action {
        Action::Scale => "scale",
        Action::Hold => "hold",
    };
    Message {
        subject: subject(report),
        body,
        attributes: [
            ("verdict", report.diagnosis.verdict.name().to_owned()),
            ("action", action.to_owned()),
            ("status", report.outcome.status.name().to_owned()),
            ("endpoint_name", report.endpoint_name.to_string()),
            ("severity", report.severity().name().to_owned()),
        ],
    }
}

fn body(report: &Report) -> String {
    let text = text::render(report);
    let machine = serde_json::to_string(report).unwrap_or_default();
    json!({"default": text, "email": text, "sqs": machine, "lambda": machine, "https": machine}).to_string()
}

/// `orders/AllTraffic is overloaded: recommended 3 to 8 instances`.
fn subject(report: &Report) -> String {
    let status = report.outcome.status;
    let what = match (&report.plan.register_scalable_target, status) {
        (Some(register), OutcomeStatus::Applied | OutcomeStatus::Recommended) => {
            let units = report.dimension().units();
            format!("{status} {} to {} {units}", register.min_capacity, register.max_capacity)
        }
        (_, OutcomeStatus::NotNeeded) => "not scaled".to_owned(),
        _ => status.name().replace('_', " "),
    };
    // What became of an incident is in its headline.
    let subject = match status {
        OutcomeStatus::Verified | OutcomeStatus::RolledBack | OutcomeStatus::Relaxed => document::headline(report),
        _ => format!("{}: {what}", document::headline(report)),
    };
    subject.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(SUBJECT).collect()
}
