//! The datapoints that an alarm would have seen: one at the end of each minute, of the period before it.

use crate::model::{Minute, Observation, Series, Statistic};

/// What has not arrived for so long may still: it is no gap.
const LATE_MINUTES: i64 = 5;

/// One datapoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Datapoint {
    /// In the metric's unit.
    pub value: f64,
    /// Whether CloudWatch counts its samples as enough; always, where the statistic is no percentile.
    pub has_enough: bool,
}

/// Datapoints by the minute with which their period ends; none where nothing was measured.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    pub first: Minute,
    /// Minutes of one datapoint.
    pub period: usize,
    pub datapoints: Vec<Option<Datapoint>>,
}

impl Timeline {
    /// A statistic over each `period` minutes, from its values of single minutes.
    ///
    /// A mean over several minutes is exact, by their requests. A percentile over them cannot be known; it is never above the
    /// highest of its minutes, and that is what is taken.
    pub(super) fn of(
        observation: &Observation,
        series: &Series,
        samples: Option<&Series>,
        period: usize,
    ) -> Option<Self> {
        let end = observation.last_minute();
        let newest = series.points().map(|(minute, _)| minute).take_while(|minute| *minute <= end).last()?;
        let last = if end.since(newest) <= LATE_MINUTES { newest } else { end };
        let looked_at = observation.first_minute()..=last;
        let is_value = |(minute, value): &(Minute, f64)| looked_at.contains(minute) && *value >= 0.0;
        let (first, _) = series.points().find(is_value)?;
        let length = usize::try_from(last.since(first)).ok()? + 1;
        let mut minutes: Vec<Option<(f64, Option<f64>)>> = vec![None; length];
        for (minute, value) in series.points().filter(is_value) {
            let index = usize::try_from(minute.since(first)).ok()?;
            let count = samples.and_then(|samples| samples.at(minute));
            if let Some(slot) = minutes.get_mut(index) {
                *slot = Some((value, count));
            }
        }
        let datapoints = minutes.windows(period).map(|window| datapoint(window, series.statistic, samples.is_some()));
        let first = first.plus(i64::try_from(period).ok()? - 1);
        Some(Self { first, period, datapoints: datapoints.collect() })
    }

    /// At the end of each minute, the datapoints that are looked at, newest first.
    pub(super) fn looks(
        &self,
        periods: usize,
        further_back: usize,
    ) -> impl Iterator<Item = (Minute, impl Iterator<Item = Option<Datapoint>>)> {
        let begin = periods.saturating_sub(1) * self.period;
        (begin..self.datapoints.len()).zip(begin as i64..).map(move |(index, minutes)| {
            let back = move |count: usize| index.checked_sub(count * self.period);
            let at = move |count| back(count).and_then(|index| self.datapoints.get(index).copied().flatten());
            (self.first.plus(minutes), (0..periods + further_back).map(at))
        })
    }

    /// Values that count, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.datapoints.iter().flatten().filter(|datapoint| datapoint.has_enough).map(|datapoint| datapoint.value)
    }

    /// Datapoints of too few samples.
    pub(super) fn with_few(&self) -> usize {
        self.datapoints.iter().flatten().filter(|datapoint| !datapoint.has_enough).count()
    }

    /// Minutes without a datapoint.
    pub(super) fn missing(&self) -> usize {
        self.datapoints.iter().filter(|datapoint| datapoint.is_none()).count()
    }

    /// Days from the first datapoint to the last.
    pub(super) fn days(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let minutes = (self.datapoints.len() + self.period - 1) as f64;
        minutes / 1_440.0
    }
}

/// One datapoint from the minutes of its period; `is_counted`: whether their requests were read.
fn datapoint(window: &[Option<(f64, Option<f64>)>], statistic: Statistic, is_counted: bool) -> Option<Datapoint> {
    let minutes: Vec<(f64, f64)> =
        window.iter().flatten().map(|(value, count)| (*value, count.unwrap_or(0.0).max(0.0))).collect();
    let samples: f64 = minutes.iter().map(|(_, count)| count).sum();
    let highest = minutes.iter().map(|(value, _)| *value).max_by(f64::total_cmp)?;
    let value = match statistic {
        Statistic::Average if samples > 0.0 => {
            minutes.iter().map(|(value, count)| value * count).sum::<f64>() / samples
        }
        _ => highest,
    };
    let is_percentile = matches!(statistic, Statistic::Percentile(_));
    Some(Datapoint { value, has_enough: !is_percentile || (is_counted && samples >= statistic.samples_needed()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(value: f64, count: f64) -> Option<(f64, Option<f64>)> {
        Some((value, Some(count)))
    }

    #[test]
    fn the_mean_of_five_minutes_is_that_of_their_requests() {
        let window = [minute(100.0, 30.0), None, minute(400.0, 10.0)];
        let expected = Datapoint { value: 175.0, has_enough: true };
        assert_eq!(datapoint(&window, Statistic::Average, true), Some(expected));
        assert_eq!(datapoint(&[None, None], Statistic::Average, true), None, "no request is no latency");
    }

    #[test]
    fn a_percentile_of_five_minutes_is_at_most_the_highest_of_them() {
        let few = Datapoint { value: 400.0, has_enough: false };
        assert_eq!(datapoint(&[minute(100.0, 30.0), minute(400.0, 10.0)], Statistic::P90, true), Some(few));
        let enough = Datapoint { has_enough: true, ..few };
        assert_eq!(datapoint(&[minute(100.0, 90.0), minute(400.0, 10.0)], Statistic::P90, true), Some(enough));
    }
}
