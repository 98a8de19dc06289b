//! What woke us.

use super::{Audit, LatencyObjective, Origin, Subject};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One request to advise, however it arrived.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// An alarm changed to `ALARM`.
    Alarm(AlarmTrigger),
    /// An alarm changed to `OK`.
    AlarmOk(AlarmTrigger),
    /// A person asks.
    Manual(ManualTrigger),
    /// A scheduled look at an open incident.
    FollowUp(FollowUpTrigger),
    /// A look at many endpoints.
    Audit(Audit),
    /// A person approves a plan that was recommended.
    Approval(Approval),
    /// Understood, and nothing is asked of us; the reason is logged.
    Ignored(String),
}

/// `trigger.kind` of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// EventBridge's `CloudWatch Alarm State Change`.
    EventbridgeAlarm,
    /// The alarm's own Lambda action.
    DirectAlarm,
    /// The alarm's SNS action.
    SnsAlarm,
    /// By hand.
    Manual,
    /// From EventBridge Scheduler.
    FollowUp,
    /// A person approved a plan.
    Approval,
    /// A look at the fleet.
    Audit,
}

impl TriggerKind {
    /// Whether an alarm woke us.
    #[must_use]
    pub fn is_alarm(self) -> bool {
        matches!(self, Self::EventbridgeAlarm | Self::DirectAlarm | Self::SnsAlarm)
    }
}

/// An alarm that changed its state.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmTrigger {
    /// How the event came.
    pub kind: TriggerKind,
    /// `AlarmName`.
    pub alarm_name: String,
    /// When the alarm changed state; none where the event does not say.
    pub changed_at: Option<Timestamp>,
    /// Where it is of, and what it watches.
    pub origin: Origin,
    /// What the alarm watches.
    pub watched: Watched,
}

/// What an alarm event says about the metric behind the alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// A SageMaker metric of this subject.
    Metric {
        /// Whose metric.
        subject: Subject,
        /// The objective that the alarm states, where it is complete in the event.
        objective: AlarmObjective,
    },
    /// A composite alarm: the children that are in ALARM, or all that its rule names.
    Children(Vec<String>),
}

/// The objective inside an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AlarmObjective {
    /// The alarm is not on `ModelLatency`, so it states no objective.
    NotOnModelLatency,
    /// On `ModelLatency`, but the event has no threshold: `DescribeAlarms` knows it.
    NotInEvent,
    /// Threshold and statistic.
    Known(LatencyObjective),
}

/// `{"advise":{…}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ManualTrigger {
    /// Which endpoint, variant or component.
    pub subject: Subject,
    /// The objective that the event states.
    pub objective: Option<LatencyObjective>,
    /// End of the observed window; now where absent.
    pub at: Option<Timestamp>,
}

/// `{"follow_up":{…}}`: the input of an incident's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpTrigger {
    /// Whose incident.
    pub subject: Subject,
    /// How often it had been looked at when this look was planned; a second delivery is known by it.
    pub looks: Option<u32>,
}

/// `{"apply":{…}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// Whose plan was approved.
    pub subject: Subject,
    /// The objective of the report that was approved, where neither tag nor alarm states it.
    pub objective: Option<LatencyObjective>,
    /// `plan.digest` of the report that was approved.
    pub plan_digest: String,
}
