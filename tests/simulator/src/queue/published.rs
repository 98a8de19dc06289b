//! Minutes of a queue as series of CloudWatch statistics.

use super::{QueueMinute, QueueRun};
use crate::{Published, Samples};

impl QueueRun {
    /// What CloudWatch has of all of it. Where nothing was counted there is no datapoint, nor a backlog per instance where there
    /// is no instance.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        let series = |metric, statistic, value: &dyn Fn(&QueueMinute) -> Option<f64>| Published {
            metric,
            statistic,
            values: self.minutes.iter().map(value).collect(),
        };
        let counted = |count: usize| (count > 0).then_some(count as f64);
        // A count of failures is published, zero or not, for each request.
        let of_all = |minute: &QueueMinute, count: usize| (minute.processed + count > 0).then_some(count as f64);
        vec![
            series("ApproximateBacklogSize", "Average", &|m| Some(m.backlog)),
            series("ApproximateBacklogSizePerInstance", "Average", &|m| {
                (m.instances > 0).then(|| m.backlog / m.instances as f64)
            }),
            series("HasBacklogWithoutCapacity", "Average", &|m| {
                Some(f64::from(u8::from(m.instances == 0 && m.backlog > 0.0)))
            }),
            series("ApproximateAgeOfOldestRequest", "Maximum", &|m| Some(m.oldest_seconds)),
            series("InvocationsProcesssed", "Sum", &|m| counted(m.processed)),
            series("InvocationFailures", "Sum", &|m| of_all(m, m.failed)),
            series("Invocation5XXErrors", "Sum", &|m| of_all(m, m.failed)),
            series("Invocation4XXErrors", "Sum", &|m| of_all(m, m.refused)),
            series("RequestDownloadFailures", "Sum", &|m| of_all(m, m.not_fetched)),
            series("ResponseUploadFailures", "Sum", &|m| of_all(m, m.not_stored)),
            series("ExpiredRequests", "Sum", &|m| counted(m.expired)),
            series("RequestDownloadLatency", "Average", &|m| Samples::of(m.download_us.clone()).average()),
            series("ResponseUploadLatency", "Average", &|m| {
                Samples::of(m.download_us.clone()).average().map(|us| us / 2.0)
            }),
            series("ModelLatency", "Average", &|m| Samples::of(m.latency_us.clone()).average()),
            series("ModelLatency", "p50", &|m| Samples::of(m.latency_us.clone()).quantile(0.5)),
            series("ModelLatency", "p90", &|m| Samples::of(m.latency_us.clone()).quantile(0.9)),
            series("ModelLatency", "Minimum", &|m| Samples::of(m.latency_us.clone()).minimum()),
            series("CPUUtilization", "Average", &|m| (m.instances > 0).then_some(m.cpu_percent)),
        ]
    }
}
