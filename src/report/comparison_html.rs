//! A comparison of scaling set-ups as one file for a browser: no script, nothing fetched.

use super::{comparison as text, forecast};
use crate::model::{Comparison, NotCompared, Row, Thousands};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 120.0;
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1a1a1a;\
background:#fff}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px \
solid #ccc}svg{width:100%;height:auto;background:#f6f6f6}figure{margin:1.2rem 0}figcaption{color:#444}.load{fill:none;stroke:\
#0b62a4;stroke-width:1.5}.count{fill:none;stroke:#b3450b;stroke-width:1.5}@media(prefers-color-scheme:dark){body{color:#e8e8e8;\
background:#161616}svg{background:#222}figcaption{color:#bbb}.load{stroke:#6db3f2}.count{stroke:#f2a36d}}";

/// Renders comparisons, one after the other, and what could not be compared.
#[must_use]
pub fn render(comparisons: &[Comparison], not_compared: &[NotCompared]) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Scaling set-ups replayed</title><style>{STYLE}</style><body>\n"
    );
    for comparison in comparisons {
        one(&mut out, comparison);
    }
    for left_out in not_compared {
        let _infallible = writeln!(out, "<p>{}</p>", escape(&left_out.to_string()));
    }
    out.push_str("</body></html>\n");
    out
}

fn one(out: &mut String, comparison: &Comparison) {
    let _infallible = writeln!(
        out,
        "<h1>{}</h1><p>{}. {}</p>",
        text::subject(comparison),
        text::scope(comparison),
        escape(&text::trust(comparison)),
    );
    let of = comparison.dimension();
    let hours = of.said("instance-hours");
    let _infallible = writeln!(out, "<table><tr><th>set-up<th>cost<th>over the objective, {hours}<th>changes</tr>");
    for row in &comparison.rows {
        let cost = row.relative_cost.map_or("–".to_owned(), |cost| format!("{cost:.2}"));
        let outcome = match (&row.not_replayable, &row.projection) {
            (Some(reason), _) => format!("not replayed: {reason}"),
            (None, Some(projection)) => of.said(&forecast::projection(projection)),
            (None, None) => "–".to_owned(),
        };
        let changes = row.changes.map_or("–".to_owned(), |changes| changes.to_string());
        let _infallible =
            writeln!(out, "<tr><td>{}<td>{cost}<td>{}<td>{changes}</tr>", escape(&row.name), escape(&outcome));
    }
    let _infallible = writeln!(out, "</table><p>{}</p>", text::unit(comparison));
    let most = comparison.load.iter().flatten().copied().fold(0.0, f64::max);
    figure(out, "load", &format!("Requests per minute, up to {}", Thousands(most.round())), &comparison.load, most);
    let most = comparison.rows.iter().flat_map(|row| &row.instances).copied().fold(1.0, f64::max);
    for row in comparison.rows.iter().filter(|row| !row.instances.is_empty()) {
        counts(out, row, most, &of.said("Instances"));
    }
}

fn counts(out: &mut String, row: &Row, most: f64, units: &str) {
    let values: Vec<Option<f64>> = row.instances.iter().copied().map(Some).collect();
    figure(out, "count", &format!("{units}, {}: up to {}", row.name, Thousands(most.ceil())), &values, most);
}

/// A line over time, with gaps where nothing is known.
fn figure(out: &mut String, class: &str, caption: &str, values: &[Option<f64>], most: f64) {
    let mut path = String::new();
    let mut is_drawing = false;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred slots")]
    let step = WIDTH / values.len().max(1) as f64;
    let mut x = 0.0;
    for value in values {
        match value {
            Some(value) => {
                let y = HEIGHT - (value / most.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) * (HEIGHT - 8.0) - 2.0;
                let _infallible = write!(path, "{}{x:.1} {y:.1}", if is_drawing { 'L' } else { 'M' });
                is_drawing = true;
            }
            None => is_drawing = false,
        }
        x += step;
    }
    let caption = escape(caption);
    let _infallible = writeln!(
        out,
        "<figure><figcaption>{caption}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{caption}\"><path class=\"{class}\" d=\"{path}\"/></svg></figure>"
    );
}

/// Names come from outside.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
