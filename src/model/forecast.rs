//! What scaling set-ups would have done over the history.

use super::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Replays over the history with the present work per request: what was, against what is planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// Days of history that were replayed, rounded to the nearest whole number; at least 1, because nothing is replayed for
    /// a plan where less than a day was seen. The numbers are those of the exact stretch.
    pub days: u32,
    /// What is over the objective on an asynchronous endpoint: a minute in which the oldest request has waited longer. None
    /// where the objective is one of latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_wait: Option<Seconds>,
    /// The present set-up; where nothing scales the variant: the instances as they were.
    pub current: Projection,
    /// The plan, in its calm state.
    pub planned: Projection,
    /// As many instances as are running now, always.
    pub no_policy: Option<Projection>,
    /// How a replay of the present set-up compares with what really happened.
    pub validation: Validation,
}

/// What one set-up would have done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Projection {
    /// Expected minutes over the objective.
    pub slo_violation_minutes: f64,
    /// Hours of single instances.
    pub instance_hours: f64,
    /// Their price; none where the price of an instance is not known.
    pub usd: Option<f64>,
    /// Eight in ten outcomes lie between these: other days, a capacity that is not known exactly, other boot times.
    pub slo_violation_minutes_range: (f64, f64),
    /// The same of instance-hours.
    pub instance_hours_range: (f64, f64),
}

/// How a replay of the present set-up compares with what really happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Whether the replay comes close enough for absolute numbers.
    pub passed: bool,
    /// Instance-hours of the replay over those recorded, less 1; none where the recorded counts themselves were replayed.
    pub instance_hours_error: Option<f64>,
    /// Correlation of the instance counts; none where the recorded count never changed, or was itself replayed.
    pub correlation: Option<f64>,
    /// Minutes over the objective as they were recorded.
    pub recorded_violation_minutes: f64,
    /// The same, replayed.
    pub replayed_violation_minutes: f64,
    /// Why it did not pass, in words; empty where it did.
    pub why_not: String,
}
