//! Requests queue: load per instance is beyond what this endpoint has carried within its limits, and each request takes
//! no more work than before.

use super::check::{Check, Judgement};
use super::features::Features;
use crate::model::{Thousands, Verdict};

/// Three per cent above the usual peak is beyond what was seen, not noise of one busy minute (the peak is a 99th
/// percentile).
pub(super) const BEYOND_SEEN: f64 = 1.03;
/// Work per request that moved less than this is flat: measured utilisation varies by about a tenth by itself.
pub(super) const SAME_WORK: f64 = 1.22;
/// With less of the hardware in use than this, nothing queues for it.
const BUSY: f64 = 0.4;
/// Eight minutes at this load, four in five of them within limits, show that load alone is not the cause.
const SEEN_MINUTES: usize = 8;
const SEEN_SHARE: f64 = 0.8;

pub(super) fn judge(features: &Features) -> Judgement {
    let load_ratio = features.load_ratio();
    let was_never_carried = features.minutes_at_load < SEEN_MINUTES;
    // Far beyond the usual peak, queueing by itself spoils the reading of work per request.
    let same_work = if load_ratio > 1.3 { 1.5 } else { SAME_WORK };
    let checks = vec![
        features.is_bad(),
        Check::above("load_ratio", Some(load_ratio), BEYOND_SEEN, 0.10, features.load_in_words()),
        Check::below(
            "met_share_at_load",
            Some(if was_never_carried { 0.0 } else { features.met_share_at_load }),
            SEEN_SHARE,
            0.3,
            features.seen_in_words(),
        )
        .share(1.0),
        // Without utilisation the two questions about load still stand, but no longer as clearly.
        Check::below("work_per_request", features.work_ratio, same_work, 0.2, features.work_in_words())
            .or_if_missing(0.8),
        // Requests queue for something that is busy. Where the hardware idles, they wait for something else. A server that
        // uses one core of many is not told from that here, so it is not scaled.
        Check::above(
            "utilization",
            features.busy.filter(|_| features.is_busy_normalised),
            BUSY,
            0.15,
            features.busy_in_words(),
        )
        .share(BUSY)
        .or_if_missing(1.0),
    ];
    let lost_instances = features.instances_ratio.is_some_and(|ratio| ratio < 0.9);
    let same_traffic = features.traffic_ratio.is_some_and(|ratio| ratio < 1.1);
    Judgement {
        verdict: Verdict::Overload,
        sub_cause: Some(if lost_instances && same_traffic { "capacity_loss" } else { "traffic_growth" }),
        summary: format!(
            "Load per instance is {:.2} times its usual peak ({} against {} per minute), and latency follows it: {}.",
            load_ratio,
            Thousands(features.load),
            Thousands(features.usual_peak_load),
            features.latency_in_words()
        ),
        next_steps: Vec::new(), // the plan says what to do
        checks,
    }
}
