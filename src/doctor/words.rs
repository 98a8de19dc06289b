//! Words that several rules use.

use crate::model::{ScalingPolicy, StepScaling};

/// A name from outside, within a sentence: short, and on one line.
pub(super) fn named(name: &str) -> String {
    let inert = name.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c });
    format!("`{}`", inert.take(120).collect::<String>())
}

/// The policy by its name.
pub(super) fn policy(policy: &ScalingPolicy) -> String {
    format!("the policy {}", named(&policy.policy_name))
}

/// Whether steps ever add instances.
pub(super) fn adds(steps: &StepScaling) -> bool {
    // An exact capacity may do either.
    steps.adjustment_type == "ExactCapacity" || steps.steps.iter().any(|step| step.adjustment > 0)
}

/// Whether steps ever remove instances.
pub(super) fn removes(steps: &StepScaling) -> bool {
    steps.adjustment_type == "ExactCapacity" || steps.steps.iter().any(|step| step.adjustment < 0)
}

/// `6 minutes`, `90 seconds`, `26 hours`.
pub(super) fn duration(seconds: f64) -> String {
    let counted = |count: f64, unit: &str| format!("{count:.0} {unit}{}", if count.round() == 1.0 { "" } else { "s" });
    match seconds {
        ..120.0 => counted(seconds, "second"),
        ..7_200.0 => counted(seconds / 60.0, "minute"),
        ..172_800.0 => counted(seconds / 3_600.0, "hour"),
        _ => counted(seconds / 86_400.0, "day"),
    }
}
