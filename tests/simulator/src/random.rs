//! Random numbers: the same on every platform, and one stream for each purpose, so that a change in one leaves the others.

use rand::{Rng as _, SeedableRng as _};
use rand_distr::LogNormal;
use rand_pcg::Pcg64;

/// The generator of everything.
pub(crate) type Random = Pcg64;

/// One stream for each purpose.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    /// When requests come.
    pub arrivals: Random,
    /// What a request is like.
    pub requests: Random,
    /// Which instance it goes to.
    pub routing: Random,
    /// Whether clients ask again.
    pub clients: Random,
    /// What instances are like, and how long models load.
    pub instances: Random,
    /// Noise of what is measured.
    pub noise: Random,
}

impl Streams {
    /// The streams of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            arrivals: stream(seed, 1),
            requests: stream(seed, 2),
            routing: stream(seed, 3),
            clients: stream(seed, 4),
            instances: stream(seed, 5),
            noise: stream(seed, 6),
        }
    }
}

/// One of the streams of a seed.
pub(crate) fn stream(seed: u64, number: u64) -> Random {
    Pcg64::seed_from_u64(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// True in this share of cases; nothing is drawn where the answer is sure to be no.
pub(crate) fn chance(random: &mut Random, share: f64) -> bool {
    share > 0.0 && random.random::<f64>() < share
}

/// Uniform within this share of the value.
pub(crate) fn about(random: &mut Random, value: f64, spread: f64) -> f64 {
    value * (1.0 + spread * (2.0 * random.random::<f64>() - 1.0))
}

/// The log-normal distribution with this mean and coefficient of variation.
pub(crate) fn log_normal(mean: f64, cv: f64) -> LogNormal<f64> {
    let variance = (cv * cv).ln_1p();
    LogNormal::new(mean.ln() - variance / 2.0, variance.sqrt()).expect("a finite spread")
}
