//! Above what: the stated objective, or what the endpoint's own past says.

use super::evaluation::{MissingData, OutOf, Rule};
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

/// A threshold, and what says so.
pub(super) struct FromHistory {
    pub threshold: f64,
    pub times_fired: usize,
    /// The highest that was considered, and how often that would have fired: for incidents, whatever the threshold.
    pub highest: f64,
    pub incidents: usize,
}

/// The lowest round threshold between a quarter above normal and twice normal that fires at most once a week for more than what
/// the highest of them finds too: that is an incident at any of them.
pub(super) fn from_history(
    watched: Watched,
    timeline: &Timeline,
    normal: Normal,
    out_of: OutOf,
    missing: MissingData,
) -> FromHistory {
    let floor = match watched {
        Watched::Latency => LEAST_LATENCY,
        Watched::Age => LEAST_AGE,
    };
    let high = normal.high.max(floor);
    let times_fired = |threshold: f64| Rule { threshold, out_of, missing }.replay(timeline).len();
    let candidates = watched.round(LEAST * high, MOST * high);
    let highest = candidates.last().copied().unwrap_or_else(|| (MOST * high).round());
    let incidents = times_fired(highest);
    let allowed = incidents + times_allowed(timeline.days());
    let rare = candidates.into_iter().map(|threshold| (threshold, times_fired(threshold)));
    let (threshold, times_fired) =
        rare.into_iter().find(|(_, times_fired)| *times_fired <= allowed).unwrap_or((highest, incidents));
    FromHistory { threshold, times_fired, highest, incidents }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_in_a_whole_week_is_allowed() {
        assert_eq!([0.5, 6.9, 7.0, 13.9, 14.0, 15.0].map(times_allowed), [0, 0, 1, 1, 2, 2]);
    }
}
