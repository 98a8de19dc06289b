//! Later looks at an open incident: when its time has come, and when its alarms are OK.

use super::claims::Found;
use super::incidents::WATCHDOG;
use super::session::{Advice, AdviseError, Session, gone};
use super::{Considered, consider};
use crate::aws::scheduler::Schedules;
use crate::config::Mode;
use crate::decide::Authority;
use crate::diagnose;
use crate::follow_up::{self, Judgement, Look, News, Occasion};
use crate::model::{
    AlarmTrigger, Claim, FollowUpTrigger, HoldReason, Incident, Next, Observation, Outcome, OutcomeStatus, Phase, Plan,
    Report, Subject, TriggerKind, TriggerSummary, Write,
};
use crate::observe::{self, ObjectiveFrom, Request};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// What could not be read is read again after this.
const UNREAD: SignedDuration = SignedDuration::from_mins(5);

impl Session<'_> {
    /// An alarm is OK again: its incident is over once all of its alarms are.
    pub(super) async fn alarm_ok(&self, alarm: AlarmTrigger) -> Result<Advice, AdviseError> {
        let name = alarm.alarm_name.clone();
        let nothing_open = || Ok(Advice::ignored(format!("alarm `{name}` is OK, and no incident is open")));
        let Some(schedules) = self.schedules() else { return nothing_open() };
        let Some((subject, _)) = self.watched_by(&alarm).await? else { return nothing_open() };
        let key = match self.key_of(&subject).await {
            Ok(Some(key)) => key,
            Ok(None) => return nothing_open(),
            Err(error) => return gone(error, "the alarm's endpoint no longer exists"),
        };
        // Where somebody goes on while the endpoint is observed, an OK begins anew: else nobody would hear of it.
        loop {
            let Some(incident) = schedules.get(&key).await.map_err(AdviseError::read)? else { return nothing_open() };
            let mut incident = match self.free(&schedules, incident).await? {
                Found::Free(incident) => *incident,
                Found::Closed => return nothing_open(),
                // What was finished was the first message; this one is the second.
                Found::Finished(_) => match schedules.get(&key).await.map_err(AdviseError::read)? {
                    Some(incident) => incident,
                    None => return nothing_open(),
                },
            };
            if incident.phase == Phase::Recovered {
                return Ok(Advice::ignored(format!("alarm `{name}` is OK, as was told before")));
            }
            if !incident.alarms.remove(&name) {
                return Ok(Advice::ignored(format!(
                    "alarm `{name}` is OK, and does not belong to the incident that is open"
                )));
            }
            // Events may come late and out of order; the alarm itself knows.
            if let Ok(Some(true)) = observe::alarm::is_in_alarm(self.aws, &name).await {
                return Ok(Advice::ignored(format!("alarm `{name}` was OK, and is in ALARM again")));
            }
            if !incident.alarms.is_empty() {
                let next = Next { phase: incident.phase, look_at: incident.next_look_at };
                self.remember(&schedules, incident, Some(next)).await?;
                return Ok(Advice::ignored(format!("alarm `{name}` is OK, and other alarms of the incident are not")));
            }
            let trigger = TriggerSummary {
                kind: alarm.kind,
                alarm_name: Some(name.clone()),
                state: Some("OK".to_owned()),
                changed_at: alarm.changed_at,
            };
            let looked = self.look_again(&schedules, incident, Occasion::AlarmsOk, trigger).await?;
            if let Some(advice) = looked {
                return Ok(advice);
            }
        }
    }

    /// The time of an incident's schedule has come.
    pub(super) async fn follow_up(&self, trigger: FollowUpTrigger) -> Result<Advice, AdviseError> {
        let Some(schedules) = self.schedules() else {
            let looked = self.look(trigger.subject, TriggerKind::FollowUp).await;
            return looked.or_else(|error| gone(error, "the endpoint no longer exists"));
        };
        let key = match self.key_of(&trigger.subject).await {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(Advice::ignored("a follow-up of an endpoint names its variant")),
            Err(error) => return gone(error, "the endpoint no longer exists"),
        };
        let Some(incident) = schedules.get(&key).await.map_err(AdviseError::read)? else {
            return Ok(Advice::ignored("no incident is open"));
        };
        let incident = match self.free(&schedules, incident).await? {
            Found::Free(incident) => *incident,
            Found::Closed => return Ok(Advice::ignored("no incident is open")),
            Found::Finished(report) => return Ok(Advice::of(vec![*report])),
        };
        if trigger.looks.is_some_and(|looks| looks < incident.looks) {
            return Ok(Advice::ignored("this look was taken before"));
        }
        let trigger = summary(TriggerKind::FollowUp, &incident);
        let looked = self.look_again(&schedules, incident, Occasion::Scheduled, trigger).await?;
        Ok(looked.unwrap_or_else(|| Advice::ignored("somebody else takes this look")))
    }

    /// Observes the endpoint of an incident anew, and does what follows from it; none where somebody else went on meanwhile.
    pub(super) async fn look_again(
        &self,
        schedules: &Schedules<'_>,
        mut incident: Incident,
        mut occasion: Occasion,
        trigger: TriggerSummary,
    ) -> Result<Option<Advice>, AdviseError> {
        let subject = match (&incident.variant_name, &incident.inference_component_name) {
            (_, Some(component)) => Subject::InferenceComponent(component.clone()),
            (Some(variant), None) => Subject::Variant(incident.endpoint_name.clone(), variant.clone()),
            (None, None) => Subject::Endpoint(incident.endpoint_name.clone()),
        };
        let objective = incident.objective;
        let objective_from = if objective.is_some() { ObjectiveFrom::Nowhere } else { ObjectiveFrom::AlarmsOfVariant };
        let request = Request { objective, objective_from, ..self.request(subject, trigger) };
        let observed = observe::observe(self.aws, &request).await.map_err(AdviseError::read);
        let mut observation = match observed.map(|observations| observations.into_iter().next()) {
            Ok(Some(observation)) => observation,
            Ok(None) | Err(AdviseError::EndpointNotFound(_)) => {
                return self.close(schedules, &incident, "the endpoint no longer exists").await.map(Some);
            }
            Err(error) => return Err(error),
        };
        // While the endpoint was observed, somebody may have gone on; what was seen may then be what is half written.
        let now = schedules.get(&incident.key(self.aws.region())).await.map_err(AdviseError::read)?;
        if now.is_none_or(|now| now.claim.is_some() || now.looks != incident.looks) {
            return Ok(None);
        }
        if observation.tags.is_none() {
            // They might forbid what would follow. An alarm that is OK is asked again then.
            incident.alarms.extend(request.trigger.alarm_name);
            let next = Next { phase: incident.phase, look_at: self.now + UNREAD };
            self.remember(schedules, incident, Some(next)).await?;
            let words = "the endpoint's tags could not be read; looked at again in 5 minutes";
            return Ok(Some(Advice::ignored(words)));
        }
        doubt_lost_tags(&mut observation, &incident);
        let guardrails = self.settings.for_endpoint(observation.tags.as_ref());
        if guardrails.mode == Mode::Off {
            return self
                .close(schedules, &incident, "the endpoint is tagged endpoint-advisor:mode=off")
                .await
                .map(Some);
        }
        let mut is_in_alarm = false;
        if occasion == Occasion::Scheduled && !incident.alarms.is_empty() {
            // The event of an alarm that is OK may have been lost. Where CloudWatch does not answer, it goes on.
            let names: Vec<String> = incident.alarms.iter().cloned().collect();
            if let Ok(states) = observe::alarm::states(self.aws, &names, incident.phase == Phase::Verified).await {
                is_in_alarm = states.values().any(|is_in_alarm| *is_in_alarm);
                let over: BTreeSet<&String> =
                    states.iter().filter(|(_, alarm)| !**alarm).map(|(name, _)| name).collect();
                incident.alarms.retain(|name| !over.contains(name));
                if incident.alarms.is_empty() && incident.phase != Phase::Recovered {
                    occasion = Occasion::AlarmsOk;
                }
            }
        }
        self.act_in_time();
        incident.looks += 1;
        incident.looked_at = self.now;
        // Some causes show only after the alarm. What is written then is as certain as at the alarm, and the alarm is on.
        let may_write = is_in_alarm && incident.written.is_none() && incident.phase == Phase::Open;
        let authority = if may_write { Authority::Now } else { Authority::LookOnly };
        let considered = consider(&observation, self.settings, |_| authority);
        if may_write && considered.decision.is_none() {
            let report = self.join(schedules, incident, &observation, considered, false).await?;
            return Ok(Some(Advice::of(report.into_iter().collect())));
        }
        let blocked_by = diagnose::blocked_by(&observation);
        let look = Look { occasion, observation: &observation, diagnosis: &considered.diagnosis, blocked_by };
        let judgement = follow_up::judge(&incident, &look);
        // Taking back is a part of what was applied; only a function that may write can do it, and only where no tag is in
        // doubt.
        let may_restore = self.settings.defaults.mode == Mode::Apply && guardrails.problems.is_empty();
        let Judgement { news, write, mut then, after, told } = judgement;
        let Some(news) = news else {
            let reason = match then {
                Some(next) => format!("no news; looked at again at {}", next.look_at.strftime("%H:%M UTC")),
                None => "the incident is closed".to_owned(),
            };
            self.remember(schedules, incident, then).await?;
            return Ok(Some(Advice::ignored(reason)));
        };
        let (write, news) = match write {
            Write::Restoration(_) if !may_restore => {
                then = then.map(|next| Next { phase: Phase::LeftAlone, ..next });
                (Write::Nothing, not_allowed(news, &incident))
            }
            write => (write, news),
        };
        let report = self.follow_up_report(&observation, considered, news, &incident);
        let report = Report { incident: Some(incident.summary(Some(after), then)), ..report };
        let claim = Claim { at: self.now, report, told, write, then };
        if claim.write != Write::Nothing {
            self.has_time_to_write()?;
            incident.claim = Some(Box::new(claim.clone()));
            incident.next_look_at = self.now + WATCHDOG;
            schedules.update(&incident).await.map_err(AdviseError::WriteFailed)?;
            incident.claim = None;
        }
        let report = self.carry_out(schedules, incident, claim).await?;
        Ok(Some(Advice::of(vec![report])))
    }

    fn follow_up_report(
        &self,
        observation: &Observation,
        considered: Considered,
        news: News,
        incident: &Incident,
    ) -> Report {
        if news.is_about_now {
            let look = || Outcome::without_change(OutcomeStatus::Recommended, news.reason).because(news.words.clone());
            let outcome = considered.decision.clone().unwrap_or_else(look);
            return self.report(observation, considered, outcome);
        }
        let reason = match news.status {
            OutcomeStatus::RolledBack => HoldReason::ScalingWillNotHelp,
            OutcomeStatus::Failed if news.reason == "quota" => HoldReason::Quota,
            OutcomeStatus::Failed if news.reason == "insufficient_capacity" => HoldReason::InsufficientCapacity,
            OutcomeStatus::Failed if news.reason == "no_room" => HoldReason::NoRoom,
            OutcomeStatus::Failed => HoldReason::ScalingInProgress,
            _ => HoldReason::NothingToDo,
        };
        let outcome = Outcome::without_change(news.status, news.reason).because(news.words);
        let considered = Considered {
            diagnosis: news.diagnosis,
            capacity: incident.capacity.clone(),
            plan: Plan::hold(reason),
            ..considered
        };
        Report { next_steps: news.steps, ..self.report(observation, considered, outcome) }
    }

    async fn close(&self, schedules: &Schedules<'_>, incident: &Incident, why: &str) -> Result<Advice, AdviseError> {
        let deleted = schedules.delete(&incident.key(self.aws.region())).await;
        deleted.map_err(AdviseError::WriteFailed)?;
        Ok(Advice::ignored(why))
    }
}

