//! Plans as files of other tools. `tests/template/test_export.py` holds the same files against those tools' own checks.

use crate::convergence::applied;
use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::export::{cli, cloudformation, terraform};
use endpoint_advisor::model::{
    AlarmStatistic, DeleteScalingPolicy, InstanceCount, MetricDimension, Plan, PolicyConfiguration, PutMetricAlarm,
    PutScalingPolicy, PutScheduledAction, Report, ScalableKey, ScalableTargetAction, ScalingState, ScheduledAction,
    Seconds, StepAdjustmentRequest, StepScalingConfiguration,
};
use std::path::Path;

/// The policy of [`with_step_policy`].
pub const STEP_POLICY: &str = "endpoint-advisor-from-zero";

/// The plan with a step policy and its alarm besides.
pub fn with_step_policy(mut plan: Plan) -> Plan {
    let key = plan.register_scalable_target.as_ref().unwrap().key();
    let alarm_name = PutMetricAlarm::name_for(STEP_POLICY, &key);
    let ScalableKey { service_namespace, resource_id, scalable_dimension } = key;
    plan.put_scaling_policies.push(PutScalingPolicy {
        policy_name: STEP_POLICY.to_owned(),
        service_namespace,
        resource_id,
        scalable_dimension,
        policy_type: "StepScaling".to_owned(),
        configuration: PolicyConfiguration::Steps(StepScalingConfiguration {
            adjustment_type: "ChangeInCapacity".to_owned(),
            step_adjustments: vec![StepAdjustmentRequest {
                metric_interval_lower_bound: Some(0.0),
                metric_interval_upper_bound: None,
                scaling_adjustment: 1,
            }],
            min_adjustment_magnitude: None,
            cooldown: Seconds(300),
            metric_aggregation_type: "Average".to_owned(),
        }),
    });
    plan.put_metric_alarms.push(PutMetricAlarm {
        alarm_name,
        alarm_description: "Fires endpoint-advisor-from-zero".to_owned(),
        namespace: "AWS/SageMaker".to_owned(),
        metric_name: "HasBacklogWithoutCapacity".to_owned(),
        dimensions: vec![MetricDimension { name: "EndpointName".to_owned(), value: "orders".to_owned() }],
        statistic: AlarmStatistic::of("Average"),
        period: Seconds(60),
        evaluation_periods: 2,
        datapoints_to_alarm: 2,
        threshold: 1.0,
        comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
        treat_missing_data: "missing".to_owned(),
        evaluate_low_sample_count_percentile: None,
    });
    plan
}

/// Where nothing scales the endpoint yet.
fn new() -> Report {
    explain(&observed("overload"), &settings(&[]))
}

/// Where a smaller range, both policies and the alarm stand, and somebody's schedule; a policy of ours takes the place of another.
fn standing() -> Report {
    let observation = observed("overload");
    let report = explain(&observation, &settings(&[]));
    let mut plan = with_step_policy(report.plan.clone());
    let key = plan.register_scalable_target.as_ref().unwrap().key();
    let mut before = ScalingState::of(applied(&observation, &plan).scaling.as_ref().unwrap());
    before.target.as_mut().unwrap().max_capacity = InstanceCount(3);
    before.policies = plan.put_scaling_policies.iter().map(PutScalingPolicy::to_policy).collect();
    before.policies[0].target_tracking.as_mut().unwrap().target_value = 600.5;
    before.alarms = plan.put_metric_alarms.iter().map(PutMetricAlarm::to_alarm).collect();
    before.alarms[0].threshold = 2.0;
    before.scheduled_actions = vec![ScheduledAction {
        name: "weekend".to_owned(),
        schedule: "cron(0 0 ? * SAT *)".to_owned(),
        timezone: Some("Europe/Berlin".to_owned()),
        min_capacity: None,
        max_capacity: Some(InstanceCount(2)),
        end_time: None,
    }];
    plan.based_on = Some(before);
    let ScalableKey { service_namespace, resource_id, scalable_dimension } = key;
    plan.put_scheduled_actions = vec![PutScheduledAction {
        service_namespace: service_namespace.clone(),
        schedule: "cron(0 7 * * ? *)".to_owned(),
        scheduled_action_name: "endpoint-advisor-7".to_owned(),
        resource_id: resource_id.clone(),
        scalable_dimension: scalable_dimension.clone(),
        scalable_target_action: ScalableTargetAction { min_capacity: InstanceCount(3) },
    }];
    plan.delete_scaling_policies = vec![DeleteScalingPolicy {
        policy_name: "endpoint-advisor-utilization".to_owned(),
        service_namespace,
        resource_id,
        scalable_dimension,
    }];
    Report { plan: redigested(plan), ..report }
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports").join(name);
    expect_test::expect_file![path].assert_eq(text);
}

