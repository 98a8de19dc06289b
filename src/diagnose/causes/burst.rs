//! The overload lives inside single minutes: the minute's load is usual, but its requests come at once.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Features, slow_or_failing};
use crate::model::{SINGLE_MINUTES, Verdict};

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, load, work, instances, concurrency, .. } = features;
    let inside = concurrency.comes_in_bursts();
    let spike = Check::above("load_spike", load.spike, 2.0, 0.5, load.spike_in_words());
    let is_spike = load.spike.is_some();
    let mut checks = vec![
        inside.or(spike),
        if is_spike { slow_or_failing(features) } else { latency.is_elevated() },
        // More load than ever may come in bursts; while the hardware has time to spare in each minute, they are the cause.
        load.was_carried().or(concurrency.comes_in_clear_bursts().and(work.is_not_full())),
        instances.are_even(),
        features.loading.is_rare(),
        features.memory.is_fine(),
    ];
    if !is_spike {
        checks.push(latency.is_slower_at_load());
        checks.push(work.is_flat().or_if_missing(NOT_EXCLUDED));
        // A burst makes most requests wait, one ill instance or dependency only some.
        checks.push(latency.meets_most().or_if_missing(NOT_EXCLUDED));
        // Between bursts the container idles: those requests are as fast as ever, or at least few are in flight.
        let text = match concurrency.fewest_ratio {
            Some(ratio) => format!("between the peaks {ratio:.2} times as many requests are in flight as usual"),
            None => "the Minimum of ConcurrentRequestsPerModel has no datapoints".to_owned(),
        };
        let fast = Check::below("fastest_request", latency.minimum_ratio, 1.35, 0.12, latency.who_in_words());
        checks.push(
            fast.or_if_missing(NOT_EXCLUDED).or(Check::below("fewest_in_flight", concurrency.fewest_ratio, 1.6, 0.4, text)),
        );
    }
    Judgement {
        verdict: Verdict::Burst,
        sub_cause: Some(if is_spike { SINGLE_MINUTES } else { "within_minutes" }),
        summary: format!("Requests come in bursts: {}.", checks.first().map(Check::text).unwrap_or_default()),
        next_steps: vec![
            "Smooth the bursts where they begin: a queue, jitter on schedules and retries, or an asynchronous \
             endpoint for work that can wait."
                .to_owned(),
            "What cannot be smoothed needs headroom: instances that are there before it comes. A faster alarm does not \
             help: a burst is over before instances start."
                .to_owned(),
        ],
        checks,
    }
}