/// What the incident wrote and did not take back has its tags: where none came back, they count as unread.
fn doubt_lost_tags(observation: &mut Observation, incident: &Incident) {
    let stands = incident.written.is_some() && matches!(incident.phase, Phase::Open | Phase::Verified);
    let target = observation.scaling.as_mut().and_then(|scaling| scaling.target.as_mut());
    if let Some(target) = target.filter(|target| stands && target.tags.as_ref().is_some_and(BTreeMap::is_empty)) {
        target.tags = None;
        let words = "The scalable target came back without any tag (application-autoscaling:ListTagsForResource), though this incident \
                     tagged it: tags count as unread, and are left as they are.";
        observation.warnings.push(words.to_owned());
    }
}

/// A restoration that the function may not write is a person's.
fn not_allowed(news: News, incident: &Incident) -> News {
    let undo = format!("Take it back: endpoint-advisor undo {}", incident.asked_of_the_tool());
    News {
        status: OutcomeStatus::Refused,
        reason: "not_allowed_to_restore",
        words: format!("{}; what was written should go back, and the function may not write", news.words),
        steps: std::iter::once(undo).chain(news.steps).collect(),
        ..news
    }
}

/// What a report says of its trigger where no event names an alarm.
pub(super) fn summary(kind: TriggerKind, incident: &Incident) -> TriggerSummary {
    TriggerSummary { kind, alarm_name: incident.alarms.first().cloned(), state: None, changed_at: None }
}
