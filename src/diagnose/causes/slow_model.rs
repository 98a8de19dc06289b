//! Each request takes more work than it did at the same load, or always took too much for the objective.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Explanations, Features, is_not_load, whole};
use crate::model::Verdict;

/// A rise that went on for longer than this is no deployment; queues fill faster too.
const GRADUAL_MINUTES: i64 = 35;
/// Stalls leave the fastest request below this.
const STALLS_FASTEST: f64 = 1.3;
/// So much slower in the last third of the incident than in its first: it is still growing.
const STILL_GROWING: f64 = 1.12;

pub(super) fn judge(features: &Features) -> Judgement {
    if features.latency.is_always_slow() {
        return always_slow(features);
    }
    let Features { latency, work, changes, .. } = features;
    let deployment = changes.in_words();
    let is_gradual = is_gradual(features);
    // Heavier work meets every request; long pauses leave the fastest as it is.
    let is_tail = latency.minimum_ratio.is_some_and(|ratio| ratio < STALLS_FASTEST);
    let explained = features.explanations.as_ref().filter(|explanations| explanations.have_risen());
    let sub_cause = match () {
        () if explained.is_some() => Some("explanations"),
        () if deployment.is_some() && !is_gradual => Some("after_deployment"),
        () if is_gradual => Some("leak"),
        () if is_tail => Some("stalls"),
        () => None,
    };
    let mut checks = vec![
        // A deployment just before, or a slow climb, is reason enough to take a small rise for one.
        if is_expected(features) { work.has_risen_a_little() } else { work.has_risen() },
        latency.is_elevated(),
        latency.is_slower_at_load(),
        is_not_load(features),
        work.has_risen_everywhere(),
        // Heavier work meets every request; where the fastest is as fast as ever, it is some instances, or stalls on all.
        is_shared(features).or(is_on_all(features)),
        features.overhead.is_flat(),
        features.errors.are_few_4xx(),
        features.instances.are_warm(),
        if is_gradual { features.memory.is_not_exhausted() } else { features.memory.is_fine() },
        features.loading.is_rare(),
    ];
    let mut next_steps = vec![];
    if let Some(explained) = explained {
        checks.insert(1, explained.are_more());
        next_steps.extend(Explanations::next_steps());
    }
    if deployment.is_some() {
        let previous = changes.endpoint_config_name.as_deref().unwrap_or("the present one");
        next_steps.push(format!(
            "Roll back to the endpoint configuration before {previous}: the rise began within half an hour of this one."
        ));
    }
    next_steps.extend(match sub_cause {
        Some("explanations") => Vec::new(),
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
        summary: match (deployment, explained) {
            (_, Some(explained)) => format!("{}, and {}: {}.", work.in_words(), latency.at_load_in_words(), explained.in_words()),
            (Some(deployment), _) => format!("{}, and {}; {deployment}.", work.in_words(), latency.at_load_in_words()),
            (None, None) => format!("{}, and {}.", work.in_words(), latency.at_load_in_words()),
        },
        next_steps,
        checks,
    }
}

/// It came slowly, and still grows.
pub(super) fn is_gradual(features: &Features) -> bool {
    let latency = &features.latency;
    latency.age_minutes > GRADUAL_MINUTES && latency.growth.is_some_and(|growth| growth > STILL_GROWING)
}

/// Whether the order of events speaks for heavier work.
pub(super) fn is_expected(features: &Features) -> bool {
    features.changes.minutes_since_deployment.is_some() || is_gradual(features)
}

/// Instances are alike, or even the fastest request is slower; and most requests bear part of the extra time.
fn is_shared(features: &Features) -> Check {
    let alike = features.instances.are_alike().or(fastest_is_slower(features));
    if features.instances.are_several() {
        alike.and(features.latency.meets_most().or_if_missing(NOT_EXCLUDED))
    } else {
        alike
    }
}

/// On each instance work rose by more than one that is ill would leave to the others.
fn is_on_all(features: &Features) -> Check {
    let Features { work, instances, .. } = features;
    let beyond = work.least_ratio.map(|ratio| ratio / features.most_taken_over());
    Check::above("work_on_least_busy_instance", beyond, 1.25, 0.15, work.least_in_words())
        .and(instances.are_not_clearly_uneven())
}

/// Even the fastest request takes longer.
fn fastest_is_slower(features: &Features) -> Check {
    let latency = &features.latency;
    Check::above("fastest_request", latency.minimum_ratio, 1.35, 0.2, latency.who_in_words())
        .and(features.instances.are_not_clearly_uneven())
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
