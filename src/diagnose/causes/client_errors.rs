//! Callers send requests that the model refuses: 4xx answers dominate.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::{DOMINATES, Features};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let errors = &features.errors;
    let normal = errors.normal_4xx.max(0.001);
    let rise = errors.share_4xx.map(|share| share / normal);
    Judgement {
        verdict: Verdict::ClientErrors,
        sub_cause: None,
        summary: format!("{}; {:.1} % is normal.", errors.in_words_4xx(), 100.0 * errors.normal_4xx),
        next_steps: vec![
            format!(
                "Read the container's log since {} (log group /aws/sagemaker/Endpoints/{}): which callers, which \
                 requests, 400 (malformed), 413 (too large) or 429 (throttled by the model server).",
                features.latency.onset, features.endpoint_name
            ),
            "Ask the callers what they changed; make them back off where they are throttled.".to_owned(),
        ],
        checks: vec![
            Check::above("error_4xx_share", errors.share_4xx, DOMINATES, 0.04, errors.in_words_4xx())
                .share(errors.normal_4xx),
            Check::above(
                "error_4xx_rise",
                rise,
                3.0,
                3.0,
                format!("{}; {:.1} % is normal", errors.in_words_4xx(), 100.0 * normal),
            ),
            errors.are_few().or(Check::above(
                "error_4xx_to_5xx",
                errors.share_4xx.zip(errors.share_5xx).map(|(refused, failed)| refused / failed.max(0.001)),
                2.0,
                1.0,
                errors.in_words(),
            )),
        ],
    }
}
