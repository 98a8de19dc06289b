//! The metrics of one variant, minute by minute, in the units that the stages reckon with.

use super::{
    InvocationsPerInstance, InvocationsPerMinute, Metric, Microseconds, Minute, Observation, Series, Statistic,
};
use std::collections::BTreeMap;

/// Instances come and go over several minutes; for this long their number is taken to be what it was.
const INSTANCES_KNOWN_MINUTES: i64 = 5;

/// A history of so many hours has shown a day. Not of 24: the last minutes are not published yet when they are read, and a gap
/// may stand at either end; with an hour less, no daily peak is missed that another day would have shown.
pub const A_DAY_HOURS: f64 = 23.0;

/// One minute of one variant. A field is `None` where CloudWatch had no datapoint.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MinuteRow {
    /// Requests to the variant.
    pub invocations: Option<InvocationsPerMinute>,
    /// Requests to one instance, or to one copy of an inference component.
    pub load: Option<InvocationsPerInstance>,
    /// `ModelLatency` in the statistic of the objective (p90 where there is none).
    pub latency: Option<Microseconds>,
    /// Its fastest request.
    pub latency_minimum: Option<Microseconds>,
    /// Its median.
    pub latency_p50: Option<Microseconds>,
    /// Its mean.
    pub latency_average: Option<Microseconds>,
    /// Mean `OverheadLatency`.
    pub overhead: Option<Microseconds>,
    /// Fewest and most requests in flight in one container, at any ten seconds of the minute.
    pub concurrency_minimum: Option<f64>,
    /// See `concurrency_minimum`.
    pub concurrency_maximum: Option<f64>,
    /// Requests answered with a 4xx.
    pub errors_4xx: Option<f64>,
    /// Requests answered with a 5xx.
    pub errors_5xx: Option<f64>,
    /// Requests that the container did not answer with a 2xx: errors, timeouts, broken connections.
    pub model_errors: Option<f64>,
    /// CPU in use.
    pub cpu: Utilization,
    /// GPU in use.
    pub gpu: Utilization,
    /// Share of memory in use on the fullest instance, 0 to 1 (the mean where only that was published).
    pub memory: Option<f64>,
    /// The same of GPU memory.
    pub gpu_memory: Option<f64>,
    /// Share of requests that found their model loaded.
    pub cache_hit: Option<f64>,
    /// Mean wait of a request for its model.
    pub loading_wait: Option<Microseconds>,
    /// Models loaded in this minute.
    pub loads: Option<f64>,
    /// Mean time to fetch a model.
    pub downloading: Option<Microseconds>,
    /// Mean time to load a fetched model.
    pub loading: Option<Microseconds>,
    /// Models that an instance holds, averaged over instances.
    pub loaded_models: Option<f64>,
}

/// Share of a resource in use, 0 to 1, over the instances. Where the instance's units are not known, a multiple of it:
/// ratios still hold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Utilization {
    /// Mean over instances.
    pub average: Option<f64>,
    /// The least busy instance.
    pub minimum: Option<f64>,
    /// The busiest instance.
    pub maximum: Option<f64>,
}

impl MinuteRow {
    /// Effective instances: `Invocations` / `InvocationsPerInstance`, because each request counts 1/instances in the
    /// latter. It is the only history of instance counts that CloudWatch keeps.
    #[must_use]
    pub fn instances(&self) -> Option<f64> {
        let (invocations, load) = (self.invocations?.0, self.load?.0);
        (load > 0.0 && invocations > 0.0).then(|| invocations / load)
    }

    /// Whether at most 2 % of the requests failed, as far as errors were published. Failures are often answered
    /// fast, so
    /// a minute with more of them makes latency look better than it is.
    #[must_use]
    pub fn has_few_errors(&self) -> bool {
        const MOST_ERRORS: f64 = 0.02;
        let errors = self.errors_5xx.into_iter().chain(self.errors_4xx).sum::<f64>();
        self.invocations.is_none_or(|invocations| errors <= MOST_ERRORS * invocations.0)
    }

    /// Requests that failed in the container: answered with a 5xx, or not at all. (A model's 4xx is the caller's.)
    #[must_use]
    pub fn failures(&self) -> Option<f64> {
        let unanswered = self.model_errors.map(|errors| errors - self.errors_4xx.unwrap_or(0.0));
        [self.errors_5xx, unanswered].into_iter().flatten().max_by(f64::total_cmp)
    }

    /// Whether at least `count` requests were counted.
    #[must_use]
    pub fn has_invocations(&self, count: f64) -> bool {
        self.invocations.is_some_and(|invocations| invocations.0 >= count)
    }
}

