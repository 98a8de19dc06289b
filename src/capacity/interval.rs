//! How far a capacity may be from the truth.

use crate::model::Grade;

/// The 90 % interval around an estimate, by how far beyond the loads seen it lies.
pub(super) struct Interval {
    /// The truth is below this share of the estimate in one case of twenty.
    pub low: f64,
    /// And above this in one of twenty.
    pub high: f64,
    /// How far to trust the estimate, whatever else is known.
    pub grade: Grade,
}

/// One row of the table.
struct Row {
    /// Up to this estimate over the 99th percentile of loads seen.
    most: f64,
    /// Where the work per request was always the same.
    same: (f64, f64),
    /// Where it changed.
    changed: (f64, f64),
    grade: Grade,
}

const fn row(most: f64, same: (f64, f64), changed: (f64, f64), grade: Grade) -> Row {
    Row { most, same, changed, grade }
}

/// Quantiles 5 and 95 % of true capacity over estimate, on 774 simulated endpoints (one to eight workers, shared cores and
/// batches, 30 to 600 ms of work, one or three days, loads up to 0.3 to 1.25 of capacity), each rounded outwards.
const ROWS: [Row; 5] = [
    row(0.95, (0.95, 1.06), (0.91, 1.25), Grade::High),
    row(1.05, (0.95, 1.12), (0.94, 1.40), Grade::High),
    row(1.20, (0.94, 1.28), (0.92, 1.45), Grade::High),
    row(1.45, (0.92, 1.66), (0.90, 1.72), Grade::Medium),
    row(2.00, (0.82, 1.64), (0.70, 1.60), Grade::Low),
];

/// The interval for an estimate that is `extrapolation` times the 99th percentile of the loads seen; none where it is too
/// far away to be called an estimate: there, errors are on the dangerous side.
pub(super) fn interval(extrapolation: f64, regimes: usize) -> Option<Interval> {
    let row = ROWS.iter().find(|row| extrapolation <= row.most)?;
    let (low, high) = if regimes > 1 { row.changed } else { row.same };
    Some(Interval { low, high, grade: row.grade })
}
