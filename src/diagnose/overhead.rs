//! The time is spent outside the container: `OverheadLatency` rose and `ModelLatency` did not.

use super::check::{Check, Judgement};
use super::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let reference =
        features.objective.map_or(features.normal_latency.0, |objective| objective.latency_slo_ms.to_microseconds().0);
    let both = features.overhead.zip(features.normal_overhead);
    let text = match both {
        Some((now, normal)) => format!("OverheadLatency is {now}; {normal} is normal"),
        None => "OverheadLatency has no datapoints".to_owned(),
    };
    let checks = vec![
        // A rise by a third of the objective is felt by callers whatever the model does.
        Check::above("overhead_rise", both.map(|(now, normal)| (now.0 - normal.0) / reference), 0.3, 0.3, text.clone()),
        Check::above("overhead_ratio", both.map(|(now, normal)| now.0 / normal.0.max(1.0)), 1.5, 0.5, text.clone()),
        Check::below("latency_ratio", Some(features.latency_ratio), 1.35, 0.2, features.latency_in_words()),
    ];
    Judgement {
        verdict: Verdict::Overhead,
        sub_cause: None,
        summary: format!("{text}, while {}: the container is not what is slow.", features.latency_in_words()),
        next_steps: vec![
            "Compare request and response sizes with before: OverheadLatency grows with payloads.".to_owned(),
            "Check that clients reuse connections and credentials, and call from the same Region.".to_owned(),
            "If neither changed, open a case with AWS Support with the times of this report.".to_owned(),
        ],
        checks,
    }
}
