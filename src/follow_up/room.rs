//! What was asked for and does not come: copies that find no room, instances that AWS does not give.

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

    /// AWS does not give the instances. What was written stays: it takes effect once it does.
    pub(super) fn refused(self, blocked: BlockedBy) -> Judgement {
        if self.incident.told.blocked_by == Some(blocked) {
            return self.silent(Phase::Open, CALM);
        }
        let (reason, step) = match blocked {
            BlockedBy::Quota => (
                "quota",
                "Ask for a higher quota of this instance type for endpoint usage, in Service Quotas. Scaling then goes on by \
                 itself at the next alarm of the policy.",
            ),
            _ => (
                "insufficient_capacity",
                "Use another instance type or Region, or instance pools of several types: AWS has none of these now.",
            ),
        };
        let units = self.look.observation.dimension().units();
        let words = format!("the {units} that were asked for do not come: {}", blocked.text());
        let diagnosis = Diagnosis { blocked_by: Some(blocked), ..self.incident.diagnosis.clone() };
        self.tell(OutcomeStatus::Failed, reason, words, diagnosis, vec![step.to_owned()], CALM)
    }
}
