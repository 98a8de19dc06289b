//! An incident with its answer.

use super::Set;
use crate::Published;

/// An incident: what CloudWatch and SageMaker would say of it, and what is right.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The family's name.
    pub family: &'static str,
    /// Which set it belongs to.
    pub set: Set,
    /// Which one of its family in that set.
    pub replicate: u64,
    /// What is right.
    pub truth: Truth,
    /// Hours of history.
    pub history_hours: i64,
    /// The objective in milliseconds, and of which statistic: `p90` or `p99`.
    pub objective_ms: f64,
    /// See `objective_ms`.
    pub statistic: &'static str,
    /// As `ml.m5.xlarge`.
    pub instance_type: &'static str,
    /// `CurrentInstanceCount`.
    pub instances: u32,
    /// `DesiredInstanceCount`.
    pub desired: u32,
    /// The scaling set-up; none where the variant is not registered.
    pub scaling: Option<Scaling>,
    /// Minutes since the endpoint's configuration was created.
    pub minutes_since_deployment: i64,
    /// `RANDOM` or `LEAST_OUTSTANDING_REQUESTS`.
    pub routing: &'static str,
    /// `real_time` or `multi_model`.
    pub hosting: &'static str,
    /// Minutes since an alarm fired: on latency, or on errors where latency is well.
    pub minutes_since_alarm: i64,
    /// What CloudWatch would answer: one value a minute, all equally long, to the end of the window.
    pub series: Vec<Published>,
}

/// What is right.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The verdict.
    pub verdict: &'static str,
    /// Verdicts that are as right.
    pub also_right: Vec<&'static str>,
    /// The refinement, where one is expected.
    pub sub_cause: Option<&'static str>,
    /// Whether a scale-out is the right answer; none where it is no mistake either way.
    pub is_overload: Option<bool>,
    /// What stands in the way of scaling, any of these; empty where nothing does.
    pub blocked_by: Vec<&'static str>,
    /// Minutes that the trouble lasted at the end.
    pub trouble_minutes: i64,
    /// How much worse than drawn the trouble had to be to raise the alarm.
    pub severity: f64,
    /// Arrivals per minute that one usual instance carries within the objective; none where it carries none.
    pub capacity: Option<f64>,
    /// How the container serves, in words.
    pub physics: String,
    /// Whether development and validation have endpoints of this kind.
    pub is_new_physics: bool,
}

impl Truth {
    /// Whether a verdict is right.
    #[must_use]
    pub fn allows(&self, verdict: &str) -> bool {
        self.verdict == verdict || self.also_right.contains(&verdict)
    }
}

/// A scalable target and its policy.
#[derive(Debug, Clone)]
pub struct Scaling {
    /// `MinCapacity`.
    pub min: u32,
    /// `MaxCapacity`.
    pub max: u32,
    /// Invocations per instance and minute that its policy tracks.
    pub target: f64,
    /// The latest activity.
    pub activity: Option<Activity>,
}

/// A scaling activity.
#[derive(Debug, Clone)]
pub struct Activity {
    /// `StatusCode`.
    pub status: &'static str,
    /// `StatusMessage`.
    pub message: String,
    /// Instances that it wanted.
    pub wanted: u32,
    /// When it began, in minutes before the end of the window.
    pub minutes_ago: i64,
}
