//! One instance, or a few, is far slower or busier than the rest.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::Features;
use crate::model::Verdict;

/// Instances that differ less than this, of the most that is usual, are alike.
pub(super) const EVEN: f64 = 0.7;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { instances, latency, load, work, concurrency, .. } = features;
    // Half of the requests are as fast as ever, and yet they pile up in one container.
    let few = Check::below("p50_ratio", latency.p50_ratio, 1.35, 0.12, latency.who_in_words());
    let piled = concurrency.is_in_one_container();
    // Where utilisation is shared as evenly as ever, requests pile up everywhere at once: a burst.
    let apart = Check::above("utilization_spread", instances.spread_ratio, EVEN, 0.15, instances.spread_in_words());
    let piled = [few, apart.or_if_missing(NOT_EXCLUDED)].into_iter().fold(piled, Check::and);
    let uneven = instances.are_uneven();
    let tail = latency.some_wait_ever_longer();
    let uneven = if instances.are_several() { uneven.or(piled).or(tail) } else { uneven };
    let checks = vec![
        uneven.clone(),
        // Where the least busy instance works harder for each request too, they have to differ more.
        work.is_flat_on_least_busy().or(instances.are_clearly_uneven()),
        latency.is_elevated(),
        latency.is_slower_at_load(),
        // The others are as fast as ever.
        Check::below("fastest_request", latency.minimum_ratio, 1.7, 0.3, latency.who_in_words())
            .or_if_missing(NOT_EXCLUDED)
            .or(instances.are_far_apart()),
        // Instances that differ this much explain what load does not.
        load.was_carried().or(instances.are_far_apart()).or(Check::below(
            "p50_ratio",
            latency.p50_ratio.filter(|_| uneven.margin() > 1.5),
            1.8,
            0.4,
            latency.who_in_words(),
        )),
        instances.are_warm(),
        // Where all workers of all instances are stuck, what little they do differs too.
        work.has_not_fallen().or(Check::below("p50_ratio", latency.p50_ratio, 4.0, 2.0, latency.who_in_words())),
        features.loading.is_rare(),
    ];
    let is_random = features.routing_strategy.as_deref() != Some("LEAST_OUTSTANDING_REQUESTS");
    let mut next_steps = vec![
        "Replace the instances: an update to the same endpoint configuration brings new ones.".to_owned(),
    ];
    if is_random {
        next_steps.push(
            "Set RoutingConfig to LEAST_OUTSTANDING_REQUESTS in a new endpoint configuration: requests then avoid the \
             slow instance (they are spread at random now)."
                .to_owned(),
        );
    }
    next_steps.push(
        "Set EnableEnhancedMetrics in the endpoint configuration: metrics then name the instance.".to_owned(),
    );
    Judgement {
        verdict: Verdict::UnevenLoad,
        sub_cause: None,
        summary: format!("Not all instances are slow: {}.", uneven.text()),
        next_steps,
        checks,
    }
}