/// Every minute that was read, oldest first, gaps left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History(pub BTreeMap<Minute, MinuteRow>);

impl History {
    /// The history in an observation, up to its last whole minute.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let mut history = Self::default();
        let metrics = &observation.metrics;
        let latency = observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic);
        let looked_at = observation.first_minute()..=observation.last_minute();
        let mut put = |metric, statistic, set: &dyn Fn(&mut MinuteRow, f64)| {
            let points = metrics.series(metric, statistic).into_iter().flat_map(Series::points);
            for (minute, value) in points.filter(|(minute, value)| looked_at.contains(minute) && *value >= 0.0) {
                set(history.0.entry(minute).or_default(), value);
            }
        };
        put(Metric::Invocations, Statistic::Sum, &|row, value| row.invocations = Some(InvocationsPerMinute(value)));
        put(Metric::InvocationsPerInstance, Statistic::Sum, &|row, value| {
            row.load = Some(InvocationsPerInstance(value))
        });
        put(Metric::InvocationsPerCopy, Statistic::Sum, &|row, value| row.load = Some(InvocationsPerInstance(value)));
        put(Metric::ModelLatency, latency, &|row, value| row.latency = Some(Microseconds(value)));
        put(Metric::ModelLatency, Statistic::Minimum, &|row, value| row.latency_minimum = Some(Microseconds(value)));
        put(Metric::ModelLatency, Statistic::P50, &|row, value| row.latency_p50 = Some(Microseconds(value)));
        put(Metric::ModelLatency, Statistic::Average, &|row, value| row.latency_average = Some(Microseconds(value)));
        put(Metric::OverheadLatency, Statistic::Average, &|row, value| row.overhead = Some(Microseconds(value)));
        put(Metric::Invocation4XXErrors, Statistic::Sum, &|row, value| row.errors_4xx = Some(value));
        put(Metric::Invocation5XXErrors, Statistic::Sum, &|row, value| row.errors_5xx = Some(value));
        put(Metric::InvocationModelErrors, Statistic::Sum, &|row, value| row.model_errors = Some(value));
        for metric in [Metric::ConcurrentRequestsPerModel, Metric::ConcurrentRequestsPerCopy] {
            put(metric, Statistic::Minimum, &|row, value| row.concurrency_minimum = Some(value));
            put(metric, Statistic::Maximum, &|row, value| row.concurrency_maximum = Some(value));
        }
        put(Metric::ModelCacheHit, Statistic::Average, &|row, value| row.cache_hit = Some(value));
        put(Metric::ModelLoadingWaitTime, Statistic::Average, &|row, value| {
            row.loading_wait = Some(Microseconds(value));
        });
        put(Metric::ModelLoadingTime, Statistic::SampleCount, &|row, value| row.loads = Some(value));
        put(Metric::ModelDownloadingTime, Statistic::Average, &|row, value| {
            row.downloading = Some(Microseconds(value));
        });
        put(Metric::ModelLoadingTime, Statistic::Average, &|row, value| row.loading = Some(Microseconds(value)));
        put(Metric::LoadedModelCount, Statistic::Average, &|row, value| row.loaded_models = Some(value));
        // The fullest instance where it is known, else the mean. A copy's share is of what it was given.
        for statistic in [Statistic::Average, Statistic::Maximum] {
            for metric in [Metric::MemoryUtilization, Metric::MemoryUtilizationNormalized] {
                put(metric, statistic, &|row, value| row.memory = Some(value / 100.0));
            }
        }
        let cores = in_use(observation.variant.vcpus());
        let gpus = in_use(observation.variant.gpus());
        for (metric, whole) in [(Metric::GPUMemoryUtilization, gpus), (Metric::GPUMemoryUtilizationNormalized, 100.0)] {
            for statistic in [Statistic::Average, Statistic::Maximum] {
                put(metric, statistic, &|row, value| row.gpu_memory = Some(value / whole));
            }
        }
        // What a component's instances do, they do for others too.
        let is_own = |metric: &Metric| *metric != Metric::CPUUtilization || observation.component.is_none();
        let cpu = [(Metric::CPUUtilization, cores), (Metric::CPUUtilizationNormalized, 100.0)];
        for (metric, whole) in cpu.into_iter().filter(|(metric, _)| is_own(metric)) {
            put(metric, Statistic::Average, &|row, value| row.cpu.average = Some(value / whole));
            put(metric, Statistic::Minimum, &|row, value| row.cpu.minimum = Some(value / whole));
            put(metric, Statistic::Maximum, &|row, value| row.cpu.maximum = Some(value / whole));
        }
        for (metric, whole) in [(Metric::GPUUtilization, gpus), (Metric::GPUUtilizationNormalized, 100.0)] {
            put(metric, Statistic::Average, &|row, value| row.gpu.average = Some(value / whole));
            put(metric, Statistic::Minimum, &|row, value| row.gpu.minimum = Some(value / whole));
            put(metric, Statistic::Maximum, &|row, value| row.gpu.maximum = Some(value / whole));
        }
        history.complete_load();
        history.add_refused(observation);
        history
    }

    /// `Invocations` and `InvocationsPerInstance` say the same where the number of instances is known: one that is missing
    /// follows from the other and from how many served in the minutes just before.
    fn complete_load(&mut self) {
        let mut known: Option<(Minute, f64)> = None;
        for (minute, row) in &mut self.0 {
            if let Some(instances) = row.instances() {
                known = Some((*minute, instances));
            }
            let Some((_, instances)) = known.filter(|(seen, _)| minute.since(*seen) <= INSTANCES_KNOWN_MINUTES) else {
                continue;
            };
            match (row.invocations, row.load) {
                (Some(invocations), None) => row.load = Some(InvocationsPerInstance(invocations.0 / instances)),
                (None, Some(load)) => row.invocations = Some(InvocationsPerMinute(load.0 * instances)),
                _ => {}
            }
        }
    }

    /// Requests that found no copy came too. Whether `Invocations` counts them is not documented; the larger of the two is not
    /// wrong either way. There is no load on a copy then.
    fn add_refused(&mut self, observation: &Observation) {
        let series = observation.metrics.series(Metric::NoCapacityInvocationFailures, Statistic::Sum);
        let looked_at = observation.first_minute()..=observation.last_minute();
        let points = series.into_iter().flat_map(Series::points);
        for (minute, refused) in points.filter(|(minute, refused)| looked_at.contains(minute) && *refused > 0.0) {
            let row = self.0.entry(minute).or_default();
            let counted = row.invocations.map_or(0.0, |counted| counted.0);
            row.invocations = Some(InvocationsPerMinute(counted.max(refused)));
        }
    }

    /// Minutes from `first` to `last`, both included.
    pub fn between(&self, first: Minute, last: Minute) -> impl DoubleEndedIterator<Item = (Minute, &MinuteRow)> {
        let last = last.max(first);
        self.0.range(first..=last).map(|(minute, row)| (*minute, row))
    }

    /// Minutes before `end`.
    pub fn before(&self, end: Minute) -> impl DoubleEndedIterator<Item = (Minute, &MinuteRow)> {
        self.0.range(..end).map(|(minute, row)| (*minute, row))
    }

    /// Hours from the first to the last minute that has any datapoint.
    #[must_use]
    pub fn hours(&self) -> f64 {
        let (Some((first, _)), Some((last, _))) = (self.0.first_key_value(), self.0.last_key_value()) else {
            return 0.0;
        };
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let minutes = last.since(*first) as f64;
        minutes / 60.0
    }
}

