//! What the causes are judged by: the incident's minutes held against minutes of the same variant from before, one file
//! for each signal with its measurements, its words and the checks that several causes share.
//!
//! Ratios are incident over normal minutes of the same load; 1 is normal. A value is `None` where its metric was
//! missing.

mod changes;
mod concurrency;
mod errors;
mod instances;
mod latency;
mod load;
mod loading;
mod memory;
mod overhead;
mod work;

use super::check::Check;
use super::windows::Windows;
use crate::model::{EndpointName, Fact, History, Observation};
pub(super) use errors::DOMINATES;
pub(super) use latency::whole;
use work::outweighs;
use {
    changes::Changes, concurrency::Concurrency, errors::Errors, instances::Instances, latency::Latency, load::Load,
    loading::Loading, memory::Memory, overhead::Overhead, work::Work,
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
            instance_type: observation.variant.instance_type.as_ref().map(|kind| kind.0.clone()),
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
            instances,
            is_history_short: windows.is_short(),
        })
    }

    /// Facts that every report shows, whichever cause is named.
    pub fn context(&self) -> Vec<Fact> {
        let facts = [
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

/// One fact for the report's context.
fn fact(signal: &str, observed: Option<f64>, expected: Option<f64>, unit: &str, text: String) -> Fact {
    Fact { signal: signal.to_owned(), observed, expected, unit: unit.to_owned(), text }
}
