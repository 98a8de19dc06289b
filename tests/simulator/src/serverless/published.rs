//! Minutes of a serverless variant as series of CloudWatch statistics.

use super::{MILLION, ServerlessMinute};
use crate::Published;

/// How a statistic comes out of a minute.
type Read = fn(&ServerlessMinute) -> Option<f64>;

/// Every statistic that a serverless variant publishes.
const ALL: &[(&str, &str, Read)] = &[
    ("Invocations", "Sum", |m| per_request(m, m.invocations as f64)),
    ("ModelLatency", "p50", |m| m.model_latency_us.quantile(0.5)),
    ("ModelLatency", "p90", |m| m.model_latency_us.quantile(0.9)),
    ("ModelLatency", "p99", |m| m.model_latency_us.quantile(0.99)),
    ("ModelLatency", "Average", |m| m.model_latency_us.average()),
    ("ModelLatency", "Minimum", |m| m.model_latency_us.minimum()),
    ("OverheadLatency", "Average", |m| m.overhead_latency_us.average()),
    ("ModelSetupTime", "Average", |m| m.setup_us.average()),
    ("ModelSetupTime", "SampleCount", |m| Some(m.setup_us.count() as f64).filter(|count| *count > 0.0)),
    ("Invocation4XXErrors", "Sum", |m| per_request(m, (m.refused_by_model + m.throttled) as f64)),
    ("Invocation5XXErrors", "Sum", |m| per_request(m, m.errors_5xx as f64)),
    ("InvocationModelErrors", "Sum", |m| per_request(m, (m.refused_by_model + m.errors_5xx) as f64)),
    ("MemoryUtilization", "Maximum", |m| per_request(m, m.memory_percent)),
    ("ServerlessConcurrentExecutionsUtilization", "Average", |m| Some(m.concurrency.average()? / MILLION)),
    ("ServerlessConcurrentExecutionsUtilization", "Maximum", |m| Some(m.concurrency.maximum()? / MILLION)),
];

/// Every statistic that one with provisioned concurrency publishes besides.
const PROVISIONED: &[(&str, &str, Read)] = &[
    ("ServerlessProvisionedConcurrencyExecutions", "Maximum", |m| Some(of_provisioned(m)?.1 / MILLION)),
    ("ServerlessProvisionedConcurrencyUtilization", "Average", |m| {
        Some(of_provisioned(m)?.0 / MILLION / m.provisioned as f64)
    }),
    ("ServerlessProvisionedConcurrencyUtilization", "Maximum", |m| {
        Some(of_provisioned(m)?.1 / MILLION / m.provisioned as f64)
    }),
    ("ServerlessProvisionedConcurrencyInvocations", "Sum", |m| {
        of_provisioned(m).map(|_| (m.invocations - m.spillover) as f64)
    }),
    ("ServerlessProvisionedConcurrencySpilloverInvocations", "Sum", |m| of_provisioned(m).map(|_| m.spillover as f64)),
];

/// All that CloudWatch would answer about these minutes.
#[must_use]
pub fn serverless_published(minutes: &[ServerlessMinute]) -> Vec<Published> {
    let is_provisioned = minutes.iter().any(|minute| minute.provisioned > 0);
    [ALL, if is_provisioned { PROVISIONED } else { &[] }]
        .into_iter()
        .flatten()
        .map(|(metric, statistic, read)| Published { metric, statistic, values: minutes.iter().map(read).collect() })
        .collect()
}

fn per_request(minute: &ServerlessMinute, value: f64) -> Option<f64> {
    (minute.invocations > 0).then_some(value)
}

/// The mean and the most units of provisioned concurrency in use, in millionths.
fn of_provisioned(minute: &ServerlessMinute) -> Option<(f64, f64)> {
    let busy = Some(&minute.provisioned_busy).filter(|_| minute.provisioned > 0)?;
    busy.average().zip(busy.maximum())
}
