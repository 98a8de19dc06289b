//! Above what: the stated objective, or what the endpoint's own past says.

use super::evaluation::{Firing, MissingData, OutOf, Rule};
use super::timeline::Timeline;
use super::watched::Watched;
use crate::statistics::quantile;

/// What is normal, in the metric's unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Normal {
    pub median: f64,
    /// 19 of 20 datapoints are within this: the daily peak is, which takes an hour or more of a day, and an incident of an hour is not.
    pub high: f64,
}

/// A quarter above the high end of normal: what wanders by so much from day to day is no incident.
const LEAST: f64 = 1.25;
/// An endpoint that takes twice as long as at its peak is worth a look however often that happens, so no threshold is above it.
const MOST: f64 = 2.0;
/// Normal is never taken to be less: a millisecond of latency, and of age what is three quarters of a minute, since the
/// metric is published once a minute.
const LEAST_LATENCY: f64 = 1_000.0;
const LEAST_AGE: f64 = 48.0;

impl Normal {
    pub(super) fn of(timeline: &Timeline) -> Option<Self> {
        Some(Self { median: quantile(timeline.values(), 0.5)?, high: quantile(timeline.values(), 0.95)? })
    }
}

/// An alarm that fires more often than once a week is one that people learn to ignore.
pub(super) fn times_allowed(days: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 15 days")]
    let weeks = (days / 7.0).floor() as usize;
    weeks
}

/// The lowest round threshold between a quarter above normal and twice normal that would have been crossed for long enough at
/// most once a week; where all would have been crossed more often, the highest. With it, what would have fired.
pub(super) fn from_history(
    watched: Watched,
    timeline: &Timeline,
    normal: Normal,
    out_of: OutOf,
    missing: MissingData,
) -> (f64, Vec<Firing>) {
    let least = match watched {
        Watched::Latency => LEAST_LATENCY,
        Watched::Age => LEAST_AGE,
    };
    let high = normal.high.max(least);
    let replayed = |threshold: f64| (threshold, Rule { threshold, out_of, missing }.replay(timeline));
    let mut highest = None;
    for threshold in watched.round(LEAST * high, MOST * high) {
        let (threshold, firings) = replayed(threshold);
        if firings.len() <= times_allowed(timeline.days()) {
            return (threshold, firings);
        }
        highest = Some((threshold, firings));
    }
    highest.unwrap_or_else(|| replayed((MOST * high).round()))
}
