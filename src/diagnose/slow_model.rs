//! Each request takes more work than it did at the same load, or always took too much for the objective.

use super::check::{Check, Judgement};
use super::facts::whole;
use super::features::Features;
use super::overload::{BEYOND_SEEN, SAME_WORK};
use crate::model::Verdict;

/// A deployment this many minutes before the rise is named; instances take minutes to come into service.
const AFTER_DEPLOYMENT_MINUTES: i64 = 30;

pub(super) fn judge(features: &Features) -> Judgement {
    if features.violation_share > 0.5 && features.is_slow_when_quiet {
        return always_slow(features);
    }
    let load_ratio = features.load_ratio();
    // Load beyond anything seen explains slowness by itself, unless work per request rose far more.
    let not_load = match features.work_ratio {
        Some(work) if work > 1.5 => Check::above("work_per_request", Some(work), 1.5, 0.3, features.work_in_words()),
        _ => Check::below("load_ratio", Some(load_ratio), BEYOND_SEEN, 0.05, features.load_in_words()),
    };
    let is_after_deployment =
        features.minutes_since_deployment.is_some_and(|minutes| (-2..=AFTER_DEPLOYMENT_MINUTES).contains(&minutes));
    let checks = vec![
        features.is_bad(),
        Check::above("latency_ratio", Some(features.latency_ratio), 1.2, 0.3, features.latency_at_load_in_words()),
        Check::above("work_per_request", features.work_ratio, SAME_WORK, 0.25, features.work_in_words()),
        not_load,
    ];
    let mut next_steps = vec![];
    if is_after_deployment {
        next_steps.push(format!(
            "Roll back to the endpoint configuration before {}: the rise began within half an hour of this one.",
            features.endpoint_config_name.as_deref().unwrap_or("the present one")
        ));
    }
    next_steps.extend([
        "Benchmark the model outside the endpoint with recorded requests, the present version against the one before; \
         profile the inference code if they differ."
            .to_owned(),
        "If the model itself became heavier: compile it with SageMaker Neo, or move it to a GPU or Inferentia instance."
            .to_owned(),
    ]);
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause: is_after_deployment.then_some("after_deployment"),
        summary: format!("{}, and {}.", features.work_in_words(), features.latency_at_load_in_words()),
        next_steps,
        checks,
    }
}

/// Over the objective in most minutes, even in the quietest: no amount of instances makes a request cheaper.
fn always_slow(features: &Features) -> Judgement {
    let text = format!(
        "{:.0} % of {} earlier minutes were over the objective, those with the least load among them",
        100.0 * features.violation_share,
        whole(features.earlier_minutes)
    );
    Judgement {
        verdict: Verdict::SlowModel,
        sub_cause: Some("always_slow"),
        summary: format!("{text}: the model takes longer than the objective allows, whatever the load."),
        next_steps: vec![
            "Benchmark the model outside the endpoint; if it is slow there too: SageMaker Neo, a GPU or Inferentia \
             instance, or a smaller model."
                .to_owned(),
            "If the latency is acceptable, raise the objective and the alarm's threshold.".to_owned(),
        ],
        checks: vec![Check::above("violation_share", Some(features.violation_share), 0.5, 0.3, text).share(0.0)],
    }
}
