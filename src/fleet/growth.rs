//! How fast the traffic of a variant grows.

use crate::model::{Hours, InvocationsPerMinute, Metric};
use crate::statistics::median;
use std::collections::BTreeMap;

const DAY_MINUTES: i64 = 24 * 60;
const HOUR_MINUTES: f64 = 60.0;
/// A day counts where this many of its hours have datapoints: the first and the last are usually cut off.
const LEAST_HOURS: usize = 20;
/// Fewer pairs of days agree by chance: three of three do so one time in four.
const LEAST_PAIRS: usize = 4;

/// Growth from one week to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The busiest hour of a day over that of the same weekday a week before, the median of the pairs: 1.1 is 10 % more.
    pub per_week: f64,
    /// Whether all pairs but one say the same of its direction: else it may be chance.
    pub is_steady: bool,
    /// Pairs of days that were compared.
    pub pairs: usize,
}

/// Compares each day's busiest hour with that of the same weekday a week before, so that weekends are no decline. None where
/// fewer than four pairs of whole days are known.
#[must_use]
pub fn growth(hours: &Hours) -> Option<Growth> {
    let mut days: BTreeMap<i64, (usize, f64)> = BTreeMap::new();
    for (minute, requests) in hours.of(Metric::Invocations) {
        let day = days.entry(minute.0.div_euclid(DAY_MINUTES)).or_insert((0, 0.0));
        *day = (day.0 + 1, day.1.max(requests));
    }
    days.retain(|_, (hours, busiest)| *hours >= LEAST_HOURS && *busiest > 0.0);
    let pair = |(day, (_, busiest)): (&i64, &(usize, f64))| Some(busiest / days.get(&(day - 7))?.1);
    let ratios: Vec<f64> = days.iter().filter_map(pair).collect();
    if ratios.len() < LEAST_PAIRS {
        return None;
    }
    let per_week = median(ratios.iter().copied())?;
    let against = ratios.iter().filter(|ratio| (**ratio > 1.0) != (per_week > 1.0)).count();
    Some(Growth { per_week, is_steady: against <= 1, pairs: ratios.len() })
}

/// The busiest hour, as its mean minute.
pub(super) fn busiest_hour(hours: &Hours) -> Option<InvocationsPerMinute> {
    hours.most(Metric::Invocations).map(|requests| InvocationsPerMinute(requests / HOUR_MINUTES))
}
