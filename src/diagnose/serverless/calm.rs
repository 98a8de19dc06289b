//! Nothing is wrong, or nothing is wrong with the variant.

use super::cold::is_not_cold;
use super::failing::{are_few, few_are_refused};
use super::features::Features;
use super::limit::is_not_reached;
use super::slow::overhead_is_small;
use crate::diagnose::check::{Check, Judgement};
use crate::model::{Microseconds, Verdict};

/// Share of the objective from which it sits on top of what is normal.
const ON_TOP: f64 = 0.82;

/// Latency is normal, and the objective sits on top of it.
pub(super) fn objective_too_tight(features: &Features) -> Judgement {
    let words = normal_in_words(features);
    let violations = features.violation_share;
    let violated = match violations {
        Some(share) => format!("{:.0} % of all earlier minutes were over the objective", 100.0 * share),
        None => "there is no objective".to_owned(),
    };
    let raised = features.normal_latency.map(|normal| Microseconds(1.25 * normal.0).to_milliseconds());
    let step = match (features.objective, raised) {
        (Some(objective), Some(raised)) => format!(
            "Raise the alarm's threshold from {} to about {raised}, a quarter above what is normal, or make the model \
             faster if {} is what callers need.",
            objective.latency_slo_ms, objective.latency_slo_ms
        ),
        _ => "State an objective.".to_owned(),
    };
    let latency = features.latency_in_words();
    Judgement {
        verdict: Verdict::ObjectiveTooTight,
        sub_cause: None,
        summary: format!("{latency}: {words}."),
        next_steps: vec![step],
        checks: vec![
            Check::above("normal_to_objective", features.normal_to_objective(), ON_TOP, 0.08, words.clone()).share(0.6),
            Check::below("normal_to_objective", features.normal_to_objective(), 1.12, 0.06, words).share(0.6),
            Check::below("latency_ratio", features.latency_ratio(), 1.28, 0.12, latency.clone()),
            Check::above("latency_to_limit", features.latency_to_limit(), 0.93, 0.05, latency).or(Check::above(
                "violation_share",
                violations,
                0.02,
                0.02,
                violated,
            )
            .share(0.0)),
            is_not_cold(features),
            overhead_is_small(features),
        ],
    }
}

/// The last minutes are within its limits.
pub(super) fn transient(features: &Features) -> Judgement {
    let latency = features.latency_in_words();
    let words = normal_in_words(features);
    Judgement {
        verdict: Verdict::Transient,
        sub_cause: None,
        summary: format!("{latency}; {}, and hardly a request was cold.", features.concurrency_in_words()),
        next_steps: vec!["Nothing. If such alarms come again, ask for more datapoints (3 of 3 minutes).".to_owned()],
        checks: vec![
            Check::below("latency_to_limit", features.latency_to_limit(), 0.95, 0.1, latency.clone()),
            Check::below("latency_ratio", features.latency_ratio(), 1.35, 0.15, latency).or_if_missing(0.5),
            Check::below("normal_to_objective", features.normal_to_objective(), ON_TOP, 0.08, words).or_if_missing(1.0),
            is_not_cold(features),
            is_not_reached(features),
            overhead_is_small(features),
            are_few(features),
            few_are_refused(features),
        ],
    }
}

fn normal_in_words(features: &Features) -> String {
    match features.normal_to_objective() {
        Some(share) => format!("normal {} ModelLatency is {:.0} % of the objective", features.statistic, 100.0 * share),
        None => "there is no objective".to_owned(),
    }
}
