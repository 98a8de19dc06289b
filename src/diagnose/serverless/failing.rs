//! Requests that fail.

use super::features::Features;
use super::slow::memory_is_fine;
use super::steps::read_the_log;
use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::DOMINATES;
use crate::model::Verdict;

/// The container answers with a 5xx, or not at all.
pub(super) fn model_errors(features: &Features) -> Judgement {
    let words = in_words(features);
    let rise = features.share_5xx.map(|share| share / features.normal_5xx.max(0.001));
    Judgement {
        verdict: Verdict::ModelErrors,
        sub_cause: None,
        summary: format!("{words}; {:.1} % is normal.", 100.0 * features.normal_5xx),
        next_steps: vec![
            read_the_log(features, "stack traces, timeouts, and containers that were killed for want of memory."),
            "If a deployment came just before, go back to the endpoint configuration before it.".to_owned(),
        ],
        checks: vec![
            Check::above("error_5xx_share", features.share_5xx, DOMINATES, 0.04, words.clone())
                .share(features.normal_5xx),
            Check::above("error_5xx_rise", rise, 3.0, 3.0, words),
            memory_is_fine(features),
        ],
    }
}

/// The container refuses what callers send.
pub(super) fn client_errors(features: &Features) -> Judgement {
    let words = match features.share_4xx {
        Some(share) => format!("{:.1} % of the requests end in a 4xx of the model", 100.0 * share),
        None => "Invocation4XXErrors has no datapoints".to_owned(),
    };
    let rise = features.share_4xx.map(|share| share / features.normal_4xx.max(0.001));
    Judgement {
        verdict: Verdict::ClientErrors,
        sub_cause: None,
        summary: format!("{words}; {:.1} % is normal.", 100.0 * features.normal_4xx),
        next_steps: vec![
            read_the_log(features, "which callers, which requests, 400 (malformed) or 413 (too large)."),
            "Ask the callers what they changed.".to_owned(),
        ],
        checks: vec![
            Check::above("error_4xx_share", features.share_4xx, DOMINATES, 0.04, words.clone())
                .share(features.normal_4xx),
            Check::above("error_4xx_rise", rise, 3.0, 3.0, words),
            are_few(features),
        ],
    }
}

/// Few fail in the container.
pub(super) fn are_few(features: &Features) -> Check {
    Check::below("error_5xx_share", features.share_5xx, DOMINATES, 0.03, in_words(features))
        .share(features.normal_5xx)
        .or_if_missing(1.0)
}

/// Few are refused by it.
pub(super) fn few_are_refused(features: &Features) -> Check {
    let words = match features.share_4xx {
        Some(share) => format!("{:.1} % of the requests end in a 4xx of the model", 100.0 * share),
        None => "Invocation4XXErrors has no datapoints".to_owned(),
    };
    Check::below("error_4xx_share", features.share_4xx, DOMINATES, 0.03, words)
        .share(features.normal_4xx)
        .or_if_missing(1.0)
}

/// `12.0 % of the requests end in a 5xx`.
pub(super) fn in_words(features: &Features) -> String {
    match features.share_5xx {
        Some(share) => format!("{:.1} % of the requests end in a 5xx", 100.0 * share),
        None => "Invocation5XXErrors has no datapoints".to_owned(),
    }
}
