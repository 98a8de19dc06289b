//! What a rule is.

use super::finding::Severity;
use super::patient::Patient;
use crate::model::Account;

/// A rule, with what `docs/rules.md` says of it.
pub struct Rule {
    /// `EA001` and so on. A number never means another rule.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Why so much.
    pub because: &'static str,
    /// What is wrong, one clause.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What shows it.
    pub shown_by: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Without these it says nothing, or less.
    pub(super) reads: &'static [Reading],
    pub(super) judge: Judge,
}

/// How it judges.
#[derive(Clone, Copy)]
pub(super) enum Judge {
    /// Each variant or component by itself.
    Part(fn(&Patient<'_>) -> Vec<Found>),
    /// The account as a whole.
    Account(fn(&Account) -> Vec<Found>),
}

/// What may not have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The scalable target and its policies.
    Scaling,
    /// Scaling activities.
    Activities,
    /// Scheduled actions.
    ScheduledActions,
    /// Alarms.
    Alarms,
    /// How the model is hosted.
    Hosting,
    /// What one instance carries, and so how many are needed.
    Need,
    /// The instance type.
    InstanceType,
    /// `InitialInstanceCount`.
    Configuration,
    /// The scalable targets of the Region.
    Targets,
}

impl Reading {
    pub const ALL: [Self; 9] = [
        Self::Scaling,
        Self::Activities,
        Self::ScheduledActions,
        Self::Alarms,
        Self::Hosting,
        Self::Need,
        Self::InstanceType,
        Self::Configuration,
        Self::Targets,
    ];

    /// Whether nothing can be said without it. What is needed, and what activities tell, is one of several things that show some
    /// rules.
    pub fn is_indispensable(self) -> bool {
        !matches!(self, Self::Need | Self::Activities)
    }
}

/// What a rule found.
pub(super) struct Found {
    /// Whom it is about, where that is not the variant or component as a whole.
    pub subject: Option<String>,
    /// One sentence with numbers.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    pub commands: Vec<String>,
    /// Instances fewer.
    pub instances: Option<u32>,
}

impl Found {
    pub fn new(evidence: String, fix: impl Into<String>) -> Self {
        Self { subject: None, evidence, fix: fix.into(), commands: Vec::new(), instances: None }
    }

    pub fn with(mut self, command: impl IntoIterator<Item = String>) -> Self {
        self.commands.extend(command);
        self
    }

    pub fn about(self, subject: String) -> Self {
        Self { subject: Some(subject), ..self }
    }

    pub fn saving(self, instances: u32) -> Self {
        Self { instances: Some(instances), ..self }
    }
}
