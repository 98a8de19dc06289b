//! What came of a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In one word.
    pub status: OutcomeStatus,
    /// Why: a short code where there is one, else words.
    pub reason: String,
    /// What a code means, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What was changed on AWS, in order.
    pub changes: Vec<Change>,
}

impl Outcome {
    /// An outcome that changed nothing.
    #[must_use]
    pub fn without_change(status: OutcomeStatus, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), detail: String::new(), changes: Vec::new() }
    }

    /// The same with words for its code.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The reason for people.
    #[must_use]
    pub fn words(&self) -> &str {
        if self.detail.is_empty() { &self.reason } else { &self.detail }
    }
}

/// One thing that was changed on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The operation, in AWS's spelling.
    pub operation: String,
    /// What was there before, in words.
    pub before: String,
    /// What is there now.
    pub after: String,
}

/// What came of a plan, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// The plan is to hold.
    NotNeeded,
    /// Nothing was written; a person decides.
    Recommended,
    /// Written.
    Applied,
    /// What the plan asks already stands.
    Unchanged,
    /// A guardrail said no.
    Refused,
    /// The world changed between reading and writing; nothing was written.
    Stale,
    /// AWS refused the write.
    Failed,
    /// A later look showed that it helped.
    Verified,
    /// It did not help, and what was there before is back.
    RolledBack,
    /// A raised `MinCapacity` went back.
    Relaxed,
}

impl OutcomeStatus {
    /// The name in reports, as `not_needed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::Recommended => "recommended",
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Verified => "verified",
            Self::RolledBack => "rolled_back",
            Self::Relaxed => "relaxed",
        }
    }
}

impl fmt::Display for OutcomeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
