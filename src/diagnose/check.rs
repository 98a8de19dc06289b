//! A cause's checks, and how strong they are together.

use crate::model::{Evidence, Verdict};

/// One measurement held against its threshold.
#[derive(Clone)]
pub(super) struct Check {
    signal: &'static str,
    unit: &'static str,
    observed: Option<f64>,
    /// What would be normal.
    normal: f64,
    /// In units of a clear difference: positive where the measurement speaks for the cause.
    margin: f64,
    /// The fact in words.
    text: String,
}

/// Where a signal is missing, a cause that needs it cannot be claimed.
pub(super) const MISSING: f64 = -1.0;

/// Where a signal that would exclude a cause, or make it certain, is missing, the cause stays possible, but below the belief
/// that may write: by itself this margin is a belief of e^(0.5/0.3) / (e^(0.5/0.3) + 1) = 0.84.
pub(super) const NOT_EXCLUDED: f64 = 0.5;

/// What is told as evidence of a cause without deciding about it is never its weakest check.
pub(super) const CERTAIN: f64 = 1.25;

impl Check {
    /// Speaks for the cause where `observed` is above `threshold`; `clear` is a difference that leaves no doubt.
    pub fn above(signal: &'static str, observed: Option<f64>, threshold: f64, clear: f64, text: String) -> Self {
        let margin = observed.map_or(MISSING, |observed| (observed - threshold) / clear);
        Self { signal, unit: "ratio", observed, normal: 1.0, margin, text }
    }

    /// Speaks for the cause where `observed` is below `threshold`.
    pub fn below(signal: &'static str, observed: Option<f64>, threshold: f64, clear: f64, text: String) -> Self {
        let margin = observed.map_or(MISSING, |observed| (threshold - observed) / clear);
        Self { signal, unit: "ratio", observed, normal: 1.0, margin, text }
    }

    /// Speaks for the cause by as much as was reckoned elsewhere, in units of a clear difference.
    pub fn by(signal: &'static str, observed: Option<f64>, margin: f64, text: String) -> Self {
        Self { signal, unit: "ratio", observed, normal: 1.0, margin: observed.map_or(MISSING, |_| margin), text }
    }

    /// The same check of a share, and the share that would be normal. (A ratio is 1 where all is normal.)
    pub fn share(self, normal: f64) -> Self {
        Self { unit: "share", normal, ..self }
    }

    /// The same check in another unit.
    pub fn unit(self, unit: &'static str, normal: f64) -> Self {
        Self { unit, normal, ..self }
    }

    /// The same check where a missing signal leaves the cause possible, at most this strongly.
    pub fn or_if_missing(self, margin: f64) -> Self {
        if self.observed.is_none() { Self { margin, ..self } } else { self }
    }

    /// The same check where something else says the same more clearly.
    pub fn at_least(self, margin: f64) -> Self {
        Self { margin: self.margin.max(margin), ..self }
    }

    /// Of two measurements of one thing, the one that speaks more clearly for the cause.
    pub fn or(self, other: Self) -> Self {
        if other.margin > self.margin { other } else { self }
    }

    /// Of two measurements that both have to speak for the cause, the one that speaks less clearly.
    pub fn and(self, other: Self) -> Self {
        if other.margin < self.margin { other } else { self }
    }

    /// The same measurement, held against a cause that it excludes.
    pub fn against(self) -> Self {
        Self { margin: -self.margin, ..self }
    }

    /// Whether there was anything to measure.
    pub fn is_measured(&self) -> bool {
        self.observed.is_some()
    }

    /// Positive where the measurement speaks for the cause.
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// The fact in words.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn evidence(&self) -> Evidence {
        Evidence {
            signal: self.signal.to_owned(),
            supports: self.margin > 0.0 && self.observed.is_some(),
            observed: self.observed,
            expected: Some(self.normal),
            unit: self.unit.to_owned(),
            text: self.text.clone(),
        }
    }
}

/// What one cause makes of the features.
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub sub_cause: Option<&'static str>,
    pub summary: String,
    pub next_steps: Vec<String>,
    /// The cause's own signals first, then what excludes other causes.
    pub checks: Vec<Check>,
}

impl Judgement {
    /// The margin of the weakest check.
    pub fn margin(&self) -> f64 {
        self.checks.iter().map(|check| check.margin).min_by(f64::total_cmp).unwrap_or(MISSING)
    }

    /// The fact that speaks against this cause: the first check (a cause names its own signal first) that fails.
    pub fn why_not(&self) -> String {
        match self.checks.iter().find(|check| check.margin <= 0.0) {
            Some(failed) => failed.text.clone(),
            None => {
                let weakest = self.checks.iter().min_by(|a, b| a.margin.total_cmp(&b.margin));
                format!("possible, but less clear: {}", weakest.map(|check| check.text.as_str()).unwrap_or_default())
            }
        }
    }

    /// All checks that were measured, as evidence.
    pub fn evidence(&self) -> Vec<Evidence> {
        self.checks.iter().filter(|check| check.observed.is_some()).map(Check::evidence).collect()
    }
}
