//! The endpoint is fine now: latency, overhead and errors are normal in the last minutes.

use super::check::{Check, Judgement};
use super::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let reference =
        features.objective.map_or(features.normal_latency.0, |objective| objective.latency_slo_ms.to_microseconds().0);
    let overhead_rise =
        features.overhead.zip(features.normal_overhead).map(|(now, normal)| (now.0 - normal.0) / reference);
    let checks = vec![
        // A fifth of the way below the limit leaves no doubt that it is over.
        Check::below(
            "latency_to_limit",
            Some(features.latency.0 / features.limit.0),
            1.0,
            0.2,
            features.latency_in_words(),
        ),
        Check::below(
            "overhead_rise",
            overhead_rise,
            0.3,
            0.2,
            match (features.overhead, features.normal_overhead) {
                (Some(now), Some(normal)) => format!("OverheadLatency is {now}; {normal} is normal"),
                _ => "OverheadLatency has no datapoints".to_owned(),
            },
        )
        .or_if_missing(1.0),
        Check::below("error_5xx_share", features.error_5xx_share, 0.05, 0.03, features.errors_in_words())
            .share(0.0)
            .or_if_missing(1.0),
    ];
    let minutes = features.slow_minutes;
    Judgement {
        verdict: Verdict::Transient,
        sub_cause: None,
        summary: format!(
            "{}: within its limits now; it was elevated in {minutes} of the last 30 minutes.",
            features.latency_in_words()
        ),
        next_steps: if minutes <= 5 {
            vec!["Nothing to do. If this alarm fires often for so little, ask for more datapoints before it does (M of N).".to_owned()]
        } else {
            vec!["Nothing to do now. If it comes back, the next report will have more minutes to judge by.".to_owned()]
        },
        checks,
    }
}
