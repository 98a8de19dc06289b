//! What was written for a serverless variant: units of provisioned concurrency.
//!
//! They are there at once or not at all, and are judged by what they are for: requests that meet no warm container. Latency
//! in the container is the same on a warm one, however many there are.

use super::{CALM, FELL, Judgement, Judging, SETTLE_LIMIT, SETTLING, SOON, in_phase};
use crate::model::{
    Concurrency, History, Hosting, InstanceCount, Observation, OutcomeStatus, Phase, Written, serverless_minutes,
};
use jiff::SignedDuration;

/// So few cold requests are nothing to act on: the rare burst that no policy meets.
const HARDLY_ANY: f64 = 0.01;
/// So many of the last minutes with requests judge.
const FEWEST_MINUTES: usize = 3;
/// The busiest minute of the last hour has to be met warm.
const HOUR: i64 = 60;

/// The share of the requests of the last minutes that met no warm container; none where the variant is not serverless, or
/// nothing came.
pub(super) fn unserved(observation: &Observation, within_minutes: i64) -> Option<f64> {
    if observation.hosting != Hosting::Serverless {
        return None;
    }
    let last = observation.last_minute();
    let minutes = serverless_minutes(observation, &History::of(observation));
    let recent = minutes.iter().filter(|minute| last.since(minute.minute) < within_minutes);
    let (unserved, requests) = recent.fold((0.0, 0.0), |(unserved, requests), minute| {
        (unserved + minute.unserved(), requests + minute.invocations.0)
    });
    (requests > 0.0).then_some(unserved / requests)
}

/// Units that served all of the last hour's minutes; none where too little came to tell.
pub(super) fn needed(observation: &Observation) -> Option<InstanceCount> {
    let last = observation.last_minute();
    let minutes = serverless_minutes(observation, &History::of(observation));
    let recent = minutes.iter().filter(|minute| last.since(minute.minute) < HOUR);
    let most: Vec<f64> = recent.filter_map(|minute| Some(minute.most?.0)).collect();
    let peak = most.iter().copied().max_by(f64::total_cmp).filter(|_| most.len() >= FEWEST_MINUTES)?;
    Concurrency(peak).units()
}

impl Judging<'_> {
    /// Did the units come, and are fewer requests cold?
    pub(super) fn provisioned(self, written: &Written, waited: SignedDuration) -> Judgement {
        // The last minutes are looked at, and those before the units were there do not count against them.
        let Some(after) = self.after.unserved.filter(|_| waited >= SETTLING) else {
            return self.silent(Phase::Open, if waited < SETTLE_LIMIT { SOON } else { CALM });
        };
        if after <= HARDLY_ANY {
            return self.verified();
        }
        if waited < SETTLE_LIMIT {
            return self.silent(Phase::Open, SETTLING);
        }
        let fell = self.incident.before.unserved.is_some_and(|before| after <= FELL * before);
        // Nothing is taken away while requests are cold: that would make more of them.
        let words = format!(
            "{} units of provisioned concurrency are set, and {:.1} % of the requests still meet no warm container{}",
            written.instances,
            100.0 * after,
            if fell { ", fewer than before" } else { "" }
        );
        let diagnosis = self.look.diagnosis.clone();
        let back =
            written.relax.map(|relax| format!("Set MinCapacity back to {} once it is over.", relax.min_capacity));
        let steps = diagnosis.next_steps.iter().cloned().chain(back).collect();
        let judgement = self.tell(OutcomeStatus::NotNeeded, "still_cold", words, diagnosis, steps, CALM);
        in_phase(judgement, Phase::LeftAlone)
    }
}
