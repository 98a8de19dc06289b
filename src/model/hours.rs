//! Metrics at one-hour resolution: what a first pass over many endpoints reads.

use super::{Metric, Minute, Statistic};

/// Minutes in one step of [`HourlySeries`].
const HOUR_MINUTES: i64 = 60;

/// One statistic of one metric, one value an hour; an hour without a datapoint is `None`, never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct HourlySeries {
    /// Which metric.
    pub metric: Metric,
    /// Which statistic of it.
    pub statistic: Statistic,
    /// The first minute of the first hour.
    pub first: Minute,
    /// One value an hour.
    pub values: Vec<Option<f64>>,
}

/// The hours of one variant or component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hours(pub Vec<HourlySeries>);

impl Hours {
    /// The hours of a metric, in whichever statistic it was read; each with its first minute, oldest first, gaps left out.
    pub fn of(&self, metric: Metric) -> impl DoubleEndedIterator<Item = (Minute, f64)> + '_ {
        let series = self.0.iter().find(move |series| series.metric == metric);
        series.into_iter().flat_map(|series| {
            series.values.iter().enumerate().filter_map(|(index, value)| {
                let hour = i64::try_from(index).ok()?;
                Some((series.first.plus(hour * HOUR_MINUTES), value.filter(|value| value.is_finite())?))
            })
        })
    }

    /// The highest hour of a metric.
    #[must_use]
    pub fn most(&self, metric: Metric) -> Option<f64> {
        self.of(metric).map(|(_, value)| value).max_by(f64::total_cmp)
    }
}
