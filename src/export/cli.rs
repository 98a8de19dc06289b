//! The plan as a shell script of the AWS CLI.

use super::{Export, NothingToExport, about, arn_command, parts, quoted};
use crate::model::{Plan, PutMetricAlarm, RegisterScalableTarget, Report};
use serde::Serialize;
use std::fmt::Write as _;

/// How a script begins: it ends with the first command that fails.
pub(super) const START: &str = "#!/bin/sh\nset -eu\n";

/// The requests of the plans, as they would be sent, in the order in which they are safe: what remembers the way back first, the
/// range last, because from then on SageMaker starts instances and refuses every other change.
///
/// # Errors
/// [`NothingToExport`] where no plan asks for anything.
pub fn cli(reports: &[Report]) -> Result<Export, NothingToExport> {
    let mut out = START.to_owned();
    for part in &parts(reports)? {
        let _infallible = write!(out, "\n# {}\n", about(part));
        for command in commands(part.plan) {
            let _infallible = writeln!(out, "{command}");
        }
    }
    Ok(Export { text: out, notes: Vec::new() })
}

/// The requests of a plan, in that order; none where it asks for nothing.
pub(crate) fn commands(plan: &Plan) -> Vec<String> {
    let Some(register) = &plan.register_scalable_target else { return Vec::new() };
    let is_new = plan.based_on.as_ref().is_none_or(|before| before.target.is_none());
    let scaling = |operation: &str, request: String| format!("aws application-autoscaling {operation} {request}");
    let tag = plan.tag_resource.iter().map(|tag| scaling("tag-resource", input(tag)));
    let first = plan.register_first.iter().map(|first| scaling("register-scalable-target", input(first)));
    let policies = plan.put_scaling_policies.iter().map(|policy| scaling("put-scaling-policy", input(policy)));
    let alarms = plan.put_metric_alarms.iter().map(|alarm| alarm_command(register, alarm));
    let gone = plan.delete_scaling_policies.iter().map(|policy| scaling("delete-scaling-policy", input(policy)));
    let timed = plan.put_scheduled_actions.iter().map(|action| scaling("put-scheduled-action", input(action)));
    // Policies and schedules need a target: one that is new and has no first range of its own is registered before them.
    let range = scaling("register-scalable-target", input(register));
    let (before, after) = match (is_new, &plan.register_first) {
        (true, None) => (Some(range), None),
        _ => (None, Some(range)),
    };
    tag.chain(first).chain(before).chain(policies).chain(alarms).chain(gone).chain(timed).chain(after).collect()
}

/// An alarm fires the policy by its ARN, which only AWS knows.
fn alarm_command(register: &RegisterScalableTarget, alarm: &PutMetricAlarm) -> String {
    let arn = arn_command(&register.key(), alarm.policy_name());
    format!("{} --alarm-actions \"$({arn})\"", put_metric_alarm(alarm))
}

pub(super) fn put_metric_alarm(alarm: &PutMetricAlarm) -> String {
    format!("aws cloudwatch put-metric-alarm {}", input(alarm))
}

/// A request as the AWS CLI takes it whole.
pub(crate) fn input<T: Serialize>(request: &T) -> String {
    let json = serde_json::to_string(request).unwrap_or_default();
    format!("--cli-input-json {}", quoted(&json))
}
