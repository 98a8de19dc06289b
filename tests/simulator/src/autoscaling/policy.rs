//! What is set up: bounds, policies and scheduled actions, and how many instances a policy wants.

use super::ScheduledAction;
use super::alarm::Datapoints;
use crate::{Endpoint, Minute};

/// Minutes above the target on which target tracking scales out, and below nine tenths of it on which it scales in.
const HIGH_MINUTES: i64 = 3;
const LOW_MINUTES: i64 = 15;
const LOW_SHARE: f64 = 0.9;

/// A scalable target with its policies and scheduled actions.
#[derive(Debug, Clone, PartialEq)]
pub struct SetUp {
    /// `MinCapacity`.
    pub min: usize,
    /// `MaxCapacity`.
    pub max: usize,
    /// In no order.
    pub policies: Vec<Policy>,
    /// In no order.
    pub scheduled: Vec<ScheduledAction>,
}

impl SetUp {
    /// Always so many instances.
    #[must_use]
    pub fn fixed(instances: usize) -> Self {
        Self { min: instances, max: instances, policies: Vec::new(), scheduled: Vec::new() }
    }
}

/// A metric that policies go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalingMetric {
    /// `SageMakerVariantInvocationsPerInstance`: the sum of a minute.
    InvocationsPerInstance,
    /// `CPUUtilization`: the average over instances, in percent summed over cores.
    CpuUtilization,
    /// `GPUUtilization`: the average over instances, in percent summed over GPUs.
    GpuUtilization,
    /// `SageMakerVariantConcurrentRequestsPerModelHighResolution`: the most requests in flight on an instance in ten
    /// seconds.
    ConcurrentRequests,
}

/// A scaling policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// `TargetTrackingScaling`.
    TargetTracking(TargetTracking),
    /// `StepScaling`, with its alarm.
    Step(StepScaling),
}

/// A policy that keeps a metric at a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetTracking {
    /// Which metric.
    pub metric: ScalingMetric,
    /// `TargetValue`, in the metric's unit.
    pub target: f64,
    /// Seconds after a scale-out in which it counts as part of the next.
    pub scale_out_cooldown_seconds: f64,
    /// Seconds between two scale-ins.
    pub scale_in_cooldown_seconds: f64,
    /// Whether instances are only added.
    pub is_scale_in_disabled: bool,
}

/// A policy that adds or removes instances by how far a metric is beyond a threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct StepScaling {
    /// Which metric.
    pub metric: ScalingMetric,
    /// The alarm's threshold, in the metric's unit.
    pub threshold: f64,
    /// Whether the alarm fires below the threshold.
    pub is_below: bool,
    /// Minutes that the alarm looks at.
    pub minutes: i64,
    /// How many of them have to breach.
    pub of_them: usize,
    /// What to do.
    pub steps: Vec<Step>,
    /// Whether adjustments are percent of the present count; else they are instances.
    pub is_percent: bool,
    /// The least that a percentage adds or removes.
    pub at_least: usize,
    /// Seconds after an action.
    pub cooldown_seconds: f64,
}

/// One step: where the metric is within these bounds relative to the threshold, the count changes by so much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// `MetricIntervalLowerBound`, or minus infinity.
    pub from: f64,
    /// `MetricIntervalUpperBound`, or infinity.
    pub below: f64,
    /// `ScalingAdjustment`.
    pub adjustment: f64,
}

/// What a metric was in one minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The latest value.
    pub value: f64,
    /// What an alarm above a threshold has to go by. Metrics with a value every ten seconds fire on three of those.
    pub least: f64,
    /// What an alarm below a threshold has to go by.
    pub most: f64,
}

impl Reading {
    fn whole(value: f64) -> Self {
        Self { value, least: value, most: value }
    }
}

/// What CloudWatch says of one minute, as far as policies go by it; none where there is no datapoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Requests to one instance.
    pub invocations_per_instance: Option<f64>,
    /// Percent summed over cores.
    pub cpu_percent: Option<f64>,
    /// Percent summed over GPUs.
    pub gpu_percent: Option<f64>,
    /// The most requests in flight on an instance in each of the minute's ten seconds.
    pub concurrent_requests: Vec<f64>,
}

impl Measured {
    /// What CloudWatch would say of a simulated minute.
    #[must_use]
    pub fn of(minute: &Minute) -> Self {
        let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let instances = minute.instances.max(1);
        // Without a request there is no datapoint, of requests in flight neither.
        let has_requests = minute.invocations > 0;
        let stretches = minute.concurrent_requests.chunks(instances).filter(|_| has_requests);
        Self {
            invocations_per_instance: has_requests.then(|| minute.invocations as f64 / instances as f64),
            cpu_percent: mean(&minute.cpu_percent),
            gpu_percent: mean(&minute.gpu_percent),
            concurrent_requests: stretches.map(|stretch| stretch.iter().copied().max().unwrap_or(0) as f64).collect(),
        }
    }

