//! Proposed alarms as files of the same tools. What an alarm does is the team's: the files name no action, and the function hears of
//! the alarm by its name.

use super::{Export, cli as script, cloudformation as stack, terraform as hcl};
use crate::alarms::Proposal;
use crate::model::PutMetricAlarm;
use serde_json::Map;
use std::fmt::Write as _;

/// Why there is nothing to export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no alarm to export: {}", .0.join("; "))]
pub struct NoAlarm(Vec<String>);

const REPLACES: &str =
    "An alarm of the same name is replaced, its actions too; `endpoint-advisor alarms --apply` keeps them.";
const CREATES: &str =
    "CloudFormation makes an alarm only where none has the name: import one that stands, or delete it first.";

/// A shell script of the AWS CLI.
///
/// # Errors
/// [`NoAlarm`] where none is proposed.
pub fn cli(proposals: &[Proposal]) -> Result<Export, NoAlarm> {
    let mut out = script::START.to_owned();
    for (proposal, alarm) in alarms(proposals)? {
        let _infallible = write!(out, "\n# {}\n{}\n", about(proposal), script::put_metric_alarm(alarm));
    }
    Ok(Export { text: out, notes: vec![REPLACES.to_owned()] })
}

/// A CloudFormation template.
///
/// # Errors
/// [`NoAlarm`] where none is proposed.
pub fn cloudformation(proposals: &[Proposal]) -> Result<Export, NoAlarm> {
    let alarms = alarms(proposals)?;
    let mut resources = Map::new();
    for (proposal, alarm) in &alarms {
        let id = stack::unused(&resources, format!("{}LatencyAlarm", stack::logical_id(&proposal.subject())));
        resources.insert(id, stack::alarm_resource(alarm, None));
    }
    let subjects: Vec<String> = alarms.iter().map(|(proposal, _)| about(proposal)).collect();
    let text = stack::template(&format!("Latency alarms: {}", subjects.join("; ")), resources);
    Ok(Export { text, notes: vec![CREATES.to_owned()] })
}

/// Resources of Terraform's `aws` provider.
///
/// # Errors
/// [`NoAlarm`] where none is proposed.
pub fn terraform(proposals: &[Proposal]) -> Result<Export, NoAlarm> {
    let mut out = String::new();
    for (proposal, alarm) in alarms(proposals)? {
        if !out.is_empty() {
            out.push('\n');
        }
        let label = format!("{}_latency", hcl::resource_name(&proposal.subject()));
        let block = hcl::written(vec![hcl::alarm_block(alarm, &label, None)]);
        let _infallible = write!(out, "# {}\n\n{block}", about(proposal));
    }
    Ok(Export { text: out, notes: vec![REPLACES.to_owned()] })
}

fn alarms(proposals: &[Proposal]) -> Result<Vec<(&Proposal, &PutMetricAlarm)>, NoAlarm> {
    let alarms = proposals.iter().filter_map(|proposal| Some((proposal, proposal.put_metric_alarm.as_ref()?)));
    let alarms: Vec<_> = alarms.collect();
    if alarms.is_empty() {
        let why = |proposal: &Proposal| format!("{}: missing is {}", proposal.subject(), proposal.missing.join(", "));
        return Err(NoAlarm(proposals.iter().map(why).collect()));
    }
    Ok(alarms)
}

/// `orders/AllTraffic, proposed 2026-10-05T09:14:00Z`, for a comment.
fn about(proposal: &Proposal) -> String {
    format!("{}, proposed {}", proposal.subject(), proposal.at.strftime("%Y-%m-%dT%H:%M:%SZ"))
}
