//! How fast a saturated instance works now, from stretches in which it was saturated.
//!
//! Requests that are done while all places are taken come at random around a steady rate: independent requests of the usual
//! kinds about as a Poisson count, alike ones more evenly, batches of large ones in lumps. How much they really scatter shows
//! between blocks, once there are some.

/// Some saturated minutes in a row, with the same instances.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Block {
    pub minutes: usize,
    pub processed: f64,
    pub instance_minutes: f64,
}

/// The speed of one instance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    /// Requests per minute.
    pub value: f64,
    /// Half of its 90 % interval, as a share of it.
    pub spread: f64,
    /// Saturated minutes that it was seen in.
    pub minutes: usize,
    /// Whether it was another speed before.
    pub has_changed: bool,
}

/// The scatter of blocks over that of a Poisson count is taken to be 1, as firmly as if so many blocks had shown it.
const PRIOR_BLOCKS: f64 = 4.0;
/// A change of speed is more than this,
const CHANGED: f64 = 0.15;
/// and so many standard errors: the largest of several dozen differences that are chance is smaller.
const CERTAIN_ERRORS: f64 = 3.5;
/// What no count shows: that the requests of now are not quite those of the hours in which requests waited. One standard
/// deviation.
const DRIFT: f64 = 0.03;
/// The 95th percentile of the normal distribution, and how much further that of Student's is with ν degrees of freedom:
/// by 1 + 1.15/ν (2.12 of 2.13 at 4, 1.83 of 1.81 at 10).
const Z95: f64 = 1.645;
const STUDENT: f64 = 1.15;
/// No interval is wider than half of the estimate on either side.
const WIDEST: f64 = 0.5;

/// The speed since it last changed; none where nothing was processed.
pub(super) fn present(blocks: &[Block]) -> Option<Speed> {
    let mut since = 0;
    // Each change cuts off what was before it.
    while let Some(cut) = blocks.get(since..).and_then(change) {
        since += cut;
    }
    let own = blocks.get(since..)?;
    let sums = Sums::of(own);
    let value = sums.processed / sums.instance_minutes;
    if !value.is_finite() || value <= 0.0 {
        return None;
    }
    let (scatter, freedom) = scatter(&[sums]);
    let error = (scatter / sums.processed).sqrt().hypot(DRIFT);
    let spread = Z95 * (1.0 + STUDENT / freedom) * error;
    let minutes = own.iter().map(|block| block.minutes).sum();
    Some(Speed { value, spread: spread.min(WIDEST), minutes, has_changed: since > 0 })
}

/// The first block after the clearest change of speed; none where there is no clear one.
fn change(blocks: &[Block]) -> Option<usize> {
    let between = scatter_between(blocks);
    let clear = (1..blocks.len()).filter_map(|cut| {
        let (before, after) = blocks.split_at_checked(cut)?;
        let (before, after) = (Sums::of(before), Sums::of(after));
        let (then, now) = (before.rate(), after.rate());
        // Each of the two is too large where there are other changes, and seldom too small.
        let scatter = scatter(&[before, after]).0.min(between);
        let error = (scatter * (1.0 / before.processed + 1.0 / after.processed)).sqrt();
        let errors = (now / then).ln().abs() / error;
        let is_change = (now / then - 1.0).abs() > CHANGED && errors > CERTAIN_ERRORS;
        is_change.then_some((cut, errors))
    });
    clear.max_by(|left, right| left.1.total_cmp(&right.1)).map(|(cut, _)| cut)
}

/// What is left of some blocks.
#[derive(Debug, Clone, Copy)]
struct Sums {
    blocks: f64,
    processed: f64,
    instance_minutes: f64,
    /// Of what each processed, squared, over its instance-minutes.
    squares: f64,
}

impl Sums {
    fn of(blocks: &[Block]) -> Self {
        let none = Self { blocks: 0.0, processed: 0.0, instance_minutes: 0.0, squares: 0.0 };
        blocks.iter().fold(none, |sums, block| Self {
            blocks: sums.blocks + 1.0,
            processed: sums.processed + block.processed,
            instance_minutes: sums.instance_minutes + block.instance_minutes,
            squares: sums.squares + block.processed * block.processed / block.instance_minutes,
        })
    }

    fn rate(&self) -> f64 {
        self.processed / self.instance_minutes
    }

    /// Pearson's X² of the counts against one rate: Σ (nᵢ − r mᵢ)² / (r mᵢ), which is Σ nᵢ²/mᵢ / r − Σ nᵢ.
    fn chi_square(&self) -> f64 {
        (self.squares / self.rate() - self.processed).max(0.0)
    }
}

/// The variance of counts over their mean, of blocks that have one speed within each of these parts, and on how many
/// degrees of freedom that rests.
fn scatter(parts: &[Sums]) -> (f64, f64) {
    let freedom = PRIOR_BLOCKS + parts.iter().map(|part| part.blocks - 1.0).sum::<f64>();
    let seen: f64 = parts.iter().map(Sums::chi_square).filter(|seen| seen.is_finite()).sum();
    ((PRIOR_BLOCKS + seen) / freedom, freedom)
}

/// The same from each block and the next, which a change of speed moves only where it is.
fn scatter_between(blocks: &[Block]) -> f64 {
    let squares = blocks.iter().zip(blocks.iter().skip(1)).map(|(one, next)| {
        let (done, by) = (one.processed + next.processed, one.instance_minutes + next.instance_minutes);
        let difference = one.processed / one.instance_minutes - next.processed / next.instance_minutes;
        difference * difference / (done / by * (1.0 / one.instance_minutes + 1.0 / next.instance_minutes))
    });
    let (pairs, seen) = squares.filter(|square| square.is_finite()).fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
    (PRIOR_BLOCKS + seen) / (PRIOR_BLOCKS + pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of ten minutes of two instances that each processed so many.
    fn blocks(counts: &[f64]) -> Vec<Block> {
        counts.iter().map(|count| Block { minutes: 10, processed: *count, instance_minutes: 20.0 }).collect()
    }

    #[test]
    fn the_more_was_seen_the_narrower_is_the_interval() {
        let spread = |count: usize| present(&blocks(&vec![100.0; count])).unwrap().spread;
        assert!(spread(1) > 1.5 * spread(4) && spread(4) > spread(30), "{} {} {}", spread(1), spread(4), spread(30));
        assert!(spread(1_000) > Z95 * DRIFT);
    }

    #[test]
    fn blocks_that_scatter_widen_it_and_are_no_change_of_speed() {
        let even = present(&blocks(&[100.0; 12])).unwrap();
        let uneven = present(&blocks(&[60.0, 140.0, 75.0, 125.0, 90.0, 110.0].repeat(2))).unwrap();
        assert!((even.value - 5.0).abs() < 1e-9 && (uneven.value - 5.0).abs() < 1e-9);
        assert!(!uneven.has_changed && uneven.spread > 1.5 * even.spread, "{uneven:?} {even:?}");
    }

    #[test]
    fn only_what_came_after_the_last_change_counts() {
        let counts = [vec![100.0; 6], vec![300.0; 5], vec![40.0; 2]].concat();
        let speed = present(&blocks(&counts)).unwrap();
        assert!((speed.value - 2.0).abs() < 1e-9 && speed.has_changed && speed.minutes == 20, "{speed:?}");
        // One short block of a few requests is not enough to say so.
        let counts = [vec![10.0; 6], vec![7.0]].concat();
        assert!(!present(&blocks(&counts)).unwrap().has_changed);
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert!(present(&[]).is_none());
        assert!(present(&blocks(&[0.0, 0.0])).is_none());
    }
}
