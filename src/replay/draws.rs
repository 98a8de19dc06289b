//! What is not known for certain, drawn the same way every time.

use super::boot::Boot;
use super::outcome::{Block, Draw};
use crate::model::{Bound, Capacity};

/// Where the limit was never seen, it is this far from what is taken to be likely: 1.08 to twice the highest load that
/// kept the objective. Of simulated endpoints like that, one in twenty carried less, and half of them more.
const UNSEEN: (f64, f64) = (0.86, 1.6);

/// A sequence of numbers that look random and never change: the output function of `SplitMix64`.
#[derive(Debug, Clone, Copy)]
pub struct Dice(u64);

impl Dice {
    /// The sequence with this number.
    #[must_use]
    pub fn new(sequence: u64) -> Self {
        Self(sequence.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ 0xA076_1D64_78BD_642F)
    }

    /// The next number, 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }

    /// The next whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "0 to the count, which is small"
        )]
        let number = (self.share() * count as f64) as usize;
        number.min(count.saturating_sub(1))
    }

    /// The next number of a standard normal distribution, by the sum of twelve.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// `count` draws of capacity and boot time, spread evenly over what is possible.
#[must_use]
pub fn draws(capacity: &Capacity, boot: &Boot, count: usize) -> Vec<Draw> {
    let value = capacity.likely().0;
    let (low, high) = match (capacity.bound, capacity.high) {
        (Bound::AtLeast, _) => UNSEEN,
        (Bound::Estimate, high) => (capacity.low.0 / value, high.map_or(1.0, |high| high.0 / value)),
    };
    let (low, high) = (low.clamp(0.2, 1.0), high.clamp(1.0, 3.0));
    let mut dice = Dice::new(1);
    (0..count)
        .map(|index| {
            #[expect(clippy::cast_precision_loss, reason = "a few draws")]
            let share = (index as f64 + 0.5) / count.max(1) as f64;
            Draw { capacity: quantile(low, high, share), boot_minutes: boot.quantile(dice.share()) }
        })
        .collect()
}

/// A quantile of true capacity over the estimate: the interval's ends are 5 and 95 %, the estimate itself is the median.
fn quantile(low: f64, high: f64, share: f64) -> f64 {
    let side = if share < 0.5 { (share - 0.5) * (1.0 - low) } else { (share - 0.5) * (high - 1.0) };
    (1.0 + side / 0.45).max(0.1)
}

/// Sums over blocks drawn with replacement, as many as there are; the same blocks for every outcome with the same `number`.
#[must_use]
pub fn resampled(blocks: &[Block], number: u64) -> Block {
    let mut dice = Dice::new(1_000 + number);
    let mut sum = Block::default();
    for _ in blocks {
        if let Some(block) = blocks.get(dice.below(blocks.len())) {
            sum.over_minutes += block.over_minutes;
            sum.instance_minutes += block.instance_minutes;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_are_fair_and_always_the_same() {
        let mut dice = Dice::new(3);
        let mean = (0..10_000).map(|_| dice.share()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let mut again = Dice::new(3);
        assert_eq!(Dice::new(3).share().to_bits(), again.share().to_bits());
        assert!((0..1_000).map(|_| dice.below(7)).all(|number| number < 7));
    }

    #[test]
    fn the_interval_is_kept() {
        assert!((quantile(0.9, 1.3, 0.05) - 0.9).abs() < 1e-9);
        assert!((quantile(0.9, 1.3, 0.95) - 1.3).abs() < 1e-9);
        assert!((quantile(0.9, 1.3, 0.5) - 1.0).abs() < 1e-9);
    }
}
