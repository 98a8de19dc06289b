//! New instances serve before they are warm.

use crate::diagnose::check::{Check, Judgement, NOT_EXCLUDED};
use crate::diagnose::features::{Features, LONGEST_LEAD_MINUTES, is_in_one_place};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { instances, latency, load, .. } = features;
    let added = instances.minutes_since_added;
    let text = match added {
        Some(added) => format!(
            "instances came into service {added} minutes ago, and latency rose {} minutes ago",
            latency.age_minutes
        ),
        None => "no instance came into service shortly before".to_owned(),
    };
    #[expect(clippy::cast_precision_loss, reason = "minutes of one incident")]
    let lead = instances.lead_minutes.map(|lead| lead as f64);
    let began_with_them = Check::above("new_instances_lead", lead, -0.5, 1.0, text.clone());
    // Where the slow requests are all in one place, it may have begun with the first that came.
    let in_one_place = Check::above("new_instances_lead", lead, -10.5, 3.0, text.clone()).and(is_in_one_place(features));
    let began_with_them = began_with_them.or(in_one_place);
    Judgement {
        verdict: Verdict::ColdStart,
        sub_cause: None,
        summary: format!("New instances serve before they are warm: {text}."),
        next_steps: vec![
            "Send warm-up requests before the container answers /ping: load the model, compile it, fill its caches \
             first."
                .to_owned(),
            "It passes by itself once they are warm. A longer scale-in cooldown or a higher MinCapacity makes it rarer."
                .to_owned(),
        ],
        checks: vec![
            // They serve at once: those that served for minutes before it began were warm by then.
            began_with_them.unit("minutes", 0.0),
            Check::below("new_instances_lead", lead, LONGEST_LEAD_MINUTES as f64 + 0.5, 1.0, text).unit("minutes", 0.0),
            // It may be over by now: instances warm up while the alarm counts its datapoints.
            latency.was_bad(),
            Check::below("load_ratio", Some(load.ratio()), 1.05, 0.05, load.in_words()),
            // The instances that were there before answer as fast as ever.
            Check::below("fastest_request", latency.minimum_ratio, 1.6, 0.3, latency.who_in_words()).or_if_missing(NOT_EXCLUDED),
            features.errors.are_few_4xx(),
            features.loading.is_rare(),
        ],
    }
}
