//! Each container by itself, where a model has several: which of them became slow.
//!
//! `ContainerLatency` is published by `ContainerName`, for requests to one container and for pipelines, where
//! `ModelLatency` is the sum over all of them.

use super::fact;
use crate::diagnose::windows::Windows;
use crate::model::{Fact, InvocationMode, Metric, Microseconds, Minute, Part, PartMetrics, Statistic};
use crate::statistics::median;

/// So much slower than at the same load before is slow.
const SLOW: f64 = 1.3;
/// So little slower is as before.
const AS_BEFORE: f64 = 1.15;
/// Loads within 15 % of each other are the same load (|ln| below this).
const SAME_LOAD: f64 = 0.15;
/// Fewer minutes of the same load are chance.
const ENOUGH_MINUTES: usize = 10;

/// The containers of a model with several.
pub(in crate::diagnose) struct Containers {
    mode: InvocationMode,
    each: Vec<Container>,
}

struct Container {
    name: String,
    now: Option<Microseconds>,
    /// Against the same load before; none where it was never the same.
    ratio: Option<f64>,
}

impl Containers {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let containers = windows.observation.variant.containers.as_ref()?;
        let each = containers.names.iter().map(|name| {
            let of = |part: &&PartMetrics| matches!(&part.part, Part::Container(other) if other == name);
            let part = windows.observation.parts.iter().find(of);
            part.map_or_else(
                || Container { name: name.clone(), now: None, ratio: None },
                |part| Container::measure(windows, name, part),
            )
        });
        Some(Self { mode: containers.mode, each: each.collect() })
    }

    /// The one that is slow, where the others that were measured are as before.
    fn slow(&self) -> Option<&Container> {
        let measured = || self.each.iter().filter_map(|container| Some((container, container.ratio?)));
        let (slow, _) = measured().find(|(_, ratio)| *ratio >= SLOW)?;
        let others = measured().filter(|(other, _)| other.name != slow.name).map(|(_, ratio)| ratio);
        let others: Vec<f64> = others.collect();
        (!others.is_empty() && others.iter().all(|ratio| *ratio <= AS_BEFORE)).then_some(slow)
    }

    /// `container ranker is 3.1 times as slow as at the same load before (900 ms), the others are as before`.
    pub fn in_words(&self) -> Option<String> {
        self.slow().map(|container| format!("{}; the others are as before", container.in_words()))
    }

    /// Where to look.
    pub fn next_step(&self) -> Option<String> {
        let slow = self.slow()?;
        let pipeline = match self.mode {
            InvocationMode::Serial => " It is one step of the pipeline: only what it adds became more.",
            InvocationMode::Direct => " Requests to the others are not slower by themselves.",
        };
        Some(format!("Look at container {} first: it alone became slow.{pipeline}", slow.name))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        if self.each.iter().all(|container| container.now.is_none()) {
            let text = match self.mode {
                InvocationMode::Serial => {
                    "ModelLatency is the sum over the containers of the pipeline; their ContainerLatency has no \
                     datapoints, so metrics do not tell them apart"
                }
                InvocationMode::Direct => {
                    "ContainerLatency has no datapoints, so metrics do not tell the containers apart"
                }
            };
            return vec![fact("container_latency_ratio", None, Some(1.0), "ratio", text.to_owned())];
        }
        let measured = self.each.iter().filter(|container| container.now.is_some());
        let facts = measured.map(|container| {
            fact("container_latency_ratio", container.ratio, Some(1.0), "ratio", container.in_words())
        });
        facts.collect()
    }
}

impl Container {
    fn measure(windows: &Windows, name: &str, part: &PartMetrics) -> Self {
        let latency = |minute| part.at(Metric::ContainerLatency, Statistic::Average, minute);
        // In a pipeline each request meets each container, and only the variant's requests may be counted.
        let load = |minute: Minute| {
            let own = part.at(Metric::Invocations, Statistic::Sum, minute);
            let load = own.or_else(|| windows.history.0.get(&minute)?.invocations.map(|invocations| invocations.0));
            load.filter(|load| *load > 0.0)
        };
        let now = median(windows.last_minutes().filter_map(latency));
        let ratio = || {
            let present = median(windows.last_minutes().filter_map(load))?;
            let matched: Vec<f64> = windows
                .earlier
                .iter()
                .filter(|(minute, _)| load(*minute).is_some_and(|load| (load / present).ln().abs() < SAME_LOAD))
                .filter_map(|(minute, _)| latency(*minute))
                .filter(|latency| *latency > 0.0)
                .collect();
            (matched.len() >= ENOUGH_MINUTES).then_some(())?;
            Some(now? / median(matched)?)
        };
        Self { name: name.to_owned(), now: now.map(Microseconds), ratio: ratio() }
    }

    fn in_words(&self) -> String {
        let name = &self.name;
        let took = self.now.map_or("nothing".to_owned(), |now| now.to_string());
        match self.ratio {
            Some(ratio) if ratio >= AS_BEFORE => {
                format!("container {name} takes {took} on average, {ratio:.2} times as long as at the same load before")
            }
            Some(ratio) => format!("container {name} takes {took} on average, as before ({ratio:.2} times)"),
            None => format!("container {name} takes {took} on average; it had no such load before"),
        }
    }
}
