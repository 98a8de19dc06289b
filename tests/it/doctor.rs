//! The doctor: each rule with a set-up that breaks it, as people read it, and one that does not.
//!
//! `UPDATE_EXPECT=1 cargo test` rewrites the files under `tests/doctor/` and the table in `docs/rules.md`.

mod alarms;
#[cfg(feature = "aws")]
mod cli;
mod hosting;
mod laws;
mod orphans;
mod policies;
mod range;

use crate::endpoint::{at, observed, settings, tracking};
use crate::scenarios::with_target;
use endpoint_advisor::doctor::{Checkup, Finding, RULES, examine, text};
use endpoint_advisor::model::{
    CloudWatchAlarm, InstanceCount, MetricDimension, Observation, ScalableKey, ScalingPolicy, Seconds, WatchedMetric,
};
use jiff::SignedDuration;
use std::path::Path;
use std::sync::LazyLock;

/// Two days of `orders/AllTraffic` with a set-up that nothing is wrong with.
pub static SOUND: LazyLock<Observation> = LazyLock::new(|| {
    let policy = tracking("load", "SageMakerVariantInvocationsPerInstance", 500.0);
    let mut observation = with_target(observed("overload"), 2, 8, Some(policy));
    observation.variant.initial_instance_count = observation.variant.current_instance_count;
    observation.alarms = Some(vec![latency_alarm(), fired_by("load", "AlarmHigh"), fired_by("load", "AlarmLow")]);
    observation
});

pub fn dimensions(all: &[(&str, &str)]) -> Vec<MetricDimension> {
    all.iter().map(|(name, value)| MetricDimension { name: (*name).to_owned(), value: (*value).to_owned() }).collect()
}

pub const OWN: [(&str, &str); 2] = [("EndpointName", "orders"), ("VariantName", "AllTraffic")];

/// An alarm on p90 above 500 ms.
pub fn latency_alarm() -> CloudWatchAlarm {
    CloudWatchAlarm {
        alarm_name: "endpoint-latency-orders".to_owned(),
        metrics: vec![WatchedMetric {
            namespace: "AWS/SageMaker".to_owned(),
            metric_name: "ModelLatency".to_owned(),
            dimensions: dimensions(&OWN),
            statistic: "p90".to_owned(),
            period: Seconds(60),
            unit: None,
        }],
        comparison_operator: "GreaterThanThreshold".to_owned(),
        threshold: Some(500_000.0),
        evaluation_periods: 3,
        datapoints_to_alarm: 3,
        treat_missing_data: Some("notBreaching".to_owned()),
        actions_enabled: true,
        alarm_actions: vec!["arn:aws:sns:us-east-1:111122223333:on-call".to_owned()],
        state: "OK".to_owned(),
        state_since: Some(at() - SignedDuration::from_hours(30)),
        ..CloudWatchAlarm::default()
    }
}

/// An alarm as Application Auto Scaling makes it for a policy.
pub fn fired_by(policy: &str, end: &str) -> CloudWatchAlarm {
    let mut alarm = latency_alarm();
    alarm.alarm_name = format!("TargetTracking-endpoint/orders/variant/AllTraffic-{end}-1a2b");
    alarm.metrics[0].metric_name = "InvocationsPerInstance".to_owned();
    alarm.metrics[0].statistic = "Sum".to_owned();
    alarm.threshold = Some(500.0);
    if end == "AlarmLow" {
        alarm.comparison_operator = "LessThanThreshold".to_owned();
    }
    let key = ScalableKey::of_variant(&"orders".parse().unwrap(), &"AllTraffic".parse().unwrap());
    alarm.alarm_actions = vec![format!(
        "arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:1a2b:resource/sagemaker/{}:policyName/{policy}:createdBy/3c4d",
        key.resource_id
    )];
    alarm
}

/// The sound set-up after a change.
pub fn but(change: impl FnOnce(&mut Observation)) -> Observation {
    let mut observation = SOUND.clone();
    change(&mut observation);
    observation
}

/// The sound set-up with this one policy, and its alarms.
pub fn with_policy(policy: ScalingPolicy) -> Observation {
    but(|observation| {
        let fires = [fired_by(&policy.policy_name, "AlarmHigh"), fired_by(&policy.policy_name, "AlarmLow")];
        observation.scaling.as_mut().unwrap().policies = vec![policy];
        observation.alarms = Some([latency_alarm()].into_iter().chain(fires).collect());
    })
}

pub fn count(count: u32) -> Option<InstanceCount> {
    Some(InstanceCount(count))
}

pub fn found(rule: &str, observation: &Observation) -> Vec<Finding> {
    let checkup = examine(std::slice::from_ref(observation), None, &settings(&[]));
    checkup.findings.into_iter().filter(|finding| finding.rule == rule).collect()
}

/// What people read where the rule is broken, as the golden file has it; and that it says nothing of `sound`.
pub fn check(rule: &str, name: &str, broken: &Observation, sound: &[&Observation]) {
    let findings = found(rule, broken);
    assert!(!findings.is_empty(), "{rule} says nothing of {name}");
    shown(rule, name, findings);
    for sound in sound {
        let said = found(rule, sound);
        assert!(said.is_empty(), "{rule} says of what is sound: {said:?}");
    }
}

/// The findings against the golden file.
pub fn shown(rule: &str, name: &str, findings: Vec<Finding>) {
    let text = text::render(&Checkup { endpoints: 1, findings, ..Checkup::default() });
    for line in text.lines().filter(|line| !line.contains(" aws ") && !line.contains(" endpoint-advisor ")) {
        assert!(line.chars().count() <= 78, "{line}");
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/doctor/{rule}-{name}.txt"));
    expect_test::expect_file![golden].assert_eq(&text);
}

#[test]
fn nothing_is_said_of_a_sound_set_up() {
    let checkup = examine(std::slice::from_ref(&SOUND), None, &settings(&[]));
    assert_eq!(checkup.findings, []);
}

#[test]
fn every_rule_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor");
    let files: Vec<String> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for rule in &RULES {
        assert!(files.iter().any(|file| file.starts_with(rule.id)), "no golden file shows {}", rule.id);
    }
    let numbers: Vec<String> = (1..=RULES.len()).map(|number| format!("EA{number:03}")).collect();
    assert_eq!(RULES.map(|rule| rule.id).to_vec(), numbers, "by number, none twice");
}

#[test]
fn the_documented_table_is_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let documented = std::fs::read_to_string(&path).unwrap();
    let rows = RULES.iter().map(|rule| {
        format!(
            "| {} | {} | {} | {}: {} | {} | {} |\n",
            rule.id, rule.title, rule.why, rule.severity, rule.because, rule.shown_by, rule.remedy
        )
    });
    let table: String = rows.collect();
    let before = documented.lines().take_while(|line| !line.starts_with("| EA"));
    let before: String = before.map(|line| format!("{line}\n")).collect();
    let after =
        documented.lines().skip_while(|line| !line.starts_with("| EA")).skip_while(|line| line.starts_with("| EA"));
    let after: String = after.map(|line| format!("{line}\n")).collect();
    expect_test::expect_file![path].assert_eq(&format!("{before}{table}{after}"));
}
