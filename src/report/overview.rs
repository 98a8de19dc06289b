//! Several reports together, the worst first, and before them a line that names each.

use super::document::headline;
use crate::model::Report;
use std::cmp::Reverse;

/// Reports with what belongs to each, the worst first: what asks most of a person, then what is farthest over its objective.
#[must_use]
pub fn worst_first<'a, T>(reports: impl IntoIterator<Item = (&'a Report, T)>) -> Vec<(&'a Report, T)> {
    let mut sorted: Vec<(&Report, T)> = reports.into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| {
        let severity = |report: &Report| Reverse(report.severity());
        severity(a).cmp(&severity(b)).then_with(|| over(b).total_cmp(&over(a)))
    });
    sorted
}

/// How far latency is over what it is held against; 0 where that is not known.
fn over(report: &Report) -> f64 {
    let facts = || {
        let evidence = report.diagnosis.evidence.iter().map(|fact| (&fact.signal, fact.observed, fact.expected));
        evidence.chain(report.diagnosis.context.iter().map(|fact| (&fact.signal, fact.observed, fact.expected)))
    };
    let latency = facts().find(|(signal, ..)| *signal == "model_latency");
    // As evidence it is a ratio already.
    let to_limit = facts().find(|(signal, ..)| *signal == "latency_to_limit").and_then(|(_, observed, _)| observed);
    let ratio = latency.and_then(|(_, observed, expected)| Some(observed? / expected.filter(|limit| *limit > 0.0)?));
    ratio.or(to_limit).filter(|ratio| ratio.is_finite()).unwrap_or_default()
}

/// All reports, each rendered by `render`; of several, a line before them says which is how.
#[must_use]
pub fn render(reports: &[Report], render: fn(&Report) -> String) -> String {
    let sorted = worst_first(reports.iter().map(|report| (report, ())));
    let rendered: Vec<String> = sorted.iter().map(|(report, ())| render(report)).collect();
    if sorted.len() < 2 {
        return rendered.join("\n");
    }
    let headlines: Vec<String> = sorted.iter().map(|(report, ())| headline(report)).collect();
    format!("{}\n\n{}", headlines.join("; "), rendered.join("\n"))
}
