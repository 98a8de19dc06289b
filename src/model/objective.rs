//! The latency objective: what "slow" means for an endpoint.

use super::{Milliseconds, Statistic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `ModelLatency` that the endpoint should keep, minute by minute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyObjective {
    /// The most that a good minute may show.
    pub latency_slo_ms: Milliseconds,
    /// Of which statistic of `ModelLatency`.
    pub slo_statistic: Statistic,
    /// Where it comes from.
    pub source: ObjectiveSource,
}

impl fmt::Display for LatencyObjective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} within {}", self.slo_statistic, self.latency_slo_ms)
    }
}

/// Who stated the objective, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveSource {
    /// The tag `endpoint-advisor:slo-ms` on the endpoint.
    Tag,
    /// The event itself, by hand.
    Event,
    /// The alarm's threshold and statistic.
    Alarm,
}
