//! Each instance type by itself, where several serve: whether the smaller ones are slow while the larger ones are not.
//!
//! Source: "Deploy to multiple instance types with instance pools" in the SageMaker guide: with pools, metrics are also
//! published by `InstanceType`. Requests spread at random reach each instance as often, whatever it can do.

use super::fact;
use crate::diagnose::windows::Windows;
use crate::model::{
    Fact, InstanceCount, InstancePool, InstanceType, Metric, Microseconds, Minute, Part, PartMetrics, Statistic,
    Thousands,
};
use crate::statistics::median;

/// So many times as slow as every other type is not chance.
const SLOWER: f64 = 1.5;
/// The others are within the limit where they are below this share of it: at the limit itself, all are slow.
const WITHIN: f64 = 0.95;

/// The types behind one variant.
pub(in crate::diagnose) struct EachType {
    each: Vec<OneType>,
    statistic: Statistic,
    limit: Microseconds,
    is_random: bool,
}

struct OneType {
    kind: InstanceType,
    instances: Option<InstanceCount>,
    latency: Microseconds,
    /// Invocations of one of its instances in a minute.
    load: Option<f64>,
    /// Share of its cores, or of its GPUs, in use.
    busy: Option<(&'static str, f64)>,
}

impl EachType {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let variant = &windows.observation.variant;
        let minutes: Vec<Minute> = windows.last_minutes().collect();
        let statistic = windows.statistic();
        let each = variant.instance_pools.iter().filter_map(|pool| {
            let of_type =
                |part: &&PartMetrics| matches!(&part.part, Part::InstanceType(kind) if *kind == pool.instance_type);
            let part = windows.observation.parts.iter().find(of_type)?;
            OneType::measure(pool, part, statistic, &minutes)
        });
        let each: Vec<OneType> = each.collect();
        (!each.is_empty()).then_some(Self {
            each,
            statistic,
            limit: windows.slow.limit,
            is_random: variant.routing_strategy.as_deref() != Some("LEAST_OUTSTANDING_REQUESTS"),
        })
    }

    /// The type that is over the limit while all others keep it.
    fn slow(&self) -> Option<&OneType> {
        let slow = self.each.iter().max_by(|a, b| a.latency.0.total_cmp(&b.latency.0))?;
        let others = self.each.iter().filter(|one| one.kind != slow.kind).map(|one| one.latency.0);
        let slowest = others.max_by(f64::total_cmp).filter(|slowest| *slowest > 0.0)?;
        let is_over = slow.latency.0 > self.limit.0;
        (is_over && slowest < WITHIN * self.limit.0 && slow.latency.0 > SLOWER * slowest).then_some(slow)
    }

    /// `only the instances of ml.m5.large are slow: p90 ModelLatency is 1.20 s at 310 …`.
    pub fn in_words(&self) -> Option<String> {
        let slow = self.slow()?;
        Some(format!("only the instances of {} are slow: {}", slow.kind.0, slow.how(self.statistic)))
    }

    /// What evens them out.
    pub fn next_step(&self) -> Option<String> {
        let kind = &self.slow()?.kind.0;
        Some(if self.is_random {
            format!(
                "Set RoutingConfig to LEAST_OUTSTANDING_REQUESTS in a new endpoint configuration: requests are spread at \
                 random now, so {kind} gets as many for each instance as the larger types."
            )
        } else {
            format!(
                "Take {kind} out of the instance pools, or give it a model that suits it (ModelNameOverride): at the load \
                 that the other types carry, it is too slow."
            )
        })
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let limit = Some(self.limit.0);
        let facts = self
            .each
            .iter()
            .map(|one| fact("instance_type_latency", Some(one.latency.0), limit, "us", one.in_words(self.statistic)));
        facts.collect()
    }
}

impl OneType {
    fn measure(pool: &InstancePool, part: &PartMetrics, statistic: Statistic, minutes: &[Minute]) -> Option<Self> {
        let now = |metric, statistic| median(minutes.iter().filter_map(|minute| part.at(metric, statistic, *minute)));
        let instances = pool.current_instance_count;
        let running = instances.map(|count| f64::from(count.0)).filter(|count| *count > 0.0);
        let busy = |metric, name: &'static str, units: Option<u32>| {
            let units = f64::from(units.filter(|units| *units > 0)?);
            Some((name, now(metric, Statistic::Average)? / (100.0 * units)))
        };
        Some(Self {
            kind: pool.instance_type.clone(),
            instances,
            latency: Microseconds(now(Metric::ModelLatency, statistic)?),
            load: now(Metric::Invocations, Statistic::Sum).zip(running).map(|(all, running)| all / running),
            busy: busy(Metric::GPUUtilization, "GPU", pool.instance_type.gpus())
                .or_else(|| busy(Metric::CPUUtilization, "CPU", pool.instance_type.vcpus())),
        })
    }

    /// `2 of ml.m5.large: p90 ModelLatency is 1.20 s at 310 invocations per minute each, CPU 97 % in use`.
    fn in_words(&self, statistic: Statistic) -> String {
        let count = self.instances.map_or_else(String::new, |count| format!("{count} of "));
        format!("{count}{}: {}", self.kind.0, self.how(statistic))
    }

    fn how(&self, statistic: Statistic) -> String {
        let load = |load: f64| format!(" at {} invocations per minute each", Thousands(load.round()));
        let load = self.load.map_or_else(String::new, load);
        let busy = self.busy.map_or_else(String::new, |(name, busy)| format!(", {name} {:.0} % in use", 100.0 * busy));
        format!("{statistic} ModelLatency is {}{load}{busy}", self.latency)
    }
}
