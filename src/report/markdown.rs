//! The report as Markdown: for an issue, a pull request or a wiki. It says what the text says, in the same order.

use super::comparison_markdown::escape;
use super::document::{Document, Item, Mark, Section};
use super::text::split_command;
use crate::model::Report;
use std::fmt::Write as _;

/// Renders the report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut out = words(&Document::of(report));
    let links = &report.links;
    let _infallible = write!(
        out,
        "\n### Where to look\n\n- [the endpoint]({})\n- [latency and load]({})\n",
        target(&links.console),
        target(&links.graph)
    );
    out
}

/// Headline, lines and sections.
#[must_use]
pub fn words(document: &Document) -> String {
    let mut out = format!("## {}\n", escape(&document.headline));
    for line in &document.lines {
        let _infallible = write!(out, "\n{}  ", escape(line));
    }
    out.push('\n');
    for Section { title, items } in &document.sections {
        out.push('\n');
        if let Some(title) = title {
            let _infallible = writeln!(out, "### {title}\n");
        }
        for item in items {
            fact(&mut out, item);
        }
    }
    out
}

fn fact(out: &mut String, item: &Item) {
    let mark = match item.mark {
        Mark::Sentence => "",
        Mark::Fact => "- ",
        Mark::For => "- **for:** ",
        Mark::Against => "- **against:** ",
        Mark::Step => "1. ",
        Mark::Warning => "- **!** ",
    };
    let _infallible = match split_command(&item.text) {
        Some((words, command)) => {
            let indent = " ".repeat(mark.chars().take_while(|c| *c != ' ').count() + 1);
            writeln!(out, "{mark}{}\n\n{indent}```sh\n{indent}{command}\n{indent}```", escape(words))
        }
        None => writeln!(out, "{mark}{}", escape(&item.text)),
    };
}

/// Parentheses would end a link.
fn target(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29")
}
