//! The plan as Terraform, with import blocks for what stands.

use super::{Export, NothingToExport, Part, about, deletions, parts};
use crate::model::{
    AlarmStatistic, MetricSpecification, PolicyConfiguration, PutMetricAlarm, PutScalingPolicy, PutScheduledAction,
    Report, StepScalingConfiguration, TargetTrackingConfiguration,
};
use hcl::expr::{Expression, Traversal, TraversalOperator, Variable};
use hcl::{Block, Body, Identifier};
use std::fmt::Write as _;

/// Resources of the `aws` provider for the plans. Terraform 1.5 or newer, for the import blocks: `terraform plan` shows what is
/// taken over and what changes about it, before → after.
///
/// # Errors
/// [`NothingToExport`] where no plan asks for anything.
pub fn terraform(reports: &[Report]) -> Result<Export, NothingToExport> {
    let parts = parts(reports)?;
    let mut out = String::new();
    for part in &parts {
        if !out.is_empty() {
            out.push('\n');
        }
        let _infallible = write!(out, "# {}\n\n{}", about(part), written(blocks(part)));
    }
    let notes: Vec<String> = deletions(&parts).collect();
    for note in &notes {
        let _infallible = write!(out, "\n# {note}\n");
    }
    Ok(Export { text: out, notes })
}

fn blocks(part: &Part<'_>) -> Vec<Block> {
    let name = resource_name(&part.report.subject());
    let key = part.register.key();
    let scalable = format!("{}/{}/{}", key.service_namespace, key.resource_id, key.scalable_dimension);
    let mut blocks = Vec::new();
    if part.before.target.is_some() {
        blocks.push(import("aws_appautoscaling_target", &name, &scalable));
    }
    blocks.push(
        resource("aws_appautoscaling_target", &name)
            .add_attribute(("service_namespace", key.service_namespace))
            .add_attribute(("resource_id", key.resource_id))
            .add_attribute(("scalable_dimension", key.scalable_dimension))
            .add_attribute(("min_capacity", part.register.min_capacity.0))
            .add_attribute(("max_capacity", part.register.max_capacity.0))
            .build(),
    );
    for policy in &part.plan.put_scaling_policies {
        let label = format!("{name}_{}", policy.policy_name);
        if part.before.policies.iter().any(|before| before.policy_name == policy.policy_name) {
            blocks.push(import("aws_appautoscaling_policy", &label, &format!("{scalable}/{}", policy.policy_name)));
        }
        blocks.push(policy_block(policy, &name, &label));
    }
    for alarm in &part.plan.put_metric_alarms {
        let label = format!("{name}_{}", alarm.policy_name());
        if part.before.alarms.iter().any(|before| before.alarm_name == alarm.alarm_name) {
            blocks.push(import("aws_cloudwatch_metric_alarm", &label, &alarm.alarm_name));
        }
        blocks.push(alarm_block(alarm, &label, Some(&label)));
    }
    // The provider imports no scheduled action; putting one of the same name again makes it what it should be.
    blocks.extend(part.plan.put_scheduled_actions.iter().map(|action| schedule_block(action, &name)));
    blocks
}

fn policy_block(policy: &PutScalingPolicy, target: &str, label: &str) -> Block {
    let block = resource("aws_appautoscaling_policy", label)
        .add_attribute(("name", policy.policy_name.as_str()))
        .add_attribute(("policy_type", policy.policy_type.as_str()));
    let block = of_target(block, target);
    match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => block.add_block(tracking_block(tracking)),
        PolicyConfiguration::Steps(steps) => block.add_block(steps_block(steps)),
    }
    .build()
}

fn tracking_block(tracking: &TargetTrackingConfiguration) -> Block {
    let block = Block::builder("target_tracking_scaling_policy_configuration")
        .add_attribute(("target_value", Expression::from(tracking.target_value)))
        .add_attribute(("scale_out_cooldown", tracking.scale_out_cooldown.0))
        .add_attribute(("scale_in_cooldown", tracking.scale_in_cooldown.0))
        .add_attribute(("disable_scale_in", tracking.disable_scale_in));
    let metric = match &tracking.metric {
        MetricSpecification::Predefined(metric) => Block::builder("predefined_metric_specification")
            .add_attribute(("predefined_metric_type", metric.predefined_metric_type.as_str()))
            .build(),
        MetricSpecification::Customized(metric) => {
            let block = Block::builder("customized_metric_specification")
                .add_attribute(("namespace", metric.namespace.as_str()))
                .add_attribute(("metric_name", metric.metric_name.as_str()))
                .add_attribute(("statistic", metric.statistic.as_str()));
            let block = match &metric.unit {
                Some(unit) => block.add_attribute(("unit", unit.as_str())),
                None => block,
            };
            let dimension = |dimension: &crate::model::MetricDimension| {
                Block::builder("dimensions")
                    .add_attribute(("name", dimension.name.as_str()))
                    .add_attribute(("value", dimension.value.as_str()))
                    .build()
            };
            block.add_blocks(metric.dimensions.iter().map(dimension)).build()
        }
    };
    block.add_block(metric).build()
}

