//! What an examination says.

use crate::model::EndpointName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// How much a finding matters. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Scaling or alarm do not do what they are there for.
    High,
    /// They will not in a case that comes: a deployment, a busier day, an instance that is lost.
    Medium,
    /// It costs something, or misleads who reads it.
    Low,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

/// One rule that is broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's number, as `EA001`. A number never means another rule.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// The endpoint; none for what is left of one that is gone.
    pub endpoint_name: Option<EndpointName>,
    /// The endpoint and its variant or component, as `orders/AllTraffic`; else what it is about.
    pub subject: String,
    /// What is wrong, one clause.
    pub title: String,
    /// Why that matters.
    pub why: String,
    /// What shows it, with its numbers.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// Commands that do it, or show more; each to be pasted into a shell. Empty where there is none.
    pub commands: Vec<String>,
    /// Instances, copies or units fewer, where it costs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving_instances: Option<u32>,
    /// What they cost, where the price is known; public on-demand prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving_usd_per_hour: Option<f64>,
    /// When the price list that has it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list_published: Option<Timestamp>,
}

/// Something that was not read, or not understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Of whom.
    pub subject: String,
    /// What, in words.
    pub what: String,
    /// The rules that say nothing for that, or less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// An endpoint that could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotExamined {
    /// Its name.
    pub subject: String,
    /// Why not.
    pub why: String,
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkup {
    /// Version of this format: `1`.
    pub version: String,
    /// Endpoints that were examined.
    pub endpoints: u32,
    /// What is wrong, the worst endpoint first.
    pub findings: Vec<Finding>,
    /// Findings that a tag of their endpoint silences.
    pub ignored: u32,
    /// What was not read, and so not judged.
    pub not_read: Vec<Gap>,
    /// Endpoints that could not be read at all.
    pub not_examined: Vec<NotExamined>,
}

impl Default for Checkup {
    fn default() -> Self {
        Self {
            version: "1".to_owned(),
            endpoints: 0,
            findings: Vec::new(),
            ignored: 0,
            not_read: Vec::new(),
            not_examined: Vec::new(),
        }
    }
}

impl Checkup {
    /// Takes what another batch of endpoints says.
    pub fn add(&mut self, other: Self) {
        self.endpoints = self.endpoints.saturating_add(other.endpoints);
        self.ignored = self.ignored.saturating_add(other.ignored);
        self.findings.extend(other.findings);
        self.not_read.extend(other.not_read);
        self.not_examined.extend(other.not_examined);
    }

    /// The same with the endpoints in the order in which somebody should look at them: that with the most severe finding first,
    /// then that with more of them; and the worst of each endpoint first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let mut findings = std::mem::take(&mut self.findings);
        let mut counts: BTreeMap<Option<EndpointName>, [usize; 3]> = BTreeMap::new();
        for finding in &findings {
            let [high, medium, low] = counts.entry(finding.endpoint_name.clone()).or_default();
            *match finding.severity {
                Severity::High => high,
                Severity::Medium => medium,
                Severity::Low => low,
            } += 1;
        }
        let rank = |finding: &Finding| {
            let counts = counts.get(&finding.endpoint_name).copied().unwrap_or_default();
            (finding.endpoint_name.is_none(), Reverse(counts))
        };
        findings.sort_by(|a, b| {
            let worst = rank(a).cmp(&rank(b)).then_with(|| a.endpoint_name.cmp(&b.endpoint_name));
            let order = |finding: &Finding| (finding.severity, finding.rule.clone(), finding.subject.clone());
            worst.then_with(|| order(a).cmp(&order(b))).then_with(|| a.evidence.cmp(&b.evidence))
        });
        self.findings = findings;
        self.not_read.sort();
        self.not_read.dedup();
        self.not_examined.sort();
        self
    }

    /// The same with only the findings that matter so much.
    #[must_use]
    pub fn at_least(mut self, severity: Severity) -> Self {
        self.findings.retain(|finding| finding.severity <= severity);
        self
    }

    /// Findings of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
