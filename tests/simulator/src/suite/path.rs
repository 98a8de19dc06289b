//! How much traffic comes, minute by minute, as long as nothing is the matter.

use super::dice::Dice;
use std::f64::consts::TAU;

const DAY: f64 = 1_440.0;
/// How much of a minute's noise is still there in the next.
const NOISE_KEPT: f64 = 0.95;
/// The least and the most that usual days reach, in units of capacity.
const LEAST: f64 = 0.12;
const MOST: f64 = 0.78;

/// Load in units of capacity, from `before` minutes before the trouble on.
pub(crate) struct Path {
    levels: Vec<f64>,
    before: i64,
}

/// What a day is like.
#[derive(Clone, Copy)]
pub(crate) struct Day {
    /// Share of a day that has passed since the peak when the trouble begins.
    pub since_peak: f64,
    /// How far the peak is above the mean, as a share of it; less where it would go beyond what is usual.
    pub swing: f64,
}

impl Day {
    /// Any day, at any time of it.
    pub fn any(dice: &mut Dice) -> Self {
        Self { since_peak: dice.uniform(0.0..1.0), swing: dice.uniform(0.1..0.5) }
    }

    /// A day whose peak is over when the trouble begins, so that more load was seen.
    pub fn past_peak(dice: &mut Dice) -> Self {
        Self { since_peak: dice.uniform(0.15..0.4), swing: dice.uniform(0.3..0.5) }
    }

    /// A day on its way to the peak.
    pub fn before_peak(dice: &mut Dice) -> Self {
        Self { since_peak: dice.uniform(0.85..0.97), swing: dice.uniform(0.2..0.45) }
    }

    /// No day: the same load around the clock.
    pub fn flat() -> Self {
        Self { since_peak: 0.0, swing: 0.0 }
    }
}

impl Path {
    /// A path that is near `level` when the trouble begins.
    pub fn draw(dice: &mut Dice, before: i64, after: i64, level: f64, day: Day) -> Self {
        let at = |swing: f64, since_peak: f64| 1.0 + swing * (TAU * since_peak).cos();
        let mut swing = day.swing;
        let mean = loop {
            let mean = level / at(swing, day.since_peak);
            let is_usual = mean * (1.0 + swing) <= MOST.max(level) && mean * (1.0 - swing) >= LEAST.min(level);
            if is_usual || swing < 0.02 {
                break mean;
            }
            swing *= 0.85;
        };
        let weekend = if before > 5 * 1_440 && dice.chance(0.4) { dice.uniform(0.6..0.9) } else { 1.0 };
        let friday = dice.whole(1..=5) as i64; // so many days since the last weekend
        let spread = dice.uniform(0.03..0.06);
        let mut noise = spread * dice.normal();
        let levels = (-before..after)
            .map(|minute| {
                noise = NOISE_KEPT * noise + spread * (1.0 - NOISE_KEPT * NOISE_KEPT).sqrt() * dice.normal();
                let day_of_week = (minute.div_euclid(1_440) + friday).rem_euclid(7);
                let week = if day_of_week >= 5 { weekend } else { 1.0 };
                mean * at(swing, day.since_peak + minute as f64 / DAY) * week * (1.0 + noise).max(0.5)
            })
            .collect();
        Self { levels, before }
    }

    /// The load of a minute, counted from the first of the trouble.
    pub fn at(&self, minute: i64) -> f64 {
        let last = self.levels.len() as i64 - 1;
        self.levels[(minute + self.before).clamp(0, last) as usize]
    }

    /// The load that hardly any of the last `minutes` before the trouble went beyond.
    pub fn seen(&self, minutes: i64) -> f64 {
        let mut levels: Vec<f64> = (-minutes.min(self.before)..-5).map(|minute| self.at(minute)).collect();
        levels.sort_unstable_by(f64::total_cmp);
        levels[(levels.len() as f64 * 0.97) as usize]
    }
}
