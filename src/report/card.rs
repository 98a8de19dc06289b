//! The report as a custom notification (schema 1.0) for Amazon Q Developer in chat applications.

use super::{document, forecast, incident, text};
use crate::model::{Action, OutcomeStatus, Report, Severity, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Limits of the schema, in characters.
const TITLE: usize = 250;
const DESCRIPTION: usize = 8_000;
const NEXT_STEP: usize = 350;
const KEYWORD: usize = 75;

/// Facts that a card shows; the e-mail has them all.
const FACTS: usize = 5;

/// Renders the card.
#[must_use]
pub fn render(report: &Report) -> Value {
    let sign = match report.severity() {
        Severity::ActionRequired => ":rotating_light:",
        Severity::ActionTaken => ":hammer_and_wrench:",
        Severity::Info => ":white_check_mark:",
    };
    let diagnosis = &report.diagnosis;
    let mut description = format!("*{}*\n{}\n", escape(&text::verdict_line(report)), escape(&diagnosis.summary));
    let change = incident::before_and_after(report);
    for line in &change {
        description.push_str(&format!("\n• {}", escape(line)));
    }
    let context = diagnosis.context.iter().map(|fact| &fact.text);
    let facts = if incident::is_first_verdict(report) { 0 } else { FACTS };
    for fact in diagnosis.evidence.iter().map(|fact| &fact.text).chain(context).take(facts) {
        description.push_str(&format!("\n• {}", escape(fact)));
    }
    description.push_str(&format!("\n\n*{}*: {}", report.outcome.status, escape(report.outcome.words())));
    for line in text::plan_lines(&report.plan) {
        description.push_str(&format!("\n{}", escape(&line)));
    }
    // What bursts need does not follow from what one instance carries.
    let is_burst = diagnosis.verdict == Verdict::Burst;
    if let Some(why) = report.plan.reasoning.first().filter(|_| is_burst) {
        description.push_str(&format!("\n{}", escape(why)));
    }
    if let Some(capacity) = report.capacity.as_ref().filter(|_| report.plan.action == Action::Scale && !is_burst) {
        description.push_str(&format!("\n{}", escape(&text::capacity_in_short(capacity, report.hosting))));
    }
    for line in report.plan.forecast.iter().flat_map(|forecast| forecast::lines(forecast, report.hosting.dimension())) {
        description.push_str(&format!("\n{}", escape(&line)));
    }
    if let Some(other) = diagnosis.alternatives.first() {
        description.push_str(&format!("\n\nNot {}: {}", other.verdict, escape(&other.why_not)));
    }
    description.push_str(&format!("\n\n<{}|endpoint> · <{}|graph>", report.links.console, report.links.graph));

    // A command of the AWS CLI does not fit into a step. Those of the plan stand behind one step together.
    let is_of_plan = |step: &&String| step.contains(": aws ") && !diagnosis.next_steps.contains(step);
    let (commands, steps): (Vec<_>, Vec<_>) = report.next_steps.iter().partition(is_of_plan);
    let steps = steps.into_iter().map(|step| match text::split_command(step) {
        Some((words, command)) if command.starts_with("aws ") => {
            format!("{} (the command is in the e-mail).", words.trim_end_matches(':'))
        }
        _ => step.clone(),
    });
    let apply = (!commands.is_empty()).then(|| match report.plan.action {
        Action::Scale if report.can_be_approved => {
            format!("To apply plan `{}`, approve it here, or run the commands in the e-mail.", report.plan.digest)
        }
        Action::Scale => {
            format!(
                "To apply plan `{}`, run the commands in the e-mail (they are in the log, too).",
                report.plan.digest
            )
        }
        Action::Hold => "The commands are in the e-mail (and in the log, too).".to_owned(),
    });
    let steps = apply.into_iter().chain(steps.map(|step| cut(&escape(&step), NEXT_STEP)));
    let keywords = ["sagemaker", diagnosis.verdict.name(), report.endpoint_name.as_str()];
    let looks = report.incident.as_ref().and_then(incident::next_look);
    if let Some(looks) = looks {
        description.push_str(&format!("\n_{looks}_"));
    }
    json!({
        "version": "1.0",
        "source": "custom",
        "id": report.id,
        "content": {
            "textType": "client-markdown",
            "title": cut(&format!("{sign} {}", escape(&document::headline(report))), TITLE),
            "description": cut(&description, DESCRIPTION),
            "nextSteps": steps.collect::<Vec<_>>(),
            "keywords": keywords.map(|keyword| cut(keyword, KEYWORD)),
        },
        "metadata": {
            "threadId": report.thread(),
            "summary": cut(&summary(report), TITLE),
            "eventType": "EndpointLatency",
            "additionalContext": context_of_actions(report),
            "enableCustomActions": report.can_be_approved,
        },
    })
}

/// What a custom action of the channel can use. The button that approves is shown where `approve` is `yes`; it invokes the
/// function with `{"apply":{…}}` and these values, and the function writes exactly this plan or nothing.
fn context_of_actions(report: &Report) -> BTreeMap<&'static str, String> {
    let variant = report.variant_name.as_ref().map(|name| ("variant_name", name.to_string()));
    let component = report.inference_component_name.as_ref().map(|name| ("inference_component_name", name.to_string()));
    let approve = report.can_be_approved.then(|| ("approve", "yes".to_owned()));
    let always = [
        ("verdict", report.diagnosis.verdict.name().to_owned()),
        ("status", report.outcome.status.name().to_owned()),
        ("endpoint_name", report.endpoint_name.to_string()),
        ("plan_digest", report.plan.digest.clone()),
    ];
    always.into_iter().chain(variant).chain(component).chain(approve).collect()
}

fn summary(report: &Report) -> String {
    match (report.outcome.status, &report.plan.register_scalable_target) {
        (OutcomeStatus::Applied, Some(register)) => {
            let units = report.dimension().units();
            format!("{}: at least {} {units} from now on", escape(&document::headline(report)), register.min_capacity)
        }
        (OutcomeStatus::Verified | OutcomeStatus::RolledBack | OutcomeStatus::Relaxed, _) => {
            escape(&document::headline(report))
        }
        (status, _) => format!("{}: {status}", escape(&document::headline(report))),
    }
}

/// The three characters that chat markup gives a meaning; with them gone, no text can mention or link.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most `limit` characters, an ellipsis among them where something was cut.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
