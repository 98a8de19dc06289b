//! The latency curve that fits all regimes at once.
//!
//! Where a request takes `M` times the work, latency and the time between two requests both scale:
//! `q(x) = M · (b + a ρ^k / (1 − ρ))`, `ρ = x M / µ`. So the regimes share one curve, and what one of them shows at high
//! load counts for the present one. Fitted on logarithms with Levenberg–Marquardt under a loss that grows linearly for
//! outliers.

use super::points::Bin;

/// Parameters at most: four of the curve, and one factor for each regime but the present one.
pub(super) const MOST_PARAMETERS: usize = 12;
/// Where the curve takes part in the fit: b, a, k, µ.
const CURVE: usize = 4;
/// Deviations beyond 5 % are outliers: a bin's median is known more closely than that.
const OUTLIER: f64 = 0.05;
const ITERATIONS: usize = 60;
/// Starts, as µ over the highest load seen: just below saturation, near it, and far from it.
const STARTS: [f64; 3] = [1.1, 1.6, 3.0];
/// Latency this many times the objective says "beyond", not how far: it depends on how long the queue has been growing.
pub(super) const BEYOND: f64 = 3.0;
const MOST_UTILIZATION: f64 = 0.995;
/// Leanings of the logarithms of parameters, each as the deviation that weighs as much as one minute that is 5 % off. They
/// were chosen on simulated endpoints: stronger ones pull saturation towards what was seen, weaker ones let it run away.
mod leaning {
    /// Towards two workers or so.
    pub const SHAPE: f64 = 1.0 / 3.0;
    /// Towards a saturation of 1.6 times the highest load.
    pub const SATURATION: f64 = 1.0 / 3.0;
    /// Towards waiting that is of the order of the work itself, as a queue's is: where the crossing was seen, waiting was a
    /// third to six times the base. With hardly any, a curve that has not bent yet would saturate right behind what was seen.
    pub const WAITING: f64 = 1.0;
    pub const LIKELY_WAITING: f64 = 0.3;
    pub const LIKELY_SATURATION: f64 = 1.6;
    /// Towards the same work in all regimes.
    pub const WORK: f64 = 0.03;
    /// Towards the work that median latency showed, which tells it more closely than the bins of a percentile do.
    pub const KNOWN_WORK: f64 = 0.02;
    /// How much less the curve leans on what utilisation says than that is wrong by.
    pub const ANCHOR: f64 = 1.0 / 20.0;
}

/// What is fitted to.
pub(super) struct Task<'a> {
    /// The bins of each regime, the present one last.
    pub regimes: &'a [Vec<Bin>],
    /// The objective in microseconds.
    pub limit: f64,
    /// What is known of the work per request of each regime from elsewhere, the present one last.
    pub works: Option<&'a [f64]>,
    /// Logarithm of what utilisation says of µ, and its standard deviation.
    pub anchor: Option<(f64, f64)>,
}

/// The fitted curve; latencies in microseconds.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub base: f64,
    pub waiting: f64,
    pub shape: f64,
    pub saturation: f64,
    /// Work per request of each regime, the last being 1.
    pub work: Vec<f64>,
    /// What is left unexplained.
    pub cost: f64,
}

impl Fit {
    /// The best fit; none where there are too few bins to hold a curve.
    pub fn of(task: &Task<'_>) -> Option<Self> {
        let bins = || task.regimes.iter().flatten();
        let highest = bins().map(|bin| bin.load).max_by(f64::total_cmp)?;
        let fastest = bins().map(|bin| bin.latency).min_by(f64::total_cmp)?;
        if bins().count() < 3 || task.regimes.len() > MOST_PARAMETERS - CURVE + 1 || highest <= 0.0 || fastest <= 0.0 {
            return None;
        }
        let space = Space::of(task, highest, fastest);
        let fits = STARTS.iter().map(|start| space.descend(task, start * highest, highest, fastest));
        fits.filter(|fit| fit.cost.is_finite()).min_by(|a, b| a.cost.total_cmp(&b.cost))
    }

    /// Latency at `load` with the present work.
    pub fn latency(&self, load: f64) -> f64 {
        let utilization = (load / self.saturation).clamp(0.0, MOST_UTILIZATION);
        self.base + self.waiting * utilization.powf(self.shape) / (1.0 - utilization)
    }
}

/// Logarithms of the parameters, within their bounds.
type Point = [f64; MOST_PARAMETERS];

struct Space {
    used: usize,
    low: Point,
    high: Point,
    /// Logarithm of the saturation that is likely where nothing says otherwise.
    likely_saturation: f64,
}

