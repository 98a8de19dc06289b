//! Incidents that somebody is at, or was: what a process left undone is finished by the next.

use super::session::{AdviseError, Session};
use crate::act;
use crate::aws::scheduler::Schedules;
use crate::config::Mode;
use crate::model::{Claim, Incident, Outcome, OutcomeStatus, Report, Subject, TriggerKind, Write};
use crate::report;
use jiff::SignedDuration;
use std::time::Duration;

/// A claim takes seconds. One that is so old was left behind by a process that was cut off.
const ABANDONED: SignedDuration = SignedDuration::from_secs(60);
/// So long one that is younger is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked at until then.
const PAUSE: Duration = Duration::from_secs(2);
/// What is to be written is right for this long; then it is found out anew.
const TOO_OLD: SignedDuration = SignedDuration::from_mins(15);

/// An incident that somebody may be at.
pub(super) enum Found {
    /// Nobody is at it.
    Free(Box<Incident>),
    /// What was left undone was finished here.
    Finished(Box<Report>),
    /// It was closed meanwhile.
    Closed,
}

impl Session<'_> {
    /// What an earlier delivery of the same event wrote and could not tell, finished now. What another kind of event left is
    /// finished too, and is no answer to this one: none.
    pub(super) async fn left_undone(
        &self,
        subject: &Subject,
        kind: TriggerKind,
    ) -> Result<Option<Report>, AdviseError> {
        if self.settings.defaults.mode != Mode::Apply {
            return Ok(None); // what is left without a right to write is a message, and the schedule brings it
        }
        let Some(incident) = self.open_incident(subject).await.filter(|incident| incident.claim.is_some()) else {
            return Ok(None);
        };
        let Some(schedules) = self.schedules() else { return Ok(None) };
        match self.free(&schedules, incident).await? {
            Found::Finished(report) if report.trigger.kind == kind => Ok(Some(*report)),
            Found::Finished(_) | Found::Free(_) | Found::Closed => Ok(None),
        }
    }

    /// Waits until nobody is at the incident any more; what somebody left undone is finished.
    pub(super) async fn free(&self, schedules: &Schedules<'_>, incident: Incident) -> Result<Found, AdviseError> {
        let mut incident = incident;
        let mut waited = SignedDuration::ZERO;
        while let Some(claim) = incident.claim.take() {
            if waited >= PATIENCE || self.now.duration_since(claim.at) + waited >= ABANDONED {
                let report = self.finish(schedules, incident, claim).await?;
                return Ok(Found::Finished(Box::new(report)));
            }
            self.has_time_to_write()?;
            self.aws.pause(PAUSE).await;
            waited += SignedDuration::try_from(PAUSE).unwrap_or(PATIENCE);
            let key = incident.key(self.aws.region());
            match schedules.get(&key).await.map_err(AdviseError::read)? {
                Some(again) => incident = again,
                None => return Ok(Found::Closed),
            }
        }
        Ok(Found::Free(Box::new(incident)))
    }

    /// Finishes what somebody else began.
    async fn finish(
        &self,
        schedules: &Schedules<'_>,
        incident: Incident,
        claim: Box<Claim>,
    ) -> Result<Report, AdviseError> {
        self.act_in_time();
        self.has_time_to_write()?;
        let mut claim = *claim;
        let is_old = self.now.duration_since(claim.at) >= TOO_OLD;
        // What is half written is finished; what was not begun is not begun now.
        if claim.write == Write::Plan
            && is_old
            && !act::has_begun(self.aws, &claim.report.plan).await.map_err(AdviseError::read)?
        {
            let words = "it was cut off while it wrote, and is too old to be finished";
            let outcome = Outcome::without_change(OutcomeStatus::Refused, "stale_event").because(words);
            claim = Claim { write: Write::Nothing, report: report::settled(claim.report, outcome), ..claim };
        }
        self.carry_out(schedules, incident, claim).await
    }
}
