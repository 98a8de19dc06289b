//! Robust statistics over small samples. Every function ignores values that are not finite and answers `None` where
//! nothing is left, because a median of nothing is not zero.

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The `q` quantile (0 to 1) by linear interpolation between order statistics.
#[must_use]
pub fn quantile(values: impl IntoIterator<Item = f64>, q: f64) -> Option<f64> {
    let values = sorted(values);
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "samples are far fewer than 2^52")]
    let position = q.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and the length")]
    let below = position.floor() as usize;
    let low = *values.get(below)?;
    let high = *values.get((below + 1).min(last))?;
    Some(low + (high - low) * position.fract())
}

/// The median.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// The intercept of the Theil–Sen line through `points` (x, y): see [`theil_sen`].
#[must_use]
pub fn theil_sen_intercept(points: &[(f64, f64)]) -> Option<f64> {
    theil_sen(points).map(|(intercept, _)| intercept)
}

/// Intercept and slope of the Theil–Sen line through `points` (x, y): the median slope `s` of pairs, and the median of
/// `y − s·x`. At most a few thousand pairs are taken, evenly, so the result is deterministic.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    const MOST: usize = 90; // 90 points make 4,005 pairs, where the median slope has long settled
    let step = points.len().div_ceil(MOST).max(1);
    let sample: Vec<(f64, f64)> = points.iter().step_by(step).copied().collect();
    let mut slopes = Vec::new();
    for (index, (x1, y1)) in sample.iter().enumerate() {
        for (x2, y2) in sample.iter().skip(index + 1) {
            if (x2 - x1).abs() > f64::EPSILON {
                slopes.push((y2 - y1) / (x2 - x1));
            }
        }
    }
    let slope = median(slopes)?;
    Some((median(sample.iter().map(|(x, y)| y - slope * x))?, slope))
}

/// The closest non-decreasing fit to `points` (value, weight), by pooling adjacent violators.
#[must_use]
pub fn isotonic(points: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in points {
        let mut pool = (*value, *weight, 1);
        while let Some(before) = pools.pop_if(|before| before.0 > pool.0) {
            let weight = before.1 + pool.1;
            pool = ((before.0 * before.1 + pool.0 * pool.1) / weight, weight, before.2 + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quantile_interpolates() {
        assert_eq!(quantile([1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
        assert_eq!(quantile([5.0], 0.99), Some(5.0));
        assert_eq!(median([f64::NAN]), None);
    }

    #[test]
    fn the_intercept_survives_outliers() {
        let mut points: Vec<(f64, f64)> = (0..50).map(|x| (f64::from(x), 3.0 + 2.0 * f64::from(x))).collect();
        points.extend([(10.0, 900.0), (20.0, -900.0)]);
        assert!((theil_sen_intercept(&points).unwrap() - 3.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn isotonic_never_decreases_and_keeps_the_mean(values in prop::collection::vec(0.0..100.0_f64, 1..40)) {
            let points: Vec<_> = values.iter().map(|value| (*value, 1.0)).collect();
            let fit = isotonic(&points);
            prop_assert!(fit.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9));
            prop_assert!((fit.iter().sum::<f64>() - values.iter().sum::<f64>()).abs() < 1e-6);
        }
    }
}
