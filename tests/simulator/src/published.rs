//! Minutes as series of CloudWatch statistics.

use crate::{Minute, MultiModel, Samples};

/// One statistic of one metric, one value a minute; none where there was no datapoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The metric's name, as SageMaker publishes it.
    pub metric: &'static str,
    /// The statistic, as `GetMetricData` takes it.
    pub statistic: &'static str,
    /// One value a minute.
    pub values: Vec<Option<f64>>,
}

/// How a statistic comes out of a minute.
type Read = fn(&Minute) -> Option<f64>;

/// Every statistic that any endpoint publishes.
const ALL: &[(&str, &str, Read)] = &[
    ("Invocations", "Sum", |m| per_request(m, m.invocations as f64)),
    ("InvocationsPerInstance", "Sum", |m| per_request(m, m.invocations as f64 / m.instances as f64)),
    ("ModelLatency", "p50", |m| m.model_latency_us.quantile(0.5)),
    ("ModelLatency", "p90", |m| m.model_latency_us.quantile(0.9)),
    ("ModelLatency", "p99", |m| m.model_latency_us.quantile(0.99)),
    ("ModelLatency", "Average", |m| m.model_latency_us.average()),
    ("ModelLatency", "Minimum", |m| m.model_latency_us.minimum()),
    ("ModelLatency", "Maximum", |m| m.model_latency_us.maximum()),
    ("ModelLatency", "Sum", |m| per_request(m, m.model_latency_us.sum())),
    ("ModelLatency", "SampleCount", |m| per_request(m, m.model_latency_us.count() as f64)),
    ("OverheadLatency", "Average", |m| m.overhead_latency_us.average()),
    ("Invocation4XXErrors", "Sum", |m| per_request(m, m.errors_4xx as f64)),
    ("Invocation5XXErrors", "Sum", |m| per_request(m, m.errors_5xx as f64)),
    ("InvocationModelErrors", "Sum", |m| per_request(m, m.model_errors as f64)),
    ("ConcurrentRequestsPerModel", "Minimum", |m| {
        let any = m.concurrent_requests.iter().any(|most| *most > 0);
        m.concurrent_requests.iter().min().filter(|_| any).map(|fewest| *fewest as f64)
    }),
    ("ConcurrentRequestsPerModel", "Maximum", |m| {
        m.concurrent_requests.iter().max().filter(|most| **most > 0).map(|most| *most as f64)
    }),
    ("CPUUtilization", "Average", |m| average(&m.cpu_percent)),
    ("CPUUtilization", "Minimum", |m| minimum(&m.cpu_percent)),
    ("CPUUtilization", "Maximum", |m| maximum(&m.cpu_percent)),
    ("MemoryUtilization", "Average", |m| average(&m.memory_percent)),
    ("MemoryUtilization", "Maximum", |m| maximum(&m.memory_percent)),
];

/// Every statistic that endpoints with GPUs publish besides.
const WITH_GPUS: &[(&str, &str, Read)] = &[
    ("GPUUtilization", "Average", |m| average(&m.gpu_percent)),
    ("GPUUtilization", "Minimum", |m| minimum(&m.gpu_percent)),
    ("GPUUtilization", "Maximum", |m| maximum(&m.gpu_percent)),
    ("GPUMemoryUtilization", "Average", |m| average(&m.gpu_memory_percent)),
    ("GPUMemoryUtilization", "Maximum", |m| maximum(&m.gpu_memory_percent)),
];

/// Every statistic that multi-model endpoints publish besides.
const WITH_MODELS: &[(&str, &str, Read)] = &[
    ("ModelCacheHit", "Average", |m| {
        let models = m.multi_model.as_ref()?;
        let asked = models.loading_wait_us.count();
        (asked > 0).then(|| models.cache_hits as f64 / asked as f64)
    }),
    ("ModelLoadingWaitTime", "Average", |m| of_models(m, |models| &models.loading_wait_us)?.average()),
    ("ModelLoadingTime", "Average", |m| of_models(m, |models| &models.loading_us)?.average()),
    ("ModelLoadingTime", "SampleCount", |m| count(of_models(m, |models| &models.loading_us)?)),
    ("ModelDownloadingTime", "Average", |m| of_models(m, |models| &models.downloading_us)?.average()),
    ("ModelUnloadingTime", "SampleCount", |m| count(of_models(m, |models| &models.unloading_us)?)),
    ("LoadedModelCount", "Average", |m| {
        let loaded = &m.multi_model.as_ref()?.loaded_models;
        average(&loaded.iter().map(|count| *count as f64).collect::<Vec<f64>>())
    }),
];