impl Space {
    fn of(task: &Task<'_>, highest: f64, fastest: f64) -> Self {
        let used = CURVE + task.regimes.len().saturating_sub(1);
        let (mut low, mut high) = ([0.0; MOST_PARAMETERS], [0.0; MOST_PARAMETERS]);
        // Factors of work beyond 5 would be another model.
        let bounds = [
            (0.2 * fastest, 3.0 * fastest),
            (0.003 * fastest, 5.0 * fastest),
            (0.5, 8.0),
            (0.8 * highest, 8.0 * highest),
        ]
        .into_iter()
        .chain(std::iter::repeat((0.2, 5.0)));
        for ((low, high), (least, most)) in low.iter_mut().zip(&mut high).zip(bounds) {
            *low = f64::ln(least);
            *high = f64::ln(most);
        }
        Self { used, low, high, likely_saturation: (leaning::LIKELY_SATURATION * highest).ln() }
    }

    fn clamped(&self, mut point: Point) -> Point {
        for (value, (low, high)) in point.iter_mut().zip(self.low.iter().zip(&self.high)) {
            *value = value.clamp(*low, *high);
        }
        point
    }

    /// The deviations of the fit: for each bin its weight and the difference of logarithms; then the leanings of the
    /// parameters (towards two workers or so, towards a saturation not far above what was seen, towards equal work),
    /// weak enough to give way to a few minutes of data.
    fn residuals(&self, task: &Task<'_>, point: &Point, out: &mut Vec<(f64, f64, bool)>) {
        out.clear();
        let [base, waiting, shape, saturation, works @ ..] = point;
        let (log_base, log_waiting) = (base, waiting);
        let (shape_of, saturation_of) = (shape.exp(), saturation.exp());
        let (base, waiting) = (base.exp(), waiting.exp());
        let last = task.regimes.len().saturating_sub(1);
        let most = (BEYOND * task.limit).ln();
        for (index, bins) in task.regimes.iter().enumerate() {
            let work = works.get(index).filter(|_| index < last).map_or(1.0, |work| work.exp());
            for bin in bins {
                let utilization = (bin.load * work / saturation_of).min(MOST_UTILIZATION);
                let model = work * (base + waiting * utilization.powf(shape_of) / (1.0 - utilization));
                out.push((bin.weight(), model.ln().min(most) - bin.latency.ln().min(most), true));
            }
        }
        out.push((1.0 / leaning::SHAPE, shape - 2.0_f64.ln(), false));
        out.push((1.0 / leaning::WAITING, log_waiting - log_base - leaning::LIKELY_WAITING, false));
        match task.anchor {
            Some((anchor, deviation)) => out.push((1.0 / (leaning::ANCHOR * deviation), saturation - anchor, false)),
            None => out.push((1.0 / leaning::SATURATION, saturation - self.likely_saturation, false)),
        }
        for (index, work) in works.iter().take(last).enumerate() {
            let (known, deviation) = match task.works.and_then(|works| works.get(index)) {
                Some(known) => (known.ln(), leaning::KNOWN_WORK),
                None => (0.0, leaning::WORK),
            };
            out.push((1.0 / deviation, work - known, false));
        }
    }

    /// Half the sum of squares, growing linearly for bins that deviate by more than [`OUTLIER`] (soft L1). Bins are in
    /// units of [`OUTLIER`], so that a leaning of 1 weighs like one minute that is off by 5 %.
    fn cost(residuals: &[(f64, f64, bool)]) -> f64 {
        let of = |(weight, residual, is_bin): &(f64, f64, bool)| {
            let z = if *is_bin { residual / OUTLIER } else { *residual };
            let rho = if *is_bin { 2.0 * ((1.0 + z * z).sqrt() - 1.0) } else { z * z };
            weight * weight * rho
        };
        0.5 * residuals.iter().map(of).sum::<f64>()
    }

