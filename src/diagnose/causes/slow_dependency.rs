//! Slower at the same load while work per request is flat: the container waits for something.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::{Features, is_not_in_one_place};
use crate::model::Verdict;

/// Half of the requests slower than this: the wait meets all of them, not some.
const MOST_REQUESTS: f64 = 1.2;
/// Where the fastest request has more than this share of the slow one's extra time, all wait alike.
const SAME_TIME: f64 = 0.2;
/// Half of the requests take so many times as long as usual: a queue in front of nothing.
const EXTREME: f64 = 25.0;
/// Below this the fastest request varies by chance.
const MULTIPLIED: f64 = 1.45;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, load, work, .. } = features;
    let stuck = latency.is_stuck();
    // Where half of the requests take this much longer at a usual load, they wait for workers that never come back.
    let is_extreme = latency.p50_ratio.is_some_and(|ratio| ratio > EXTREME) && load.was_carried().margin() > 0.0;
    let fallen = if is_extreme { work.has_not_risen() } else { work.has_fallen() };
    let is_exhausted = stuck.margin() > 0.0 && fallen.margin() > 0.0;
    let sub_cause = match () {
        () if is_exhausted => "workers_exhausted",
        () if is_by_one_factor(features) => "host",
        () if meets_all(features) => "all_requests",
        () => "some_requests",
    };
    let mut checks = vec![latency.is_elevated(), latency.is_slower_at_load(), is_flat(features)];
    if is_exhausted {
        // Requests that wait for a minute fail in the end, and callers ask again: where the hardware does less than before,
        // load is not the cause, and errors are not where requests fail by waiting.
        checks.extend([fallen, stuck, errors_are_timeouts(features)]);
    } else {
        checks.extend([
            // A wait that meets all requests alike is no queue, at any load, as long as there is hardware to spare.
            load.was_carried().or(latency.waits_steadily().and(work.is_not_busy())),
            errors_are_timeouts(features),
            // A burst makes most requests wait.
            features.concurrency.is_smooth().or(latency.meets_few()),
            features.instances.are_even(),
            is_not_in_one_place(features),
            is_no_queue(features),
        ]);
    }
    checks.extend([
        work.is_not_saturated(),
        load.has_no_spike(),
        features.overhead.is_flat(),
        features.errors.are_few_4xx(),
        features.memory.is_fine(),
        features.instances.are_warm(),
        features.loading.is_rare(),
    ]);
    let onset = latency.onset;
    let who = match sub_cause {
        "some_requests" => "only some requests wait",
        "workers_exhausted" => "all workers are stuck in it, and hardly anything gets done",
        _ => "every request waits",
    };
    let next_steps = if sub_cause == "host" {
        vec![
            format!(
                "Everything takes {:.1} times as long without more work to show for it: a throttled or shared host. \
                 Update the endpoint to the same configuration, which brings new instances.",
                latency.p50_ratio.unwrap_or(latency.ratio)
            ),
            format!("If it stays, look at what every request calls since {onset}."),
        ]
    } else {
        vec![
            format!("Look at what the container calls (database, feature store, S3, another endpoint) since {onset}; \
                 {who}."),
            "Give those calls timeouts and a cache. More instances would only wait in more places.".to_owned(),
        ]
    };
    Judgement {
        verdict: Verdict::SlowDependency,
        sub_cause: Some(sub_cause),
        summary: format!("{}, but {}: the container waits.", latency.at_load_in_words(), work.in_words()),
        next_steps,
        checks,
    }
}

/// Requests take the work that they took before; where a rise was to be expected, a small one counts.
fn is_flat(features: &Features) -> Check {
    if super::slow_model::is_expected(features) { features.work.is_quite_flat() } else { features.work.is_flat() }
}

/// Few requests fail, or they fail because they wait for a minute.
fn errors_are_timeouts(features: &Features) -> Check {
    let few = features.errors.are_few();
    if features.latency.times_out() { few.or(features.latency.is_stuck().and(features.work.has_fallen())) } else { few }
}

/// Requests do not queue in a container that has hardware to spare: that is a limit of its own.
fn is_no_queue(features: &Features) -> Check {
    let text = features.latency.who_in_words();
    Check::below("queueing", features.latency.queueing(), 0.0, 1.0, text).share(0.0).or_if_missing(1.0)
}

/// The fastest request waits about as long as the slow one; where the fastest is not known, half of them are slower.
fn meets_all(features: &Features) -> bool {
    let latency = &features.latency;
    let by_median = || latency.p50_ratio.unwrap_or(latency.ratio) > MOST_REQUESTS;
    latency.shape.fastest_share.map_or_else(by_median, |share| share > SAME_TIME)
}

/// A wait adds the same time to every request; a slow host multiplies each, so that the fastest has little of it in time.
fn is_by_one_factor(features: &Features) -> bool {
    let latency = &features.latency;
    let (Some(minimum), Some(share)) = (latency.minimum_ratio, latency.shape.fastest_share) else { return false };
    minimum > MULTIPLIED && share < SAME_TIME
}
