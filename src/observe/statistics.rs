//! Which statistics are read, for each way of hosting: only what some rule reads.

use crate::model::{Hosting, Metric, Statistic};

/// How far back a statistic is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Sizing reads it too.
    History,
    /// Only the diagnosis reads it.
    Day,
    /// The same of what there may be many of.
    Hour,
}

use Depth::{Day, History};
use Statistic::{Average, Maximum, Minimum, SampleCount, Sum};

/// Every statistic that something reads. `latency` is the objective's.
pub(super) fn statistics(hosting: Hosting, latency: Statistic, has_gpu: bool) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = match hosting {
        Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer => instances(latency, has_gpu),
        Hosting::InferenceComponent => component(latency, has_gpu),
        Hosting::Serverless => serverless(latency),
        Hosting::Asynchronous => asynchronous(latency, has_gpu),
    };
    for statistic in [Minimum, Statistic::P50, Average] {
        // Whatever is asked for twice is paid for twice.
        if !statistics.iter().any(|(metric, asked, _)| (*metric, *asked) == (Metric::ModelLatency, statistic)) {
            statistics.push((Metric::ModelLatency, statistic, Day));
        }
    }
    statistics
}

/// What every way of hosting publishes.
fn common(latency: Statistic) -> Vec<(Metric, Statistic, Depth)> {
    vec![
        (Metric::ModelLatency, latency, History),
        (Metric::Invocation5XXErrors, Sum, History),
        (Metric::Invocation4XXErrors, Sum, History),
    ]
}

fn instances(latency: Statistic, has_gpu: bool) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = vec![(Metric::Invocations, Sum, History), (Metric::InvocationsPerInstance, Sum, History)];
    statistics.extend(common(latency));
    statistics.extend(hardware(has_gpu));
    statistics.extend([
        (Metric::OverheadLatency, Average, Day),
        (Metric::InvocationModelErrors, Sum, Day),
        (Metric::ConcurrentRequestsPerModel, Minimum, Day),
        (Metric::ConcurrentRequestsPerModel, Maximum, Day),
        // Only multi-model endpoints publish these; whether it is one is being read at the same time.
        (Metric::ModelCacheHit, Average, Day),
        (Metric::ModelLoadingWaitTime, Average, Day),
        (Metric::ModelLoadingTime, SampleCount, Day),
        (Metric::ModelLoadingTime, Average, Day),
        (Metric::ModelDownloadingTime, Average, Day),
        (Metric::LoadedModelCount, Average, Day),
    ]);
    statistics
}

/// CPU, GPU and memory of the instances.
fn hardware(has_gpu: bool) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = vec![
        (Metric::CPUUtilization, Average, History),
        (Metric::CPUUtilization, Minimum, Day),
        (Metric::CPUUtilization, Maximum, Day),
        (Metric::MemoryUtilization, Maximum, Day),
    ];
    if has_gpu {
        statistics.extend([
            (Metric::GPUUtilization, Average, History),
            (Metric::GPUUtilization, Minimum, Day),
            (Metric::GPUUtilization, Maximum, Day),
            (Metric::GPUMemoryUtilization, Maximum, Day),
        ]);
    }
    statistics
}

fn component(latency: Statistic, has_gpu: bool) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = vec![(Metric::Invocations, Sum, History), (Metric::InvocationsPerCopy, Sum, History)];
    statistics.extend(common(latency));
    statistics.extend([
        (Metric::CPUUtilizationNormalized, Average, History),
        (Metric::NoCapacityInvocationFailures, Sum, History),
        // Of the instances, with all components on them.
        (Metric::CPUUtilization, Average, Day),
        (Metric::OverheadLatency, Average, Day),
        (Metric::InvocationModelErrors, Sum, Day),
        (Metric::ConcurrentRequestsPerCopy, Minimum, Day),
        (Metric::ConcurrentRequestsPerCopy, Maximum, Day),
        (Metric::CPUUtilizationNormalized, Minimum, Day),
        (Metric::CPUUtilizationNormalized, Maximum, Day),
        (Metric::MemoryUtilizationNormalized, Maximum, Day),
    ]);
    if has_gpu {
        statistics.extend([
            (Metric::GPUUtilizationNormalized, Average, History),
            (Metric::GPUUtilizationNormalized, Minimum, Day),
            (Metric::GPUUtilizationNormalized, Maximum, Day),
            (Metric::GPUMemoryUtilizationNormalized, Maximum, Day),
        ]);
    }
    statistics
}

/// What needs provisioned concurrency has no datapoints without it. It is asked for all the same: five statistics cost less
/// than a hundredth of a cent, and show it where it was taken away lately.
fn serverless(latency: Statistic) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = vec![(Metric::Invocations, Sum, History)];
    statistics.extend(common(latency));
    statistics.extend((latency != Average).then_some((Metric::ModelLatency, Average, History)));
    statistics.extend([
        (Metric::ModelSetupTime, SampleCount, History),
        (Metric::ServerlessConcurrentExecutionsUtilization, Maximum, History),
        (Metric::ServerlessProvisionedConcurrencyExecutions, Maximum, History),
        (Metric::ServerlessProvisionedConcurrencyUtilization, Maximum, History),
        (Metric::ServerlessProvisionedConcurrencySpilloverInvocations, Sum, History),
        (Metric::ModelSetupTime, Average, Day),
        (Metric::OverheadLatency, Average, Day),
        (Metric::InvocationModelErrors, Sum, Day),
        (Metric::MemoryUtilization, Maximum, Day),
    ]);
    statistics
}

fn asynchronous(latency: Statistic, has_gpu: bool) -> Vec<(Metric, Statistic, Depth)> {
    let mut statistics = common(latency);
    statistics.extend([
        (Metric::ApproximateBacklogSize, Average, History),
        (Metric::ApproximateBacklogSizePerInstance, Average, History),
        (Metric::HasBacklogWithoutCapacity, Average, History),
        (Metric::ApproximateAgeOfOldestRequest, Maximum, History),
        (Metric::InvocationsProcesssed, Sum, History),
        (Metric::InvocationFailures, Sum, Day),
        (Metric::ExpiredRequests, Sum, Day),
        (Metric::RequestDownloadFailures, Sum, Day),
        (Metric::ResponseUploadFailures, Sum, Day),
        (Metric::RequestDownloadLatency, Average, Day),
        (Metric::ResponseUploadLatency, Average, Day),
    ]);
    statistics.extend(hardware(has_gpu));
    // Rate times mean latency is what an instance works on at once, where nobody set it.
    if latency != Average {
        statistics.push((Metric::ModelLatency, Average, History));
    }
    statistics
}
