//! Quantiles, and how sure a median is.

use crate::draws::Draws;
use serde::Serialize;

/// Samples with replacement behind an interval.
const RESAMPLES: usize = 1_000;

/// The `q` quantile of what is not NaN; NaN of nothing.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q * last as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

/// Share of those for which it is so; NaN of none.
pub fn share<T>(of: &[T], is_so: impl Fn(&T) -> bool) -> f64 {
    of.iter().filter(|one| is_so(one)).count() as f64 / of.len() as f64
}

/// A median with its 95 % interval over cases, by the bootstrap.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Median {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Median {
    pub fn of(values: &[f64]) -> Self {
        let mut draws = Draws::new(values.len() as u64);
        let medians: Vec<f64> = (0..RESAMPLES)
            .filter(|_| !values.is_empty())
            .map(|_| {
                let sample: Vec<f64> = values.iter().map(|_| values[draws.index(values.len())]).collect();
                quantile(&sample, 0.5)
            })
            .collect();
        Self { value: quantile(values, 0.5), low: quantile(&medians, 0.025), high: quantile(&medians, 0.975) }
    }
}