/// Percent of utilisation at which all of a resource is in use; 100 where the number of units is not known.
fn in_use(units: Option<f64>) -> f64 {
    100.0 * units.filter(|units| *units > 0.0).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(invocations: Option<f64>, load: Option<f64>) -> MinuteRow {
        MinuteRow {
            invocations: invocations.map(InvocationsPerMinute),
            load: load.map(InvocationsPerInstance),
            ..MinuteRow::default()
        }
    }

    fn completed(rows: &[(i64, MinuteRow)]) -> Vec<(Option<f64>, Option<f64>)> {
        let mut history = History(rows.iter().map(|(minute, row)| (Minute(*minute), *row)).collect());
        history.complete_load();
        history.0.values().map(|row| (row.invocations.map(|count| count.0), row.load.map(|load| load.0))).collect()
    }

    #[test]
    fn load_and_invocations_follow_from_each_other_while_the_instances_are_known() {
        let known = (0, row(Some(300.0), Some(100.0)));
        assert_eq!(
            completed(&[known, (1, row(Some(330.0), None)), (2, row(None, Some(90.0)))])[1..],
            [(Some(330.0), Some(110.0)), (Some(270.0), Some(90.0))]
        );
    }

    #[test]
    fn a_gap_stays_a_gap_where_the_instances_are_not_known_any_more() {
        let known = (0, row(Some(300.0), Some(100.0)));
        assert_eq!(completed(&[known, (6, row(Some(330.0), None))])[1], (Some(330.0), None));
        assert_eq!(
            completed(&[(0, row(Some(330.0), None)), (1, row(None, None))]),
            [(Some(330.0), None), (None, None)]
        );
        assert_eq!(completed(&[(0, row(Some(0.0), Some(0.0))), (1, row(Some(5.0), None))])[1], (Some(5.0), None));
    }
}
