//! What was asked for and does not come.

use super::{CALM, Judgement, Judging};
use crate::model::{BlockedBy, Diagnosis, OutcomeStatus, Phase};

impl Judging<'_> {
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
