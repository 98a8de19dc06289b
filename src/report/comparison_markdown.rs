//! A comparison of scaling set-ups as Markdown: for an issue, a pull request or a wiki.

use super::comparison as text;
use super::forecast;
use super::text::split_command;
use crate::model::{Comparison, Row, Thousands};
use std::fmt::Write as _;

/// Renders a table, what is advised, and its commands in a block that can be pasted.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let mut out = format!("## {}\n\n", text::subject(comparison));
    let _infallible = writeln!(out, "{}. {}\n", text::scope(comparison), escape(&text::trust(comparison)));
    let (minutes, hours) = forecast::units(comparison.dimension());
    let _infallible = writeln!(out, "| set-up | cost | {minutes} | {hours} | USD | changes |");
    out.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for row in &comparison.rows {
        let _infallible = writeln!(out, "| {} | {} |", escape(&row.name), cells(row).join(" | "));
    }
    let _infallible = writeln!(out, "\n{}", text::unit(comparison));
    for row in &comparison.rows {
        if let Some(reason) = &row.not_replayable {
            let _infallible = writeln!(out, "\n{} is not replayed: {}.", escape(&row.name), escape(reason));
        }
    }
    if let Some(plan) = &comparison.advised {
        out.push_str("\n### Advised\n\n");
        for fact in text::facts(plan, comparison.dimension()) {
            let _infallible = match split_command(&fact) {
                Some((words, command)) => writeln!(out, "- {}\n\n  ```sh\n  {command}\n  ```\n", escape(words)),
                None => writeln!(out, "- {}", escape(&fact)),
            };
        }
        let commands = text::commands(plan);
        if !commands.is_empty() {
            let _infallible = writeln!(out, "\n```sh\n{}\n```", commands.join("\n"));
        }
    }
    out
}

/// Cost, minutes over the objective, instance-hours, USD and changes; a dash where something is not known.
fn cells(row: &Row) -> Vec<String> {
    let whole = |value: f64| Thousands(value.round());
    let range = |value: f64, (low, high): (f64, f64)| format!("{} ({} to {})", whole(value), whole(low), whole(high));
    let projection = row.projection.as_ref();
    [
        row.relative_cost.map(|cost| format!("{cost:.2}")),
        projection.map(|it| range(it.slo_violation_minutes, it.slo_violation_minutes_range)),
        projection.map(|it| range(it.instance_hours, it.instance_hours_range)),
        projection.and_then(|it| it.usd).map(|usd| format!("{usd:.2}")),
        row.changes.map(|changes| changes.to_string()),
    ]
    .into_iter()
    .map(|cell| cell.unwrap_or_else(|| "–".to_owned()))
    .collect()
}

/// Names and words from outside, so that none of them becomes a column, a link or a tag.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '[' | ']' | '*' | '_' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
