//! Provisioned concurrency as a replay has it: which requests find no unit idle.
//!
//! A request takes an idle unit, else it spills over and may have to wait for a new container. With units that are asked in
//! turn, the share that spills over is Erlang's loss formula, whatever the times of requests are distributed like
//! (A. K. Erlang, 1917), for requests that arrive at random within their minute.

use super::traffic::Traffic;
use crate::model::{
    Concurrency, History, InstanceCount, MOST_CONCURRENCY, Observation, ServerlessMinute, serverless_minutes,
};
use crate::statistics::quantile;

/// One request in fifty that may start cold is felt: it moves the mean of `OverheadLatency`, and every p99.
const FELT: f64 = 0.02;

/// A serverless variant, minute by minute.
#[derive(Debug, Clone)]
pub struct Units {
    /// Requests at once in the mean; NaN where nothing is known, 0 where nobody called.
    busy: Vec<f64>,
    /// Units with which fewer than one request in fifty spills over; 0 where nobody called, or nothing is known.
    needed: Vec<f64>,
}

impl Units {
    /// The traffic in an observation of a serverless variant, and what it asks of units; none without any requests.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<(Traffic, Self)> {
        let minutes = serverless_minutes(observation, &History::of(observation));
        let (first, last) = (minutes.first()?.minute, minutes.last()?.minute);
        let length = usize::try_from(last.since(first)).ok()?.checked_add(1)?;
        // Whether nobody called in a minute or nothing was published does not show: neither asks for a unit, and missing
        // data never removes one.
        let unknown = || vec![f64::NAN; length];
        let mut traffic = Traffic { first, offered: unknown(), instances: unknown(), missed: unknown(), work: None };
        let mut units = Self { busy: unknown(), needed: vec![0.0; length] };
        for minute in &minutes {
            let Ok(index) = usize::try_from(minute.minute.since(first)) else { continue };
            let set = |values: &mut Vec<f64>, value: f64| values.get_mut(index).map(|slot| *slot = value);
            set(&mut traffic.offered, minute.invocations.0);
            set(&mut traffic.instances, minute.provisioned.map_or(f64::NAN, |units| units.max(1.0)));
            set(&mut traffic.missed, minute.spillover.map_or(f64::NAN, |beyond| felt(beyond / minute.invocations.0)));
            if let Some(mean) = minute.mean() {
                set(&mut units.busy, mean.0);
                set(&mut units.needed, needed(minute, mean));
            }
        }
        Some((traffic, units))
    }

    /// 1 where at least one request in fifty finds none of `count` units idle, else 0.
    #[inline]
    pub(super) fn short(&self, minute: usize, count: f64) -> f64 {
        self.needed.get(minute).map_or(0.0, |needed| if count + 0.5 < *needed { 1.0 } else { 0.0 })
    }

    /// The mean share of `count` units in use, as `ServerlessProvisionedConcurrencyUtilization` has it.
    #[inline]
    pub(super) fn utilization(&self, minute: usize, count: f64) -> f64 {
        let busy = self.busy.get(minute).copied().unwrap_or(f64::NAN);
        busy * (1.0 - spilling(busy, count)) / count
    }

    /// Units that are enough for this share of the minutes, 0 to 1; none without any minute.
    #[must_use]
    pub fn for_share(&self, share: f64) -> Option<InstanceCount> {
        Concurrency(quantile(self.needed.iter().copied(), share)?).units()
    }
}

fn felt(share: f64) -> f64 {
    if share >= FELT { 1.0 } else { 0.0 }
}

/// Units with which fewer than one request in fifty spills over, and no more than ever served at once. Where fewer than fifty
/// came, a single one would be felt, and no formula says better than the most at once whether there was one.
fn needed(minute: &ServerlessMinute, mean: Concurrency) -> f64 {
    let most =
        minute.most.and_then(Concurrency::units).map_or(f64::from(MOST_CONCURRENCY.0), |units| f64::from(units.0));
    if FELT * minute.invocations.0 <= 1.0 {
        return most;
    }
    let counts = (1..=MOST_CONCURRENCY.0).map(f64::from);
    counts.take_while(|count| *count < most).find(|count| spilling(mean.0, *count) < FELT).unwrap_or(most)
}

/// The share of the requests that find none of `count` units idle, where `busy` are being served in the mean: Erlang's
/// B = (aⁿ/n!) / Σ aᵏ/k!, by its recursion.
fn spilling(busy: f64, count: f64) -> f64 {
    let mut spilling = 1.0;
    let mut units = 1.0;
    while units <= count + 0.5 {
        spilling = busy * spilling / (units + busy * spilling);
        units += 1.0;
    }
    spilling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spill_over_is_erlangs_loss() {
        // From published tables: 2 Erlang on 5 lines lose 3.67 %, 10 on 17 lose 1.29 %.
        assert!((spilling(2.0, 5.0) - 0.036_70).abs() < 1e-4);
        assert!((spilling(10.0, 17.0) - 0.012_93).abs() < 1e-4);
        assert!((spilling(0.0, 1.0)).abs() < 1e-12);
        assert!(spilling(f64::NAN, 3.0).is_nan());
    }

    #[test]
    fn what_is_not_known_asks_for_nothing_and_shows_nothing() {
        let units = Units { busy: vec![f64::NAN, 2.0], needed: vec![0.0, 6.0] };
        assert!(units.utilization(0, 4.0).is_nan());
        assert_eq!([units.short(0, 1.0), units.short(1, 5.0), units.short(1, 6.0)], [0.0, 1.0, 0.0]);
    }
}
