//! What the causes are judged by: the incident's minutes held against minutes of the same variant from before, one file
//! for each signal with its measurements, its words and the checks that several causes share.
//!
//! Ratios are incident over normal minutes of the same load; 1 is normal. A value is `None` where its metric was
//! missing.

mod changes;
mod concurrency;
mod containers;
mod each_instance;
mod each_type;
mod errors;
mod explanations;
mod instances;
mod latency;
mod load;
mod loading;
mod memory;
mod overhead;
mod shape;
mod traffic_share;
mod work;

use super::check::Check;
use super::windows::Windows;
use crate::model::{EndpointName, Fact, History, Observation};
pub(super) use errors::DOMINATES;
pub(super) use explanations::Explanations;
pub(super) use instances::LONGEST_LEAD_MINUTES;
pub(super) use latency::whole;
use work::outweighs;
use {
    changes::Changes, concurrency::Concurrency, containers::Containers, each_instance::EachInstance,
    each_type::EachType, errors::Errors, instances::Instances, latency::Latency, load::Load, loading::Loading,
    memory::Memory, overhead::Overhead, traffic_share::TrafficShare, work::Work,
};

/// Measurements of one incident.
pub(super) struct Features {
    pub endpoint_name: EndpointName,
    pub instance_type: Option<String>,
    pub routing_strategy: Option<String>,
    pub latency: Latency,
    pub load: Load,
    pub work: Work,
    pub instances: Instances,
    pub concurrency: Concurrency,
    pub overhead: Overhead,
    pub errors: Errors,
    pub memory: Memory,
    pub loading: Loading,
    pub changes: Changes,
    /// None where there is no other production variant, or its requests are not known.
    pub traffic_share: Option<TrafficShare>,
    /// Whether instances should publish for themselves.
    pub has_enhanced_metrics: bool,
    /// None where they do not.
    pub each_instance: Option<EachInstance>,
    /// None where instances of one type serve, or types do not publish for themselves.
    pub each_type: Option<EachType>,
    /// None where there is one container.
    pub containers: Option<Containers>,
    /// None where nothing is explained.
    pub explanations: Option<Explanations>,
    /// Whether there are so few normal minutes that nothing is certain.
    pub is_history_short: bool,
}

impl Features {
    /// Measures the incident at the end of the observation.
    ///
    /// # Errors
    /// What is missing, in words, where there is not enough to judge.
    pub fn of(observation: &Observation, history: &History) -> Result<Self, Vec<String>> {
        let windows = Windows::of(observation, history)?;
        Self::measure(&windows).ok_or_else(|| vec!["latency or load of the incident".to_owned()])
    }

    fn measure(windows: &Windows) -> Option<Self> {
        let observation = windows.observation;
        let instances = Instances::measure(windows);
        Some(Self {
            endpoint_name: observation.endpoint_name.clone(),
            instance_type: types_in_words(observation),
            routing_strategy: observation.variant.routing_strategy.clone(),
            latency: Latency::measure(windows)?,
            load: Load::measure(windows)?,
            work: Work::measure(windows),
            concurrency: Concurrency::measure(windows),
            overhead: Overhead::measure(windows),
            errors: Errors::measure(windows),
            memory: Memory::measure(windows),
            loading: Loading::measure(windows),
            changes: Changes::measure(windows, &instances),
            traffic_share: TrafficShare::measure(windows),
            has_enhanced_metrics: observation.endpoint.has_enhanced_metrics,
            each_instance: EachInstance::measure(windows),
            each_type: EachType::measure(windows),
            containers: Containers::measure(windows),
            explanations: Explanations::measure(windows),
            instances,
            is_history_short: windows.is_short(),
        })
    }

    /// By how much the load of an instance rises at most where one of them stops taking requests: routing by least
    /// outstanding requests leaves the others what it does not take; at random each gets its share whatever happens.
    pub fn most_taken_over(&self) -> f64 {
        let is_random = self.routing_strategy.as_deref() != Some("LEAST_OUTSTANDING_REQUESTS");
        let several = self.instances.count.filter(|count| *count > 1.5 && !is_random);
        several.map_or(1.0, |count| count / (count - 1.0))
    }

