//! An incident from its first alarm to its end: opened, joined, looked at again, closed.
//!
//! Whatever is to be done is remembered before it is done (a *claim*), then done, told, and remembered as done. A process
//! that is cut off leaves its claim behind, and the next one finishes it: scaling is written once, because every write
//! converges, and people hear of it at least once.

use super::Considered;
use super::claims::Found;
use super::looks::summary;
use super::session::{Advice, AdviseError, Session};
use crate::act;
use crate::aws::ErrorKind;
use crate::aws::scheduler::Schedules;
use crate::config::FollowUp;
use crate::follow_up::{self, Occasion};
use crate::model::{
    Claim, EndpointName, Incident, IncidentKey, InstanceCount, Measures, Next, Observation, Outcome, OutcomeStatus,
    Phase, Report, Subject, Told, TriggerKind, Write, Written,
};
use crate::observe::{self, ComponentDescription};
use crate::replay::Boot;
use crate::report;
use jiff::SignedDuration;

/// The same alarm again within this finds the same minutes in CloudWatch.
const SAME_LOOK: SignedDuration = SignedDuration::from_mins(3);
/// A wake-up that is so late got lost; whoever comes next takes its place.
const LOST: SignedDuration = SignedDuration::from_mins(15);
/// Where a claim is not finished, its schedule wakes somebody who does.
pub(super) const WATCHDOG: SignedDuration = SignedDuration::from_mins(5);
/// An incident that came back is judged when ten new minutes are there.
const CAME_BACK: SignedDuration = SignedDuration::from_mins(10);

/// What is known of an incident before the endpoint is observed.
pub(super) enum Known {
    /// Nobody asked yet.
    NotAsked,
    /// None is open.
    Closed,
    /// One is open, and nobody is at it.
    Open(Box<Incident>),
    /// EventBridge Scheduler does not answer; why, in words.
    Unavailable(String),
}

/// Where a subject's incident is kept.
pub(super) struct Located {
    /// None where that takes a look at the endpoint.
    pub key: Option<IncidentKey>,
    /// The inference component, where the subject is one.
    pub described: Option<ComponentDescription>,
}

/// What comes before the endpoint is observed.
pub(super) enum Before {
    /// Nothing more to do.
    Answered(Box<Advice>),
    /// The endpoint has to be observed.
    Observe(Known),
}

