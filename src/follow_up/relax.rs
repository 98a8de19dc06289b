//! Whether load allows a raised `MinCapacity` to go back.

use crate::model::{Capacity, History, InstanceCount, Observation};

/// The busiest minute of the last hour has to be carried: load that fell for some minutes comes back.
const MINUTES: i64 = 60;
/// With fewer minutes than half of them, nobody knows how much arrives; missing data never removes an instance.
const FEWEST: usize = 30;

/// Instances that the load of the last hour needs; none where too little of it is known.
#[must_use]
pub(super) fn needed(observation: &Observation, capacity: &Capacity) -> Option<InstanceCount> {
    let history = History::of(observation);
    let last = observation.last_minute();
    let arrived: Vec<f64> = history
        .between(last.plus(1 - MINUTES), last)
        .filter_map(|(_, row)| row.invocations)
        .map(|invocations| invocations.0)
        .collect();
    let peak = arrived.iter().copied().max_by(f64::total_cmp).filter(|_| arrived.len() >= FEWEST)?;
    let needed = (peak / capacity.low.0).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number, checked")]
    (needed.is_finite() && (0.0..=10_000.0).contains(&needed)).then(|| InstanceCount((needed as u32).max(1)))
}