#[test]
fn a_new_set_up_is_one_file_for_each_tool() {
    let reports = [new()];
    let exported = cloudformation(&reports, false).unwrap();
    golden("new/template.json", &exported.text);
    assert!(exported.notes.is_empty(), "{:?}", exported.notes);
    golden("new/main.tf", &terraform(&reports).unwrap().text);
    golden("new/apply.sh", &cli(&reports).unwrap().text);
    let nothing = cloudformation(&reports, true).unwrap_err().to_string();
    assert_eq!(nothing, "no plan to export: orders/AllTraffic: nothing of it stands yet");
}

#[test]
fn only_what_stands_is_imported() {
    let mut report = standing();
    let before = report.plan.based_on.as_mut().unwrap();
    before.policies.retain(|policy| policy.policy_name == STEP_POLICY);
    let report = Report { plan: redigested(report.plan), ..report };
    let imported = |text: &str, name: &str| text.matches(name).count();
    let text = terraform(&[report]).unwrap().text;
    let blocks: Vec<&str> = text.split("\n\n").filter(|block| block.starts_with("import {")).collect();
    let of = |name: &str| blocks.iter().map(|block| imported(block, &format!("/{name}\""))).sum::<usize>();
    assert_eq!((of(STEP_POLICY), of("endpoint-advisor-invocations")), (1, 0), "{blocks:?}");
}

/// What is sent to machines; `tests/template/test_slack_webhook.py` shows it to Slack's own rules.
#[test]
fn reports_as_machines_get_them() {
    let mut observation = observed("overload");
    let json = |report: &Report| serde_json::to_string_pretty(report).unwrap() + "\n";
    golden("new/report.json", &json(&explain(&observation, &settings(&[]))));
    observation.trigger.alarm_name = Some("\"}]} <!channel> @here <https://x|y> `rm` 'x'\n*b* Ä".to_owned());
    observation.warnings.push("<script>alert(1)</script>".to_owned());
    golden("hostile/report.json", &json(&explain(&observation, &settings(&[]))));
}

#[test]
fn what_stands_is_imported_and_then_changed() {
    let reports = [standing()];
    let planned = cloudformation(&reports, false).unwrap();
    golden("standing/template.json", &planned.text);
    golden("standing/template-notes.txt", &(planned.notes.join("\n") + "\n"));
    let present = cloudformation(&reports, true).unwrap();
    golden("standing/present.json", &present.text);
    golden("standing/present-notes.txt", &(present.notes.join("\n") + "\n"));
    golden("standing/main.tf", &terraform(&reports).unwrap().text);
    golden("standing/apply.sh", &cli(&reports).unwrap().text);
}

#[test]
fn variants_share_a_file_and_keep_their_names() {
    let named = |endpoint: &str, variant: &str| {
        let mut observation = observed("overload");
        observation.endpoint_name = endpoint.parse().unwrap();
        observation.variant_name = Some(variant.parse().unwrap());
        explain(&observation, &settings(&[]))
    };
    let reports = [named("2nd-orders", "a-b"), named("2nd-orders", "aB")];
    let template: serde_json::Value = serde_json::from_str(&cloudformation(&reports, false).unwrap().text).unwrap();
    let names: Vec<&str> = template["Resources"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "2ndOrdersABScalableTarget",
            "2ndOrdersABEndpointAdvisorInvocations",
            "2ndOrdersABScalableTarget2",
            "2ndOrdersABEndpointAdvisorInvocations2"
        ]
    );
    let text = terraform(&reports).unwrap().text;
    for name in ["\"_2nd-orders_a-b\"", "\"_2nd-orders_aB\""] {
        assert!(text.contains(&format!("resource \"aws_appautoscaling_target\" {name} {{")), "{text}");
    }
}

#[test]
fn a_plan_to_hold_is_nothing_to_export() {
    let reports = [explain(&observed("slow-model"), &settings(&[]))];
    let said = "no plan to export: orders/AllTraffic: more instances would not remove the cause";
    for exported in [cloudformation(&reports, false), terraform(&reports), cli(&reports)] {
        assert_eq!(exported.unwrap_err().to_string(), said);
    }
}

fn redigested(mut plan: Plan) -> Plan {
    plan.digest = plan.digest_of_requests();
    plan
}

#[test]
fn a_plan_that_somebody_changed_is_not_exported() {
    let mut report = new();
    report.plan.put_scaling_policies[0].policy_name = "x; rm -rf ~".to_owned();
    let reports = [report];
    for exported in [cloudformation(&reports, false), terraform(&reports), cli(&reports)] {
        assert!(exported.unwrap_err().to_string().contains("changed after it was made"));
    }
}

#[test]
fn a_name_is_one_word_of_the_shell() {
    let mut report = standing();
    let policy = "endpoint-advisor-'$(id)'";
    report.plan.put_metric_alarms[0].alarm_name = format!("{policy}/endpoint/orders/variant/AllTraffic");
    report.plan = redigested(report.plan);
    let script = cli(&[report]).unwrap().text;
    assert!(script.contains(r"--policy-names 'endpoint-advisor-'\''$(id)'\''' --query"), "{script}");
}
