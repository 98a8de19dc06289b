//! Whether a backlog falls: what was written for an asynchronous endpoint is judged by its queue.

use super::{CALM, FELL, Judgement, Judging, SETTLE_LIMIT, SETTLING, SOON, in_phase};
use crate::model::{OutcomeStatus, Phase, Thousands, Verdict};
use jiff::SignedDuration;

impl Judging<'_> {
    /// A backlog that fell by a fifth, or that is usual again, is what instances were meant for. One that does not fall is no
    /// reason to take them away: it would take longer.
    pub(super) fn queue(self, waited: SignedDuration) -> Judgement {
        let Some(now) = self.after.backlog else { return self.silent(Phase::Open, SOON) };
        let before = self.incident.before.backlog;
        let is_usual = self.look.diagnosis.verdict == Verdict::Transient;
        if !is_usual && !before.is_some_and(|before| now <= FELL * before) {
            return match waited {
                waited if waited < SETTLE_LIMIT => self.silent(Phase::Open, SETTLING),
                waited => self.still_overloaded(waited),
            };
        }
        let from = before.map_or("unknown".to_owned(), |before| Thousands(before).to_string());
        let words = format!("the backlog falls: {from} requests before, {} now", Thousands(now));
        let diagnosis = self.incident.diagnosis.clone();
        let judgement = self.tell(OutcomeStatus::Verified, "helped", words, diagnosis, Vec::new(), CALM);
        in_phase(judgement, Phase::Verified)
    }
}
