//! The whole story of one variant, as people and machines read it.

use super::{
    Capacity, Diagnosis, EndpointName, Fact, Hosting, IncidentSummary, InferenceComponentName, LatencyObjective,
    Outcome, OutcomeStatus, Plan, ScalableDimension, TriggerSummary, VariantName, Verdict,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole story of one variant: every face (e-mail, chat, terminal, log) is rendered from this value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this format: `1`.
    #[schemars(extend("const" = "1"))]
    pub version: String,
    /// Endpoint, variant or component, and the time it began.
    pub id: String,
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The variant; none for an inference component.
    pub variant_name: Option<VariantName>,
    /// The component; none for a variant.
    pub inference_component_name: Option<InferenceComponentName>,
    /// How SageMaker hosts it.
    pub hosting: Hosting,
    /// End of the observed window.
    pub at: Timestamp,
    /// What asked for it.
    pub trigger: TriggerSummary,
    /// What the endpoint should keep.
    pub objective: Option<LatencyObjective>,
    /// How it is served, where that is not one type of instance with one container and all of the traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serving: Vec<Fact>,
    /// Why it is slow.
    pub diagnosis: Diagnosis,
    /// What one instance sustains; none where it is not known.
    pub capacity: Option<Capacity>,
    /// What to do about it.
    pub plan: Plan,
    /// What came of it.
    pub outcome: Outcome,
    /// What a person should do next, most useful first.
    pub next_steps: Vec<String>,
    /// What was missing or odd.
    pub warnings: Vec<String>,
    /// Where to look.
    pub links: Links,
    /// The version that decided.
    #[serde(default)]
    pub advisor_version: String,
    /// [`digest`](super::Observation::digest) of the observation that it decided from.
    #[serde(default)]
    pub observation_digest: String,
    /// The incident that it belongs to; none where nothing follows it through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentSummary>,
    /// Whether a person may approve the plan, and it would then be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub can_be_approved: bool,
    /// Whether evidence and alternatives were cut to fit a message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Report {
    /// What is counted when it scales.
    #[must_use]
    pub fn dimension(&self) -> ScalableDimension {
        self.hosting.dimension()
    }

    /// `orders/AllTraffic`.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.variant_name, &self.inference_component_name) {
            (_, Some(component)) => format!("{}/{component}", self.endpoint_name),
            (Some(variant), None) => format!("{}/{variant}", self.endpoint_name),
            (None, None) => self.endpoint_name.to_string(),
        }
    }

    /// The thread in chat: the id of the incident's first report.
    #[must_use]
    pub fn thread(&self) -> &str {
        self.incident.as_ref().map_or(&self.id, |incident| &incident.id)
    }

    /// How much it asks of a person, for filter policies of subscriptions.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.outcome.status {
            OutcomeStatus::Applied | OutcomeStatus::RolledBack | OutcomeStatus::Relaxed => Severity::ActionTaken,
            OutcomeStatus::Unchanged | OutcomeStatus::Verified => Severity::Info,
            OutcomeStatus::NotNeeded if self.diagnosis.verdict == Verdict::Transient => Severity::Info,
            _ => Severity::ActionRequired,
        }
    }
}

/// How much a report asks of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing.
    Info,
    /// Something was changed; look when convenient.
    ActionTaken,
    /// A person has to decide or to do something.
    ActionRequired,
}

impl Severity {
    /// The name in message attributes, as `action_required`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::ActionTaken => "action_taken",
            Self::ActionRequired => "action_required",
        }
    }
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// The endpoint in the AWS console.
    pub console: String,
    /// Latency and load in CloudWatch, the whole graph in the link.
    pub graph: String,
}
