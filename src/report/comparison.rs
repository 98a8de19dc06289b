//! A comparison of scaling set-ups as plain text.

use super::{forecast, policies, text};
use crate::model::{Comparison, Milliseconds, Plan, RegisterScalableTarget, Row, ScalableDimension, ScalingState};
use std::fmt::Write as _;

/// Renders a table: one set-up a line.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut out = String::new();
    let of = comparison.dimension();
    let _infallible = writeln!(out, "{}: {}\n\n{}", subject(comparison), scope(comparison), trust(comparison));
    let width = comparison.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in &comparison.rows {
        let _infallible = writeln!(out, "\n  {:width$}  {}", row.name, line(row, comparison.dimension()));
    }
    if let Some(plan) = &comparison.advised {
        out.push_str("\nAdvised\n");
        for fact in facts(plan, of) {
            let (words, command) =
                text::split_command(&fact).map_or((&*fact, None), |(words, command)| (words, Some(command)));
            for line in textwrap::wrap(words, textwrap::Options::new(78).initial_indent("  ").subsequent_indent("  ")) {
                let _infallible = writeln!(out, "{line}");
            }
            // A broken line cannot be pasted.
            if let Some(command) = command {
                let _infallible = writeln!(out, "    {command}");
            }
        }
        for (index, command) in commands(plan).iter().enumerate() {
            let _infallible = writeln!(out, "{}  {command}", if index == 0 { "\nTo set it up\n" } else { "" });
        }
    }
    let _infallible = writeln!(out, "\n{}", unit(comparison));
    out
}

/// `orders/AllTraffic`.
pub(super) fn subject(comparison: &Comparison) -> String {
    match (&comparison.inference_component_name, &comparison.variant_name) {
        (Some(component), _) => format!("{}/{component}", comparison.endpoint_name),
        (None, Some(variant)) => format!("{}/{variant}", comparison.endpoint_name),
        (None, None) => comparison.endpoint_name.to_string(),
    }
}

/// `14 days from 2026-10-05 09:14 UTC, p90 within 500 ms`.
pub(super) fn scope(comparison: &Comparison) -> String {
    let from = comparison.from.strftime("%Y-%m-%d %H:%M UTC");
    #[expect(clippy::float_cmp, reason = "rounded to a tenth")]
    let days = if comparison.days == 1.0 { "1 day".to_owned() } else { format!("{} days", comparison.days) };
    let within = comparison
        .objective
        .map(|objective| format!(", {} within {}", objective.slo_statistic, Milliseconds(objective.latency_slo_ms.0)));
    let waits = comparison.longest_wait.map(|wait| {
        format!(
            ", over the objective where the oldest request has waited more than {:.0} min",
            f64::from(wait.0) / 60.0
        )
    });
    format!("{days} from {from}{}", within.or(waits).unwrap_or_default())
}

/// Whether numbers or only their order mean something.
pub(super) fn trust(comparison: &Comparison) -> String {
    let validation = &comparison.validation;
    let (minutes, _) = forecast::units(comparison.dimension());
    if validation.passed {
        format!(
            "The replay can be trusted: {:.0} {minutes} were recorded, and {:.0} come out of it.",
            validation.recorded_violation_minutes, validation.replayed_violation_minutes
        )
    } else {
        format!("Only the order means something, because {}.", validation.why_not)
    }
}

/// What the cost is counted in.
pub(super) fn unit(comparison: &Comparison) -> String {
    let of = comparison.dimension();
    let (minute, fleet) = match of {
        ScalableDimension::ProvisionedConcurrency => ("a minute with requests beyond them", "those that are needed"),
        ScalableDimension::InstanceCount | ScalableDimension::CopyCount => ("a minute over the objective", "the fleet"),
    };
    format!("Cost: {}, {minute} counting as {} minutes of {fleet}; 1 is the first line.", of.units(), comparison.weight)
}

/// What is advised and how it was found, one fact each.
pub(super) fn facts(plan: &Plan, of: ScalableDimension) -> Vec<String> {
    let held = plan.hold_reason.map(|reason| format!("no change: {}", of.said(reason.text())));
    let because = plan.reasoning.iter().chain(&plan.advice).cloned();
    held.into_iter().chain(text::plan_lines(plan)).chain(because).collect()
}

/// The AWS CLI commands for what of the plan does not stand yet.
pub(super) fn commands(plan: &Plan) -> Vec<String> {
    let ScalingState { target, policies: standing, alarms, scheduled_actions } =
        plan.based_on.clone().unwrap_or_default();
    let range = plan.register_scalable_target.iter().filter(|range| !range.stands(target.as_ref()));
    let put = plan.put_scaling_policies.iter().filter(|policy| !policy.stands(&standing));
    let fired = plan.put_metric_alarms.iter().filter(|alarm| !alarm.stands(&alarms));
    let fired = fired.filter_map(|alarm| policies::alarm_command(plan, alarm));
    let timed = plan.put_scheduled_actions.iter().filter(|action| !action.stands(&scheduled_actions));
    let range = range.map(RegisterScalableTarget::command);
    let gone = plan.delete_scaling_policies.iter().filter(|policy| !policy.is_gone(&standing));
    let policies = put.map(policies::policy_command).chain(fired).chain(gone.map(policies::delete_command));
    range.chain(policies).chain(timed.map(text::schedule_command)).collect()
}

fn line(row: &Row, of: ScalableDimension) -> String {
    if let Some(reason) = &row.not_replayable {
        return format!("not replayed: {reason}");
    }
    let cost = row.relative_cost.map(|cost| format!("cost {cost:.2}")).unwrap_or_default();
    let changes = row.changes.map(|changes| format!(", {changes} changes of the {}", of.count())).unwrap_or_default();
    match &row.projection {
        Some(projection) => format!("{cost}: {}{changes}", forecast::projection(projection, of)),
        None => format!("{cost}{changes}"),
    }
}
