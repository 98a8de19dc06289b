//! An audit that several invocations share: what one passes on to the next.

use super::{Account, EndpointName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `{"audit":{…}}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Audit {
    /// Every endpoint of the Region.
    Fleet,
    /// These endpoints, all of them in depth.
    Named(Vec<EndpointName>),
    /// A part of the fleet.
    Batch(Box<AuditBatch>),
    /// Whether all parts are done, and then the summary.
    Collect(Box<AuditProgress>),
}

/// A part of the fleet: `{"audit":{"endpoint_names":[…],"batch":{…}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditBatch {
    /// Its endpoints.
    pub endpoint_names: Vec<EndpointName>,
    /// Which part it is.
    pub batch: BatchNumber,
    /// Alarms and scalable targets of its endpoints, as far as they could be listed; to list them again for each part would take
    /// longer than the rest.
    #[serde(default)]
    pub account: Account,
}

/// Which part of which audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchNumber {
    /// Of the audit.
    pub id: String,
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

/// What is remembered of an audit while its parts are looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditProgress {
    /// Of the audit.
    pub id: String,
    /// When the fleet was listed.
    pub started_at: Timestamp,
    /// How many parts there are.
    pub batches: u32,
    /// Whether all of them were sent. A process that was cut off before is finished by the next.
    pub is_sent: bool,
    /// Whether the summary was published: what is left is to forget the audit.
    #[serde(default)]
    pub is_told: bool,
}
