//! A comparison of scaling set-ups as one file for a browser: no script, nothing fetched.

use super::html::{escape, figures, page, write_figure};
use super::{comparison as text, forecast};
use crate::model::{Comparison, NotCompared};
use std::fmt::Write as _;

/// Renders comparisons, one after the other, and what could not be compared.
#[must_use]
pub fn render(comparisons: &[Comparison], not_compared: &[NotCompared]) -> String {
    let mut body = String::new();
    for comparison in comparisons {
        one(&mut body, comparison);
    }
    for left_out in not_compared {
        let _infallible = writeln!(body, "<p>{}</p>", escape(&left_out.to_string()));
    }
    page("Scaling set-ups replayed", &body)
}

fn one(out: &mut String, comparison: &Comparison) {
    let _infallible = writeln!(
        out,
        "<article>\n<header>\n<h1>{}</h1>\n<p>{}. {}</p>\n</header>",
        escape(&text::subject(comparison)),
        escape(&text::scope(comparison)),
        escape(&text::trust(comparison)),
    );
    let (minutes, hours) = forecast::units(comparison.dimension());
    let _infallible = writeln!(
        out,
        "<section>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Set-ups\">\n<table>\n<thead><tr><th \
         scope=\"col\">set-up</th><th scope=\"col\">cost</th><th scope=\"col\">{minutes}, {hours}</th><th \
         scope=\"col\">changes</th></tr></thead>\n<tbody>",
    );
    for row in &comparison.rows {
        let cost = row.relative_cost.map_or("–".to_owned(), |cost| format!("{cost:.2}"));
        let outcome = match (&row.not_replayable, &row.projection) {
            (Some(reason), _) => format!("not replayed: {reason}"),
            (None, Some(projection)) => forecast::projection(projection, comparison.dimension()),
            (None, None) => "–".to_owned(),
        };
        let changes = row.changes.map_or("–".to_owned(), |changes| changes.to_string());
        let _infallible = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{cost}</td><td>{}</td><td>{changes}</td></tr>",
            escape(&row.name),
            escape(&outcome)
        );
    }
    let _infallible =
        writeln!(out, "</tbody>\n</table>\n</div>\n<p>{}</p>\n</section>", escape(&text::unit(comparison)));
    out.push_str("<section>\n<div class=\"figures\">\n");
    for figure in figures::of_comparison(comparison) {
        write_figure(out, &figure);
    }
    out.push_str("</div>\n</section>\n</article>\n");
}
