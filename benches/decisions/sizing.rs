//! What capacities are worth.

use crate::case::{Case, Sizing};
use serde::Serialize;

/// A lower end that is more than this above the truth makes a plan too small.
const TOO_HIGH: f64 = 1.05;

/// Shares, 0 to 1; NaN (null in JSON) where there was nothing to count.
#[derive(Debug, Clone, Serialize)]
pub struct SizingScore {
    /// Incidents whose capacity is known.
    pub incidents: usize,
    /// Of these, those with an estimate.
    pub estimated: f64,
    /// Median and 90th percentile of |ln(estimate/truth)|.
    pub error_median: f64,
    pub error_p90: f64,
    /// Estimates whose 90 % interval holds the truth.
    pub interval_coverage: f64,
    /// Median width of the interval, as a share of the estimate.
    pub interval_width: f64,
    /// Of all that was said: a lower end more than 5 % above the truth.
    pub too_high: f64,
    /// Of all that was said: only what is carried at least.
    pub at_least: f64,
    /// Of these, true ones.
    pub at_least_true: f64,
}

/// Scores what was said of capacities.
pub fn sizing<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> SizingScore {
    let known = cases.clone().filter(|case| case.truth.capacity.is_some()).count();
    let said: Vec<Sizing> = cases.filter_map(|case| case.sizing).collect();
    let estimates: Vec<(Sizing, f64)> = said.iter().filter_map(|said| Some((*said, said.high?))).collect();
    let bounds: Vec<&Sizing> = said.iter().filter(|said| said.high.is_none()).collect();
    let errors: Vec<f64> = estimates.iter().map(|(said, _)| said.value.ln().abs()).collect();
    let widths = estimates.iter().map(|(said, high)| (high - said.low) / said.value).collect();
    let holding = estimates.iter().filter(|(said, high)| said.low <= 1.0 && 1.0 <= *high).count();
    SizingScore {
        incidents: known,
        estimated: share(estimates.len(), known),
        error_median: quantile(errors.clone(), 0.5),
        error_p90: quantile(errors, 0.9),
        interval_coverage: share(holding, estimates.len()),
        interval_width: quantile(widths, 0.5),
        too_high: share(said.iter().filter(|said| said.low > TOO_HIGH).count(), said.len()),
        at_least: share(bounds.len(), said.len()),
        at_least_true: share(bounds.iter().filter(|said| said.low <= TOO_HIGH).count(), bounds.len()),
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// NaN of nothing.
fn quantile(mut values: Vec<f64>, at: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let index = (at * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}
