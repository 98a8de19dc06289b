//! What a process is woken by, and what it finds at the endpoint.

use super::*;
use crate::follow_up::{Later, later};

/// The two alarms of the variant.
pub const NAMES: [&str; 2] = ["endpoint-latency-orders", "endpoint-latency-orders-p99"];

/// Why a process is started.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// An alarm went on, in this minute.
    Alarm(usize, i64),
    /// An alarm is OK, since this minute.
    Ok(usize, i64),
    /// The time of the schedule came; its input.
    WakeUp(Arc<str>),
}

impl Event {
    pub fn json(&self) -> Value {
        let (text, name, minute) = match self {
            Self::Alarm(name, minute) => {
                (include_str!("../../../../events/eventbridge-single-metric.json"), name, minute)
            }
            Self::Ok(name, minute) => (include_str!("../../../../events/eventbridge-ok.json"), name, minute),
            Self::WakeUp(input) => return serde_json::from_str(input).unwrap(),
        };
        let mut event: Value = serde_json::from_str(text).unwrap();
        event["detail"]["alarmName"] = NAMES[*name].into();
        event["detail"]["state"]["timestamp"] = (at() + SignedDuration::from_mins(*minute)).to_string().into();
        event
    }

    pub fn words(&self) -> String {
        match self {
            Self::Alarm(name, minute) => format!("alarm {name} of minute {minute}"),
            Self::Ok(name, minute) => format!("OK of alarm {name} of minute {minute}"),
            Self::WakeUp(_) => "a wake-up".to_owned(),
        }
    }
}

/// What the metrics say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// As at the alarm.
    Overloaded,
    /// All instances serve, and latency is within the objective.
    Helped,
    /// All instances serve, load on each fell, and latency did not.
    Slow,
}

impl Seen {
    pub fn observation(self, minute: i64) -> Observation {
        let now =
            |instances, latency_ms, load| later(&OVERLOAD, &Later { minutes: minute, instances, latency_ms, load });
        match self {
            Self::Overloaded => shifted(&OVERLOAD, minute),
            Self::Helped => now(PLANNED, 310.0, 1.0),
            Self::Slow => now(PLANNED, 1_390.0, 0.6),
        }
    }
}
