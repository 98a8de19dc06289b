//! Time in the container, and time outside of it that is no set-up.

use super::cold::is_not_colder;
use super::failing::are_few;
use super::features::Features;
use super::steps::{more_memory, read_the_log};
use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::model::Verdict;

/// Above this a container swaps, or is killed.
const FULL: f64 = 0.92;
/// A deployment so many minutes ago is why it is slower.
const DEPLOYED_MINUTES: i64 = 60;

/// The model takes longer than it did, or always took longer than the objective allows.
pub(super) fn slow_model(features: &Features) -> Judgement {
    let words = features.latency_in_words();
    let rose = Check::above("latency_ratio", features.latency_ratio(), 1.4, 0.4, words.clone()).and(Check::above(
        "latency_to_limit",
        features.latency_to_limit(),
        0.93,
        0.1,
        words.clone(),
    ));
    let normal = match features.normal_to_objective() {
        Some(share) => format!("ModelLatency is {:.0} % of the objective in normal minutes", 100.0 * share),
        None => "there is no objective".to_owned(),
    };
    let always = Check::above("normal_to_objective", features.normal_to_objective(), 1.12, 0.1, normal).share(0.6);
    let has_risen = rose.margin() > 0.0;
    let is_deployed = has_risen && features.deployed_minutes_ago.is_some_and(|ago| ago <= DEPLOYED_MINUTES);
    let sub_cause = match (has_risen, is_deployed) {
        (_, true) => Some("after_deployment"),
        (false, _) => Some("always_slow"),
        (true, false) => None,
    };
    let size = features.serverless.map(|serverless| format!(" with {} MB of memory", serverless.memory_size_in_mb));
    let size = size.unwrap_or_default();
    let mut next_steps = Vec::new();
    if is_deployed {
        let config = features.config_name.as_deref().unwrap_or("the present one");
        next_steps.push(format!("Go back to the endpoint configuration before {config}, then compare the two models."));
    } else if has_risen {
        next_steps.push(read_the_log(
            features,
            "whether it computes or waits (for a database, a store, an API) shows only there.",
        ));
    }
    next_steps.extend(more_memory(features));
    next_steps.push("Benchmark one request outside SageMaker; if that is as slow, make the model faster or use instances with a GPU.".to_owned());
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause,
        summary: format!(
            "{words}{size}. A container serves one request at a time, so requests do not wait for each other."
        ),
        next_steps,
        checks: vec![
            rose.or(always),
            memory_is_fine(features),
            is_not_colder(features),
            are_few(features),
            Check::by(
                "utilization",
                is_deployed.then_some(1.0),
                1.0,
                "serverless variants publish no CPUUtilization: whether the container computes or waits does not show"
                    .to_owned(),
            )
            .or_if_missing(NOT_EXCLUDED),
        ],
    }
}

/// Memory is full, and requests suffer.
pub(super) fn memory_pressure(features: &Features) -> Judgement {
    let words = features.memory_in_words();
    let rise = features.memory.zip(features.normal_memory).map(|(now, normal)| now - normal);
    let suffers = Check::above("latency_ratio", features.latency_ratio(), 1.2, 0.2, features.latency_in_words())
        .or(Check::above("latency_to_limit", features.latency_to_limit(), 1.0, 0.2, features.latency_in_words()))
        .or(Check::above("error_5xx_share", features.share_5xx, 0.02, 0.02, super::failing::in_words(features))
            .share(0.0));
    let size =
        features.serverless.map(|serverless| format!(" of {} MB", serverless.memory_size_in_mb)).unwrap_or_default();
    Judgement {
        verdict: Verdict::MemoryPressure,
        sub_cause: None,
        summary: format!("{words}{size}; {}.", features.latency_in_words()),
        next_steps: more_memory(features)
            .into_iter()
            .chain([read_the_log(features, "what grows: caches, copies of the model, payloads that are kept.")])
            .collect(),
        checks: vec![
            Check::above("memory", features.memory, FULL, 0.03, words.clone())
                .share(features.normal_memory.unwrap_or(0.0)),
            Check::above("memory_rise", rise, 0.04, 0.05, words).share(0.0).or_if_missing(NOT_EXCLUDED),
            suffers,
        ],
    }
}

/// There is memory left.
pub(super) fn memory_is_fine(features: &Features) -> Check {
    Check::below("memory", features.memory, FULL, 0.03, features.memory_in_words())
        .share(features.normal_memory.unwrap_or(0.0))
        .or_if_missing(1.0)
}

/// Time is lost outside the container, and not by set-up.
pub(super) fn overhead(features: &Features) -> Judgement {
    let words = features.overhead_in_words();
    let latency = features.latency_in_words();
    Judgement {
        verdict: Verdict::Overhead,
        sub_cause: None,
        summary: format!("{words}; {latency}."),
        next_steps: vec![
            "Compare payload sizes, and whether callers keep their connections open and are in the same Region."
                .to_owned(),
            "If nothing changed on your side, ask AWS Support with these minutes.".to_owned(),
        ],
        checks: vec![
            Check::above("overhead_rise", features.overhead_rise(), 0.3, 0.25, words).share(0.0),
            Check::below("latency_ratio", features.latency_ratio(), 1.35, 0.2, latency),
            is_not_colder(features),
        ],
    }
}

/// Callers do not feel it.
pub(super) fn overhead_is_small(features: &Features) -> Check {
    Check::below("overhead_rise", features.overhead_rise(), 0.3, 0.25, features.overhead_in_words())
        .share(0.0)
        .or_if_missing(1.0)
}