impl Session<'_> {
    pub(super) fn schedules(&self) -> Option<Schedules<'_>> {
        self.settings.follow_up.as_ref().map(|settings| Schedules { aws: self.aws, settings, now: self.now })
    }

    fn key(&self, endpoint_name: &EndpointName, part: &str) -> IncidentKey {
        let region = self.aws.region().to_owned();
        IncidentKey { region, endpoint_name: endpoint_name.clone(), part: part.to_owned() }
    }

    /// Whose incident a subject's is.
    pub(super) async fn key_of(&self, subject: &Subject) -> Result<Option<IncidentKey>, AdviseError> {
        Ok(self.locate(subject).await?.key)
    }

    /// Whose incident a subject's is, and what was read to find that out.
    pub(super) async fn locate(&self, subject: &Subject) -> Result<Located, AdviseError> {
        match subject {
            Subject::Variant(endpoint, variant) => {
                Ok(Located { key: Some(self.key(endpoint, variant.as_str())), described: None })
            }
            Subject::InferenceComponent(component) => {
                let described = observe::component(self.aws, component).await.map_err(AdviseError::read)?;
                let key = self.key(&described.endpoint_name, component.as_str());
                Ok(Located { key: Some(key), described: Some(described) })
            }
            Subject::Endpoint(_) => Ok(Located { key: None, described: None }),
        }
    }

    /// The open incident of a variant, as far as it can be read.
    pub(super) async fn open_incident(&self, subject: &Subject) -> Option<Incident> {
        let schedules = self.schedules()?;
        let key = self.key_of(subject).await.ok()??;
        schedules.get(&key).await.ok()?
    }

    /// Whether an alarm has to be looked into at all: repetitions of what is known are not.
    pub(super) async fn incident_before(
        &self,
        key: Option<&IncidentKey>,
        alarm_name: &str,
    ) -> Result<Before, AdviseError> {
        let Some((schedules, key)) = self.schedules().zip(key) else { return Ok(Before::Observe(Known::NotAsked)) };
        let known = match schedules.get(key).await {
            Err(error) => Known::Unavailable(error.to_string()),
            Ok(None) => Known::Closed,
            Ok(Some(incident)) => match self.free(&schedules, incident).await? {
                Found::Closed => Known::Closed,
                // It was this alarm's own, or this alarm is one more.
                Found::Finished(report) => match schedules.get(key).await.map_err(AdviseError::read)? {
                    Some(finished) if finished.phase == Phase::Recovered => Known::Open(Box::new(finished)),
                    Some(_) => {
                        return Ok(Before::Answered(Box::new(Advice::of(vec![*report]))));
                    }
                    None => Known::Closed,
                },
                Found::Free(incident) => Known::Open(incident),
            },
        };
        let Known::Open(mut incident) = known else { return Ok(Before::Observe(known)) };
        if self.now.duration_since(incident.opened_at) >= follow_up::LONGEST {
            schedules.delete(key).await.map_err(AdviseError::WriteFailed)?;
            return Ok(Before::Observe(Known::Closed));
        }
        if self.now.duration_since(incident.next_look_at) >= LOST && incident.phase != Phase::Recovered {
            incident.alarms.insert(alarm_name.to_owned());
            let trigger = summary(TriggerKind::FollowUp, &incident);
            let looked = self.look_again(&schedules, *incident, Occasion::Scheduled, trigger).await?;
            // Where somebody else took its place, this alarm joins what is there then.
            return Ok(looked.map_or(Before::Observe(Known::NotAsked), |advice| Before::Answered(Box::new(advice))));
        }
        let is_known = incident.alarms.contains(alarm_name) && incident.phase != Phase::Recovered;
        if is_known && self.now.duration_since(incident.looked_at) < SAME_LOOK {
            let joined = format!("alarm `{alarm_name}` belongs to the incident {} that is open", incident.id);
            return Ok(Before::Answered(Box::new(Advice::ignored(joined))));
        }
        Ok(Before::Observe(Known::Open(incident)))
    }

    /// Does what is claimed, tells it, and remembers that it is done.
    pub(super) async fn carry_out(
        &self,
        schedules: &Schedules<'_>,
        mut incident: Incident,
        claim: Claim,
    ) -> Result<Report, AdviseError> {
        let Claim { at, mut report, told, write, mut then } = claim;
        let after = report.incident.as_ref().and_then(|incident| incident.after);
        report.incident = Some(incident.summary(after, then));
        match write {
            Write::Nothing => {}
            Write::Plan => {
                let outcome = act::apply(self.aws, &report.plan).await.map_err(AdviseError::WriteFailed)?;
                if outcome.status == OutcomeStatus::Applied {
                    incident.written = Some(Written::of(&report.plan, at, incident.written.as_ref()));
                }
                report = report::settled(report, outcome);
            }
            Write::Restoration(way) => {
                let hoped = report.outcome.clone();
                let outcome = act::restore(self.aws, &way, hoped.clone()).await.map_err(AdviseError::WriteFailed)?;
                if outcome.status != hoped.status {
                    then = then.map(|next| Next { phase: Phase::LeftAlone, ..next });
                } else if let Some(written) = &mut incident.written {
                    let min = way.gives.target.as_ref().map(|target| target.min_capacity);
                    written.instances = min.unwrap_or(InstanceCount(1));
                    (written.stands, written.relax) = (way.gives, None);
                }
                report.outcome = outcome;
            }
        }
        report.incident = Some(incident.summary(after, then));
        self.tell(&report).await?;
        incident.told = told;
        self.remember(schedules, incident, then).await?;
        Ok(report)
    }

    /// Remembers how an incident goes on, or closes it.
    pub(super) async fn remember(
        &self,
        schedules: &Schedules<'_>,
        incident: Incident,
        then: Option<Next>,
    ) -> Result<(), AdviseError> {
        let key = incident.key(self.aws.region());
        let kept =
            then.map(|Next { phase, look_at }| Incident { phase, next_look_at: look_at, claim: None, ..incident });
        let stored = match &kept {
            Some(incident) => schedules.update(incident).await,
            None => schedules.delete(&key).await,
        };
        match stored {
            // Somebody closed it meanwhile, and told of that.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            // An answer was lost, and what is there is what was to be.
            Err(error)
                if error.kind == ErrorKind::Unavailable
                    && schedules.get(&key).await.is_ok_and(|there| there == kept) =>
            {
                Ok(())
            }
            // Tried again, it is told again; that is better than an incident which nobody looks at.
            Err(error) => Err(AdviseError::WriteFailed(error)),
            Ok(()) => Ok(()),
        }
    }

    /// Takes a look into its incident, which it may open; none where it is no news to it.
    pub(super) async fn in_incident(
        &self,
        settings: &FollowUp,
        observation: &Observation,
        considered: Considered,
        can_be_approved: bool,
        known: &Known,
    ) -> Result<Option<Report>, AdviseError> {
        let schedules = Schedules { aws: self.aws, settings, now: self.now };
        let key = self.key(&observation.endpoint_name, observation.part_name());
        let open = match known {
            Known::Closed => None,
            Known::Unavailable(words) => return self.without_memory(observation, considered, words).await.map(Some),
            // While the endpoint was observed, somebody may have gone on.
            Known::NotAsked | Known::Open(_) => match schedules.get(&key).await {
                Ok(open) => open,
                Err(error) => {
                    return self.without_memory(observation, considered, &error.to_string()).await.map(Some);
                }
            },
        };
        let found = match open {
            Some(incident) => self.free(&schedules, incident).await?,
            None => Found::Closed,
        };
        let found = match found {
            // What was finished was an alarm's; a person asked for something else.
            Found::Finished(_) if !observation.trigger.kind.is_alarm() => {
                match schedules.get(&key).await.map_err(AdviseError::read)? {
                    Some(incident) => Found::Free(Box::new(incident)),
                    None => Found::Closed,
                }
            }
            found => found,
        };
        match found {
            Found::Free(incident) => self.join(&schedules, *incident, observation, considered, can_be_approved).await,
            Found::Finished(report) => Ok(Some(*report)),
            Found::Closed => self.open(&schedules, observation, considered, can_be_approved).await,
        }
    }

    async fn open(
        &self,
        schedules: &Schedules<'_>,
        observation: &Observation,
        considered: Considered,
        can_be_approved: bool,
    ) -> Result<Option<Report>, AdviseError> {
        if considered.decision.is_none() {
            self.has_time_to_write()?;
        }
        let look_at = follow_up::first_look(self.now, Boot::of(observation).slow_minutes());
        let then = Some(Next { phase: Phase::Open, look_at });
        let before = Measures::of(observation);
        let claim = self.claim(observation, considered.clone(), can_be_approved, told(&before, &considered), then);
        let incident = Incident {
            id: claim.report.id.clone(),
            opened_at: self.now,
            endpoint_name: observation.endpoint_name.clone(),
            variant_name: observation.variant_name.clone(),
            inference_component_name: observation.inference_component_name.clone(),
            alarms: observation.trigger.alarm_name.iter().cloned().collect(),
            objective: observation.objective,
            diagnosis: considered.diagnosis.clone(),
            capacity: considered.capacity.clone(),
            told: claim.told,
            before,
            written: None,
            phase: Phase::Open,
            looks: 0,
            looked_at: self.now,
            next_look_at: self.now + WATCHDOG,
            claim: Some(Box::new(claim.clone())),
        };
        let refused = match schedules.create(&incident).await {
            Ok(true) => return self.carry_out(schedules, incident, claim).await.map(Some),
            Ok(false) => None,
            // It may be there all the same: an answer was lost.
            Err(error) if error.kind.is_temporary() => Some(error.to_string()),
            Err(error) => {
                return self.without_memory(observation, considered, &error.to_string()).await.map(Some);
            }
        };
        let key = incident.key(self.aws.region());
        let found = match schedules.get(&key).await.map_err(AdviseError::read)? {
            // Ours, where no answer came. Where one did, it is of another that was woken at the same moment.
            Some(ours) if refused.is_some() && ours == incident => {
                return self.carry_out(schedules, incident, claim).await.map(Some);
            }
            // Another alarm of the same variant was faster.
            Some(other) => self.free(schedules, other).await?,
            None => Found::Closed,
        };
        match found {
            Found::Free(other) => self.join(schedules, *other, observation, considered, can_be_approved).await,
            Found::Finished(report) => Ok(Some(*report)),
            Found::Closed => {
                let words = refused.unwrap_or_else(|| "the incident was closed meanwhile".to_owned());
                self.without_memory(observation, considered, &words).await.map(Some)
            }
        }
    }

    /// A look at an incident that is open: it writes where nothing was written yet, and is told where it is news; else there
    /// is no report.
    pub(super) async fn join(
        &self,
        schedules: &Schedules<'_>,
        mut incident: Incident,
        observation: &Observation,
        considered: Considered,
        can_be_approved: bool,
    ) -> Result<Option<Report>, AdviseError> {
        let now = Measures::of(observation);
        let told = told(&now, &considered);
        incident.alarms.extend(observation.trigger.alarm_name.iter().cloned());
        incident.looked_at = self.now;
        if incident.phase == Phase::Recovered {
            // What was written for it has been judged: it was over.
            incident.phase = if incident.written.is_some() { Phase::Verified } else { Phase::Open };
            incident.next_look_at = incident.next_look_at.min(self.now + CAME_BACK);
        }
        let is_asked = !observation.trigger.kind.is_alarm();
        let is_to_write = considered.decision.is_none();
        let is_first_write = incident.written.is_none() && incident.phase == Phase::Open;
        if is_to_write && (is_first_write || is_asked) {
            self.has_time_to_write()?;
            let look_at = follow_up::first_look(self.now, Boot::of(observation).slow_minutes());
            let then = Some(Next { phase: Phase::Open, look_at });
            let mut claim = self.claim(observation, considered.clone(), false, told, then);
            claim.report.incident = Some(incident.summary(None, then));
            incident.capacity = considered.capacity.clone().or(incident.capacity);
            incident.before = now;
            incident.claim = Some(Box::new(claim.clone()));
            incident.next_look_at = self.now + WATCHDOG;
            match schedules.update(&incident).await {
                // It may be remembered all the same, and then the next finishes it.
                Err(error) if error.kind.is_temporary() => return Err(AdviseError::WriteFailed(error)),
                Err(error) => {
                    return self.without_memory(observation, considered, &error.to_string()).await.map(Some);
                }
                Ok(()) => {}
            }
            incident.claim = None;
            return self.carry_out(schedules, incident, claim).await.map(Some);
        }
        let is_news = follow_up::is_news(&incident.told, &told);
        let next = Next { phase: incident.phase, look_at: incident.next_look_at };
        let mut claim = self.claim(observation, considered, can_be_approved, told, Some(next));
        if claim.write != Write::Nothing {
            let words = format!(
                "the incident had its change; it is looked at again at {}",
                incident.next_look_at.strftime("%H:%M UTC")
            );
            let outcome = Outcome::without_change(OutcomeStatus::Recommended, "incident_open").because(words);
            claim = Claim { write: Write::Nothing, report: report::settled(claim.report, outcome), ..claim };
        }
        claim.report.incident = Some(incident.summary(None, Some(next)));
        if is_news {
            return self.carry_out(schedules, incident, claim).await.map(Some);
        }
        self.remember(schedules, incident, Some(next)).await?;
        Ok(None)
    }

    /// What is to be done about an observation.
    fn claim(
        &self,
        observation: &Observation,
        considered: Considered,
        can_be_approved: bool,
        told: Told,
        then: Option<Next>,
    ) -> Claim {
        let (write, outcome) = match considered.decision.clone() {
            Some(outcome) => (Write::Nothing, outcome),
            None => (Write::Plan, Outcome::without_change(OutcomeStatus::Applied, "mode is apply")),
        };
        let report = self.report(observation, considered, outcome);
        Claim { at: self.now, report: Report { can_be_approved, ..report }, told, write, then }
    }

    /// An incident that cannot be remembered is told, and nothing is written for it: nobody could verify it or take it back.
    async fn without_memory(
        &self,
        observation: &Observation,
        considered: Considered,
        error: &str,
    ) -> Result<Report, AdviseError> {
        let outcome = considered.decision.clone().unwrap_or_else(|| {
            let words = "EventBridge Scheduler does not answer, so nobody could verify the change or take it back";
            Outcome::without_change(OutcomeStatus::Refused, "no_follow_up").because(words)
        });
        let mut report = self.report(observation, considered, outcome);
        report.warnings.push(format!("This incident is not followed through: {error}."));
        self.tell(&report).await?;
        Ok(report)
    }
}

fn told(now: &Measures, considered: &Considered) -> Told {
    Told { verdict: considered.diagnosis.verdict, blocked_by: considered.diagnosis.blocked_by, latency: now.latency }
}
