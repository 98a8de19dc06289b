//! What one instance sustains.

use super::{Grade, InvocationsPerInstance, LatencyCurve, Milliseconds, Statistic, WanderingWork};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The load per instance that keeps the latency objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// The estimate, or the highest load that was seen to keep the objective.
    pub invocations_per_instance_per_minute: InvocationsPerInstance,
    /// Lower end of the 90 % interval; plans are sized on it.
    pub low: InvocationsPerInstance,
    /// Upper end; none where the limit was never seen.
    pub high: Option<InvocationsPerInstance>,
    /// Whether the limit was seen.
    pub bound: Bound,
    /// How far to trust it.
    pub grade: Grade,
    /// The objective it keeps.
    pub latency_slo_ms: Milliseconds,
    /// The statistic of the objective.
    pub slo_statistic: Statistic,
    /// Minutes of history behind it.
    pub minutes_used: u32,
    /// How it was found, in words.
    pub method: String,
    /// The estimate over the highest loads seen (their 99th percentile): below 1 the limit was seen, above it is
    /// extrapolated. None where there is no estimate.
    #[serde(default)]
    pub extrapolation: Option<f64>,
    /// Latency over load, where it could be fitted well enough to replay.
    #[serde(default)]
    pub curve: Option<LatencyCurve>,
    /// Latency followed the load on the whole variant whatever the number of instances: something behind them is the
    /// limit, and more of them do not help.
    #[serde(default)]
    pub is_shared: bool,
    /// The work of a request wanders by itself, and utilisation shows it. Capacity is then in usual requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WanderingWork>,
    /// It is what one instance processes while requests wait in a queue, whatever their latency: the objective has no part in
    /// it. So it is on asynchronous endpoints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_throughput: bool,
}

/// How far beyond the loads that were seen to keep the objective anything is sized: a queue that has not begun to show
/// takes that much more. Of 183 simulated histories of a day or more that never came near their limit, nine in ten
/// carried more than 1.2 times what they showed, and half of them more than 1.8 times.
pub const MOST_BEYOND_MET: f64 = 1.25;

impl Capacity {
    /// The load that the curve takes for capacity: the estimate; where the limit was never seen, somewhat more than what was
    /// seen to keep the objective.
    #[must_use]
    pub fn likely(&self) -> InvocationsPerInstance {
        match self.bound {
            Bound::Estimate => self.invocations_per_instance_per_minute,
            Bound::AtLeast => InvocationsPerInstance(MOST_BEYOND_MET * self.invocations_per_instance_per_minute.0),
        }
    }
}

/// What kind of number a capacity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The limit was seen.
    Estimate,
    /// The endpoint never came near its limit; it carries at least this.
    AtLeast,
}