    pub(super) fn reading(&self, metric: ScalingMetric) -> Option<Reading> {
        match metric {
            ScalingMetric::InvocationsPerInstance => self.invocations_per_instance.map(Reading::whole),
            ScalingMetric::CpuUtilization => self.cpu_percent.map(Reading::whole),
            ScalingMetric::GpuUtilization => self.gpu_percent.map(Reading::whole),
            ScalingMetric::ConcurrentRequests => {
                let latest = &self.concurrent_requests[self.concurrent_requests.len().saturating_sub(3)..];
                Some(Reading {
                    value: *self.concurrent_requests.last()?,
                    least: latest.iter().copied().fold(f64::INFINITY, f64::min),
                    most: self.concurrent_requests.iter().copied().fold(0.0, f64::max),
                })
            }
        }
    }
}

impl ScalingMetric {
    /// Minutes until it can be read, from those that whole minutes take; and minutes on which an alarm above fires.
    fn is_high_resolution(self) -> bool {
        self == Self::ConcurrentRequests
    }

    /// Utilisation of what does the work of such an endpoint, and its full hundreds.
    #[must_use]
    pub fn utilization(endpoint: &Endpoint) -> (Self, f64) {
        if endpoint.gpus > 0 {
            (Self::GpuUtilization, 100.0 * f64::from(endpoint.gpus))
        } else {
            (Self::CpuUtilization, 100.0 * f64::from(endpoint.vcpus))
        }
    }
}

/// What a policy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// At least so many.
    More(usize),
    /// So many are enough.
    Fewer(usize),
    /// As many as there are.
    Keep,
    /// It has no say in taking away.
    None,
}

impl Wish {
    pub fn more(self) -> Option<usize> {
        if let Self::More(count) = self { Some(count) } else { None }
    }

    pub fn fewer(self) -> Option<usize> {
        if let Self::Fewer(count) = self { Some(count) } else { None }
    }
}

impl Policy {
    /// The metric that it goes by.
    #[must_use]
    pub fn metric(&self) -> ScalingMetric {
        match self {
            Self::TargetTracking(policy) => policy.metric,
            Self::Step(policy) => policy.metric,
        }
    }

    /// In whole minutes, rounded up: decisions fall on minutes.
    pub(super) fn scale_out_cooldown_minutes(&self) -> i64 {
        let seconds = match self {
            Self::TargetTracking(policy) => policy.scale_out_cooldown_seconds,
            Self::Step(policy) => policy.cooldown_seconds,
        };
        (seconds / 60.0).ceil() as i64
    }

    pub(super) fn scale_in_cooldown_minutes(&self) -> i64 {
        let seconds = match self {
            Self::TargetTracking(policy) => policy.scale_in_cooldown_seconds,
            Self::Step(policy) => policy.cooldown_seconds,
        };
        (seconds / 60.0).ceil() as i64
    }

    /// What it wants, given the minutes before `published`. `base` is the count that scaling out starts from.
    pub(super) fn wish(&self, datapoints: &Datapoints, published: i64, instances: usize, base: usize) -> Wish {
        let end = published + i64::from(self.metric().is_high_resolution());
        match self {
            Self::TargetTracking(policy) => policy.wish(datapoints, end, instances, base),
            Self::Step(policy) => policy.wish(datapoints, end, instances, base),
        }
    }
}

impl TargetTracking {
    fn wish(&self, datapoints: &Datapoints, end: i64, instances: usize, base: usize) -> Wish {
        let Some(latest) = datapoints.at(end - 1) else { return Wish::Keep };
        let needed = |count: usize| (count as f64 * latest.value / self.target).ceil().max(1.0) as usize;
        let high = if self.metric.is_high_resolution() { 1 } else { HIGH_MINUTES };
        if datapoints.all(end, high, |reading| reading.least > self.target) {
            return Wish::More(needed(base).max(instances));
        }
        if self.is_scale_in_disabled {
            return Wish::None;
        }
        if datapoints.all(end, LOW_MINUTES, |reading| reading.most < LOW_SHARE * self.target) {
            return Wish::Fewer(needed(instances).min(instances));
        }
        Wish::Keep
    }
}

impl StepScaling {
    fn wish(&self, datapoints: &Datapoints, end: i64, instances: usize, base: usize) -> Wish {
        let breaches = |reading: Reading| {
            if self.is_below { reading.most < self.threshold } else { reading.least > self.threshold }
        };
        if datapoints.count(end, self.minutes, breaches) < self.of_them {
            return Wish::None;
        }
        let Some(latest) = datapoints.at(end - 1) else { return Wish::None };
        let beyond = latest.value - self.threshold;
        let Some(step) = self.steps.iter().find(|step| beyond >= step.from && beyond < step.below) else {
            return Wish::None;
        };
        let base = if step.adjustment > 0.0 { base } else { instances };
        let change = if self.is_percent {
            // AWS rounds a percentage away from zero where it is less than one instance, else towards it.
            let exact = base as f64 * step.adjustment.abs() / 100.0;
            let whole = if exact < 1.0 { exact.ceil() } else { exact.floor() };
            whole.max(self.at_least as f64) * step.adjustment.signum()
        } else {
            step.adjustment
        };
        let count = (base as f64 + change).max(1.0) as usize;
        if step.adjustment > 0.0 { Wish::More(count.max(instances)) } else { Wish::Fewer(count.min(instances)) }
    }
}
