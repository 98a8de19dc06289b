//! An incident from its first alarm until it is over: what has to be remembered between two invocations.

use super::{
    BlockedBy, Capacity, Diagnosis, EndpointName, InferenceComponentName, InstanceCount, InvocationsPerInstance,
    InvocationsPerMinute, LatencyObjective, Microseconds, Plan, Relax, Report, Restoration, ScalingState, VariantName,
    Verdict,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Whose incident: one variant or one inference component of one endpoint in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentKey {
    /// The Region.
    pub region: String,
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The variant, or the inference component.
    pub part: String,
}

impl IncidentKey {
    /// The name of its schedule: `ea-` and 32 hex digits of SHA-256 over `region/endpoint/part`. Two alarms of one variant
    /// meet in it, and EventBridge Scheduler lets only one of them create it.
    #[must_use]
    pub fn schedule_name(&self) -> String {
        let key = format!("{}/{}/{}", self.region, self.endpoint_name, self.part);
        let hash = Sha256::digest(key.as_bytes());
        hash.iter().take(16).fold("ea-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
    }
}

/// What is remembered of an open incident: the input of its schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// The id of its first report, which is also its thread in chat.
    pub id: String,
    /// When the first alarm was handled.
    pub opened_at: Timestamp,
    /// The endpoint.
    pub endpoint_name: EndpointName,
    /// The variant; none for an inference component.
    pub variant_name: Option<VariantName>,
    /// The component; none for a variant.
    pub inference_component_name: Option<InferenceComponentName>,
    /// The alarms that are in `ALARM`, as far as they came to us.
    pub alarms: BTreeSet<String>,
    /// What the endpoint should keep.
    pub objective: Option<LatencyObjective>,
    /// The first verdict.
    pub diagnosis: Diagnosis,
    /// What one instance was thought to carry.
    pub capacity: Option<Capacity>,
    /// What people were told last.
    pub told: Told,
    /// The endpoint when the incident was opened.
    pub before: Measures,
    /// What was written for it; none where nothing was.
    pub written: Option<Written>,
    /// How far it is.
    pub phase: Phase,
    /// How often it was looked at since.
    pub looks: u32,
    /// When it was looked at last.
    pub looked_at: Timestamp,
    /// When it is looked at next.
    pub next_look_at: Timestamp,
    /// What is being done and not yet told. A process that finds it finishes it.
    pub claim: Option<Box<Claim>>,
}

/// How far an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It goes on.
    Open,
    /// What was written helped; the alarms are not OK yet.
    Verified,
    /// What was written did not help, and is undone.
    RolledBack,
    /// Somebody else changed the set-up: it is theirs now.
    LeftAlone,
    /// The alarms are OK again.
    Recovered,
}

/// What people were told last, by which news are told from repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The verdict.
    pub verdict: Verdict,
    /// What stood in the way of scaling.
    pub blocked_by: Option<BlockedBy>,
    /// How bad it was.
    pub latency: Option<Microseconds>,
}

/// What was written for an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// When.
    pub at: Timestamp,
    /// What was there before the first write of the incident.
    pub before: ScalingState,
    /// What stands since: everything in it was there before or is ours.
    pub stands: ScalingState,
    /// Instances that should serve.
    pub instances: InstanceCount,
    /// How far and when a raised `MinCapacity` goes back; none where it was not raised, or is back.
    pub relax: Option<Relax>,
}

/// Something that is being done. It is remembered before the first call of it, so that whoever comes after a crash does the
/// same and tells the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// Since when.
    pub at: Timestamp,
    /// What people will be told; its outcome is what is hoped for.
    pub report: Report,
    /// What people have been told then.
    pub told: Told,
    /// What is written.
    pub write: Write,
    /// The incident afterwards; none closes it.
    pub then: Option<Next>,
}

/// What is written to scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Nothing.
    Nothing,
    /// The plan of the report.
    Plan,
    /// What was there before, or a part of it.
    Restoration(Box<Restoration>),
}

/// How an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Next {
    /// How far it is then.
    pub phase: Phase,
    /// When it is looked at.
    pub look_at: Timestamp,
}

/// The endpoint in its last judged minutes: medians, each none where nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measures {
    /// End of the observed window.
    pub at: Timestamp,
    /// `ModelLatency` in the statistic of the objective.
    pub latency: Option<Microseconds>,
    /// Load on one instance.
    pub load: Option<InvocationsPerInstance>,
    /// Load on all of them.
    pub invocations: Option<InvocationsPerMinute>,
    /// Instances in service, or units of provisioned concurrency.
    pub instances: Option<InstanceCount>,
    /// Serverless: the share of requests that provisioned concurrency did not serve, or that met a cold start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unserved: Option<f64>,
    /// Requests in the queue of an asynchronous endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<f64>,
}

/// The part of an incident that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentSummary {
    /// The id of its first report; the thread in chat.
    pub id: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// How far it is after this report.
    pub phase: Phase,
    /// When it was opened.
    pub before: Measures,
    /// Now; none in its first report.
    pub after: Option<Measures>,
    /// When it is looked at next; none where it is closed.
    pub next_look_at: Option<Timestamp>,
}

impl Incident {
    /// Whose incident it is. `region` is where the function runs.
    #[must_use]
    pub fn key(&self, region: &str) -> IncidentKey {
        let component = self.inference_component_name.as_ref().map(ToString::to_string);
        let variant = || self.variant_name.as_ref().map(ToString::to_string);
        IncidentKey {
            region: region.to_owned(),
            endpoint_name: self.endpoint_name.clone(),
            part: component.or_else(variant).unwrap_or_default(),
        }
    }

    /// What a report shows of it.
    #[must_use]
    pub fn summary(&self, after: Option<Measures>, then: Option<Next>) -> IncidentSummary {
        IncidentSummary {
            id: self.id.clone(),
            opened_at: self.opened_at,
            phase: then.map_or(self.phase, |next| next.phase),
            before: self.before,
            after,
            next_look_at: then.map(|next| next.look_at),
        }
    }
}

impl Written {
    /// What stands once a plan is written.
    #[must_use]
    pub fn of(plan: &Plan, at: Timestamp, earlier: Option<&Self>) -> Self {
        let observed = plan.based_on.clone().unwrap_or_default();
        Self {
            at,
            before: earlier.map_or_else(|| observed.clone(), |earlier| earlier.before.clone()),
            stands: plan.stands_on(&observed),
            instances: plan.register_scalable_target.as_ref().map_or(InstanceCount(1), |asked| asked.min_capacity),
            relax: plan.relax,
        }
    }
}
