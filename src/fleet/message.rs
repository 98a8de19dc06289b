//! A summary as messages: to the report topic for people and machines, to the chat topic as a card.

use super::summary::Summary;
use super::text;
use crate::report::card::escape;
use serde_json::{Value, json};

/// SNS refuses 100 characters and more.
const SUBJECT: usize = 99;
/// Limit of the schema of custom notifications, in characters.
const DESCRIPTION: usize = 8_000;
/// Lines of each kind in a card; the e-mail has more.
const LINES: usize = 5;

/// A message to the report topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// At most 99 printable ASCII characters.
    pub subject: String,
    /// For `MessageStructure=json`: `default` and `email` are text, `sqs`, `lambda` and `https` are `{"audit": summary}`.
    pub body: String,
    /// For the filter policies of subscriptions.
    pub attributes: [(&'static str, &'static str); 2],
}

/// Renders the message.
#[must_use]
pub fn render(summary: &Summary) -> Message {
    let text = text::render(summary);
    let machine = json!({"audit": summary}).to_string();
    let body = json!({"default": text, "email": text, "sqs": machine, "lambda": machine, "https": machine});
    let severity = if summary.is_serious() { "action_required" } else { "info" };
    let subject = format!("Audit of {}", text::headline(summary));
    Message {
        subject: subject.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(SUBJECT).collect(),
        body: body.to_string(),
        attributes: [("status", "audit"), ("severity", severity)],
    }
}

/// Renders the card: a custom notification (schema 1.0) for Amazon Q Developer in chat applications.
#[must_use]
pub fn card(summary: &Summary) -> Value {
    let sign = if summary.is_serious() { ":rotating_light:" } else { ":white_check_mark:" };
    let worst = summary.worst.iter().take(LINES).map(|finding| {
        format!(
            "\n• {} {}: {}. {}",
            finding.rule,
            escape(&finding.subject),
            escape(&finding.title),
            escape(&finding.evidence)
        )
    });
    let mut description: String = worst.collect();
    let soon = summary.headroom.iter().filter(|headroom| headroom.weeks.is_some()).take(LINES);
    let soon: String = soon.map(|headroom| format!("\n• {}", escape(&text::room(headroom)))).collect();
    if !soon.is_empty() {
        description.push_str(&format!("\n\n*Out of room*{soon}"));
    }
    let description = if description.is_empty() { "Nothing is wrong.".to_owned() } else { description };
    json!({
        "version": "1.0",
        "source": "custom",
        "id": format!("audit/{}", summary.at),
        "content": {
            "textType": "client-markdown",
            "title": format!("{sign} Audit of {}", escape(&text::headline(summary))),
            "description": description.trim().chars().take(DESCRIPTION).collect::<String>(),
            "nextSteps": ["The e-mail has the rest; `endpoint-advisor doctor ENDPOINT` tells one endpoint in full."],
            "keywords": ["sagemaker", "audit"],
        },
        "metadata": {
            "threadId": format!("audit/{}", summary.at),
            "summary": escape(&text::headline(summary)),
            "eventType": "EndpointAudit",
        },
    })
}
