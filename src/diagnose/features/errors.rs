//! Requests that failed.

use super::fact;
use crate::diagnose::check::Check;
use crate::diagnose::windows::{Windows, positive};
use crate::model::{Fact, MinuteRow};

/// One request in twenty failing is no longer noise on any endpoint.
pub(in crate::diagnose) const DOMINATES: f64 = 0.05;

/// Shares of requests that failed, now and normally.
pub(in crate::diagnose) struct Errors {
    pub share_4xx: Option<f64>,
    pub normal_4xx: f64,
    /// Answered with a 5xx, or not at all.
    pub share_5xx: Option<f64>,
    pub normal_5xx: f64,
}

impl Errors {
    pub(super) fn measure(windows: &Windows) -> Self {
        // What is over in latency is over in errors too, where the last minutes have few.
        let latest = windows.latest();
        let now = |errors: fn(&MinuteRow) -> Option<f64>| {
            let now = error_share(&windows.incident, errors);
            let last = error_share(&latest, errors).filter(|last| *last < DOMINATES);
            if windows.recovered().is_some() { last.or(now) } else { now }
        };
        let normally = |errors: fn(&MinuteRow) -> Option<f64>| error_share(&windows.normal, errors).unwrap_or(0.0);
        Self {
            share_4xx: now(|row| row.errors_4xx),
            normal_4xx: normally(|row| row.errors_4xx),
            share_5xx: now(MinuteRow::failures),
            normal_5xx: normally(MinuteRow::failures),
        }
    }

    /// `12.0 % of the requests end in a 5xx or a timeout`.
    pub fn in_words(&self) -> String {
        match self.share_5xx {
            Some(share) => format!("{:.1} % of the requests end in a 5xx or a timeout", 100.0 * share),
            None => "Invocation5XXErrors has no datapoints".to_owned(),
        }
    }

    /// `30.0 % of the requests end in a 4xx`.
    pub fn in_words_4xx(&self) -> String {
        match self.share_4xx {
            Some(share) => format!("{:.1} % of the requests end in a 4xx", 100.0 * share),
            None => "Invocation4XXErrors has no datapoints".to_owned(),
        }
    }

    /// Speaks for a slow answer, against a failing one.
    pub fn are_few(&self) -> Check {
        Check::below("error_5xx_share", self.share_5xx, DOMINATES, 0.03, self.in_words())
            .share(self.normal_5xx)
            .or_if_missing(1.0)
    }

    /// Speaks for an answer, against a refusal.
    pub fn are_few_4xx(&self) -> Check {
        Check::below("error_4xx_share", self.share_4xx, DOMINATES.max(2.0 * self.normal_4xx), 0.03, self.in_words_4xx())
            .share(self.normal_4xx)
            .or_if_missing(1.0)
    }

    /// One request in twenty or more fails.
    pub fn dominate(&self) -> bool {
        self.share_5xx.is_some_and(|share| share > DOMINATES)
    }

    /// More fail than one of `instances` answers.
    pub fn are_more_than_of_one(&self, instances: Option<f64>) -> Check {
        let share = most_of_one(instances);
        Check::above("error_5xx_share", self.share_5xx, share, 0.1, self.in_words()).share(share)
    }

    /// No more fail than one of `instances` answers.
    pub fn are_no_more_than_of_one(&self, instances: Option<f64>) -> Check {
        let share = most_of_one(instances);
        Check::below("error_5xx_share", self.share_5xx, share, 0.05, self.in_words()).share(share).or_if_missing(1.0)
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.share_5xx.is_some() {
            facts.push(fact("error_5xx_share", self.share_5xx, Some(self.normal_5xx), "share", self.in_words()));
        }
        if let Some(share) = self.share_4xx.filter(|share| *share >= 0.001) {
            facts.push(fact("error_4xx_share", Some(share), Some(self.normal_4xx), "share", self.in_words_4xx()));
        }
        facts
    }
}

/// The share of the requests that one of `instances` answers, and a fifth for chance.
fn most_of_one(instances: Option<f64>) -> f64 {
    instances.map_or(1.0, |instances| 1.2 / instances.max(1.0))
}

/// Errors per request over all the minutes; none where errors were not published in any of them.
fn error_share(rows: &[&MinuteRow], errors: fn(&MinuteRow) -> Option<f64>) -> Option<f64> {
    let counted: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((errors(row)?, row.invocations?.0))).collect();
    let requests = positive(counted.iter().map(|(_, requests)| requests).sum())?;
    Some(counted.iter().map(|(errors, _)| errors).sum::<f64>() / requests)
}
