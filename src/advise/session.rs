//! From a trigger to reports: who is asked about, with which objective, and with what right to write.

use super::incidents::{Before, Known};
use super::{Considered, consider};
use crate::act;
use crate::aws::{Aws, CallError, ErrorKind, Remaining};
use crate::config::{Mode, Settings};
use crate::decide::Authority;
use crate::fleet::Summary;
use crate::model::{
    Action, AlarmObjective, AlarmTrigger, Approval, Home, ManualTrigger, Next, Observation, Outcome, OutcomeStatus,
    Report, Subject, Trigger, TriggerKind, TriggerSummary, Watched,
};
use crate::observe::{self, ObjectiveFrom, Request};
use crate::trigger::InvalidEvent;
use crate::{notify, report};
use jiff::{SignedDuration, Timestamp};

/// An alarm event older than this is verified before anything is written.
const FRESH: SignedDuration = SignedDuration::from_mins(15);
/// An `at` further in the past than this never writes.
const PRESENT: SignedDuration = SignedDuration::from_mins(5);

/// What came of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// One report per variant.
    pub reports: Vec<Report>,
    /// Why there is none, where nothing was asked.
    pub ignored: Option<String>,
    /// What an audit found.
    pub summary: Option<Box<Summary>>,
}

/// Why a trigger could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum AdviseError {
    /// The event is not understood.
    #[error(transparent)]
    InvalidEvent(#[from] InvalidEvent),
    /// A person named an endpoint that does not exist.
    #[error("endpoint not found")]
    EndpointNotFound(#[source] CallError),
    /// AWS asks for patience.
    #[error("AWS throttles")]
    Throttled(#[source] CallError),
    /// The role lacks an action that nothing works without.
    #[error("access denied")]
    AccessDenied(#[source] CallError),
    /// AWS could not be asked for another reason.
    #[error("AWS could not be read")]
    ReadFailed(#[source] CallError),
    /// A write failed in a way that may pass.
    #[error("scaling could not be written")]
    WriteFailed(#[source] CallError),
    /// Too little time is left to do what is to be done.
    #[error("too little time is left to write, to tell and to remember it")]
    OutOfTime,
    /// A report was made and could not be delivered.
    #[error("a report could not be delivered")]
    DeliveryFailed(#[source] CallError),
}

impl AdviseError {
    /// The Lambda `errorType`.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => "InvalidEvent",
            Self::EndpointNotFound(_) => "EndpointNotFound",
            Self::Throttled(_) => "Throttled",
            Self::AccessDenied(_) => "AccessDenied",
            Self::ReadFailed(_) => "ReadFailed",
            Self::WriteFailed(_) => "WriteFailed",
            Self::OutOfTime => "OutOfTime",
            Self::DeliveryFailed(_) => "DeliveryFailed",
        }
    }

    pub(super) fn read(error: CallError) -> Self {
        match error.kind {
            ErrorKind::Throttled => Self::Throttled(error),
            ErrorKind::AccessDenied => Self::AccessDenied(error),
            ErrorKind::NotFound
                if ["sagemaker:DescribeEndpoint", "sagemaker:DescribeInferenceComponent"].contains(&error.action) =>
            {
                Self::EndpointNotFound(error)
            }
            _ => Self::ReadFailed(error),
        }
    }
}

/// What whoever runs the pipeline does for it.
pub struct Host<'a> {
    /// Keeps each report before it is published, so that it is there even where it cannot be delivered.
    pub log: &'a dyn Fn(&Report),
    /// Where it runs; none on a person's machine.
    pub home: Option<Home>,
    /// The time that is left; none where there is no limit.
    pub remaining: Remaining,
}

/// Answers one trigger.
///
/// # Errors
/// [`AdviseError`] where the invocation should be tried again, or a person has to mend something.
pub async fn advise(
    aws: &Aws,
    settings: &Settings,
    trigger: Trigger,
    now: Timestamp,
    host: &Host<'_>,
) -> Result<Advice, AdviseError> {
    let session = Session { aws, settings, now, host };
    host.home.as_ref().map_or(Ok(()), |home| trigger.at_home(home))?;
    session.read_in_time();
    match trigger {
        Trigger::Ignored(reason) => Ok(Advice::ignored(reason)),
        Trigger::Alarm(alarm) => session.alarm(alarm).await,
        Trigger::Manual(manual) => session.manual(manual).await,
        Trigger::AlarmOk(alarm) => session.alarm_ok(alarm).await,
        Trigger::FollowUp(follow_up) => session.follow_up(follow_up).await,
        Trigger::Audit(audit) => session.audit(audit).await,
        Trigger::Approval(approval) => session.approval(approval).await,
    }
}

impl Advice {
    pub(super) fn of(reports: Vec<Report>) -> Self {
        Self { reports, ignored: None, summary: None }
    }

    pub(super) fn ignored(reason: impl Into<String>) -> Self {
        Self { reports: Vec::new(), ignored: Some(reason.into()), summary: None }
    }
}

/// An endpoint that went away asks for nothing; a person who names one that never was is told.
pub(super) fn gone(error: AdviseError, reason: &str) -> Result<Advice, AdviseError> {
    match error {
        AdviseError::EndpointNotFound(_) => Ok(Advice::ignored(reason)),
        other => Err(other),
    }
}

/// What every step of one invocation shares.
pub(super) struct Session<'a> {
    pub aws: &'a Aws,
    pub settings: &'a Settings,
    pub now: Timestamp,
    pub host: &'a Host<'a>,
}

impl Session<'_> {
    async fn alarm(&self, alarm: AlarmTrigger) -> Result<Advice, AdviseError> {
        let Some((subject, objective)) = self.watched_by(&alarm).await? else {
            return Ok(Advice::ignored(format!("alarm `{}` watches no SageMaker endpoint", alarm.alarm_name)));
        };
        let located = match self.locate(&subject).await {
            Ok(located) => located,
            Err(error) => return gone(error, "the alarm's endpoint no longer exists"),
        };
        let known = match self.incident_before(located.key.as_ref(), &alarm.alarm_name).await? {
            Before::Answered(advice) => return Ok(*advice),
            Before::Observe(known) => known,
        };
        let (objective, objective_from) = match objective {
            AlarmObjective::Known(objective) => (Some(objective), ObjectiveFrom::Nowhere),
            AlarmObjective::NotInEvent => (None, ObjectiveFrom::Alarm(alarm.alarm_name.clone())),
            AlarmObjective::NotOnModelLatency => (None, ObjectiveFrom::Nowhere),
        };
        let authority = match alarm.changed_at {
            Some(changed_at) if self.now.duration_since(changed_at) <= FRESH => Authority::Now,
            // Old, or of unknown age: the alarm itself knows. Where it cannot be asked, nothing is written.
            _ => match observe::alarm::is_in_alarm(self.aws, &alarm.alarm_name).await {
                Ok(Some(true)) => Authority::Now,
                Ok(_) | Err(_) => Authority::StaleEvent,
            },
        };
        let trigger = TriggerSummary {
            kind: alarm.kind,
            alarm_name: Some(alarm.alarm_name),
            state: Some("ALARM".to_owned()),
            changed_at: alarm.changed_at,
        };
        // Whoever found an incident open may have waited for another process, and copies may have come meanwhile.
        let described = located.described.filter(|_| !matches!(known, Known::Open(_)));
        let request = Request { described, objective, objective_from, ..self.request(subject, trigger) };
        let advice = self.observe_and_advise(request, |_| authority, known).await;
        advice.or_else(|error| gone(error, "the alarm's endpoint no longer exists"))
    }

    /// What an alarm watches; none where that is no SageMaker endpoint.
    pub(super) async fn watched_by(
        &self,
        alarm: &AlarmTrigger,
    ) -> Result<Option<(Subject, AlarmObjective)>, AdviseError> {
        match &alarm.watched {
            Watched::Metric { subject, objective } => Ok(Some((subject.clone(), *objective))),
            Watched::Children(children) => observe::alarm::behind(self.aws, children).await.map_err(AdviseError::read),
        }
    }

    async fn manual(&self, manual: ManualTrigger) -> Result<Advice, AdviseError> {
        let at = manual.at.unwrap_or(self.now).min(self.now);
        if at == self.now
            && let Some(report) = self.left_undone(&manual.subject, TriggerKind::Manual).await?
        {
            return Ok(Advice::of(vec![report]));
        }
        let objective = manual.objective;
        let objective_from = if objective.is_some() { ObjectiveFrom::Nowhere } else { ObjectiveFrom::AlarmsOfVariant };
        let request =
            Request { at, objective, objective_from, ..self.request(manual.subject, summary(TriggerKind::Manual)) };
        let authority = if self.now.duration_since(at) > PRESENT { Authority::InThePast } else { Authority::Now };
        self.observe_and_advise(request, |_| authority, Known::NotAsked).await
    }

    /// Advises again and writes only where the plan is still the one that was approved.
    async fn approval(&self, approval: Approval) -> Result<Advice, AdviseError> {
        if let Some(report) = self.left_undone(&approval.subject, TriggerKind::Approval).await? {
            return Ok(Advice::of(vec![report]));
        }
        // The plan of an incident was made for the objective of its alarm.
        let incident = self.open_incident(&approval.subject).await;
        let objective = approval.objective.or(incident.as_ref().and_then(|incident| incident.objective));
        let objective_from = if objective.is_some() { ObjectiveFrom::Nowhere } else { ObjectiveFrom::AlarmsOfVariant };
        let request =
            Request { objective, objective_from, ..self.request(approval.subject, summary(TriggerKind::Approval)) };
        let authority = |digest: &str| {
            if digest == approval.plan_digest { Authority::Approved } else { Authority::OtherPlan }
        };
        let known = incident.map_or(Known::NotAsked, |incident| Known::Open(Box::new(incident)));
        self.observe_and_advise(request, authority, known).await
    }

    /// Advises without any right to write.
    pub(super) async fn look(&self, subject: Subject, kind: TriggerKind) -> Result<Advice, AdviseError> {
        let request =
            Request { objective_from: ObjectiveFrom::AlarmsOfVariant, ..self.request(subject, summary(kind)) };
        self.observe_and_advise(request, |_| Authority::LookOnly, Known::NotAsked).await
    }

    pub(super) fn request(&self, subject: Subject, trigger: TriggerSummary) -> Request {
        Request {
            subject,
            described: None,
            at: self.now,
            now: self.now,
            trigger,
            objective: None,
            objective_from: ObjectiveFrom::Nowhere,
            history_days: self.settings.history_days,
            has_hourly_limit: self.settings.defaults.max_hourly_usd.is_some(),
        }
    }

    /// Observes, then takes each variant through the stages. `authority` is told the digest of the plan.
    async fn observe_and_advise(
        &self,
        request: Request,
        authority: impl Fn(&str) -> Authority,
        known: Known,
    ) -> Result<Advice, AdviseError> {
        let observations = observe::observe(self.aws, &request).await.map_err(AdviseError::read)?;
        let mut advice = Advice::of(Vec::new());
        let mut failure = None;
        for observation in &observations {
            if self.settings.for_endpoint(observation.tags.as_ref()).mode == Mode::Off {
                advice.ignored = Some("the endpoint is tagged endpoint-advisor:mode=off".to_owned());
                continue;
            }
            // One variant that fails does not keep the others from being advised.
            match self.one(observation, &authority, &known).await {
                Ok(Some(report)) => advice.reports.push(report),
                Ok(None) => advice.ignored = Some("it belongs to an incident that is open, and is no news".to_owned()),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if observations.is_empty() {
            advice.ignored = Some("the endpoint has no production variant".to_owned());
        }
        Ok(advice)
    }

    /// One variant, from observation to a report that is logged and delivered; none where it is no news to its incident.
    pub(super) async fn one(
        &self,
        observation: &Observation,
        authority: &impl Fn(&str) -> Authority,
        known: &Known,
    ) -> Result<Option<Report>, AdviseError> {
        self.act_in_time();
        let mut asked_with = Authority::LookOnly;
        let considered = consider(observation, self.settings, |digest| {
            asked_with = authority(digest);
            asked_with
        });
        let kind = observation.trigger.kind;
        // An alarm opens an incident, if it may still be on; a person does where something is written.
        let is_on = asked_with != Authority::StaleEvent || matches!(known, Known::Open(_));
        let is_incident = (kind.is_alarm() && is_on)
            || (matches!(kind, TriggerKind::Manual | TriggerKind::Approval) && considered.decision.is_none());
        let can_be_approved = asked_with == Authority::Now
            && self.settings.defaults.mode == Mode::Apply
            && considered.decision.as_ref().is_some_and(|outcome| outcome.status == OutcomeStatus::Recommended);
        if let Some(follow_up) = self.settings.follow_up.as_ref().filter(|_| is_incident) {
            return self.in_incident(follow_up, observation, considered, can_be_approved, known).await;
        }
        let outcome = match considered.decision.clone() {
            Some(outcome) => outcome,
            None => {
                self.has_time_to_write()?;
                act::apply(self.aws, &considered.plan).await.map_err(AdviseError::WriteFailed)?
            }
        };
        let mut report = self.report(observation, considered, outcome);
        if let Known::Open(incident) = known {
            // It is told in the thread of the incident.
            let next = Next { phase: incident.phase, look_at: incident.next_look_at };
            report.incident = Some(incident.summary(None, Some(next)));
        }
        report.can_be_approved = can_be_approved;
        if report.plan.action == Action::Scale && self.settings.follow_up.is_none() {
            report.warnings.push(
                "No follow-up is configured: repeated alarms are not joined, and nobody looks again whether this helped."
                    .to_owned(),
            );
        }
        self.tell(&report).await?;
        Ok(Some(report))
    }

    /// Puts a report together.
    pub(super) fn report(&self, observation: &Observation, considered: Considered, outcome: Outcome) -> Report {
        let Considered { diagnosis, capacity, plan, problems, .. } = considered;
        let mut report = report::report(observation, diagnosis, capacity, plan, outcome);
        report.warnings.extend(problems);
        if self.settings.report_topic_arn.is_none() && self.settings.chat_topic_arn.is_none() {
            report.warnings.push("No SNS topic is configured: this report is only in the log.".to_owned());
        }
        report
    }

    /// Logs a report and delivers it.
    pub(super) async fn tell(&self, report: &Report) -> Result<(), AdviseError> {
        (self.host.log)(report);
        // A look at the whole fleet is for whoever asked; a message for each endpoint would bury the alarms.
        if report.trigger.kind != TriggerKind::Audit {
            notify::publish(self.aws, self.settings, report).await.map_err(AdviseError::DeliveryFailed)?;
        }
        Ok(())
    }
}

pub(super) fn summary(kind: TriggerKind) -> TriggerSummary {
    TriggerSummary { kind, alarm_name: None, state: None, changed_at: None }
}
