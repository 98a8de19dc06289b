//! A checkup as Markdown, for an issue or a wiki. It says what the text says.

use super::finding::Checkup;
use super::text::{grouped, saving, summary};
use crate::report::comparison_markdown::escape;
use std::fmt::Write as _;

/// Renders the checkup.
#[must_use]
pub fn render(checkup: &Checkup) -> String {
    let mut out = format!("{}\n", escape(&summary(checkup)));
    let mut endpoint = None;
    for finding in &checkup.findings {
        if endpoint != Some(&finding.endpoint_name) {
            let name =
                finding.endpoint_name.as_ref().map_or("What is left of endpoints that are gone", |name| name.as_str());
            let _infallible = write!(out, "\n## {}\n", escape(name));
            endpoint = Some(&finding.endpoint_name);
        }
        let _infallible = write!(
            out,
            "\n- **{} {}** {}: {}  \n  {}  \n  {}  \n  {}{}\n",
            finding.rule,
            finding.severity,
            escape(&finding.subject),
            escape(&finding.title),
            escape(&finding.evidence),
            escape(&finding.why),
            escape(&finding.fix),
            saving(finding).map(|saving| format!(" {saving}")).unwrap_or_default()
        );
        for command in &finding.commands {
            // A fence longer than any run of backticks within.
            let longest = command.split(|c| c != '`').map(str::len).max().unwrap_or_default();
            let fence = "`".repeat(longest.max(2) + 1);
            let command: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _infallible = write!(out, "\n  {fence}sh\n  {command}\n  {fence}\n");
        }
    }
    let failed = checkup.not_examined.iter().map(|one| format!("{}: {}", one.subject, one.why)).collect();
    for (title, items) in
        [("Could not be examined", failed), ("Not read: not judged, or only in part", grouped(&checkup.not_read))]
    {
        if !items.is_empty() {
            let _infallible = write!(out, "\n## {title}\n\n");
        }
        for item in items {
            let _infallible = writeln!(out, "- {}", escape(&item));
        }
    }
    out
}
