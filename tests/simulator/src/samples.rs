//! Values and how many samples had each.

use serde::Serialize;

/// Distinct values that `PutMetricData` takes for one datum.
const VALUES: usize = 150;

/// Values and how many samples had each, ascending: the smallest and the largest exact, the others in at most 148 groups of
/// equal size that have the group's mean.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Samples(Vec<(f64, u64)>);

impl Samples {
    /// Groups values.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self::of_ascending(&values, |value| *value)
    }

    /// Groups whole values, and leaves them sorted.
    pub(crate) fn of_whole(values: &mut [u32]) -> Self {
        values.sort_unstable();
        Self::of_ascending(values, |value| f64::from(*value))
    }

    /// Values that stand for several samples each.
    pub(crate) fn repeated(mut values: Vec<(f64, u64)>) -> Self {
        values.retain(|(_, count)| *count > 0);
        values.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
        Self(values.into_iter().map(|(value, count)| (value.round(), count)).collect())
    }

    fn of_ascending<T>(values: &[T], value: impl Fn(&T) -> f64) -> Self {
        let single = |one: &T| (value(one).round(), 1);
        let (smallest, others, largest) = match values {
            [] => return Self::default(),
            [only] => return Self(vec![single(only)]),
            [smallest, others @ .., largest] => (smallest, others, largest),
        };
        let group = |group: &[T]| {
            let sum: f64 = group.iter().map(&value).sum();
            ((sum / group.len() as f64).round(), group.len() as u64)
        };
        let mut groups = Vec::with_capacity(VALUES);
        groups.push(single(smallest));
        groups.extend(others.chunks(others.len().div_ceil(VALUES - 2).max(1)).map(group));
        groups.push(single(largest));
        Self(groups)
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.0.iter().map(|(value, count)| value * *count as f64).sum()
    }

    /// Their mean.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.sum() / self.count() as f64)
    }

    /// The smallest.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        self.0.first().map(|(value, _)| *value)
    }

    /// The largest.
    #[must_use]
    pub fn maximum(&self) -> Option<f64> {
        self.0.last().map(|(value, _)| *value)
    }

    /// The `q` quantile.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = (q * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.0.iter().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then_some(*value)
        })
    }

    /// The values and how many samples had each.
    #[must_use]
    pub fn pairs(&self) -> &[(f64, u64)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_count_sum_and_ends() {
        for count in [1_u32, 2, 149, 150, 151, 1_000] {
            let samples = Samples::of_whole(&mut (0..count).map(|i| i * 7).collect::<Vec<u32>>());
            let last = f64::from(7 * (count - 1));
            assert!(samples.pairs().len() <= VALUES, "{count}");
            assert_eq!((samples.minimum(), samples.maximum()), (Some(0.0), Some(last)));
            assert_eq!(samples.count(), u64::from(count));
            assert!((samples.average().unwrap() - last / 2.0).abs() < 0.5);
            assert!((samples.quantile(0.9).unwrap() - 0.9 * last).abs() <= 0.01 * last + 7.0);
        }
        assert_eq!((Samples::of(Vec::new()).average(), Samples::of(Vec::new()).quantile(0.5)), (None, None));
    }
}
