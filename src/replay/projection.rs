//! From replays under several draws to what is promised, with its range.

use super::draws::{Dice, resampled};
use super::outcome::Outcome;
use crate::model::{Projection, UsdPerHour};
use crate::statistics::quantile;

/// Replays behind a projection's range.
const PROJECTIONS: u64 = 200;
/// Weeks differ, and a replay leaves things out (bursts within a minute, queues from one minute to the next): in simulated
/// endpoints whose new instances are as fast as the others, the minutes over the objective of the next week were within a
/// factor of 1.8 of the replay's as a rule, on either side.
const UNMODELLED: f64 = 0.6;
/// Unless new instances were seen to be as fast as the others, they may be slow at first, with caches to fill and code to
/// compile. Nobody knows at how many endpoints they are: as in the simulated ones, at four in ten, for a minute or two.
const COLD_SHARE: f64 = 0.4;
const COLD_MINUTES: f64 = 1.5;

/// Whether new instances may be slow at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cold {
    /// At as many endpoints as is usual.
    AsUsual,
    /// They were seen not to be, or it does not matter.
    Never,
}

/// What a set-up does: `likely` at the best estimate, and `outcomes` under draws of what is not known.
pub(super) fn projection(likely: &Outcome, outcomes: &[Outcome], price: Option<UsdPerHour>, cold: Cold) -> Projection {
    let mut over = Vec::new();
    let mut hours = Vec::new();
    for number in 0..PROJECTIONS {
        let index = usize::try_from(number).unwrap_or_default() % outcomes.len().max(1);
        let Some(outcome) = outcomes.get(index) else { continue };
        let sum = resampled(&outcome.blocks, number);
        let mut dice = Dice::new(5_000 + number);
        let unmodelled = (UNMODELLED * dice.normal()).exp();
        let is_cold = dice.share() < COLD_SHARE && cold == Cold::AsUsual;
        let minutes = if is_cold { COLD_MINUTES } else { 0.0 };
        let expected = sum.over_minutes * unmodelled + minutes * f64::from(outcome.changes / 2);
        // Single minutes fall on either side by chance.
        let counted = expected + expected.sqrt() * dice.normal();
        over.push(counted.max(0.0));
        hours.push(sum.instance_minutes / 60.0);
    }
    let range = |values: &[f64]| {
        let of = |share| quantile(values.iter().copied(), share).unwrap_or(0.0);
        (tenths(of(0.1)), tenths(of(0.9)))
    };
    let instance_hours = likely.instance_minutes() / 60.0;
    Projection {
        slo_violation_minutes: likely.over_minutes().round(),
        instance_hours: tenths(instance_hours),
        usd: price.map(|price| (100.0 * instance_hours * price.0).round() / 100.0),
        slo_violation_minutes_range: range(&over),
        instance_hours_range: range(&hours),
    }
}

/// Nothing here is known to more than a tenth of a minute or an hour.
fn tenths(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}
