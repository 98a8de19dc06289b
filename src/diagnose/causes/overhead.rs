//! The time is spent outside the container: `OverheadLatency` rose and `ModelLatency` did not.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, overhead, .. } = features;
    let text = overhead.in_words();
    let checks = vec![
        overhead.is_large(),
        Check::above("overhead_ratio", overhead.ratio, 1.5, 0.5, text.clone()),
        Check::below("latency_ratio", Some(latency.ratio), 1.35, 0.2, latency.in_words()),
        features.errors.are_few(),
    ];
    Judgement {
        verdict: Verdict::Overhead,
        sub_cause: None,
        summary: format!("{text}, while {}: the container is not what is slow.", latency.in_words()),
        next_steps: vec![
            "Compare request and response sizes with before: OverheadLatency grows with payloads.".to_owned(),
            "Check that clients reuse connections and credentials (authentication is part of it), and call from the \
             same Region, through a VPC endpoint where they are in a VPC."
                .to_owned(),
            "If requests come rarely, the first after a pause is slow: keep-alive traffic helps.".to_owned(),
            "If none of this changed, open a case with AWS Support with the times of this report.".to_owned(),
        ],
        checks,
    }
}
