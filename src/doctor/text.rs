//! A checkup as plain text in 78 columns: by endpoint, the worst first.

use super::finding::{Checkup, Finding, Gap, Severity};
use crate::model::Thousands;
use jiff::Timestamp;
use std::collections::BTreeMap;
use textwrap::{WordSeparator, WordSplitter};

const COLUMNS: usize = 78;
/// Subjects that are named where many share what was not read.
const NAMED: usize = 3;

/// Renders the checkup.
#[must_use]
pub fn render(checkup: &Checkup) -> String {
    let mut out = String::new();
    let mut endpoint = None;
    for finding in &checkup.findings {
        if endpoint != Some(&finding.endpoint_name) {
            let name =
                finding.endpoint_name.as_ref().map_or("What is left of endpoints that are gone", |name| name.as_str());
            line(&mut out, name);
            endpoint = Some(&finding.endpoint_name);
        }
        one(&mut out, finding);
        out.push('\n');
    }
    let failed = checkup.not_examined.iter().map(|one| format!("{}: {}", one.subject, one.why));
    list(&mut out, "Could not be examined", failed);
    list(&mut out, "Not read: not judged, or only in part", grouped(&checkup.not_read).into_iter());
    line(&mut out, &summary(checkup));
    out
}

/// `3 endpoints: 1 high, 2 medium, 0 low; 2 ignored by tag; up to 1.15 USD per hour less`.
#[must_use]
pub fn summary(checkup: &Checkup) -> String {
    let endpoints = if checkup.endpoints == 1 { "endpoint" } else { "endpoints" };
    let counts = [Severity::High, Severity::Medium, Severity::Low]
        .map(|severity| format!("{} {severity}", checkup.count(severity)))
        .join(", ");
    let ignored = if checkup.ignored > 0 { format!("; {} ignored by tag", checkup.ignored) } else { String::new() };
    let usd: f64 = checkup.findings.iter().filter_map(|finding| finding.saving_usd_per_hour).sum();
    let saving = if usd > 0.0 { format!("; up to {usd:.2} USD per hour less") } else { String::new() };
    format!("{} {endpoints}: {counts}{ignored}{saving}", checkup.endpoints)
}

/// What it costs, in words: `That is 4 fewer, 1.15 USD per hour at public on-demand prices.`
pub(super) fn saving(finding: &Finding) -> Option<String> {
    let count = finding.saving_instances?;
    let usd = finding.saving_usd_per_hour.map(|usd| {
        format!(", {usd:.2} USD per hour at public on-demand prices{}", list_of(finding.price_list_published))
    });
    Some(format!("That is {} fewer{}.", Thousands(f64::from(count)), usd.unwrap_or_default()))
}

/// ` (AWS Price List of 2026-10-01)`; empty where the list does not say of when it is.
pub(crate) fn list_of(published: Option<Timestamp>) -> String {
    published.map(|at| format!(" (AWS Price List of {})", at.strftime("%Y-%m-%d"))).unwrap_or_default()
}

/// What was not read, once for all whom it was not read of.
pub(super) fn grouped(gaps: &[Gap]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &[String]), Vec<&str>> = BTreeMap::new();
    for gap in gaps {
        groups.entry((&gap.what, &gap.rules)).or_default().push(&gap.subject);
    }
    let words = groups.into_iter().map(|((what, rules), subjects)| {
        let rules = if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
        let mut named = subjects.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        if subjects.len() > NAMED {
            named.push_str(&format!(" and {} more", subjects.len() - NAMED));
        }
        format!("{named}: {what}{rules}")
    });
    words.collect()
}

fn one(out: &mut String, finding: &Finding) {
    wrapped(
        out,
        "  ",
        "    ",
        &format!("{} {}  {}: {}", finding.rule, finding.severity, finding.subject, finding.title),
    );
    wrapped(out, "    ", "    ", &finding.evidence);
    wrapped(out, "    ", "    ", &finding.why);
    let saving = saving(finding).map(|saving| format!(" {saving}")).unwrap_or_default();
    wrapped(out, "    -> ", "       ", &format!("{}{saving}", finding.fix));
    // Commands stay whole: a broken line cannot be pasted.
    finding.commands.iter().for_each(|command| line(out, &format!("       {command}")));
}

fn list(out: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut is_first = true;
    for item in items {
        if std::mem::take(&mut is_first) {
            line(out, title);
        }
        wrapped(out, "- ", "  ", &item);
    }
    if !is_first {
        out.push('\n');
    }
}

pub(crate) fn wrapped(out: &mut String, first: &str, rest: &str, text: &str) {
    let options = textwrap::Options::new(COLUMNS).initial_indent(first).subsequent_indent(rest).break_words(false);
    let options = options.word_splitter(WordSplitter::NoHyphenation).word_separator(WordSeparator::AsciiSpace);
    textwrap::wrap(&inert(text), options).iter().for_each(|wrapped| line(out, wrapped));
}

pub(crate) fn line(out: &mut String, text: &str) {
    out.push_str(&inert(text));
    out.push('\n');
}

/// Names from outside move no cursor, and begin no line.
fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
