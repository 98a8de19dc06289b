//! The report as plain text in 78 columns: the terminal and the e-mail.

use super::{forecast, incident};
pub use crate::model::split_command;
use crate::model::{
    Action, Bound, Capacity, MetricSpecification, Milliseconds, OutcomeStatus, Plan, PutScalingPolicy,
    PutScheduledAction, Report, ScalableTarget, Thousands,
};
use std::fmt::Write as _;

const COLUMNS: usize = 78;

/// What a person reads at three in the morning; the report as JSON has the rest.
const FACTS: usize = 6;
const ALTERNATIVES: usize = 3;

/// Renders the report: verdict, why, what was done or is proposed, what else it could be, next step, where to look.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = Text(String::new());
    let diagnosis = &report.diagnosis;
    let of = report.dimension();
    out.line(&headline(report));
    out.line(&verdict_line(report));
    out.line(&when(report));
    for (index, line) in incident::before_and_after(report).iter().enumerate() {
        if index == 0 {
            out.section("Before and after");
        }
        out.item("  ", line);
    }
    let is_first_verdict = incident::is_first_verdict(report);
    if is_first_verdict {
        out.section("What was found");
        out.paragraph("  ", &diagnosis.summary);
    } else {
        out.blank();
        out.paragraph("", &diagnosis.summary);
        let for_and_against =
            diagnosis.evidence.iter().map(|fact| (if fact.supports { "+ " } else { "- " }, fact.text.as_str()));
        let context = diagnosis.context.iter().map(|fact| ("  ", fact.text.as_str()));
        for (index, (mark, fact)) in for_and_against.chain(context).take(FACTS).enumerate() {
            if index == 0 {
                out.section("Why");
            }
            out.item(mark, fact);
        }
    }
    out.section(match (report.plan.action, report.outcome.status) {
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
    });
    out.item("  ", &format!("{}: {}", report.outcome.status, report.outcome.words()));
    if let Some(blocked) = diagnosis.in_the_way(of) {
        out.item("  ", &format!("in the way: {blocked}"));
    }
    for line in plan_lines(&report.plan) {
        out.item("  ", &line);
    }
    for change in &report.outcome.changes {
        out.item("  ", &format!("{}: {} -> {}", change.operation, change.before, change.after));
    }
    if let Some(line) = report.incident.as_ref().and_then(incident::next_look) {
        out.item("  ", &line);
    }
    if let Some(forecast) = &report.plan.forecast {
        out.section("What it would have done");
        for line in forecast::lines(forecast) {
            out.item("  ", &of.said(&line));
        }
    }
    let sizing =
        report.capacity.as_ref().filter(|_| !is_first_verdict).map(|capacity| of.said(&capacity_line(capacity)));
    for (index, line) in sizing.iter().chain(&report.plan.reasoning).enumerate() {
        if index == 0 {
            out.section(&match report.plan.action {
                Action::Scale => "How it was sized".to_owned(),
                Action::Hold => of.said("What one instance carries"),
            });
        }
        out.item("  ", line);
    }
    if !diagnosis.alternatives.is_empty() && !is_first_verdict {
        out.section("What else it could be, and why not");
        for other in diagnosis.alternatives.iter().take(ALTERNATIVES) {
            let belief = if other.confidence < 0.01 { "< 0.01".to_owned() } else { format!("{:.2}", other.confidence) };
            out.item("  ", &format!("{} ({belief}): {}", other.verdict, other.why_not));
        }
    }
    if !report.next_steps.is_empty() {
        out.section("Next");
        for (index, step) in report.next_steps.iter().enumerate() {
            out.item(&format!("{}. ", index + 1), step);
        }
    }
    if !report.warnings.is_empty() {
        out.section("Warnings");
        for warning in &report.warnings {
            out.item("! ", warning);
        }
    }
    out.section("Where to look");
    out.line(&format!("  endpoint  {}", report.links.console));
    out.line(&format!("  graph     {}", report.links.graph));
    out.0
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
            let units = report.dimension().units();
            format!("{subject}: more {units} did not help, and the change was taken back")
        }
        OutcomeStatus::Relaxed => format!("{subject}: MinCapacity is back to what it was"),
        _ => format!("{subject} is {}", report.dimension().said(report.diagnosis.verdict.headline())),
    }
}

/// `overload (traffic_growth), confidence 0.97 (high)`.
#[must_use]
pub fn verdict_line(report: &Report) -> String {
    let diagnosis = &report.diagnosis;
    let sub_cause = diagnosis.sub_cause.as_ref().map(|sub_cause| format!(" ({sub_cause})")).unwrap_or_default();
    format!("{}{sub_cause}, confidence {:.2} ({})", diagnosis.verdict, diagnosis.confidence, diagnosis.grade)
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

/// `one instance sustains 1,200 invocations per minute (90 % interval 1,080 to 1,290) with p90 within 500 ms`.
#[must_use]
pub fn capacity_in_short(capacity: &Capacity) -> String {
    let objective = format!("with {} within {}", capacity.slo_statistic, Milliseconds(capacity.latency_slo_ms.0));
    let value = capacity.invocations_per_instance_per_minute;
    match (capacity.bound, capacity.high) {
        (Bound::Estimate, Some(high)) => format!(
            "one instance sustains {value} invocations per minute (90 % interval {} to {high}) {objective}",
            capacity.low
        ),
        _ => format!("one instance sustains at least {value} invocations per minute {objective}"),
    }
}

/// The same, with how far to trust it and how it was found.
fn capacity_line(capacity: &Capacity) -> String {
    let minutes = Thousands(f64::from(capacity.minutes_used));
    format!("{}; grade {}, from {minutes} minutes: {}", capacity_in_short(capacity), capacity.grade, capacity.method)
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
    for policy in &plan.put_scaling_policies {
        let tracking = &policy.target_tracking_scaling_policy_configuration;
        let target = Thousands(tracking.target_value);
        let tracked = match &tracking.metric {
            MetricSpecification::Predefined(metric) => {
                format!("{} at {target} per minute", metric.predefined_metric_type)
            }
            MetricSpecification::Customized(metric) => format!("{} at {target}", metric.metric_name),
        };
        lines.push(format!(
            "policy {}: {tracked}, cooldown {} s out and {} s in",
            policy.policy_name, tracking.scale_out_cooldown.0, tracking.scale_in_cooldown.0
        ));
    }
    for action in &plan.put_scheduled_actions {
        lines.push(format!(
            "schedule {}: MinCapacity {} at {} UTC",
            action.scheduled_action_name, action.scalable_target_action.min_capacity, action.schedule
        ));
    }
    lines
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

/// The AWS CLI command for `PutScalingPolicy`.
#[must_use]
pub fn policy_command(policy: &PutScalingPolicy) -> String {
    let configuration = serde_json::to_string(&policy.target_tracking_scaling_policy_configuration).unwrap_or_default();
    format!(
        "aws application-autoscaling put-scaling-policy --service-namespace {} --resource-id {} --scalable-dimension {} \
         --policy-name {} --policy-type {} --target-tracking-scaling-policy-configuration '{configuration}'",
        policy.service_namespace, policy.resource_id, policy.scalable_dimension, policy.policy_name, policy.policy_type
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
