//! The report as one file for a browser: no script, nothing fetched, light and dark, fit for paper.
//!
//! It says what the text says, in the same order, and shows what words cannot: latency and load over the last day, latency
//! over load with the curve behind the numbers, and the instances of the present set-up beside those of the plan.

mod chart;
pub(super) mod figures;
mod waiting;

use super::document::{Document, Item, Mark, Section};
use super::text::split_command;
use crate::model::{Comparison, Evidence, Observation, Report, Thousands};
use figures::Figure;
use std::fmt::Write as _;

const STYLE: &str = include_str!("html/style.css");

/// A report with what it was made of.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The report.
    pub report: &'a Report,
    /// What it was made from.
    pub observation: &'a Observation,
    /// The present set-up and the plan, replayed; none where there is nothing to replay.
    pub replay: Option<&'a Comparison>,
}

/// Renders reports, one after the other.
#[must_use]
pub fn render(pages: &[Page<'_>]) -> String {
    let title = match pages {
        [page] => format!("{} · Endpoint Advisor", super::document::headline(page.report)),
        _ => "Endpoint Advisor".to_owned(),
    };
    let mut body = String::new();
    for page in pages {
        article(&mut body, page);
    }
    page(&title, &body)
}

/// A whole file.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn article(out: &mut String, page: &Page<'_>) {
    let document = Document::of(page.report);
    let severity = page.report.severity().name();
    let _infallible = write!(
        out,
        "<article>\n<header class=\"{severity}\">\n<h1>{}</h1>\n<p>{}</p>\n</header>\n",
        escape(&document.headline),
        document.lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br>\n")
    );
    for part in &document.sections {
        section(out, part);
    }
    let figures = figures::all(page);
    if !figures.is_empty() {
        out.push_str("<section>\n<h2>In pictures</h2>\n<div class=\"figures\">\n");
        for figure in figures {
            write_figure(out, &figure);
        }
        out.push_str("</div>\n</section>\n");
    }
    evidence(out, &page.report.diagnosis.evidence);
    let links = &page.report.links;
    let _infallible = write!(
        out,
        "<section>\n<h2>Where to look</h2>\n<ul>\n<li><a href=\"{}\">The endpoint in the AWS console</a></li>\n<li><a \
         href=\"{}\">Latency and load in CloudWatch</a></li>\n</ul>\n</section>\n",
        escape(&links.console),
        escape(&links.graph)
    );
    let raw = serde_json::to_string_pretty(page.report).unwrap_or_default();
    let _infallible = write!(
        out,
        "<details>\n<summary>The report as JSON</summary>\n<pre tabindex=\"0\">{}</pre>\n</details>\n</article>\n",
        escape(&raw)
    );
}

pub(super) fn write_figure(out: &mut String, figure: &Figure) {
    let _infallible = write!(
        out,
        "<figure>\n<figcaption><strong>{}</strong> {}</figcaption>\n{}\n</figure>\n",
        escape(&figure.title),
        escape(&figure.caption),
        figure.svg
    );
}

fn section(out: &mut String, Section { title, items }: &Section) {
    out.push_str("<section>\n");
    if let Some(title) = title {
        let _infallible = writeln!(out, "<h2>{}</h2>", escape(title));
    }
    let is_list = items.iter().any(|item| item.mark != Mark::Sentence);
    let is_ordered = items.iter().any(|item| item.mark == Mark::Step);
    if is_list {
        out.push_str(if is_ordered { "<ol>\n" } else { "<ul>\n" });
    }
    for item in items {
        fact(out, item);
    }
    if is_list {
        out.push_str(if is_ordered { "</ol>\n" } else { "</ul>\n" });
    }
    out.push_str("</section>\n");
}

fn fact(out: &mut String, item: &Item) {
    let words = match split_command(&item.text) {
        Some((words, command)) => {
            format!("{}<pre tabindex=\"0\"><code>{}</code></pre>", escape(words), escape(command))
        }
        None => escape(&item.text),
    };
    let _infallible = match item.mark {
        Mark::Sentence => writeln!(out, "<p class=\"summary\">{words}</p>"),
        Mark::Fact | Mark::Step => writeln!(out, "<li>{words}</li>"),
        Mark::For => writeln!(out, "<li class=\"for\"><span class=\"mark\">for:</span> {words}</li>"),
        Mark::Against => writeln!(out, "<li class=\"against\"><span class=\"mark\">against:</span> {words}</li>"),
        Mark::Warning => writeln!(out, "<li class=\"warning\">{words}</li>"),
    };
}

/// Every number that carries the verdict.
fn evidence(out: &mut String, evidence: &[Evidence]) {
    if evidence.is_empty() {
        return;
    }
    out.push_str(
        "<section>\n<h2>Evidence</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Evidence\">\n<table>\n\
         <thead><tr><th scope=\"col\">signal</th><th scope=\"col\">observed</th><th scope=\"col\">normal</th><th \
         scope=\"col\">unit</th><th scope=\"col\">speaks</th></tr></thead>\n<tbody>\n",
    );
    for fact in evidence {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), number);
        let _infallible = writeln!(
            out,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&fact.signal),
            number(fact.observed),
            number(fact.expected),
            escape(&fact.unit),
            if fact.supports { "for" } else { "against" }
        );
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

/// Three digits of a small number, none after the point of a large one.
fn number(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { Thousands(value.round()).to_string() }
}

/// Names and words come from outside: none becomes markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
