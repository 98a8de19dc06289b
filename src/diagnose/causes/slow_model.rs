//! Each request takes more work than it did at the same load, or always took too much for the objective.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::{Features, is_not_load, whole};
use crate::model::Verdict;

/// A rise that went on for longer than this is no deployment; queues fill faster too.
const GRADUAL_MINUTES: i64 = 35;
/// Stalls leave the fastest request below this, and the slow one so many times as slow as the usual one.
const STALLS_FASTEST: f64 = 1.25;
const STALLS_TAIL: f64 = 2.0;
/// So much slower in the last third of the incident than in its first: it is still growing.
const STILL_GROWING: f64 = 1.12;

pub(super) fn judge(features: &Features) -> Judgement {
    if features.latency.is_always_slow() {
        return always_slow(features);
    }
    let Features { latency, work, changes, .. } = features;
    let deployment = changes.in_words();
    let still_grows = latency.growth.is_some_and(|growth| growth > STILL_GROWING);
    let is_gradual = latency.age_minutes > GRADUAL_MINUTES && still_grows;
    // A few long requests leave the fastest as they are, and the usual one less slow than the slow one.
    let is_fast = latency.minimum_ratio.is_none_or(|ratio| ratio < STALLS_FASTEST);
    let is_far = |p50: f64| p50 < STALLS_FASTEST || latency.ratio > STALLS_TAIL * p50;
    let is_tail = is_fast && latency.p50_ratio.is_some_and(is_far);
    let sub_cause = match () {
        () if deployment.is_some() && !is_gradual => Some("after_deployment"),
        () if is_gradual => Some("leak"),
        () if is_tail => Some("stalls"),
        () => None,
    };
    let checks = vec![
        work.has_risen(),
        latency.is_elevated(),
        latency.is_slower_at_load(),
        is_not_load(features),
        work.has_risen_everywhere(),
        features.instances.are_even().or(work.has_risen_everywhere().and(features.instances.are_not_clearly_uneven())),
        features.overhead.is_flat(),
        features.instances.are_warm(),
        features.memory.is_fine(),
        features.loading.is_rare(),
    ];
    let mut next_steps = vec![];
    if deployment.is_some() {
        let previous = changes.endpoint_config_name.as_deref().unwrap_or("the present one");
        next_steps.push(format!(
            "Roll back to the endpoint configuration before {previous}: the rise began within half an hour of this one."
        ));
    }
    next_steps.extend(match sub_cause {
        Some("leak") => vec![
            format!(
                "It has been getting slower for {} minutes at the same load: look for something that grows (memory, a \
                 cache, a log, open connections). A restart, by an update to the same endpoint configuration, buys \
                 time.",
                latency.age_minutes
            ),
            "Profile the inference code after an hour under load against a fresh container.".to_owned(),
        ],
        Some("stalls") => vec![
            "Some requests take very long while the hardware works: look for garbage collection, compilation or \
             logging in the container, and give it more memory or fewer workers."
                .to_owned(),
        ],
        _ => vec![
            "Benchmark the model outside the endpoint with recorded requests, the present version against the one \
             before; profile the inference code if they differ."
                .to_owned(),
            "If the model itself became heavier: compile it with SageMaker Neo, or move it to a GPU or Inferentia \
             instance."
                .to_owned(),
        ],
    });
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause,
        summary: match deployment {
            Some(deployment) => format!("{}, and {}; {deployment}.", work.in_words(), latency.at_load_in_words()),
            None => format!("{}, and {}.", work.in_words(), latency.at_load_in_words()),
        },
        next_steps,
        checks,
    }
}

/// Over the objective in most minutes, even in the quietest: no amount of instances makes a request cheaper.
fn always_slow(features: &Features) -> Judgement {
    let latency = &features.latency;
    let text = format!(
        "{:.0} % of {} earlier minutes were over the objective, those with the least load among them",
        100.0 * latency.violation_share,
        whole(latency.earlier_minutes)
    );
    let accelerator = match &features.instance_type {
        Some(kind) => format!("a GPU or Inferentia instance instead of {kind}"),
        None => "a GPU or Inferentia instance".to_owned(),
    };
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause: Some("always_slow"),
        summary: format!("{text}: the model takes longer than the objective allows, whatever the load."),
        next_steps: vec![
            format!(
                "Benchmark the model outside the endpoint; if it is slow there too: SageMaker Neo, {accelerator}, or \
                 a smaller model. If it is fast there: the inference code."
            ),
            "If the latency is acceptable, raise the objective and the alarm's threshold.".to_owned(),
        ],
        checks: vec![
            Check::above("violation_share", Some(latency.violation_share), 0.5, 0.3, text).share(0.0),
            Check::above("quiet_to_objective", latency.quiet_to_objective, 1.04, 0.08, latency.quiet_in_words()),
            Check::below("latency_ratio", Some(latency.ratio), 1.5, 0.3, latency.at_load_in_words()),
            features.loading.is_rare(),
        ],
    }
}
