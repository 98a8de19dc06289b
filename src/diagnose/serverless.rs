//! Why a serverless variant is slow.
//!
//! It has no instances: a container serves one request at a time, so nothing queues inside it, and none of the metrics of
//! instances exist. What can go wrong is told by other signals: containers that had to be set up first, requests that were
//! refused beyond `MaxConcurrency`, memory (and with it vCPUs) that is too small, or the model itself. Whether a slow
//! container computes or waits shows in no metric, so that verdict is never certain.

mod calm;
mod cold;
mod failing;
mod features;
mod limit;
mod slow;
mod steps;
mod words;

use super::check::Judgement;
use super::{insufficient_data, named};
use crate::model::{Diagnosis, Grade, History, Observation};
use features::Features;

/// A cause: what speaks for and against it.
type Cause = fn(&Features) -> Judgement;

/// Every cause; where two are equally strong, the earlier one is named.
const CAUSES: &[Cause] = &[
    limit::concurrency_limit,
    cold::cold_start,
    cold::infrequent_traffic,
    slow::slow_model,
    slow::memory_pressure,
    failing::model_errors,
    failing::client_errors,
    slow::overhead,
    calm::objective_too_tight,
    calm::transient,
];

/// The verdict on a serverless variant.
pub(super) fn diagnosis(observation: &Observation, history: &History) -> Diagnosis {
    match Features::of(observation, history) {
        Ok(features) => {
            let judgements: Vec<Judgement> = CAUSES.iter().map(|judge| judge(&features)).collect();
            let most = if features.is_history_short { Grade::Medium } else { Grade::High };
            named(&judgements, most, features.context(), &features.latency_in_words())
        }
        Err(missing) => insufficient_data::diagnosis(&missing),
    }
}
