//! As many requests at once as it may have, or as the account lets it have.

use super::features::Features;
use super::steps::raise_max_concurrency;
use crate::diagnose::check::{Check, Judgement};
use crate::model::Verdict;

/// Of `MaxConcurrency`; the metric is a maximum, so that a minute at the limit shows 1.
const AT_LIMIT: f64 = 0.93;
/// One request in twenty refused is no longer chance.
const REFUSED: f64 = 0.05;

/// All of `MaxConcurrency` is in use, or requests are refused before it is: then the account's quota is.
pub(super) fn concurrency_limit(features: &Features) -> Judgement {
    let by_own = own_limit(features);
    let by_account = account_quota(features);
    if by_account.margin() > by_own.margin() { by_account } else { by_own }
}

fn own_limit(features: &Features) -> Judgement {
    let words = features.concurrency_in_words();
    // A model that takes longer fills the same limit with the same requests, and is the cause then.
    let longer = features.duration_ratio.map(|duration| {
        let rate = features.rate_ratio.unwrap_or(1.0).max(1.0);
        (duration / rate).ln()
    });
    let duration = match features.duration_ratio {
        Some(ratio) => format!("a request takes {ratio:.1} times as long as usual, and {}", features.rate_in_words()),
        None => "how long a request takes is not known".to_owned(),
    };
    let refused = refused_in_words(features);
    Judgement {
        verdict: Verdict::ServerlessConcurrencyLimit,
        sub_cause: Some("max_concurrency"),
        summary: format!("{words}; what comes beyond it is refused. {}.", capital(&features.rate_in_words())),
        next_steps: raise_max_concurrency(features),
        checks: vec![
            Check::above("concurrency_utilization", features.utilization, AT_LIMIT, 0.06, words).share(0.5),
            Check::below("duration_against_rate", longer, 0.3, 0.25, duration)
                .unit("logarithm", 0.0)
                .or_if_missing(0.5),
            // Told beside it where it shows; SageMaker does not always count what it refuses.
            Check::by("refused_share", features.throttled_share, 1.0, refused).share(0.0).or_if_missing(1.0),
        ],
    }
}

fn account_quota(features: &Features) -> Judgement {
    let refused = refused_in_words(features);
    let words = features.concurrency_in_words();
    Judgement {
        verdict: Verdict::ServerlessConcurrencyLimit,
        sub_cause: Some("account_quota"),
        summary: format!("{refused}, while {words}: the account's own limit is reached."),
        next_steps: vec![
            "Ask for a higher quota, `Maximum total concurrency that can be allocated across all serverless endpoints`, in \
             Service Quotas: all serverless endpoints of the account share it."
                .to_owned(),
            "Until then, lower MaxConcurrency of endpoints that need less.".to_owned(),
        ],
        checks: vec![
            Check::above("refused_share", features.throttled_share, REFUSED, 0.04, refused).share(0.0),
            Check::below("concurrency_utilization", features.utilization, AT_LIMIT, 0.06, words).share(0.5),
        ],
    }
}

/// It is not at its limit: for causes that a limit would explain.
pub(super) fn is_not_reached(features: &Features) -> Check {
    let words = features.concurrency_in_words();
    let own = Check::below("concurrency_utilization", features.utilization, AT_LIMIT, 0.06, words).share(0.5);
    let refused = refused_in_words(features);
    let refused = Check::below("refused_share", features.throttled_share, REFUSED, 0.04, refused).share(0.0);
    own.or_if_missing(0.5).and(refused.or_if_missing(1.0))
}

fn refused_in_words(features: &Features) -> String {
    match features.throttled_share {
        Some(share) => {
            format!("{:.1} requests are refused unseen by the model for each 100 that are served", 100.0 * share)
        }
        None => "whether requests were refused does not show".to_owned(),
    }
}

fn capital(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
