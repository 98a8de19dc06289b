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

/// Quantiles 2.5 and 97.5 % of true capacity over estimate, rounded: of the 677 estimates on 1,200 simulated histories (the
/// development and validation sets of `make bench-policies`: any kind of queue, four hours to two weeks, loads up to 0.2 to
/// 1.2 of capacity, three in four with something that makes them harder to read). The quantiles 5 and 95 % would hold nine
/// in ten of these; of endpoints of other kinds, which a user may well have, they held 84 in 100.
const ROWS: [Row; 5] = [
    row(0.95, (0.94, 1.19), (0.83, 1.33), Grade::High),
    row(1.05, (0.92, 1.13), (0.80, 1.15), Grade::High),
    row(1.20, (0.89, 1.18), (0.87, 1.24), Grade::High),
    row(1.45, (0.88, 1.60), (0.82, 1.71), Grade::Medium),
    row(2.00, (0.78, 1.83), (0.75, 2.41), Grade::Low),
];

/// The interval for an estimate that is `extrapolation` times the 99th percentile of the loads seen; none where it is too
/// far away to be called an estimate: there, errors are on the dangerous side.
pub(super) fn interval(extrapolation: f64, regimes: usize) -> Option<Interval> {
    let row = ROWS.iter().find(|row| extrapolation <= row.most)?;
    let (low, high) = if regimes > 1 { row.changed } else { row.same };
    Some(Interval { low, high, grade: row.grade })
}
