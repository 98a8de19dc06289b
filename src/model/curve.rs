//! Latency as a function of load, in a form that can be saved and replayed.

use super::{InvocationsPerInstance, Microseconds};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The curve is never asked beyond this share of saturation: a steady queue has no end there.
const MOST_UTILIZATION: f64 = 0.995;
/// A minute's latency scatters at least this much around the curve, whatever few points say.
const LEAST_SPREAD: f64 = 0.02;

/// The latency statistic of the objective over the load on one instance:
/// `base + waiting · ρ^shape / (1 − ρ)` with `ρ = load / saturation`, the usual form of a queue in front of several
/// workers (waiting grows with ρ^shape while some worker is free, and with 1/(1 − ρ) in the end).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyCurve {
    /// Latency without load, above 0.
    pub base: Microseconds,
    /// Scale of the waiting, above 0.
    pub waiting: Microseconds,
    /// How late the queue sets in: about 1 for one worker, more for more; 0.5 to 8.
    pub shape: f64,
    /// The load at which the queue has no end, above 0.
    pub saturation: InvocationsPerInstance,
    /// How single minutes scatter around the curve, lowest loads first.
    pub spread: Vec<Spread>,
    /// Stretches of history in which a request took more or less work than now, oldest first; the last has a factor of 1.
    pub regimes: Vec<Regime>,
}

/// Scatter of single minutes up to some load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Up to this load on one instance.
    pub up_to: InvocationsPerInstance,
    /// Standard deviation of the logarithm of latency around the curve.
    pub deviation: f64,
}

/// A stretch of history with the same work per request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Regime {
    /// Where it began.
    pub since: Timestamp,
    /// Work per request, 1 being what it is now.
    pub work: f64,
}

impl LatencyCurve {
    /// Latency at `load` with the present work per request.
    #[must_use]
    pub fn latency(&self, load: InvocationsPerInstance) -> Microseconds {
        let utilization = (load.0 / self.saturation.0).clamp(0.0, MOST_UTILIZATION);
        let waiting = self.waiting.0 * utilization.powf(self.shape) / (1.0 - utilization);
        Microseconds(self.base.0 + waiting)
    }

    /// The share of minutes at `load` whose latency is above `limit`, 0 to 1, taking the scatter as log-normal.
    #[must_use]
    pub fn share_above(&self, limit: Microseconds, load: InvocationsPerInstance) -> f64 {
        self.share_of(self.latency(load), limit, load)
    }

    /// The same where the typical latency is known to be `typical`.
    #[must_use]
    pub fn share_of(&self, typical: Microseconds, limit: Microseconds, load: InvocationsPerInstance) -> f64 {
        let spread = self.spread.iter().find(|spread| load.0 <= spread.up_to.0).or(self.spread.last());
        let deviation = spread.map_or(LEAST_SPREAD, |spread| spread.deviation).max(LEAST_SPREAD);
        1.0 - normal_share_below((limit.0 / typical.0).ln() / deviation)
    }

    /// The largest load that keeps `limit`; none where even an idle instance does not.
    #[must_use]
    pub fn load_within(&self, limit: Microseconds) -> Option<InvocationsPerInstance> {
        let (mut low, mut high) = (0.0, self.saturation.0);
        if self.latency(InvocationsPerInstance(0.0)).0 > limit.0 {
            return None;
        }
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if self.latency(InvocationsPerInstance(middle)).0 <= limit.0 { low = middle } else { high = middle }
        }
        Some(InvocationsPerInstance(low))
    }

    /// Work per request at `time`, 1 being what it is now.
    #[must_use]
    pub fn work_at(&self, time: Timestamp) -> f64 {
        let regime = self.regimes.iter().rfind(|regime| regime.since <= time).or(self.regimes.first());
        regime.map_or(1.0, |regime| regime.work)
    }
}

/// The share of a normal distribution below `z` standard deviations, to 1e-7: Abramowitz and Stegun, 7.1.26.
fn normal_share_below(z: f64) -> f64 {
    if z.is_nan() {
        return 0.5;
    }
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let below = 1.0 - 0.5 * poly * (-x * x).exp();
    if z >= 0.0 { below } else { 1.0 - below }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> LatencyCurve {
        LatencyCurve {
            base: Microseconds(200e3),
            waiting: Microseconds(50e3),
            shape: 2.0,
            saturation: InvocationsPerInstance(1_000.0),
            spread: vec![Spread { up_to: InvocationsPerInstance(f64::MAX), deviation: 0.1 }],
            regimes: Vec::new(),
        }
    }

    #[test]
    fn the_largest_load_within_the_objective_keeps_it() {
        let load = curve().load_within(Microseconds(500e3)).unwrap();
        assert!((curve().latency(load).0 / 500e3 - 1.0).abs() < 1e-6);
        assert_eq!(curve().load_within(Microseconds(100e3)), None);
        assert!((curve().share_above(Microseconds(500e3), load) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn the_normal_distribution_is_the_normal_distribution() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.959_964, 0.025), (4.0, 0.999_968_3)] {
            assert!((normal_share_below(z) - share).abs() < 1e-6, "{z}");
        }
    }
}