    /// Facts that every report shows, whichever cause is named.
    pub fn context(&self) -> Vec<Fact> {
        let facts = [
            self.traffic_share.as_ref().map_or_else(Vec::new, TrafficShare::facts),
            self.each_instance.as_ref().map_or_else(Vec::new, EachInstance::facts),
            self.each_type.as_ref().map_or_else(Vec::new, EachType::facts),
            self.containers.as_ref().map_or_else(Vec::new, Containers::facts),
            self.explanations.as_ref().map_or_else(Vec::new, Explanations::facts),
            self.latency.facts(),
            self.load.facts(),
            self.work.facts(),
            self.concurrency.facts(),
            self.instances.facts(),
            self.memory.facts(),
            self.overhead.facts(),
            self.errors.facts(),
            self.loading.facts(),
        ];
        facts.into_iter().flatten().collect()
    }
}

/// `ml.m5.xlarge`, or `ml.m5.xlarge and ml.c5.xlarge`; none where it is not known.
fn types_in_words(observation: &Observation) -> Option<String> {
    let types: Vec<&str> = observation.variant.instance_types().map(|kind| kind.0.as_str()).collect();
    (!types.is_empty()).then(|| types.join(" and "))
}

/// Load does not explain it: it was carried before, or work per request rose by more.
pub(super) fn is_not_load(features: &Features) -> Check {
    let Features { load, work, .. } = features;
    load.was_carried().or(Check::by(
        "work_against_load",
        work.ratio,
        outweighs(work.ratio, load.ratio()),
        work.in_words(),
    ))
}

/// Requests were slow within the last ten minutes, or they fail.
pub(super) fn slow_or_failing(features: &Features) -> Check {
    let errors = &features.errors;
    let failing = Check::above("error_5xx_share", errors.share_5xx, DOMINATES, 0.04, errors.in_words());
    features.latency.was_bad().or(failing.share(errors.normal_5xx))
}

/// Some requests wait long while half of them bear hardly any of it, and they pile up in one container, or wait ever
/// longer: one place of several is slow. A slow dependency adds the same to each request that meets it, on any instance.
pub(super) fn is_in_one_place(features: &Features) -> Check {
    let margin = features.instances.are_several().then(|| in_one_place(features)).flatten();
    let latency = &features.latency;
    let text = format!("{}, while {}", latency.at_load_in_words(), latency.who_in_words());
    let place = Check::above("one_place", margin, 0.0, 1.0, text).share(0.0);
    // Where instances are known one by one, there is nothing to conclude.
    match &features.each_instance {
        Some(each) => place.or(each.stands_out()),
        None => place,
    }
}

/// The slow requests are on any instance.
pub(super) fn is_not_in_one_place(features: &Features) -> Check {
    let place = is_in_one_place(features);
    let text = place.text().to_owned();
    Check::by("one_place", Some(0.0).filter(|_| place.is_measured()), -place.margin(), text)
        .share(0.0)
        .or_if_missing(1.0)
}

/// Positive where one place of several is slow, in units of a clear difference.
fn in_one_place(features: &Features) -> Option<f64> {
    let Features { latency, concurrency, errors, .. } = features;
    let few = (0.07 - latency.shape.median_share?) / 0.05;
    let piled = concurrency.burst_ratio.map_or(f64::NEG_INFINITY, |ratio| (ratio - 1.1) / 0.12);
    let unsteady = latency.shape.unsteadiness.map_or(f64::NEG_INFINITY, |ratio| (ratio - 2.2) / 1.5);
    // A wait that is many times the usual latency of slow requests is a queue. Where requests fail, they may fail slowly.
    let long = (latency.ratio - 7.0) / 3.0;
    let queues = if errors.dominate() { piled.max(unsteady - 0.5) } else { piled.max(unsteady).max(long) };
    Some(few.min(queues))
}

/// One fact for the report's context.
fn fact(signal: &str, observed: Option<f64>, expected: Option<f64>, unit: &str, text: String) -> Fact {
    Fact { signal: signal.to_owned(), observed, expected, unit: unit.to_owned(), text }
}
