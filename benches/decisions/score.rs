//! What answers are worth.

use crate::case::{Answer, Case};
use serde::Serialize;
use std::collections::BTreeMap;

/// Bins of confidence.
const BINS: usize = 10;
/// Share of incidents that the surest answers cover.
const COVERED: f64 = 0.9;
/// Confidence at which money may be spent.
const SURE: f64 = 0.9;

/// Shares, 0 to 1; NaN (null in JSON) where there was nothing to count.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub incidents: usize,
    /// Right verdicts, each family counting the same.
    pub cause_macro: f64,
    /// Right verdicts, each incident counting the same.
    pub cause_micro: f64,
    /// Right answers to "would scaling out help?".
    pub overload_or_not: f64,
    /// Answers to scale where that does not help.
    pub false_scale_out: f64,
    /// The same with a confidence at which money may be spent.
    pub sure_false_scale_out: f64,
    /// Other answers where it does.
    pub missed_overload: f64,
    /// Answers that name a cause, where one could be named.
    pub coverage: f64,
    /// Right ones among them.
    pub named_right: f64,
    /// Right ones among the surest answers that cover nine in ten of these incidents.
    pub selective: f64,
    /// The confidence from which an answer is among the surest.
    pub surest_from: f64,
    /// Expected calibration error.
    pub calibration_error: f64,
    /// Right refinements among right verdicts that should have one.
    pub sub_cause: f64,
    /// Right obstacles among right verdicts of overload.
    pub blocked_by: f64,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bin {
    pub answers: usize,
    pub confidence: f64,
    pub right: f64,
}

/// Counts right answers.
#[derive(Default, Clone, Copy)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn count(&mut self, is_right: bool) {
        self.all += 1;
        self.right += usize::from(is_right);
    }

    fn value(self) -> f64 {
        self.right as f64 / self.all as f64
    }
}

/// The surest answers.
struct Surest {
    from: f64,
    right: f64,
}

impl Surest {
    /// The surest of `answers` (confidence, and whether it is right) that cover [`COVERED`] of `incidents`, and those that
    /// are as sure as the last of them.
    fn of(mut answers: Vec<(f64, bool)>, incidents: usize) -> Self {
        answers.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let wanted = (COVERED * incidents as f64).ceil() as usize;
        let from = answers.get(wanted.saturating_sub(1)).map_or(0.0, |(confidence, _)| *confidence);
        let mut right = Share::default();
        answers.iter().filter(|(confidence, _)| *confidence >= from).for_each(|(_, is_right)| right.count(*is_right));
        Self { from, right: right.value() }
    }
}

/// Scores one kind of answer.
pub fn score<'a>(cases: impl Iterator<Item = &'a Case> + Clone, answer: impl Fn(&Case) -> &Answer) -> Score {
    let mut families: BTreeMap<&str, Share> = BTreeMap::new();
    let [mut all, mut scaling, mut wrong_scaling, mut sure, mut missed] = [Share::default(); 5];
    let [mut coverage, mut named, mut sub_cause, mut blocked_by] = [Share::default(); 4];
    let mut sure_of = Vec::new();
    for case in cases.clone() {
        let answer = answer(case);
        let truth = &case.truth;
        let is_right = truth.allows(answer.verdict);
        all.count(is_right);
        families.entry(&case.family).or_default().count(is_right);
        match truth.is_overload {
            Some(true) => missed.count(!answer.scales),
            Some(false) => {
                wrong_scaling.count(answer.scales);
                sure.count(answer.scales && answer.confidence >= SURE);
            }
            None => {}
        }
        if let Some(is_overload) = truth.is_overload {
            scaling.count(answer.scales == is_overload);
        }
        let abstains = matches!(answer.verdict, "undetermined" | "insufficient_data");
        if !truth.allows("insufficient_data") || !abstains {
            coverage.count(!abstains);
        }
        if !abstains {
            named.count(is_right);
            sure_of.push((answer.confidence, is_right));
        }
        if let Some(expected) = truth.sub_cause.filter(|_| truth.verdict == answer.verdict) {
            sub_cause.count(answer.sub_cause.as_deref() == Some(expected));
        }
        if truth.verdict == answer.verdict && answer.scales {
            let named = answer.blocked_by.as_deref();
            blocked_by.count(named.map_or(truth.blocked_by.is_empty(), |named| truth.blocked_by.contains(&named)));
        }
    }
    let surest = Surest::of(sure_of, coverage.all);
    Score {
        incidents: all.all,
        cause_macro: families.values().map(|share| share.value()).sum::<f64>() / families.len() as f64,
        cause_micro: all.value(),
        overload_or_not: scaling.value(),
        false_scale_out: wrong_scaling.value(),
        sure_false_scale_out: sure.value(),
        missed_overload: missed.value(),
        coverage: coverage.value(),
        named_right: named.value(),
        selective: surest.right,
        surest_from: surest.from,
        calibration_error: calibration_error(&bins(cases, answer)),
        sub_cause: sub_cause.value(),
        blocked_by: blocked_by.value(),
    }
}

/// Answers by confidence. `undetermined` claims nothing and is left out.
pub fn bins<'a>(cases: impl Iterator<Item = &'a Case>, answer: impl Fn(&Case) -> &Answer) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for case in cases {
        let answer = answer(case);
        if answer.verdict != "undetermined" {
            let bin = &mut bins[((answer.confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.answers += 1;
            bin.confidence += answer.confidence;
            bin.right += f64::from(case.truth.allows(answer.verdict));
        }
    }
    for bin in &mut bins {
        bin.confidence /= bin.answers as f64;
        bin.right /= bin.answers as f64;
    }
    bins
}

fn calibration_error(bins: &[Bin]) -> f64 {
    let all: usize = bins.iter().map(|bin| bin.answers).sum();
    bins.iter()
        .filter(|bin| bin.answers > 0)
        .map(|bin| bin.answers as f64 / all as f64 * (bin.right - bin.confidence).abs())
        .sum()
}
