//! What an audit says of a whole fleet, small however large that is.

use super::headroom::Headroom;
use crate::doctor::{Checkup, Finding, NotExamined, Severity};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Findings that are kept whole; of the others their number. So many are more than anybody reads in a message, and fit into one.
const MOST_FINDINGS: usize = 40;
/// The same of headroom, and of what could not be read.
const MOST_OTHERS: usize = 20;
/// Who crosses its capacity within this many weeks counts as at risk: an instance quota, or a better model, takes that long.
const SOON_WEEKS: f64 = 4.0;
/// CloudWatch takes this for a metric requested by `GetMetricData`, in US dollars: 0.01 for a thousand, its list price in us-east-1,
/// whatever the resolution; up to five statistics of one metric count once.
const USD_PER_METRIC: f64 = 0.01 / 1_000.0;

/// Findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Severities {
    /// Of [`Severity::High`].
    pub high: u32,
    /// Of [`Severity::Medium`].
    pub medium: u32,
    /// Of [`Severity::Low`].
    pub low: u32,
}

/// The earlier of two times, where there are two.
fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

/// The whole of an audit, or of one batch of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this format: `1`.
    pub version: String,
    /// The end of the observed window.
    pub at: Timestamp,
    /// Endpoints that were looked at.
    pub endpoints: u32,
    /// Variants and components whose single minutes were read.
    pub in_depth: u32,
    /// Those that deserved it, and for which there was no time.
    pub not_in_depth: u32,
    /// How many findings there are.
    pub findings: Severities,
    /// How many there are of each rule.
    pub by_rule: BTreeMap<String, u32>,
    /// Findings that a tag of their endpoint silences.
    pub ignored: u32,
    /// The worst findings, at most 40.
    pub worst: Vec<Finding>,
    /// Who runs out of room first, at most 20.
    pub headroom: Vec<Headroom>,
    /// Those that are over what they carry within four weeks, at their present growth.
    pub at_risk: u32,
    /// Instances, copies or units fewer, were every finding that names some mended.
    pub saving_instances: u32,
    /// What they cost, as far as their price is known.
    pub saving_usd_per_hour: f64,
    /// When the oldest of the price lists that have them was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list_published: Option<Timestamp>,
    /// Endpoints that could not be read at all.
    pub not_examined: u32,
    /// The first of them, at most 20.
    pub not_examined_why: Vec<NotExamined>,
    /// What could not be read of the others, and of the Region; at most 20.
    pub warnings: Vec<String>,
    /// Calls to AWS, retries included.
    pub calls: u64,
    /// Metrics requested of `GetMetricData`, which are paid for.
    pub metrics: u64,
    /// Batches of which nothing was heard.
    pub missing_batches: u32,
}

