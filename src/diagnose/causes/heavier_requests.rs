//! Each request costs more than it did, and the time outside the container rose with it: payloads, tokens or batches
//! grew.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::{Features, is_not_load};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, work, overhead, .. } = features;
    let text = overhead.in_words();
    let checks = vec![
        overhead.has_risen(),
        // Work is not seen to rise where the hardware always shows as busy; then all requests take longer.
        work.has_risen()
            .or(Check::above("fastest_request", latency.minimum_ratio, 1.3, 0.3, latency.who_in_words()))
            .or(Check::above("p50_ratio", latency.p50_ratio, 1.4, 0.4, latency.who_in_words())),
        latency.is_elevated(),
        latency.is_slower_at_load(),
        is_not_load(features),
        features.instances.are_warm(),
        features.memory.is_fine(),
        features.loading.is_rare(),
    ];
    Judgement {
        verdict: Verdict::HeavierRequests,
        sub_cause: None,
        summary: format!("{}, and {text}: requests became heavier.", work.in_words()),
        next_steps: vec![
            format!(
                "Compare the requests since {} with those before: payload size, batch size, tokens, image size; ask \
                 who sends them.",
                latency.onset
            ),
            "Limit or split what one request may carry; large payloads belong on an asynchronous endpoint (up to 1 GB)."
                .to_owned(),
            "If they are here to stay, size again: each instance carries fewer of them.".to_owned(),
        ],
        checks,
    }
}