fn steps_block(steps: &StepScalingConfiguration) -> Block {
    let block = Block::builder("step_scaling_policy_configuration")
        .add_attribute(("adjustment_type", steps.adjustment_type.as_str()))
        .add_attribute(("cooldown", steps.cooldown.0))
        .add_attribute(("metric_aggregation_type", steps.metric_aggregation_type.as_str()));
    let block = match steps.min_adjustment_magnitude {
        Some(least) => block.add_attribute(("min_adjustment_magnitude", least)),
        None => block,
    };
    let step = |step: &crate::model::StepAdjustmentRequest| {
        let bounds = [
            ("metric_interval_lower_bound", step.metric_interval_lower_bound),
            ("metric_interval_upper_bound", step.metric_interval_upper_bound),
        ];
        let bounds = bounds.into_iter().filter_map(|(name, bound)| Some((name, Expression::from(bound?))));
        let block = Block::builder("step_adjustment").add_attributes(bounds);
        block.add_attribute(("scaling_adjustment", step.scaling_adjustment)).build()
    };
    block.add_blocks(steps.step_adjustments.iter().map(step)).build()
}

/// An alarm; with `policy`, one that fires it.
pub(super) fn alarm_block(alarm: &PutMetricAlarm, label: &str, policy: Option<&str>) -> Block {
    let dimensions = alarm.dimensions.iter().map(|dimension| (dimension.name.clone(), dimension.value.clone()));
    let statistic = match &alarm.statistic {
        AlarmStatistic::Statistic(name) => ("statistic", name.as_str()),
        AlarmStatistic::ExtendedStatistic(name) => ("extended_statistic", name.as_str()),
    };
    let few = alarm.evaluate_low_sample_count_percentile.as_deref();
    let actions = policy.map(|policy| vec![attribute("aws_appautoscaling_policy", policy, "arn")]);
    resource("aws_cloudwatch_metric_alarm", label)
        .add_attribute(("alarm_name", alarm.alarm_name.as_str()))
        .add_attribute(("alarm_description", alarm.alarm_description.as_str()))
        .add_attribute(("namespace", alarm.namespace.as_str()))
        .add_attribute(("metric_name", alarm.metric_name.as_str()))
        .add_attribute(("dimensions", Expression::from_iter(dimensions)))
        .add_attribute(statistic)
        .add_attribute(("period", alarm.period.0))
        .add_attribute(("evaluation_periods", alarm.evaluation_periods))
        .add_attribute(("datapoints_to_alarm", alarm.datapoints_to_alarm))
        .add_attribute(("threshold", Expression::from(alarm.threshold)))
        .add_attribute(("comparison_operator", alarm.comparison_operator.as_str()))
        .add_attribute(("treat_missing_data", alarm.treat_missing_data.as_str()))
        .add_attributes(few.map(|few| ("evaluate_low_sample_count_percentiles", few)))
        .add_attributes(actions.map(|actions| ("alarm_actions", actions)))
        .build()
}

fn schedule_block(action: &PutScheduledAction, target: &str) -> Block {
    let name = &action.scheduled_action_name;
    let block = resource("aws_appautoscaling_scheduled_action", &format!("{target}_{name}"))
        .add_attribute(("name", name.as_str()));
    let range = Block::builder("scalable_target_action")
        .add_attribute(("min_capacity", action.scalable_target_action.min_capacity.0))
        .build();
    of_target(block, target).add_attribute(("schedule", action.schedule.as_str())).add_block(range).build()
}

fn resource(kind: &str, name: &str) -> hcl::structure::BlockBuilder {
    Block::builder("resource").add_labels([kind, name])
}

fn import(kind: &str, name: &str, id: &str) -> Block {
    let to = Traversal::new(variable(kind), [TraversalOperator::GetAttr(Identifier::sanitized(name))]);
    Block::builder("import").add_attribute(("to", to)).add_attribute(("id", id)).build()
}

/// What names the scalable target, taken from it, so that Terraform makes it first.
fn of_target(block: hcl::structure::BlockBuilder, target: &str) -> hcl::structure::BlockBuilder {
    let names = ["service_namespace", "resource_id", "scalable_dimension"];
    block.add_attributes(names.map(|name| (name, attribute("aws_appautoscaling_target", target, name))))
}

/// `kind.name.attribute`.
fn attribute(kind: &str, name: &str, attribute: &str) -> Expression {
    let operators = [name, attribute].map(|name| TraversalOperator::GetAttr(Identifier::sanitized(name)));
    Traversal::new(variable(kind), operators).into()
}

fn variable(kind: &str) -> Variable {
    Variable::sanitized(kind)
}

/// `orders/AllTraffic` as `orders_AllTraffic`: SageMaker's names have no underscore, so two never become one. A Terraform name
/// does not begin with a digit.
pub(super) fn resource_name(subject: &str) -> String {
    let name = subject.replace('/', "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// As `terraform fmt` writes it: a blank line between blocks, before nested ones too, and `=` under `=`.
pub(super) fn written(blocks: Vec<Block>) -> String {
    let text: Vec<String> =
        blocks.into_iter().filter_map(|block| hcl::format::to_string(&Body::from_iter([block])).ok()).collect();
    aligned(&text.join("\n"))
}

/// Puts the `=` of neighbouring lines of one depth under each other.
fn aligned(text: &str) -> String {
    let key = |line: &str| {
        let (key, _) = line.split_once(" = ")?;
        let is_open = line.ends_with('{') || line.ends_with('[');
        (!is_open && !key.trim_start().contains(' ')).then_some(key.len())
    };
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    let runs = lines.chunk_by(|a, b| key(a).is_some() && key(b).is_some() && depth(a) == depth(b));
    for run in runs {
        let width = run.iter().filter_map(|line| key(line)).max().unwrap_or(0);
        for line in run {
            let _infallible = match (key(line), line.split_once(" = ")) {
                (Some(_), Some((key, value))) => writeln!(out, "{key:width$} = {value}"),
                _ => writeln!(out, "{line}"),
            };
        }
    }
    out
}
