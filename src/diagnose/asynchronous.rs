//! Asynchronous endpoints: requests wait in a queue, so what is slow shows in the queue, not in `ModelLatency`.
//!
//! SageMaker publishes neither `InvocationsPerInstance` nor `OverheadLatency` for them. The questions are others too: is
//! there more in the queue than usual, does it become less, and if not, is it that more arrives, that fewer instances
//! serve, or that each of them does less than it did? Failures and S3 come first, because instances mend neither.

mod causes;
mod measured;

use super::{insufficient_data, named};
use crate::model::{Diagnosis, Grade, Observation, Queue};
use measured::Measured;

pub(super) fn diagnosis(observation: &Observation) -> Diagnosis {
    let queue = Queue::of(observation);
    let Some(measured) = Measured::of(observation, &queue) else {
        return insufficient_data::diagnosis(&["ApproximateBacklogSize of the last minutes".to_owned()]);
    };
    let judgements: Vec<_> = causes::CAUSES.iter().map(|judge| judge(&measured)).collect();
    // Without an hour of other minutes nothing is known to be usual.
    let most = if measured.usual.is_some() { Grade::High } else { Grade::Medium };
    named(&judgements, most, measured.facts(), &measured.in_words())
}
