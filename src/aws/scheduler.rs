//! Open incidents, each kept as the input of a one-time schedule in EventBridge Scheduler.
//!
//! The schedule is three things at once. A *lock*: a second one of the same name is refused, so two alarms of one variant
//! meet. A *memory*: its input says what was found and written, and what was there before. A *wake-up*: at its time the
//! input arrives in the advisor's queue as `{"follow_up":{…}}`. It is kept after its time (`ActionAfterCompletion: NONE`)
//! and deleted when the incident is closed.

use crate::aws::{Aws, CallError, ErrorKind};
use crate::config::FollowUp;
use crate::model::{Incident, IncidentKey};
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use jiff::{SignedDuration, Timestamp};
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

impl Schedules<'_> {
    /// The open incident; none where there is none.
    pub async fn get(&self, key: &IncidentKey) -> Result<Option<Incident>, CallError> {
        self.aws.round();
        let call = self.aws.scheduler.get_schedule().group_name(&self.settings.group).name(key.schedule_name());
        let schedule = match call.send().await.map_err(|error| CallError::new(GET, error)) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let input = schedule.target().and_then(Target::input).unwrap_or_default();
        let input: Input<Incident> = serde_json::from_str(input).map_err(|error| CallError::unexpected(GET, error))?;
        Ok(Some(input.follow_up))
    }

    /// Opens an incident; false where it is open already.
    pub async fn create(&self, incident: &Incident) -> Result<bool, CallError> {
        let call = self
            .aws
            .scheduler
            .create_schedule()
            .group_name(&self.settings.group)
            .name(incident.key(self.aws.region()).schedule_name())
            .schedule_expression(at(incident.next_look_at.max(self.now + SOON)))
            .flexible_time_window(exactly(CREATE)?)
            .action_after_completion(ActionAfterCompletion::None)
            .target(self.target(CREATE, incident)?);
        match call.send().await.map_err(|error| CallError::new(CREATE, error)) {
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Remembers how an incident stands, and when it is looked at.
    pub async fn update(&self, incident: &Incident) -> Result<(), CallError> {
        let call = self
            .aws
            .scheduler
            .update_schedule()
            .group_name(&self.settings.group)
            .name(incident.key(self.aws.region()).schedule_name())
            .schedule_expression(at(incident.next_look_at.max(self.now + SOON)))
            .flexible_time_window(exactly(UPDATE)?)
            .action_after_completion(ActionAfterCompletion::None)
            .target(self.target(UPDATE, incident)?);
        call.send().await.map(|_| ()).map_err(|error| CallError::new(UPDATE, error))
    }

    /// Closes an incident.
    pub async fn delete(&self, key: &IncidentKey) -> Result<(), CallError> {
        let call = self.aws.scheduler.delete_schedule().group_name(&self.settings.group).name(key.schedule_name());
        match call.send().await.map_err(|error| CallError::new(DELETE, error)) {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn target(&self, action: &'static str, incident: &Incident) -> Result<Target, CallError> {
        let unexpected = |error| CallError::unexpected(action, error);
        let input = serde_json::to_string(&Input { follow_up: incident });
        let input = input.map_err(|error| CallError::unexpected(action, error))?;
        Target::builder()
            .arn(&self.settings.target_arn)
            .role_arn(&self.settings.role_arn)
            .input(input)
            .build()
            .map_err(unexpected)
    }
}

fn exactly(action: &'static str) -> Result<FlexibleTimeWindow, CallError> {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    window.map_err(|error| CallError::unexpected(action, error))
}

/// `at(2026-10-05T09:30:00)`, in UTC.
fn at(time: Timestamp) -> String {
    format!("at({})", time.strftime("%Y-%m-%dT%H:%M:%S"))
}
