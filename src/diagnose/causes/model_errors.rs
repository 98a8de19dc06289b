//! The model fails: 5xx answers dominate, and load is not what brought them.

use crate::diagnose::check::{Check, Judgement};
use crate::diagnose::features::{DOMINATES, Features, is_not_in_one_place};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { errors, load, work, latency, instances, .. } = features;
    let normal = errors.normal_5xx.max(0.001);
    let rise = errors.share_5xx.map(|share| share / normal);
    // Where half of the requests take far longer, give up only after a minute, and the hardware does less than before, they
    // fail because they wait.
    let is_waiting = latency.times_out() && work.has_fallen().margin() > 0.0;
    let waits = latency.p50_ratio.filter(|_| is_waiting).unwrap_or(1.0);
    let stuck = Check::below("p50_ratio", Some(waits), 4.0, 2.0, latency.who_in_words());
    let spike = load.has_no_spike();
    let checks = vec![
        Check::above("error_5xx_share", errors.share_5xx, DOMINATES, 0.04, errors.in_words()).share(errors.normal_5xx),
        Check::above(
            "error_5xx_rise",
            rise,
            3.0,
            3.0,
            format!("{}; {:.1} % is normal", errors.in_words(), 100.0 * normal),
        ),
        // An overloaded container answers 5xx too; then the load is the cause.
        Check::below("load_ratio", Some(load.ratio()), 1.10, 0.10, load.in_words()).or(load.was_carried()),
        // So does one whose requests became too expensive.
        Check::below("work_per_request", work.ratio, 1.5, 0.2, work.in_words()).or_if_missing(1.0),
        stuck,
        spike,
        is_not_in_one_place(features).or(errors.are_more_than_of_one(instances.count)),
        // One ill instance fails no more than its share.
        instances.are_even().or(errors.are_more_than_of_one(instances.count)),
        Check::below(
            "error_4xx_to_5xx",
            errors.share_4xx.zip(errors.share_5xx).map(|(refused, failed)| refused / failed.max(0.001)),
            2.0,
            1.0,
            errors.in_words_4xx(),
        )
        .or_if_missing(1.0),
        features.memory.is_fine(),
    ];
    Judgement {
        verdict: Verdict::ModelErrors,
        sub_cause: None,
        summary: format!("{}, at a load per instance that it has carried before.", errors.in_words()),
        next_steps: vec![
            format!(
                "Read the container's log since {} (log group /aws/sagemaker/Endpoints/{}): 5xx at low CPU point to \
                 the model server or its configuration.",
                latency.onset, features.endpoint_name
            ),
            "Roll back to the previous endpoint configuration if the errors began with a deployment.".to_owned(),
        ],
        checks,
    }
}
