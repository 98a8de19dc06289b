//! Scaling set-ups side by side, replayed over the same history.

use super::{
    Action, EndpointName, Hosting, InferenceComponentName, LatencyObjective, Plan, Projection, ScalableDimension,
    Seconds, Validation, VariantName,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Scaling set-ups side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Version of this format: `1`.
    pub version: String,
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The variant; none for an inference component.
    pub variant_name: Option<VariantName>,
    /// The component; none for a variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_component_name: Option<InferenceComponentName>,
    /// How it is hosted: it decides what is counted.
    pub hosting: Hosting,
    /// What it should keep; none where requests wait in a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<LatencyObjective>,
    /// How long a request may wait in a queue; none where requests are answered at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_wait: Option<Seconds>,
    /// The first minute that was replayed.
    pub from: Timestamp,
    /// Days that were replayed.
    pub days: f64,
    /// How a replay of the present set-up compares with what really happened. Where it did not pass, rows have no
    /// projection: only their order counts.
    pub validation: Validation,
    /// Minutes of the mean fleet that a minute over the objective was counted as.
    pub weight: f64,
    /// The set-ups: the present one first, then what is advised, then those asked for.
    pub rows: Vec<Row>,
    /// The plan behind the advised set-up, with its requests; none where nothing was advised.
    pub advised: Option<Plan>,
    /// Requests per minute, in means of so many minutes; none where nothing is known.
    pub load: Vec<Option<f64>>,
    /// Minutes of each mean in `load` and in the rows' `instances`.
    pub slot_minutes: u32,
}

impl Comparison {
    /// What is counted when it scales.
    #[must_use]
    pub fn dimension(&self) -> ScalableDimension {
        self.hosting.dimension()
    }

    /// Whether something else than what stands is advised.
    #[must_use]
    pub fn advises_a_change(&self) -> bool {
        self.advised.as_ref().is_some_and(|plan| plan.action == Action::Scale && !plan.is_in_place())
    }
}

/// A variant that was left out of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCompared {
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The variant, or the inference component.
    pub part_name: Option<String>,
    /// Why, in words.
    pub why: String,
}

impl fmt::Display for NotCompared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part_name.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
        write!(f, "{}{part} is not compared: {}", self.endpoint_name, self.why)
    }
}

/// One set-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// How people call it.
    pub name: String,
    /// Instances and minutes over the objective together, over those of the first row: below 1 is better.
    pub relative_cost: Option<f64>,
    /// What it would have done; none where it cannot be replayed, or replays cannot be trusted here.
    pub projection: Option<Projection>,
    /// Changes of the instance count.
    pub changes: Option<u32>,
    /// Instances in service, in means of [`Comparison::slot_minutes`].
    pub instances: Vec<f64>,
    /// Why it cannot be replayed.
    pub not_replayable: Option<String>,
}
