//! Who bears the extra time: the fastest request, half of them, or only the slow ones; and how steadily.
//!
//! A wait for something else adds the same to every request, or to a share of them, in every minute alike. A queue lets
//! some through at once, and grows and shrinks by chance. Heavier work multiplies all of them.

use crate::diagnose::windows::{Windows, latency_of, positive};
use crate::model::{MinuteRow, Statistic};

/// Minutes differ by a few hundredths by themselves.
const LEAST_SPREAD: f64 = 0.01;

/// The extra time of the incident over normal minutes of the same load.
pub(in crate::diagnose) struct Shape {
    /// Extra time of the fastest request over that of the slow one (the objective's statistic): 1 where each waits as
    /// long, near 0 where some pass at once.
    pub fastest_share: Option<f64>,
    /// The same of the median, were the slow request that of the 90th percentile: of an exponential wait, what a
    /// percentile q bears grows with ln(1 / (1 - q)).
    pub median_share: Option<f64>,
    /// The fastest request of the first whole minute of the incident, against normal minutes.
    pub first_full_minimum_ratio: Option<f64>,
    /// How much minutes of the incident differ (standard deviation of the logarithm of latency), over how much normal
    /// minutes do.
    pub unsteadiness: Option<f64>,
}

impl Shape {
    pub(super) fn measure(windows: &Windows) -> Self {
        let extra = |value: fn(&MinuteRow) -> Option<f64>| Some(windows.now(value)? - windows.usually(value)?);
        // Shares of hardly any extra time would be noise.
        let slow =
            extra(latency_of).filter(|extra| windows.usually(latency_of).is_some_and(|usual| *extra > 0.1 * usual));
        let share = |value: fn(&MinuteRow) -> Option<f64>| Some(extra(value)? / slow?);
        Self {
            fastest_share: share(minimum_of),
            median_share: share(|row| row.latency_p50.map(|latency| latency.0))
                .map(|share| share * rarity(windows.statistic())),
            first_full_minimum_ratio: windows
                .history
                .between(windows.onset.plus(1), windows.onset.plus(2))
                .filter_map(|(_, row)| minimum_of(row))
                .min_by(f64::total_cmp)
                .zip(windows.usually(minimum_of).and_then(positive))
                .map(|(first, usual)| first / usual),
            unsteadiness: spread(&windows.incident)
                .zip(spread(&windows.matched))
                .map(|(now, usual)| now / usual.max(LEAST_SPREAD)),
        }
    }
}

/// How much of an exponential wait this statistic bears, against the 90th percentile.
fn rarity(statistic: Statistic) -> f64 {
    let tenth = 10.0_f64.ln();
    match statistic {
        Statistic::Percentile(hundredths) => {
            let beyond = (10_000.0 - f64::from(hundredths.min(9_990))) / 10_000.0;
            (-beyond.ln() / tenth).max(0.3)
        }
        Statistic::Maximum => 3.0,
        _ => 1.0 / tenth,
    }
}

fn minimum_of(row: &MinuteRow) -> Option<f64> {
    row.latency_minimum.map(|latency| latency.0)
}

/// Standard deviation of the logarithm of latency.
fn spread(rows: &[&MinuteRow]) -> Option<f64> {
    let logarithm = |row: &MinuteRow| latency_of(row).and_then(positive).map(f64::ln);
    let count = rows.iter().filter(|row| logarithm(row).is_some()).count();
    let mean = |value: &dyn Fn(f64) -> f64| {
        #[expect(clippy::cast_precision_loss, reason = "minutes of 15 days")]
        let count = positive(count as f64)?;
        Some(rows.iter().filter_map(|row| logarithm(row)).map(value).sum::<f64>() / count)
    };
    let middle = mean(&|value| value)?;
    Some(mean(&|value| (value - middle).powi(2))?.sqrt())
}
