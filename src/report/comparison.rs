//! A comparison of scaling set-ups as plain text.

use super::{forecast, text};
use crate::model::{Comparison, Milliseconds, Row};
use std::fmt::Write as _;

/// Renders a table: one set-up a line.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut out = String::new();
    let part = comparison.variant_name.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    let objective = comparison.objective;
    let _infallible = writeln!(
        out,
        "{}{part}: {} days from {}, {} within {}\n",
        comparison.endpoint_name,
        comparison.days,
        comparison.from.strftime("%Y-%m-%d %H:%M UTC"),
        objective.slo_statistic,
        Milliseconds(objective.latency_slo_ms.0),
    );
    let validation = &comparison.validation;
    if validation.passed {
        let _infallible = writeln!(
            out,
            "The replay can be trusted: {:.0} minutes over the objective were recorded, and {:.0} come out of it.",
            validation.recorded_violation_minutes, validation.replayed_violation_minutes
        );
    } else {
        let _infallible = writeln!(out, "Only the order below means something, because {}.", validation.why_not);
    }
    let width = comparison.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in &comparison.rows {
        let _infallible = writeln!(out, "\n  {:width$}  {}", row.name, line(row));
    }
    if let Some(plan) = &comparison.advised {
        out.push_str("\nAdvised\n");
        let held = plan.hold_reason.map(|reason| format!("no change: {}", reason.text()));
        let facts = plan.reasoning.iter().chain(&plan.advice).cloned();
        for fact in held.into_iter().chain(text::plan_lines(plan)).chain(facts) {
            for line in textwrap::wrap(&fact, textwrap::Options::new(78).initial_indent("  ").subsequent_indent("  ")) {
                let _infallible = writeln!(out, "{line}");
            }
        }
    }
    let _infallible = writeln!(
        out,
        "\nCost: instances, a minute over the objective counting as {} minutes of the fleet; 1 is the first line.",
        comparison.weight
    );
    out
}

fn line(row: &Row) -> String {
    if let Some(reason) = &row.not_replayable {
        return format!("not replayed: {reason}");
    }
    let cost = row.relative_cost.map(|cost| format!("cost {cost:.2}")).unwrap_or_default();
    let changes = row.changes.map(|changes| format!(", {changes} changes of the instance count")).unwrap_or_default();
    match &row.projection {
        Some(projection) => format!("{cost}: {}{changes}", forecast::projection(projection)),
        None => format!("{cost}{changes}"),
    }
}
