//! Copies that were asked for and find no room.

use super::{CALM, Judgement, Judging};
use crate::model::{BlockedBy, Diagnosis, Lack, OutcomeStatus, Phase};

impl Judging<'_> {
    /// Why copies are missing, where that is all that stands in the way.
    pub(super) fn lack(self, is_short: bool) -> Option<Lack> {
        let is_full = is_short && self.look.blocked_by == Some(BlockedBy::AtMaxCapacity);
        self.look.observation.lack().filter(|_| is_full)
    }

    /// What was written stays: it takes effect once there is room.
    pub(super) fn no_room(self, lack: Lack) -> Judgement {
        const BLOCKED: BlockedBy = BlockedBy::AtMaxCapacity;
        if self.incident.told.blocked_by == Some(BLOCKED) {
            return self.silent(Phase::Open, CALM);
        }
        let step = match lack {
            Lack::AtMaxInstances => {
                "Raise MaxInstanceCount of its ManagedInstanceScaling, or give other components there fewer copies. The copies \
                 then come by themselves."
            }
            Lack::FixedInstances | Lack::NoInstanceCame => {
                "Make room on the machines: turn on ManagedInstanceScaling, have more of them, or give other components there \
                 fewer copies. The copies then come by themselves."
            }
        };
        let words = "the copies that were asked for find no room".to_owned();
        let diagnosis = Diagnosis { blocked_by: Some(BLOCKED), ..self.incident.diagnosis.clone() };
        self.tell(OutcomeStatus::Failed, "no_room", words, diagnosis, vec![step.to_owned()], CALM)
    }
}
