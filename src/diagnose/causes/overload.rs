//! Requests queue: load per instance is beyond what this endpoint has carried within its limits, and each request takes
//! no more work than before.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Features, is_not_in_one_place};
use crate::model::{Thousands, Verdict};

/// With less of the hardware in use than this, nothing queues for it.
pub(super) const BUSY: f64 = 0.37;

/// Where a third of the requests fail, callers that ask again bring a good part of the traffic.
const RETRIED_SHARE: f64 = 0.35;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, load, work, instances, .. } = features;
    // Where each request takes more work too, the greater of the two changes is the cause.
    let same_work = work.is_flat().or(Check::below(
        "work_per_request",
        work.ratio,
        load.ratio(),
        0.2,
        format!("{}, less than load rose", work.in_words()),
    ));
    let mut checks = vec![
        latency.is_bad(),
        load.is_beyond_usual(),
        // A queue that fills slowly lets some minutes pass; saturated hardware does not keep up whatever came before.
        load.was_never_met().or(work.is_saturated()),
        // Without utilisation the questions about load still stand, but nothing is written on them.
        same_work.or_if_missing(NOT_EXCLUDED),
        // Requests queue for something that is busy. Where the hardware idles, they wait for something else.
        Check::above("utilization", work.known_busy(), BUSY, 0.06, work.busy_in_words())
            .share(BUSY)
            .or_if_missing(NOT_EXCLUDED),
        work.has_not_fallen().or(work.is_saturated()),
        // One ill instance makes some requests slow, an overload most.
        Check::above("p50_ratio", latency.p50_ratio, 1.1, 0.1, latency.who_in_words())
            .or_if_missing(NOT_EXCLUDED)
            .or(instances.are_even()),
        // What comes at once overloads the moment, not the minute.
        features.concurrency.is_steady().or(work.is_full()),
        is_not_in_one_place(features),
        latency.does_not_wait_steadily().or(work.is_busy()),
        instances.are_not_far_apart(),
        features.loading.is_rare(),
    ];
    let lost_instances = instances.ratio.is_some_and(|ratio| ratio < 0.9);
    // Each request that fails is asked again once or twice.
    let is_doubled = load.traffic_ratio.is_some_and(|ratio| ratio > 1.7);
    let same_traffic = load.traffic_ratio.is_some_and(|ratio| ratio < 1.1);
    let shift = features.traffic_share.as_ref().filter(|share| share.has_risen());
    let (sub_cause, why) = if lost_instances && same_traffic {
        ("capacity_loss", "; instances went away while traffic stayed")
    } else if shift.is_some() {
        ("weight_shift", "; more of the endpoint's requests come to this variant")
    } else if load.is_after_latency {
        ("retry_storm", "; traffic rose only after latency had, as when callers ask again")
    } else if features.errors.share_5xx.is_some_and(|share| share > RETRIED_SHARE) && is_doubled {
        ("retry_storm", "; traffic multiplied while many requests fail, as when callers ask again")
    } else {
        ("traffic_growth", "")
    };
    let mut next_steps = Vec::new(); // the plan says how to scale
    if let Some(shift) = shift.filter(|_| sub_cause == "weight_shift") {
        checks.insert(2, shift.is_shifted());
        next_steps.push(shift.next_step());
    }
    if sub_cause == "retry_storm" {
        next_steps.push(
            "If callers ask again when an answer is late: give them exponential backoff with jitter and a limit on retries, or \
             they keep the endpoint overloaded after the first cause is gone."
                .to_owned(),
        );
    }
    Judgement {
        verdict: Verdict::Overload,
        sub_cause: Some(sub_cause),
        summary: format!(
            "Load per instance is {:.2} times its usual peak ({} against {} per minute), and latency follows it: \
             {}{why}.",
            load.ratio(),
            Thousands(load.now),
            Thousands(load.usual_peak),
            latency.in_words()
        ),
        next_steps,
        checks,
    }
}