impl Summary {
    /// A summary of nothing yet.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self {
            version: "1".to_owned(),
            at,
            endpoints: 0,
            in_depth: 0,
            not_in_depth: 0,
            findings: Severities::default(),
            by_rule: BTreeMap::new(),
            ignored: 0,
            worst: Vec::new(),
            headroom: Vec::new(),
            at_risk: 0,
            saving_instances: 0,
            saving_usd_per_hour: 0.0,
            price_list_published: None,
            not_examined: 0,
            not_examined_why: Vec::new(),
            warnings: Vec::new(),
            calls: 0,
            metrics: 0,
            missing_batches: 0,
        }
    }

    /// Takes what was found on some endpoints.
    pub fn add(&mut self, checkup: Checkup, headroom: Vec<Headroom>) {
        for finding in &checkup.findings {
            let count = match finding.severity {
                Severity::High => &mut self.findings.high,
                Severity::Medium => &mut self.findings.medium,
                Severity::Low => &mut self.findings.low,
            };
            *count = count.saturating_add(1);
            let of_rule = self.by_rule.entry(finding.rule.clone()).or_default();
            *of_rule = of_rule.saturating_add(1);
            self.saving_instances = self.saving_instances.saturating_add(finding.saving_instances.unwrap_or(0));
            self.saving_usd_per_hour += finding.saving_usd_per_hour.unwrap_or(0.0);
            self.price_list_published = earlier(self.price_list_published, finding.price_list_published);
        }
        let is_at_risk = |headroom: &&Headroom| headroom.weeks.is_some_and(|weeks| weeks <= SOON_WEEKS);
        self.at_risk = self.at_risk.saturating_add(count(headroom.iter().filter(is_at_risk)));
        self.endpoints = self.endpoints.saturating_add(checkup.endpoints);
        self.ignored = self.ignored.saturating_add(checkup.ignored);
        self.not_examined = self.not_examined.saturating_add(count(checkup.not_examined.iter()));
        self.worst.extend(checkup.findings);
        self.headroom.extend(headroom);
        self.not_examined_why.extend(checkup.not_examined);
        self.warnings.extend(checkup.not_read.into_iter().map(|gap| format!("{}: {}", gap.subject, gap.what)));
        self.keep_small();
    }

    /// Takes another batch: in whatever order, the sum is the same.
    pub fn merge(&mut self, other: Self) {
        self.at = self.at.min(other.at);
        self.endpoints = self.endpoints.saturating_add(other.endpoints);
        self.in_depth = self.in_depth.saturating_add(other.in_depth);
        self.not_in_depth = self.not_in_depth.saturating_add(other.not_in_depth);
        self.findings.high = self.findings.high.saturating_add(other.findings.high);
        self.findings.medium = self.findings.medium.saturating_add(other.findings.medium);
        self.findings.low = self.findings.low.saturating_add(other.findings.low);
        for (rule, count) in other.by_rule {
            let of_rule = self.by_rule.entry(rule).or_default();
            *of_rule = of_rule.saturating_add(count);
        }
        self.ignored = self.ignored.saturating_add(other.ignored);
        self.at_risk = self.at_risk.saturating_add(other.at_risk);
        self.saving_instances = self.saving_instances.saturating_add(other.saving_instances);
        self.saving_usd_per_hour += other.saving_usd_per_hour;
        self.price_list_published = earlier(self.price_list_published, other.price_list_published);
        self.not_examined = self.not_examined.saturating_add(other.not_examined);
        self.calls = self.calls.saturating_add(other.calls);
        self.metrics = self.metrics.saturating_add(other.metrics);
        self.missing_batches = self.missing_batches.saturating_add(other.missing_batches);
        self.worst.extend(other.worst);
        self.headroom.extend(other.headroom);
        self.not_examined_why.extend(other.not_examined_why);
        self.warnings.extend(other.warnings);
        self.keep_small();
    }

    /// Whether somebody has to do something.
    #[must_use]
    pub fn is_serious(&self) -> bool {
        self.findings.high > 0 || self.at_risk > 0
    }

    fn keep_small(&mut self) {
        self.worst.sort_by(|a, b| {
            let severity = a.severity.cmp(&b.severity).then_with(|| a.rule.cmp(&b.rule));
            let subject = severity.then_with(|| a.subject.cmp(&b.subject)).then_with(|| a.evidence.cmp(&b.evidence));
            subject.then_with(|| a.saving_instances.cmp(&b.saving_instances))
        });
        self.worst.truncate(MOST_FINDINGS);
        self.headroom.sort_by(Headroom::sooner);
        self.headroom.truncate(MOST_OTHERS);
        self.not_examined_why.sort();
        self.not_examined_why.truncate(MOST_OTHERS);
        self.warnings.sort();
        self.warnings.dedup();
        self.warnings.truncate(MOST_OTHERS);
    }
}

/// What so many metrics cost.
pub(super) fn usd(metrics: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 metrics")]
    let metrics = metrics as f64;
    metrics * USD_PER_METRIC
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
