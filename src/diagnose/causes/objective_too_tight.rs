//! Latency is normal for this endpoint; the objective sits on top of it.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { latency, load, .. } = features;
    let text = match latency.normal_to_objective {
        Some(share) => format!(
            "in normal minutes of this load {} ModelLatency is {:.0} % of the objective",
            latency.statistic,
            100.0 * share
        ),
        None => "there is no objective".to_owned(),
    };
    let violations = format!("{:.0} % of all earlier minutes were over the objective", 100.0 * latency.violation_share);
    let step = latency.objective.map_or_else(
        || "State an objective.".to_owned(),
        |objective| {
            format!(
                "Raise the alarm's threshold from {} to about {}, a quarter above what is usual at this load, or make \
                 the model faster (SageMaker Neo, a GPU or Inferentia instance) if {} is what callers need.",
                objective.latency_slo_ms,
                latency.suggested_objective(),
                objective.latency_slo_ms
            )
        },
    );
    Judgement {
        verdict: Verdict::ObjectiveTooTight,
        sub_cause: None,
        summary: format!("{}: {text}.", latency.in_words()),
        next_steps: vec![step],
        checks: vec![
            Check::above("normal_to_objective", latency.normal_to_objective, 0.82, 0.08, text.clone()).share(0.6),
            Check::below("latency_ratio", Some(latency.ratio), 1.28, 0.12, latency.at_load_in_words()).or(Check::below(
                "latency_to_usual_highest",
                latency.beyond_usual,
                1.08,
                0.08,
                format!("{}, within what varies by itself", latency.at_load_in_words()),
            )),
            features.load.has_no_spike(),
            // It is over it now, or often was.
            Check::above("latency_to_limit", Some(latency.now.0 / latency.limit.0), 0.93, 0.05, latency.in_words()).or(
                Check::above("violation_share", Some(latency.violation_share), 0.02, 0.02, violations).share(0.0),
            ),
            Check::below("load_ratio", Some(load.ratio()), 1.1, 0.05, load.in_words()),
            // Where even the quietest minutes are clearly over it, the model is what is too slow.
            Check::below("quiet_to_objective", latency.quiet_to_objective, 1.10, 0.06, latency.quiet_in_words()),
        ],
    }
}
