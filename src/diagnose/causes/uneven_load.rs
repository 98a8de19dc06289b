//! One instance, or a few, is far slower or busier than the rest.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Features, is_in_one_place};
use crate::model::Verdict;

/// The least busy instance works harder by no more than what an ill one leaves to it, and answers as fast as ever.
fn takes_over(features: &Features) -> Check {
    let Features { latency, work, .. } = features;
    let fast = Check::below("fastest_request", latency.minimum_ratio, 1.4, 0.2, latency.who_in_words());
    let by_share = work.least_ratio.map(|work| work / features.most_taken_over());
    fast.and(Check::below("work_on_least_busy_instance", by_share, 1.1, 0.15, work.least_in_words()))
}

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { instances, latency, load, work, .. } = features;
    let uneven = instances.are_uneven().or(is_in_one_place(features));
    let each = features.each_instance.as_ref();
    let named = each.filter(|each| each.stands_out().margin() > 0.0);
    // Whatever shows it best, the one that can be named is what to tell.
    let uneven = named.map_or(uneven.clone(), |each| each.stands_out().at_least(uneven.margin()));
    let checks = vec![
        uneven.clone(),
        // Where the least busy instance works harder for each request too, it took over the ill one's requests, or they
        // have to differ more.
        work.is_flat_on_least_busy().or(instances.are_clearly_uneven()).or(takes_over(features)),
        latency.is_elevated(),
        latency.is_slower_at_load(),
        // The others are as fast as ever.
        Check::below("fastest_request", latency.minimum_ratio, 1.7, 0.3, latency.who_in_words())
            .or_if_missing(NOT_EXCLUDED)
            .or(instances.are_far_apart()),
        // Instances that differ this much explain what load does not.
        load.was_carried().or(instances.are_far_apart()).or(is_in_one_place(features)).or(Check::below(
            "p50_ratio",
            latency.p50_ratio.filter(|_| uneven.margin() > 1.5),
            1.8,
            0.4,
            latency.who_in_words(),
        )),
        instances.are_warm().and(instances.are_old()),
        // Where all workers of all instances are stuck, what little they do differs too.
        work.has_not_fallen().or(instances.are_far_apart().and(work.has_hardly_fallen())).or(Check::below(
            "p50_ratio",
            latency.p50_ratio,
            4.0,
            2.0,
            latency.who_in_words(),
        )),
        features.errors.are_no_more_than_of_one(instances.count),
        features.loading.is_rare(),
        features.memory.is_fine(),
    ];
    let is_random = features.routing_strategy.as_deref() != Some("LEAST_OUTSTANDING_REQUESTS");
    let mut next_steps = vec![match named {
        Some(each) => format!(
            "Replace instance {}: an update to the same endpoint configuration brings new instances for all {}. Its log is \
             the stream that ends in its id.",
            each.id, each.count
        ),
        None => "Replace the instances: an update to the same endpoint configuration brings new ones.".to_owned(),
    }];
    if is_random {
        next_steps.push(
            "Set RoutingConfig to LEAST_OUTSTANDING_REQUESTS in a new endpoint configuration: requests then avoid the \
             slow instance (they are spread at random now)."
                .to_owned(),
        );
    }
    if !features.has_enhanced_metrics {
        next_steps.push(
            "Set EnableEnhancedMetrics in the endpoint configuration: metrics then name the instance.".to_owned(),
        );
    }
    Judgement {
        verdict: Verdict::UnevenLoad,
        sub_cause: None,
        summary: format!("Not all instances are slow: {}.", uneven.text()),
        next_steps,
        checks,
    }
}
