//! How much arrives, and how fast it grows.

use crate::model::{A_DAY_HOURS, Capacity, History, InvocationsPerMinute, Observation};
use crate::replay::Boot;
use crate::statistics::quantile;

/// One minute until the metric arrives, three datapoints until the policy's alarm fires, one until instances are asked for.
const DETECTION_MINUTES: f64 = 5.0;

/// Requests to the variant, and what is known of their growth.
pub(super) struct Demand {
    /// The upper quartile of the last minutes.
    pub now: InvocationsPerMinute,
    /// The busiest minute of the history.
    pub peak: InvocationsPerMinute,
    /// For each minute that was followed by more than one instance carries: the most that arrived within a scale-out's time,
    /// over what arrived in it; at least 1.
    pub growth: Vec<f64>,
    /// Minutes from the first hot minute until new instances serve.
    pub scale_out_minutes: f64,
    /// Whether the history is too short to size from.
    pub is_short: bool,
}

impl Demand {
    /// Measures demand; none where nothing arrived in the last minutes.
    pub fn of(observation: &Observation, capacity: &Capacity) -> Option<Self> {
        let history = History::of(observation);
        let last = observation.last_minute();
        let arrivals = || history.0.iter().filter_map(|(minute, row)| Some((*minute, row.invocations?.0)));
        let recent = arrivals().filter(|(minute, _)| last.since(*minute) < 8).map(|(_, arrived)| arrived);
        // The upper end of the last minutes: an overloaded endpoint completes less than arrives.
        let now = quantile(recent, 0.75).filter(|now| *now > 0.0)?;
        let peak = arrivals().map(|(_, arrived)| arrived).max_by(f64::total_cmp)?;
        let scale_out_minutes = DETECTION_MINUTES + Boot::of(observation).slow_minutes();
        #[expect(clippy::cast_possible_truncation, reason = "minutes, far below the limits of i64")]
        let horizon = scale_out_minutes.ceil() as i64;
        let growth = arrivals()
            .filter_map(|(minute, _)| {
                let mean =
                    mean(history.between(minute.plus(-2), minute).filter_map(|(_, row)| Some(row.invocations?.0)))?;
                let ahead =
                    history.between(minute, minute.plus(horizon)).filter_map(|(_, row)| Some(row.invocations?.0));
                // Growth at night, from little to little, is large and harmless: one instance carries both.
                let ahead = ahead.max_by(f64::total_cmp).filter(|ahead| *ahead > capacity.low.0)?;
                Some((ahead / mean.max(1.0)).max(1.0))
            })
            .collect();
        // Growth seen in less than a day is no bound for what comes.
        let is_short = history.hours() < A_DAY_HOURS;
        Some(Self {
            now: InvocationsPerMinute(now),
            peak: InvocationsPerMinute(peak),
            growth,
            scale_out_minutes,
            is_short,
        })
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then_some(sum / count)
}
