//! The report on a terminal: the same text in colours, and charts of latency and load.

use super::text;
use crate::model::{Metric, Observation, Report, Severity, Statistic, Thousands};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use textplots::{Chart, LabelBuilder as _, LabelFormat, Plot as _, Shape, TickDisplay, TickDisplayBuilder as _};

/// As much as fits a chart and holds what led to an incident.
const MINUTES: i64 = 6 * 60;
/// In dots; a character is four of them high and two wide.
const HEIGHT: u32 = 32;
/// Columns that the labels right of a chart take.
const LABELS: u32 = 12;

/// The text of the report with ANSI colours: for whom it asks something in red, what speaks for the verdict in green, commands in
/// cyan.
#[must_use]
pub fn render(report: &Report) -> String {
    let headline = match report.severity() {
        Severity::ActionRequired => AnsiColor::Red,
        Severity::ActionTaken => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Green,
    };
    let bold = Style::new().bold();
    let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    let mut out = String::new();
    let mut is_after_blank = false;
    for (number, line) in text::render(report).lines().enumerate() {
        let is_title = is_after_blank && !line.starts_with([' ', '+', '-', '!']) && !line.contains(['.', ':']);
        let (style, marked) = match line {
            _ if number == 0 => (coloured(headline).bold(), line.len()),
            _ if is_title => (bold, line.len()),
            _ if line.starts_with("+ ") => (coloured(AnsiColor::Green), 1),
            _ if line.starts_with("- ") => (coloured(AnsiColor::Red), 1),
            _ if line.starts_with("! ") => (coloured(AnsiColor::Yellow), line.len()),
            _ if ["    aws ", "    endpoint-advisor "].iter().any(|start| line.starts_with(start)) => {
                (coloured(AnsiColor::Cyan), line.len())
            }
            _ => (Style::new(), 0),
        };
        let (marked, rest) = line.split_at_checked(marked).unwrap_or((line, ""));
        let _infallible = writeln!(out, "{style}{marked}{style:#}{rest}");
        is_after_blank = line.is_empty();
    }
    out
}

/// Charts of latency, with the objective, and of load over the last six hours, as wide as `columns`; what has no metric has no
/// chart.
#[must_use]
pub fn charts(observation: &Observation, columns: u16) -> String {
    let objective = observation.objective;
    let statistic = objective.map_or(Statistic::P90, |objective| objective.slo_statistic);
    let latency = points(observation, Metric::ModelLatency, statistic, 1e-3);
    let load = points(observation, Metric::InvocationsPerInstance, Statistic::Sum, 1.0);
    let limit = objective.map(|objective| objective.latency_slo_ms.0);
    let of_limit = limit.map(|limit| format!(", objective {} ms", Thousands(limit))).unwrap_or_default();
    let titles = [format!("ModelLatency {statistic}, ms{of_limit}"), "Invocations per instance and minute".to_owned()];
    let charts = [(latency, limit), (load, None)];
    let mut out = String::new();
    for (title, (points, limit)) in titles.iter().zip(charts) {
        if let Some(chart) = chart(&points, limit, columns) {
            let _infallible = write!(out, "\n{title}\n{chart}");
        }
    }
    if !out.is_empty() {
        let end = observation.at.strftime("%Y-%m-%d %H:%M UTC");
        let _infallible = writeln!(out, "\nThe last {} hours, to {end}.", MINUTES / 60);
    }
    out
}

/// Minutes before the end, and values.
fn points(observation: &Observation, metric: Metric, statistic: Statistic, factor: f64) -> Vec<(f32, f32)> {
    let end = observation.last_minute();
    let series = observation.metrics.series(metric, statistic);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a dot of a chart")]
    let point = |before: i64| {
        let value = series?.at(end.plus(-before))? * factor;
        Some((-(before as f32), value as f32))
    };
    (0..MINUTES).rev().filter_map(point).collect()
}

fn chart(points: &[(f32, f32)], limit: Option<f64>, columns: u16) -> Option<String> {
    let highest = points.iter().map(|(_, value)| *value).fold(0.0_f32, f32::max);
    #[expect(clippy::cast_possible_truncation, reason = "a dot of a chart")]
    let limit = limit.map(|limit| limit as f32);
    let top = highest.max(limit.unwrap_or(0.0)) * 1.05;
    if points.len() < 2 || top <= 0.0 {
        return None;
    }
    let width = u32::from(columns).saturating_sub(LABELS).clamp(20, 120) * 2;
    #[expect(clippy::cast_precision_loss, reason = "a dot of a chart")]
    let start = -(MINUTES as f32);
    let line = limit.map(|limit| [(start, limit), (0.0, limit)]);
    let (values, objective) = (Shape::Lines(points), line.as_ref().map(|line| Shape::Lines(line)));
    let mut chart = Chart::new_with_y_range(width, HEIGHT, start, 0.0, 0.0, top);
    let chart = chart
        .y_tick_display(TickDisplay::Sparse)
        .y_label_format(LabelFormat::Custom(Box::new(|value| Thousands(f64::from(value.round())).to_string())))
        .x_label_format(LabelFormat::Custom(Box::new(|minutes| {
            if minutes < 0.0 { format!("{:.0} h", minutes / 60.0) } else { "now".to_owned() }
        })));
    let chart = chart.lineplot(&values);
    let chart = match &objective {
        Some(objective) => chart.lineplot(objective),
        None => chart,
    };
    chart.axis();
    chart.figures();
    let text = chart.to_string();
    // A dot pattern without dots is a blank too.
    let blank = |c: char| c.is_whitespace() || c == '\u{2800}';
    Some(text.lines().map(|line| format!("{}\n", line.trim_end_matches(blank))).collect())
}
