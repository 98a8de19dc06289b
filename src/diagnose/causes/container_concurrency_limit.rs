//! Requests queue inside the container while the hardware idles: too few workers, or a lock.

use super::overload::BUSY;
use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Features, is_not_in_one_place};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, load, work, .. } = features;
    let is_locked = load.was_carried().margin() > 0.0;
    let checks = if is_locked { at_a_usual_load(features) } else { at_more_than_ever(features) };
    let workers = "SAGEMAKER_MODEL_SERVER_WORKERS (or the model server's own setting of workers or threads)";
    let instance = features.instance_type.as_deref().unwrap_or("the instance");
    Judgement {
        verdict: Verdict::ContainerConcurrencyLimit,
        sub_cause: Some(if is_locked { "lock" } else { "too_few_workers" }),
        summary: format!(
            "Requests queue inside the container while {}: {}.",
            work.busy_in_words(),
            if is_locked { latency.who_in_words() } else { load.in_words() }
        ),
        next_steps: vec![
            if is_locked {
                format!(
                    "Look in the container's log since {} for a lock, workers that died, or a call that workers wait in.",
                    latency.onset
                )
            } else {
                format!("Raise {workers} until {instance} is busy; measure with one instance first.")
            },
            "A container that sees one CPU (an old Java virtual machine) needs its container-support option.".to_owned(),
            "More instances would hide it, at the price of hardware that idles.".to_owned(),
        ],
        checks,
    }
}

/// The hardware idles.
fn is_idle(features: &Features) -> Check {
    let work = &features.work;
    Check::below("utilization", work.known_busy(), BUSY, 0.04, work.busy_in_words()).share(BUSY)
}

/// Requests take no more work, or by less than load rose.
fn is_flat(features: &Features) -> Check {
    let Features { load, work, .. } = features;
    work.is_flat().or(Check::below("work_per_request", work.ratio, load.ratio() * 0.95, 0.15, work.in_words()))
}

/// A lock, or workers that died: what was carried before now queues.
fn at_a_usual_load(features: &Features) -> Vec<Check> {
    let Features { latency, work, .. } = features;
    vec![
        latency.queues(),
        features.work.is_not_busy(),
        latency.is_bad(),
        is_flat(features),
        // Where much less gets done than before, workers are stuck in something else.
        work.has_hardly_fallen(),
        features.errors.are_few(),
        features.errors.are_few_4xx(),
        features.concurrency.is_smooth(),
        features.instances.are_even(),
        features.instances.are_warm(),
        features.load.has_no_spike(),
        is_not_in_one_place(features),
        latency.does_not_wait_steadily(),
        features.loading.is_rare(),
        features.memory.is_fine(),
    ]
}

/// Too few workers for more load than ever.
fn at_more_than_ever(features: &Features) -> Vec<Check> {
    let Features { latency, load, work, .. } = features;
    let waits = Check::above("p50_ratio", latency.p50_ratio, 1.1, 0.1, latency.who_in_words()).or_if_missing(NOT_EXCLUDED);
    // A wait for something else meets the fastest request too; a queue lets some through at once, or did when it began.
    let passes = Check::below("fastest_request", latency.minimum_ratio, 2.5, 1.0, latency.who_in_words());
    let began = Check::below("first_minimum", latency.first_minimum_ratio, 2.5, 1.0, latency.first_in_words());
    let is_long = Check::above("p50_ratio", latency.p50_ratio, 5.0, 2.0, latency.who_in_words());
    vec![
        is_idle(features),
        load.is_beyond_usual(),
        load.was_never_met(),
        waits,
        passes.or(began.and(is_long)).or_if_missing(NOT_EXCLUDED),
        latency.is_bad(),
        is_flat(features),
        work.has_not_fallen(),
        features.load.has_no_spike(),
        is_not_in_one_place(features),
        latency.does_not_wait_steadily(),
        features.loading.is_rare(),
        features.memory.is_fine(),
    ]
}
