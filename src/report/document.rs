//! The report as sections of facts, in the order in which people read it: the terminal, the e-mail, the browser and a wiki
//! show the same.

use super::{forecast, incident, text};
use crate::model::{Action, Hosting, OutcomeStatus, Report, ScalableDimension};

/// What a person reads at three in the morning; the report as JSON has the rest.
const FACTS: usize = 6;
const ALTERNATIVES: usize = 3;

/// The report in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What is the matter.
    pub headline: String,
    /// The verdict with its confidence, and when it was.
    pub lines: Vec<String>,
    /// Everything else.
    pub sections: Vec<Section>,
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// None where the facts speak for themselves.
    pub title: Option<&'static str>,
    /// In their order.
    pub items: Vec<Item>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What kind of fact.
    pub mark: Mark,
    /// One sentence or less; it may end in `: ` and a command.
    pub text: String,
}

/// What kind of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A sentence.
    Sentence,
    /// A plain fact.
    Fact,
    /// It speaks for the verdict.
    For,
    /// It speaks against the verdict.
    Against,
    /// A step to take.
    Step,
    /// Something was missing or odd.
    Warning,
}

impl Document {
    /// The words of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let is_first_verdict = incident::is_first_verdict(report);
        let diagnosis = &report.diagnosis;
        let sections = [
            facts("Before and after", incident::before_and_after(report)),
            if is_first_verdict {
                facts("What was found", vec![diagnosis.summary.clone()])
            } else {
                Section { title: None, items: vec![item(Mark::Sentence, &diagnosis.summary)] }
            },
            Section { title: Some("Why"), items: if is_first_verdict { Vec::new() } else { why(report) } },
            facts("What serves it", if is_first_verdict { Vec::new() } else { serving(report) }),
            facts(done(report), outcome(report)),
            facts(
                "What it would have done",
                report
                    .plan
                    .forecast
                    .iter()
                    .flat_map(|forecast| forecast::lines(forecast, report.hosting.dimension()))
                    .collect(),
            ),
            facts(
                match report.plan.action {
                    Action::Hold if report.plan.reasoning.is_empty() => carried(report.hosting),
                    _ => "How it was sized",
                },
                sizing(report, is_first_verdict),
            ),
            facts(
                "What else it could be, and why not",
                if is_first_verdict { Vec::new() } else { alternatives(report) },
            ),
            marked("Next", Mark::Step, &report.next_steps),
            marked("Warnings", Mark::Warning, &report.warnings),
        ];
        Self {
            headline: headline(report),
            lines: vec![text::verdict_line(report), when(report)],
            sections: sections.into_iter().filter(|section| !section.items.is_empty()).collect(),
        }
    }
}

fn item(mark: Mark, text: &str) -> Item {
    Item { mark, text: text.to_owned() }
}

fn marked(title: &'static str, mark: Mark, texts: &[String]) -> Section {
    Section { title: Some(title), items: texts.iter().map(|text| item(mark, text)).collect() }
}

fn facts(title: &'static str, texts: Vec<String>) -> Section {
    marked(title, Mark::Fact, &texts)
}

/// What carries the verdict first, then what else was measured.
fn why(report: &Report) -> Vec<Item> {
    let evidence = report.diagnosis.evidence.iter();
    let evidence = evidence.map(|fact| item(if fact.supports { Mark::For } else { Mark::Against }, &fact.text));
    let context = report.diagnosis.context.iter().map(|fact| item(Mark::Fact, &fact.text));
    evidence.chain(context).take(FACTS).collect()
}

fn serving(report: &Report) -> Vec<String> {
    report.serving.iter().map(|fact| fact.text.clone()).collect()
}

/// What the outcome is called.
fn done(report: &Report) -> &'static str {
    match (report.plan.action, report.outcome.status) {
        (_, OutcomeStatus::Verified) if report.outcome.reason == "recovered" => "It is over",
        (_, OutcomeStatus::Verified) => "It helped",
        (_, OutcomeStatus::RolledBack) => "Taken back",
        (_, OutcomeStatus::Relaxed) => "Relaxed",
        (Action::Hold, OutcomeStatus::Stale) => "Left alone",
        (Action::Hold, OutcomeStatus::Failed) => "It did not come",
        (Action::Hold, _) => "No change of scaling",
        (Action::Scale, OutcomeStatus::Applied) => "Done",
        (Action::Scale, OutcomeStatus::Unchanged) => "In place",
        (Action::Scale, _) => "Proposed",
    }
}

fn outcome(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", report.outcome.status, report.outcome.words())];
    lines.extend(report.diagnosis.in_the_way(report.dimension()).map(|blocked| format!("in the way: {blocked}")));
    lines.extend(text::plan_lines(&report.plan));
    let changes = report.outcome.changes.iter();
    lines.extend(changes.map(|change| format!("{}: {} -> {}", change.operation, change.before, change.after)));
    lines.extend(report.incident.as_ref().and_then(incident::next_look));
    lines
}

/// What a capacity is called by itself.
fn carried(hosting: Hosting) -> &'static str {
    match hosting.dimension() {
        ScalableDimension::InstanceCount => "What one instance carries",
        ScalableDimension::CopyCount => "What one copy carries",
        ScalableDimension::ProvisionedConcurrency => "What one unit of concurrency carries",
    }
}

fn sizing(report: &Report, is_first_verdict: bool) -> Vec<String> {
    let capacity = report.capacity.as_ref().filter(|_| !is_first_verdict);
    let capacity = capacity.map(|capacity| report.dimension().said(&text::capacity_line(capacity, report.hosting)));
    capacity.into_iter().chain(report.plan.reasoning.iter().cloned()).collect()
}

fn alternatives(report: &Report) -> Vec<String> {
    let line = |other: &crate::model::Alternative| {
        let belief = if other.confidence < 0.01 { "< 0.01".to_owned() } else { format!("{:.2}", other.confidence) };
        format!("{} ({belief}): {}", other.verdict, other.why_not)
    };
    report.diagnosis.alternatives.iter().take(ALTERNATIVES).map(line).collect()
}

/// `orders/AllTraffic is overloaded`; of an incident that went on: what became of it.
#[must_use]
pub fn headline(report: &Report) -> String {
    let subject = report.subject();
    match report.outcome.status {
        OutcomeStatus::Verified if incident::is_within_objective(report) => {
            format!("{subject} is within its objective again")
        }
        OutcomeStatus::Verified => format!("{subject}: its alarms are OK again"),
        OutcomeStatus::RolledBack => {
            let more = report.hosting.dimension().units();
            format!("{subject}: more {more} did not help, and the change was taken back")
        }
        OutcomeStatus::Relaxed => format!("{subject}: MinCapacity is back to what it was"),
        _ => format!("{subject} is {}", report.dimension().said(report.diagnosis.verdict.headline())),
    }
}

fn when(report: &Report) -> String {
    let at = report.at.strftime("%Y-%m-%d %H:%M UTC");
    if let Some(incident) = report.incident.as_ref().filter(|incident| incident.after.is_some()) {
        return format!("{at}, incident since {}", incident.opened_at.strftime("%H:%M UTC"));
    }
    match (&report.trigger.alarm_name, report.trigger.changed_at) {
        (Some(alarm), Some(since)) => format!("{at}, alarm {} since {}", inert(alarm), since.strftime("%H:%M UTC")),
        (Some(alarm), None) => format!("{at}, alarm {}", inert(alarm)),
        _ => at.to_string(),
    }
}

/// Text from outside on one line, without control characters.
fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(255).collect()
}
