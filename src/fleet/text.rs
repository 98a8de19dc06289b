//! A summary as plain text in 78 columns: the e-mail.

use super::headroom::Headroom;
use super::summary::{Summary, usd};
use crate::doctor::Finding;
use crate::doctor::text::{line, list_of, wrapped};
use crate::model::Thousands;

/// Findings that are told whole: who wants the rest asks the tool.
const TOLD: usize = 15;

/// Renders the summary: the worst first, then who runs out of room, what could be saved, what is missing, what it cost.
#[must_use]
pub fn render(summary: &Summary) -> String {
    let mut out = String::new();
    wrapped(&mut out, "", "", &headline(summary));
    line(&mut out, &format!("  {}", summary.at.strftime("%Y-%m-%d %H:%M UTC")));
    if !summary.worst.is_empty() {
        section(&mut out, "What is wrong, the worst first");
        summary.worst.iter().take(TOLD).for_each(|finding| one(&mut out, finding));
        if let Some(more) = more(summary) {
            wrapped(&mut out, "  ", "  ", &more);
        }
    }
    out.push_str(&rooms(&summary.headroom));
    if let Some(saving) = saving(summary) {
        section(&mut out, "What it could cost less");
        wrapped(&mut out, "  ", "  ", &saving);
    }
    let missing = missing(summary);
    if !missing.is_empty() {
        section(&mut out, "What is not in here");
        missing.iter().for_each(|text| wrapped(&mut out, "! ", "  ", text));
    }
    section(&mut out, "What this audit took");
    wrapped(&mut out, "  ", "  ", &cost(summary.calls, summary.metrics, summary.in_depth));
    wrapped(&mut out, "  ", "  ", "One endpoint in full, with commands: endpoint-advisor doctor ENDPOINT");
    out
}

/// `5,000 endpoints: 12 high, 40 medium, 300 low findings; 3 run out of room within four weeks`.
#[must_use]
pub fn headline(summary: &Summary) -> String {
    let findings = summary.findings;
    let at_risk = match summary.at_risk {
        0 => String::new(),
        1 => "; 1 runs out of room within four weeks".to_owned(),
        several => format!("; {} run out of room within four weeks", Thousands(several.into())),
    };
    format!(
        "{}: {} high, {} medium, {} low findings{at_risk}",
        counted(summary.endpoints, "endpoint"),
        Thousands(findings.high.into()),
        Thousands(findings.medium.into()),
        Thousands(findings.low.into())
    )
}

/// Who runs out of room first; empty where that is not known of anybody.
#[must_use]
pub fn rooms(headroom: &[Headroom]) -> String {
    let mut out = String::new();
    if !headroom.is_empty() {
        section(&mut out, "Who runs out of room first, as far as minutes were read");
        headroom.iter().for_each(|headroom| wrapped(&mut out, "- ", "  ", &room(headroom)));
    }
    out
}

/// What looking at all of them took.
#[must_use]
pub fn spent(calls: u64, metrics: u64, in_depth: u32) -> String {
    let mut out = String::from("\n");
    wrapped(&mut out, "", "", &cost(calls, metrics, in_depth));
    out
}

fn counted(count: u32, what: &str) -> String {
    format!("{} {what}{}", Thousands(count.into()), if count == 1 { "" } else { "s" })
}

fn section(out: &mut String, title: &str) {
    out.push('\n');
    line(out, title);
}

fn one(out: &mut String, finding: &Finding) {
    let Finding { rule, severity, subject, title, evidence, fix, .. } = finding;
    wrapped(out, "- ", "  ", &format!("{rule} {severity}  {subject}: {title}. {evidence}"));
    wrapped(out, "  -> ", "     ", fix);
}

/// How many there are beyond those that are told, by their rules.
fn more(summary: &Summary) -> Option<String> {
    let all = summary.findings.high + summary.findings.medium + summary.findings.low;
    let told = u32::try_from(summary.worst.len().min(TOLD)).unwrap_or(u32::MAX);
    let rest = all.checked_sub(told).filter(|rest| *rest > 0)?;
    let mut rules: Vec<(&String, &u32)> = summary.by_rule.iter().collect();
    rules.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
    let rules: Vec<String> =
        rules.into_iter().map(|(rule, count)| format!("{rule} {}", Thousands((*count).into()))).collect();
    Some(format!("and {} more. Of each rule: {}.", Thousands(rest.into()), rules.join(", ")))
}

/// `orders/AllTraffic: now. Its busiest minutes bring 9,800 invocations; 8 instances carry 9,600 within the objective`.
#[must_use]
pub fn room(headroom: &Headroom) -> String {
    let when = match headroom.weeks {
        Some(0.0) => "now. ".to_owned(),
        Some(weeks) if weeks < 1.5 => "within about a week. ".to_owned(),
        Some(weeks) => format!("in about {weeks:.0} weeks. "),
        None => String::new(),
    };
    let growth = headroom.growth_per_week.map_or(String::new(), |growth| {
        let percent = 100.0 * (growth - 1.0);
        if percent.abs() < 0.5 { ", and do not grow".to_owned() } else { format!(", {percent:+.0} % a week") }
    });
    let least = if headroom.is_at_least { "at least " } else { "" };
    let instances = if headroom.instances.0 == 1 { "instance carries" } else { "instances carry" };
    format!(
        "{}: {when}Its busiest minutes bring {} invocations{growth}; {} {instances} {least}{} within the objective ({:.0} % used)",
        headroom.subject,
        Thousands(headroom.peak.0.round()),
        headroom.instances,
        Thousands(headroom.carries.0.round()),
        100.0 * headroom.used(),
    )
}

fn saving(summary: &Summary) -> Option<String> {
    let instances = counted(Some(summary.saving_instances).filter(|count| *count > 0)?, "instance");
    let usd = (summary.saving_usd_per_hour > 0.0).then(|| {
        let usd = summary.saving_usd_per_hour;
        format!(
            ", {usd:.2} USD per hour at public on-demand prices{}, {} USD a month",
            list_of(summary.price_list_published),
            Thousands((usd * HOURS_A_MONTH).round())
        )
    });
    Some(format!("{instances} fewer{}.", usd.unwrap_or_default()))
}

/// A twelfth of 365 days.
const HOURS_A_MONTH: f64 = 730.0;

fn missing(summary: &Summary) -> Vec<String> {
    let mut missing = Vec::new();
    if summary.missing_batches > 0 {
        missing.push(format!(
            "Nothing was heard of {} of the audit: the dead-letter queue of the advisor has why.",
            counted(summary.missing_batches, "part")
        ));
    }
    if summary.not_in_depth > 0 {
        missing.push(format!(
            "{} deserved a look at single minutes, and there was no time for it.",
            counted(summary.not_in_depth, "endpoint")
        ));
    }
    if summary.not_examined > 0 {
        missing.push(format!("{} could not be read:", counted(summary.not_examined, "endpoint")));
        missing.extend(summary.not_examined_why.iter().map(|one| format!("{}: {}", one.subject, one.why)));
    }
    missing.extend(summary.warnings.iter().cloned());
    if summary.ignored > 0 {
        missing.push(format!("{} silenced by tags of their endpoints.", counted(summary.ignored, "finding")));
    }
    missing
}

fn cost(calls: u64, metrics: u64, in_depth: u32) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let (calls, requested) = (calls as f64, metrics as f64);
    format!(
        "{} calls to AWS; {} metrics requested of CloudWatch, {:.2} USD at its list price. Of {} single minutes were read.",
        Thousands(calls),
        Thousands(requested),
        usd(metrics),
        counted(in_depth, "variant")
    )
}