    #[expect(
        clippy::indexing_slicing,
        clippy::needless_range_loop,
        reason = "matrices read best by row and column, all below `used`, which is at most MOST_PARAMETERS"
    )]
    fn descend(&self, task: &Task<'_>, saturation: f64, highest: f64, fastest: f64) -> Fit {
        let mut at: Point = [0.0; MOST_PARAMETERS];
        let start = [0.9 * fastest, 0.3 * fastest, 2.0, saturation.max(highest)];
        for (value, start) in at.iter_mut().zip(start) {
            *value = f64::ln(start);
        }
        at = self.clamped(at);
        let (mut residuals, mut moved) = (Vec::new(), Vec::new());
        self.residuals(task, &at, &mut residuals);
        let mut cost = Self::cost(&residuals);
        let mut damping = 1e-2;
        for _ in 0..ITERATIONS {
            // The gradient and the curvature, each residual weighted as its loss bends.
            let mut columns: Vec<Vec<f64>> = Vec::with_capacity(self.used);
            for parameter in 0..self.used {
                const STEP: f64 = 1e-5;
                let mut beside = at;
                beside[parameter] += STEP;
                self.residuals(task, &beside, &mut moved);
                columns.push(moved.iter().zip(&residuals).map(|(after, before)| (after.1 - before.1) / STEP).collect());
            }
            let mut curvature = [[0.0; MOST_PARAMETERS]; MOST_PARAMETERS];
            let mut gradient = [0.0; MOST_PARAMETERS];
            for (index, (weight, residual, is_bin)) in residuals.iter().enumerate() {
                let (z, unit) = if *is_bin { (residual / OUTLIER, OUTLIER) } else { (*residual, 1.0) };
                let bend = if *is_bin { 1.0 / (1.0 + z * z).sqrt() } else { 1.0 };
                let strength = weight * weight * bend / (unit * unit);
                for row in 0..self.used {
                    let slope = columns[row][index];
                    gradient[row] += strength * slope * residual;
                    for column in 0..=row {
                        curvature[row][column] += strength * slope * columns[column][index];
                    }
                }
            }
            for row in 0..self.used {
                for column in 0..row {
                    curvature[column][row] = curvature[row][column];
                }
            }
            let mut is_better = false;
            for _ in 0..8 {
                let mut damped = curvature;
                for (diagonal, row) in damped.iter_mut().enumerate().take(self.used) {
                    row[diagonal] += damping * row[diagonal].max(1e-6);
                }
                let Some(step) = solve(damped, gradient, self.used) else {
                    damping *= 10.0;
                    continue;
                };
                let mut next = at;
                for (value, step) in next.iter_mut().zip(step) {
                    *value -= step;
                }
                let next = self.clamped(next);
                self.residuals(task, &next, &mut moved);
                let after = Self::cost(&moved);
                if after < cost {
                    is_better = cost - after > 1e-7 * cost;
                    (at, cost) = (next, after);
                    std::mem::swap(&mut residuals, &mut moved);
                    damping = (damping / 5.0).max(1e-9);
                    break;
                }
                damping *= 5.0;
            }
            if !is_better {
                break;
            }
        }
        let [base, waiting, shape, saturation, works @ ..] = at;
        let others = works.iter().take(self.used - CURVE).map(|work| work.exp());
        Fit {
            base: base.exp(),
            waiting: waiting.exp(),
            shape: shape.exp(),
            saturation: saturation.exp(),
            work: others.chain([1.0]).collect(),
            cost,
        }
    }
}

/// Solves `matrix · x = right` in the first `size` rows, by elimination with pivots; none where it has no one solution.
#[expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "matrices read best by row and column, all below `size`, which is at most MOST_PARAMETERS"
)]
fn solve(mut matrix: [Point; MOST_PARAMETERS], mut right: Point, size: usize) -> Option<Point> {
    for pivot in 0..size {
        let best = (pivot..size).max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))?;
        matrix.swap(pivot, best);
        right.swap(pivot, best);
        let lead = matrix[pivot][pivot];
        if !lead.is_finite() || lead.abs() < 1e-12 {
            return None;
        }
        for row in pivot + 1..size {
            let factor = matrix[row][pivot] / lead;
            for column in pivot..size {
                matrix[row][column] -= factor * matrix[pivot][column];
            }
            right[row] -= factor * right[pivot];
        }
    }
    let mut solution = [0.0; MOST_PARAMETERS];
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(load: f64, work: f64) -> f64 {
        let utilization: f64 = load * work / 1_000.0;
        work * (100e3 + 60e3 * utilization.powf(1.7) / (1.0 - utilization))
    }

    fn bins(loads: impl Iterator<Item = f64>, work: f64) -> Vec<Bin> {
        loads.map(|load| Bin { load, minutes: 40, latency: curve(load, work) }).collect()
    }

    #[test]
    fn a_curve_is_found_again() {
        let regimes = [bins((1..19).map(|step| f64::from(step) * 50.0), 1.0)];
        let fit = Fit::of(&Task { regimes: &regimes, limit: 400e3, works: None, anchor: None }).unwrap();
        assert!((fit.latency(800.0) / curve(800.0, 1.0) - 1.0).abs() < 0.01);
        assert!((fit.saturation / 1_000.0 - 1.0).abs() < 0.02, "{fit:?}");
    }

    #[test]
    fn what_heavier_requests_showed_counts_for_the_present_ones() {
        let heavy = bins((1..18).map(|step| f64::from(step) * 40.0), 1.3);
        let light = bins((1..8).map(|step| f64::from(step) * 50.0), 1.0);
        let fit = Fit::of(&Task { regimes: &[heavy, light], limit: 400e3, works: None, anchor: None }).unwrap();
        assert!((fit.work[0] - 1.3).abs() < 0.03, "{fit:?}");
        assert!((fit.latency(800.0) / curve(800.0, 1.0) - 1.0).abs() < 0.05, "{fit:?}");
    }
}
