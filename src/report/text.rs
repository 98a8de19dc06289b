//! The report as plain text in 78 columns: the terminal and the e-mail.

use super::document::{Document, Mark, Section};
use super::policies;
pub use crate::model::split_command;
use crate::model::{
    Bound, Capacity, Hosting, Milliseconds, Plan, PutScheduledAction, Report, ScalableTarget, Thousands,
};
use std::fmt::Write as _;

const COLUMNS: usize = 78;

/// Renders the report: verdict, why, what was done or is proposed, what else it could be, next step, where to look.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = Text(words(&Document::of(report)));
    out.section("Where to look");
    out.line(&format!("  endpoint  {}", report.links.console));
    out.line(&format!("  graph     {}", report.links.graph));
    out.0
}

/// Headline, lines and sections.
#[must_use]
pub fn words(document: &Document) -> String {
    let mut out = Text(String::new());
    out.line(&document.headline);
    for line in &document.lines {
        out.line(line);
    }
    for Section { title, items } in &document.sections {
        match title {
            Some(title) => out.section(title),
            None => out.blank(),
        }
        for (index, item) in items.iter().enumerate() {
            match item.mark {
                Mark::Sentence => out.paragraph("", &item.text),
                Mark::Fact => out.item("  ", &item.text),
                Mark::For => out.item("+ ", &item.text),
                Mark::Against => out.item("- ", &item.text),
                Mark::Step => out.item(&format!("{}. ", index + 1), &item.text),
                Mark::Warning => out.item("! ", &item.text),
            }
        }
    }
    out.0
}

/// `overload (traffic_growth), confidence 0.97 (high)`.
#[must_use]
pub fn verdict_line(report: &Report) -> String {
    let diagnosis = &report.diagnosis;
    let sub_cause = diagnosis.sub_cause.as_ref().map(|sub_cause| format!(" ({sub_cause})")).unwrap_or_default();
    format!("{}{sub_cause}, confidence {:.2} ({})", diagnosis.verdict, diagnosis.confidence, diagnosis.grade)
}

/// `one instance sustains 1,200 invocations per minute (90 % interval 1,080 to 1,290) with p90 within 500 ms`.
#[must_use]
pub fn capacity_in_short(capacity: &Capacity, hosting: Hosting) -> String {
    if capacity.is_throughput {
        return throughput_in_short(capacity);
    }
    let objective = format!("with {} within {}", capacity.slo_statistic, Milliseconds(capacity.latency_slo_ms.0));
    let value = capacity.invocations_per_instance_per_minute;
    match (capacity.bound, capacity.high) {
        (Bound::Estimate, Some(high)) => format!(
            "one {} sustains {value} invocations per minute (90 % interval {} to {high}) {objective}",
            hosting.server(),
            capacity.low
        ),
        _ => format!("one {} sustains at least {value} invocations per minute {objective}", hosting.server()),
    }
}

/// `one instance processes 12 requests per minute (90 % interval 11.2 to 12.8)`.
fn throughput_in_short(capacity: &Capacity) -> String {
    let value = capacity.invocations_per_instance_per_minute;
    match capacity.high.filter(|_| capacity.bound == Bound::Estimate) {
        Some(high) => {
            format!("one instance processes {value} requests per minute (90 % interval {} to {high})", capacity.low)
        }
        None => format!("one instance processes at least {value} requests per minute"),
    }
}

/// The same, with how far to trust it and how it was found.
pub(super) fn capacity_line(capacity: &Capacity, hosting: Hosting) -> String {
    let minutes = Thousands(f64::from(capacity.minutes_used));
    format!(
        "{}; grade {}, from {minutes} minutes: {}",
        capacity_in_short(capacity, hosting),
        capacity.grade,
        capacity.method
    )
}

/// The plan, before → after.
#[must_use]
pub fn plan_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(register) = &plan.register_scalable_target {
        let before = plan.based_on.as_ref().and_then(|state| state.target.as_ref());
        let of =
            |value: fn(&ScalableTarget) -> u32| before.map_or("none".to_owned(), |target| value(target).to_string());
        lines.push(format!(
            "MinCapacity {} -> {}, MaxCapacity {} -> {}",
            of(|target| target.min_capacity.0),
            register.min_capacity,
            of(|target| target.max_capacity.0),
            register.max_capacity
        ));
    }
    lines.extend(policies::lines(plan));
    for action in &plan.put_scheduled_actions {
        lines.push(format!(
            "schedule {}: MinCapacity {} at {} UTC",
            action.scheduled_action_name, action.scalable_target_action.min_capacity, action.schedule
        ));
    }
    lines
}

/// One line for each thing that a plan changes, before → after.
#[must_use]
pub fn difference(plan: &Plan) -> Vec<String> {
    let before = plan.based_on.clone().unwrap_or_default();
    let after = plan.stands_on(&before);
    let policies = plan.put_scaling_policies.iter().map(|policy| &policy.policy_name);
    let policies = policies.chain(plan.delete_scaling_policies.iter().map(|policy| &policy.policy_name));
    let policies = policies.map(|name| ("policy", name, before.policy_in_words(name), after.policy_in_words(name)));
    let alarms = plan.put_metric_alarms.iter().map(|alarm| &alarm.alarm_name);
    let alarms = alarms.map(|name| ("alarm", name, before.alarm_in_words(name), after.alarm_in_words(name)));
    let timed = plan.put_scheduled_actions.iter().map(|action| &action.scheduled_action_name);
    let timed = timed.map(|name| ("schedule", name, before.action_in_words(name), after.action_in_words(name)));
    let (was, will) = (before.target_in_words(), after.target_in_words());
    let target = (was != will).then(|| format!("scalable target: {was} -> {will}"));
    let all = policies.chain(alarms).chain(timed).filter(|(_, _, was, will)| was != will);
    target.into_iter().chain(all.map(|(what, name, was, will)| format!("{what} {name}: {was} -> {will}"))).collect()
}

/// The AWS CLI command for `PutScheduledAction`.
#[must_use]
pub fn schedule_command(action: &PutScheduledAction) -> String {
    format!(
        "aws application-autoscaling put-scheduled-action --service-namespace {} --resource-id {} --scalable-dimension {} \
         --scheduled-action-name {} --schedule '{}' --scalable-target-action MinCapacity={}",
        action.service_namespace,
        action.resource_id,
        action.scalable_dimension,
        action.scheduled_action_name,
        action.schedule,
        action.scalable_target_action.min_capacity
    )
}

struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        let _infallible = write!(self.0, "\n{title}\n");
    }

    /// One fact under a mark, its further lines aligned with its first word. Commands stay whole: a broken line cannot
    /// be pasted.
    fn item(&mut self, mark: &str, text: &str) {
        match split_command(text) {
            Some((what, command)) => {
                self.paragraph(mark, what);
                self.line(&format!("    {command}"));
            }
            None => self.paragraph(mark, text),
        }
    }

    fn paragraph(&mut self, mark: &str, text: &str) {
        let rest = " ".repeat(mark.len());
        let options = textwrap::Options::new(COLUMNS).initial_indent(mark).subsequent_indent(&rest).break_words(false);
        for line in textwrap::wrap(&inert_lines(text), options) {
            self.line(&line);
        }
    }
}

/// Line breaks in a fact would read as facts of their own.
fn inert_lines(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
