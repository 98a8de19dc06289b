//! Requests that met no container that was ready.

use super::features::Features;
use super::limit::is_not_reached;
use super::steps::{keep_warm, start_faster};
use crate::diagnose::check::{Check, Judgement};
use crate::model::Verdict;

/// One request in fifty that takes seconds is felt: it moves the mean of `OverheadLatency`, and every p99.
const FELT: f64 = 0.02;
/// With fewer requests a minute than this, most come after a pause.
const RARE_PER_MINUTE: f64 = 0.7;
/// A container is gone after some minutes without requests; AWS does not say how many.
const PAUSE_MINUTES: i64 = 5;
/// A deployment replaces every container.
const DEPLOYED_MINUTES: i64 = 30;

/// Containers are set up while requests wait.
pub(super) fn cold_start(features: &Features) -> Judgement {
    let words = features.cold_in_words();
    let explained = match features.explained {
        Some(share) => {
            format!("set-up is {:.0} % of the time that requests take beyond what is normal", 100.0 * share.min(9.99))
        }
        None => "requests take no longer than normal in the mean".to_owned(),
    };
    let (sub_cause, why) = why(features);
    Judgement {
        verdict: Verdict::ColdStart,
        sub_cause: Some(sub_cause),
        summary: format!("{words}: {why}."),
        next_steps: next_steps(features, sub_cause),
        checks: vec![
            Check::above("cold_share", features.cold_share(), FELT, 0.03, words).share(0.0),
            Check::above("set_up_of_excess", features.explained, 0.4, 0.3, explained).share(0.0).or_if_missing(0.5),
            often(features),
            is_not_reached(features),
        ],
    }
}

/// Why there was no container.
fn why(features: &Features) -> (&'static str, String) {
    let provisioned = features.serverless.and_then(|serverless| serverless.provisioned_concurrency);
    if let (Some(units), Some(share)) = (provisioned, features.spillover_share().filter(|share| *share > 0.0)) {
        let beyond =
            format!("{:.1} % of the requests came beyond the {units} units of provisioned concurrency", 100.0 * share);
        return ("spillover", beyond);
    }
    if features.deployed_minutes_ago.is_some_and(|ago| ago <= DEPLOYED_MINUTES) {
        return ("after_deployment", "a deployment has replaced every container".to_owned());
    }
    match features.pause.filter(|pause| *pause >= PAUSE_MINUTES) {
        Some(pause) => (
            "after_idle",
            format!("requests came again after {pause} minutes without, and containers do not stay that long"),
        ),
        None => {
            ("scale_out", format!("more requests come at once than containers are warm; {}", features.rate_in_words()))
        }
    }
}

fn next_steps(features: &Features, sub_cause: &str) -> Vec<String> {
    let faster = start_faster();
    match sub_cause {
        "after_deployment" => {
            vec!["Nothing, if it is over: the new containers are warm once they have served.".to_owned(), faster]
        }
        "after_idle" if features.serverless.is_some_and(|serverless| serverless.provisioned_concurrency.is_none()) => {
            vec![keep_warm(), faster]
        }
        _ => vec![faster],
    }
}

/// Requests follow each other, so that most of them find a warm container.
fn often(features: &Features) -> Check {
    let margin = (features.requests_per_minute / RARE_PER_MINUTE).ln() / 0.4;
    Check::by("requests_per_minute", Some(features.requests_per_minute), margin, rate(features))
        .unit("per minute", RARE_PER_MINUTE)
}

/// So few requests that each is cold.
pub(super) fn infrequent_traffic(features: &Features) -> Judgement {
    let often = often(features);
    let words = features.cold_in_words();
    Judgement {
        verdict: Verdict::InfrequentTraffic,
        sub_cause: None,
        summary: format!("{}: {words}.", rate(features)),
        next_steps: vec![
            keep_warm(),
            "Or set one unit of provisioned concurrency, which is paid for as long as it is there.".to_owned(),
            "Or accept it, and let the alarm ask for more datapoints (EvaluateLowSampleCountPercentile: ignore)."
                .to_owned(),
            start_faster(),
        ],
        checks: vec![
            Check::by("requests_per_minute", Some(features.requests_per_minute), -often.margin(), rate(features))
                .unit("per minute", RARE_PER_MINUTE),
            Check::above("cold_share", features.cold_share(), 0.1, 0.2, words).share(0.0),
        ],
    }
}

fn rate(features: &Features) -> String {
    format!("{:.2} requests a minute come, over the day", features.requests_per_minute)
}

/// Hardly a request was cold.
pub(super) fn is_not_cold(features: &Features) -> Check {
    Check::below("cold_share", features.cold_share(), FELT, FELT, features.cold_in_words())
        .share(0.0)
        .or_if_missing(1.0)
}

/// Cold starts are not what is slow: there are few, or as many as always.
pub(super) fn is_not_colder(features: &Features) -> Check {
    let usual = 1.5 * features.normal_cold_share.unwrap_or(0.0);
    Check::below("cold_share", features.cold_share(), usual.max(0.06), 0.06, features.cold_in_words())
        .share(features.normal_cold_share.unwrap_or(0.0))
        .or_if_missing(1.0)
}