/// All that CloudWatch would answer about these minutes. Metrics that such an endpoint does not have are left out.
#[must_use]
pub fn published(minutes: &[Minute]) -> Vec<Published> {
    let has_gpus = minutes.iter().any(|minute| !minute.gpu_percent.is_empty());
    let has_models = minutes.iter().any(|minute| minute.multi_model.is_some());
    let with_gpus = if has_gpus { WITH_GPUS } else { &[] };
    let with_models = if has_models { WITH_MODELS } else { &[] };
    [ALL, with_gpus, with_models]
        .into_iter()
        .flatten()
        .map(|(metric, statistic, read)| Published { metric, statistic, values: minutes.iter().map(read).collect() })
        .collect()
}

fn per_request(minute: &Minute, value: f64) -> Option<f64> {
    (minute.invocations > 0).then_some(value)
}

fn of_models(minute: &Minute, samples: fn(&MultiModel) -> &Samples) -> Option<&Samples> {
    minute.multi_model.as_ref().map(samples)
}

fn count(samples: &Samples) -> Option<f64> {
    Some(samples.count() as f64).filter(|count| *count > 0.0)
}

fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn minimum(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

fn maximum(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cache, Conditions, Endpoint, Run};

    fn minutes(endpoint: Endpoint, arrivals: &[f64]) -> Vec<Minute> {
        let mut run = Run::new(endpoint, 1);
        let conditions = |arrivals| Conditions { arrivals_per_minute: arrivals, models: 30, ..Conditions::default() };
        arrivals.iter().zip(0..).map(|(arrivals, minute)| run.step(minute, &conditions(*arrivals))).collect()
    }

    fn names(endpoint: Endpoint) -> Vec<&'static str> {
        let mut names: Vec<_> = published(&minutes(endpoint, &[60.0])).iter().map(|series| series.metric).collect();
        names.dedup();
        names
    }

    #[test]
    fn an_endpoint_publishes_what_it_has() {
        let usual = names(Endpoint::USUAL);
        assert_eq!(usual.len(), 10);
        let with_gpus = names(Endpoint { gpus: 1, ..Endpoint::USUAL });
        assert_eq!(with_gpus[usual.len()..], ["GPUUtilization", "GPUMemoryUtilization"]);
        let cache = Some(Cache { capacity: 10, load_seconds: 1.0, zipf: 1.0 });
        let models = names(Endpoint { cache, ..Endpoint::USUAL });
        assert_eq!(models[usual.len()..][0], "ModelCacheHit");
        assert_eq!(models.len() - usual.len(), 6);
    }

    #[test]
    fn a_minute_without_requests_has_no_datapoint() {
        let all = published(&minutes(Endpoint::USUAL, &[600.0, 0.0, 0.0, 600.0]));
        for series in all {
            let is_gauge = series.metric.ends_with("Utilization");
            assert!(series.values[0].is_some() && series.values[3].is_some(), "{series:?}");
            assert_eq!(series.values[2].is_some(), is_gauge, "{series:?}");
        }
    }

    #[test]
    fn each_request_counts_once() {
        let minutes = minutes(Endpoint::USUAL, &[600.0]);
        let all = published(&minutes);
        let value = |metric, statistic| {
            all.iter().find(|series| (series.metric, series.statistic) == (metric, statistic)).unwrap().values[0]
                .unwrap()
        };
        let invocations = minutes[0].invocations as f64;
        assert_eq!(value("Invocations", "Sum"), invocations);
        assert_eq!(value("InvocationsPerInstance", "Sum"), invocations / 2.0);
        assert_eq!(value("ModelLatency", "SampleCount"), invocations);
        assert!((value("ModelLatency", "Sum") / invocations / value("ModelLatency", "Average") - 1.0).abs() < 1e-9);
        assert!(value("ModelLatency", "p50") < value("ModelLatency", "p90"));
        assert!(value("CPUUtilization", "Minimum") <= value("CPUUtilization", "Average"));
    }
}
