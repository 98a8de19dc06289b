//! What is remembered between two invocations, as the input of one-time schedules in EventBridge Scheduler: open incidents, and
//! audits that several invocations share.
//!
//! The schedule is three things at once. A *lock*: a second one of the same name is refused, so two alarms of one variant
//! meet. A *memory*: its input says what was found and written, and what was there before. A *wake-up*: at its time the
//! input arrives in the advisor's queue as `{"follow_up":{…}}`. It is kept after its time (`ActionAfterCompletion: NONE`)
//! and deleted when the incident is closed.

use crate::aws::{Aws, CallError, ErrorKind};
use crate::config::FollowUp;
use crate::model::{Incident, IncidentKey};
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState, Target,
};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Scheduler is precise to a minute.
const SOON: SignedDuration = SignedDuration::from_mins(1);

const CREATE: &str = "scheduler:CreateSchedule";
const GET: &str = "scheduler:GetSchedule";
const UPDATE: &str = "scheduler:UpdateSchedule";
const DELETE: &str = "scheduler:DeleteSchedule";

/// The input of a schedule, and the event that it becomes.
#[derive(Serialize, Deserialize)]
struct Input<T> {
    follow_up: T,
}

/// The schedules of the advisor.
pub(crate) struct Schedules<'a> {
    pub aws: &'a Aws,
    pub settings: &'a FollowUp,
    /// A schedule in the past is no wake-up.
    pub now: Timestamp,
}

/// One schedule: its name, when it wakes us, and what it remembers.
pub(crate) struct Memory<T> {
    pub name: String,
    /// Never for what is only remembered: the schedule is then `DISABLED`.
    pub wakes_at: Option<Timestamp>,
    /// The event that it becomes.
    pub input: T,
}

impl Schedules<'_> {
    /// The open incident; none where there is none.
    pub async fn get(&self, key: &IncidentKey) -> Result<Option<Incident>, CallError> {
        self.aws.round();
        Ok(self.read::<Input<Incident>>(&key.schedule_name()).await?.map(|input| input.follow_up))
    }

    /// Opens an incident; false where it is open already.
    pub async fn create(&self, incident: &Incident) -> Result<bool, CallError> {
        self.make(&self.memory(incident)).await
    }

    /// Remembers how an incident stands, and when it is looked at.
    pub async fn update(&self, incident: &Incident) -> Result<(), CallError> {
        self.change(&self.memory(incident)).await
    }

    /// Closes an incident.
    pub async fn delete(&self, key: &IncidentKey) -> Result<(), CallError> {
        self.remove(&key.schedule_name()).await
    }

    fn memory<'a>(&self, incident: &'a Incident) -> Memory<Input<&'a Incident>> {
        let name = incident.key(self.aws.region()).schedule_name();
        Memory { name, wakes_at: Some(incident.next_look_at), input: Input { follow_up: incident } }
    }

    /// What a schedule remembers; none where there is no such schedule.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, CallError> {
        let call = self.aws.scheduler.get_schedule().group_name(&self.settings.group).name(name);
        let schedule = match call.send().await.map_err(|error| CallError::new(GET, error)) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let input = schedule.target().and_then(Target::input).unwrap_or_default();
        serde_json::from_str(input).map(Some).map_err(|error| CallError::unexpected(GET, error))
    }

    /// Makes a schedule; false where one of its name exists.
    pub async fn make<T: Serialize>(&self, memory: &Memory<T>) -> Result<bool, CallError> {
        let call = self
            .aws
            .scheduler
            .create_schedule()
            .group_name(&self.settings.group)
            .name(&memory.name)
            .schedule_expression(self.at(memory.wakes_at))
            .state(state(memory.wakes_at))
            .flexible_time_window(exactly(CREATE)?)
            .action_after_completion(ActionAfterCompletion::None)
            .target(self.target(CREATE, &memory.input)?);
        match call.send().await.map_err(|error| CallError::new(CREATE, error)) {
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Changes a schedule that exists.
    pub async fn change<T: Serialize>(&self, memory: &Memory<T>) -> Result<(), CallError> {
        let call = self
            .aws
            .scheduler
            .update_schedule()
            .group_name(&self.settings.group)
            .name(&memory.name)
            .schedule_expression(self.at(memory.wakes_at))
            .state(state(memory.wakes_at))
            .flexible_time_window(exactly(UPDATE)?)
            .action_after_completion(ActionAfterCompletion::None)
            .target(self.target(UPDATE, &memory.input)?);
        call.send().await.map(|_| ()).map_err(|error| CallError::new(UPDATE, error))
    }

    /// Deletes a schedule; one that is gone is as good.
    pub async fn remove(&self, name: &str) -> Result<(), CallError> {
        let call = self.aws.scheduler.delete_schedule().group_name(&self.settings.group).name(name);
        match call.send().await.map_err(|error| CallError::new(DELETE, error)) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// `at(2026-10-05T09:30:00)`, in UTC; soon where that is past.
    fn at(&self, time: Option<Timestamp>) -> String {
        let soon = self.now + SOON;
        format!("at({})", time.map_or(soon, |time| time.max(soon)).strftime("%Y-%m-%dT%H:%M:%S"))
    }

    fn target<T: Serialize>(&self, action: &'static str, input: &T) -> Result<Target, CallError> {
        let unexpected = |error| CallError::unexpected(action, error);
        let input = serde_json::to_string(input).map_err(|error| CallError::unexpected(action, error))?;
        Target::builder()
            .arn(&self.settings.target_arn)
            .role_arn(&self.settings.role_arn)
            .input(input)
            .build()
            .map_err(unexpected)
    }
}

fn state(wakes_at: Option<Timestamp>) -> ScheduleState {
    if wakes_at.is_some() { ScheduleState::Enabled } else { ScheduleState::Disabled }
}

fn exactly(action: &'static str) -> Result<FlexibleTimeWindow, CallError> {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    window.map_err(|error| CallError::unexpected(action, error))
}
