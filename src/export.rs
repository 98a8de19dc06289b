//! A plan as a file for the tool that keeps a team's infrastructure: CloudFormation, Terraform, or the AWS CLI. So are proposed
//! alarms, in [`alarms`].
//!
//! Pure. Each holds the scalable target with the range, the policies, the alarms and the scheduled actions of the plan.
//! What stands already is imported, not made anew. The tags by which Endpoint Advisor knows its own targets are in the AWS
//! CLI script alone: what is kept in a template belongs to the template.

pub mod alarms;
mod cli;
mod cloudformation;
mod terraform;

pub use cli::cli;
pub(crate) use cli::{commands, input};
pub use cloudformation::cloudformation;
pub use terraform::terraform;

use crate::model::{Plan, RegisterScalableTarget, Report, ScalableKey, ScalingState};

/// A file, and what to know before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The file.
    pub text: String,
    /// What the file cannot say or do by itself, one step each.
    pub notes: Vec<String>,
}

/// Why there is nothing to export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no plan to export: {}", .0.join("; "))]
pub struct NothingToExport(Vec<String>);

/// One subject whose plan is exported.
struct Part<'a> {
    report: &'a Report,
    plan: &'a Plan,
    register: &'a RegisterScalableTarget,
    before: ScalingState,
}

/// The plans that ask for something.
fn parts(reports: &[Report]) -> Result<Vec<Part<'_>>, NothingToExport> {
    fn part(report: &Report) -> Option<Part<'_>> {
        let plan = &report.plan;
        let register = plan.register_scalable_target.as_ref()?;
        Some(Part { report, plan, register, before: plan.based_on.clone().unwrap_or_default() })
    }
    // A file is a way in: what is exported is a plan as it was made.
    let is_changed = |report: &&Report| report.plan.register_scalable_target.is_some() && !report.plan.is_as_made();
    if let Some(report) = reports.iter().find(is_changed) {
        let words = format!("{}: the plan does not fit its digest: it was changed after it was made", report.subject());
        return Err(NothingToExport(vec![words]));
    }
    let parts: Vec<_> = reports.iter().filter_map(part).collect();
    if parts.is_empty() {
        let why = |report: &Report| {
            let reason = report.plan.hold_reason.map_or("the plan asks for nothing", crate::model::HoldReason::text);
            format!("{}: {reason}", report.subject())
        };
        return Err(NothingToExport(reports.iter().map(why).collect()));
    }
    Ok(parts)
}

/// One word of the shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", within_quotes(text))
}

/// Text between two single quotes of the shell.
fn within_quotes(text: &str) -> String {
    text.replace('\'', r"'\''")
}

/// The command that asks for the ARN of a policy, which only AWS knows.
fn arn_command(key: &ScalableKey, policy_name: &str) -> String {
    format!(
        "aws application-autoscaling describe-scaling-policies --service-namespace {} --resource-id {} --policy-names {} \
         --query 'ScalingPolicies[0].PolicyARN' --output text",
        quoted(&key.service_namespace),
        quoted(&key.resource_id),
        quoted(policy_name)
    )
}

/// What no template can do: delete what it never held.
fn deletions<'a>(parts: &'a [Part<'_>]) -> impl Iterator<Item = String> + 'a {
    let gone = |part: &'a Part<'_>| part.plan.delete_scaling_policies.iter();
    parts.iter().flat_map(gone).map(|policy| {
        format!(
            "Once the new policy stands, delete the one whose place it takes: {}",
            crate::report::policies::delete_command(policy)
        )
    })
}

/// `orders/AllTraffic, planned 2026-10-05T09:14:00Z, digest 3f9c…`, for a comment.
fn about(part: &Part<'_>) -> String {
    format!("{}, planned {}, digest {}", part.report.subject(), part.report.at, part.plan.digest)
}
