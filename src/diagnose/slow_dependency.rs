//! Slower at the same load while work per request is flat: the container waits for something.

use super::check::{Check, Judgement};
use super::features::Features;
use super::overload::{BEYOND_SEEN, SAME_WORK};
use crate::model::Verdict;

/// Half of the requests slower than this: the wait meets all of them, not some.
const MOST_REQUESTS: f64 = 1.2;

pub(super) fn judge(features: &Features) -> Judgement {
    let load_ratio = features.load_ratio();
    let is_for_all = features.p50_ratio.unwrap_or(features.latency_ratio) > MOST_REQUESTS;
    let checks = vec![
        features.is_bad(),
        Check::above("latency_ratio", Some(features.latency_ratio), 1.2, 0.3, features.latency_at_load_in_words()),
        Check::below("work_per_request", features.work_ratio, SAME_WORK, 0.15, features.work_in_words()),
        Check::below("load_ratio", Some(load_ratio), BEYOND_SEEN, 0.05, features.load_in_words()),
        features.few_errors(),
    ];
    Judgement {
        verdict: Verdict::SlowDependency,
        sub_cause: Some(if is_for_all { "all_requests" } else { "some_requests" }),
        summary: format!(
            "{}, but {}: the container waits.",
            features.latency_at_load_in_words(),
            features.work_in_words()
        ),
        next_steps: vec![
            format!(
                "Look at what the container calls (database, feature store, S3, another endpoint) since {}; {}.",
                features.onset,
                if is_for_all { "every request waits" } else { "only some requests wait" }
            ),
            "Give those calls timeouts and a cache. More instances would only wait in more places.".to_owned(),
        ],
        checks,
    }
}
