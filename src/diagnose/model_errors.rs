//! The model fails: 5xx answers dominate, and load is not what brought them.

use super::check::{Check, Judgement};
use super::features::Features;
use crate::model::Verdict;

/// One request in twenty failing is no longer noise on any endpoint.
const DOMINATES: f64 = 0.05;

pub(super) fn judge(features: &Features) -> Judgement {
    let normal = features.normal_error_5xx_share.unwrap_or(0.0).max(0.001);
    let rise = features.error_5xx_share.map(|share| share / normal);
    let load_ratio = features.load_ratio();
    let checks = vec![
        Check::above("error_5xx_share", features.error_5xx_share, DOMINATES, 0.05, features.errors_in_words())
            .share(features.normal_error_5xx_share.unwrap_or(0.0)),
        Check::above(
            "error_5xx_rise",
            rise,
            3.0,
            3.0,
            format!("{}; {:.1} % is normal", features.errors_in_words(), 100.0 * normal),
        ),
        // An overloaded container answers 5xx too; then the load is the cause.
        Check::below("load_ratio", Some(load_ratio), 1.10, 0.10, features.load_in_words()),
    ];
    Judgement {
        verdict: Verdict::ModelErrors,
        sub_cause: None,
        summary: format!("{}, at a load per instance that it has carried before.", features.errors_in_words()),
        next_steps: vec![
            format!(
                "Read the container's log since {} (log group /aws/sagemaker/Endpoints/{}): 5xx at low CPU point to the \
                 model server or its configuration.",
                features.onset, features.endpoint_name
            ),
            "Roll back to the previous endpoint configuration if the errors began with a deployment.".to_owned(),
        ],
        checks,
    }
}
