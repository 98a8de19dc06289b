//! Shares of minutes over the objective, reckoned once for a replay that asks millions of times.

use crate::model::{InvocationsPerInstance, LatencyCurve, Microseconds};

/// Loads in a row of the table, up to saturation and beyond.
const LOADS: u16 = 2_048;
/// A row ends at this multiple of saturation; there every minute is over.
const END: f64 = 1.25;
/// Works that differ by less than this share a row: they are not known more closely.
const STEP: f64 = 0.04;

/// How likely a minute is over the objective, by load, one row for each work per request.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    over: Vec<f64>,
    /// Where the row of each minute begins; empty: there is one row.
    rows: Vec<usize>,
    /// Entries of a row for each invocation per instance and minute.
    entries: f64,
}

impl Shares {
    /// The shares for these works, one a minute; a single one is that of every minute.
    pub fn of(curve: &LatencyCurve, limit: Microseconds, works: &[f64]) -> Self {
        let step = END * curve.saturation.0 / f64::from(LOADS);
        let row = |work: f64| {
            (0..=LOADS).map(move |index| {
                let load = InvocationsPerInstance(f64::from(index) * step);
                curve.share_of(Microseconds(work * curve.latency(load).0), limit, load)
            })
        };
        #[expect(clippy::cast_possible_truncation, reason = "works within a factor of a hundred")]
        let level = |work: &f64| (work.ln().clamp(-5.0, 5.0) / STEP).round() as i32;
        let mut levels: Vec<i32> = works.iter().map(level).collect();
        levels.sort_unstable();
        levels.dedup();
        let over = levels.iter().flat_map(|level| row((STEP * f64::from(*level)).exp())).collect();
        let length = usize::from(LOADS) + 1;
        let rows = match works {
            [_] => Vec::new(),
            works => works.iter().map(|work| length * levels.binary_search(&level(work)).unwrap_or_default()).collect(),
        };
        Self { over, rows, entries: 1.0 / step }
    }

    /// The share at a minute with this load of usual requests on one instance.
    #[inline]
    pub fn at(&self, minute: usize, load: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        let index = ((load * self.entries + 0.5) as usize).min(usize::from(LOADS));
        self.over.get(self.rows.get(minute).copied().unwrap_or_default() + index).copied().unwrap_or(1.0)
    }
}
