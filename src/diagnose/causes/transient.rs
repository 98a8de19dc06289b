//! The endpoint is fine now: latency, overhead and errors are normal in the last minutes.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let latency = &features.latency;
    let checks = vec![
        // Nearer to normal than to the limit.
        Check::below("latency_elevation", Some(latency.elevation), 0.5, 0.25, latency.in_words()).share(0.0),
        // Where what is normal is nearly over the objective, it will be over again.
        Check::below(
            "normal_to_objective",
            latency.normal_to_objective,
            0.92,
            0.04,
            format!("in normal minutes of this load it is near the objective already: {}", latency.in_words()),
        )
        .share(0.6)
        .or_if_missing(1.0),
        features.overhead.is_small(),
        features.errors.are_few(),
        features.errors.are_few_4xx(),
        // Where instances were cold, or requests came at once, that is the cause, also when it is over.
        features.instances.are_warm(),
        features.load.has_no_spike().or(latency.was_never_near()),
    ];
    let minutes = latency.slow_minutes;
    Judgement {
        verdict: Verdict::Transient,
        sub_cause: None,
        summary: format!(
            "{}: within its limits now; it was elevated in {minutes} of the last 30 minutes.",
            latency.in_words()
        ),
        next_steps: if minutes <= 5 {
            vec!["Nothing to do. If this alarm fires often for so little, ask for more datapoints before it does (M \
                 of N).".to_owned()]
        } else {
            vec!["Nothing to do now. If it comes back, the next report will have more minutes to judge by.".to_owned()]
        },
        checks,
    }
}
