//! What CloudWatch counts of the advisor, held against the rules of its embedded metric format.

use crate::endpoint::{at, observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{Change, OutcomeStatus, Report, TriggerKind};
use endpoint_advisor::report::emf;
use jiff::ToSpan;
use serde_json::{Value, json};

fn reported() -> Report {
    explain(&observed("overload"), &settings(&[]))
}

/// Each metric of a line, as (name, unit, dimensions, value).
fn metrics(line: &Value) -> Vec<(String, String, Vec<String>, Value)> {
    let mut found = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], emf::NAMESPACE);
        for dimensions in directive["Dimensions"].as_array().unwrap() {
            let names: Vec<&str> = dimensions.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            let values: Vec<String> = names.iter().map(|name| line[*name].as_str().unwrap().to_owned()).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number(), "{name} is a member of the root");
                let dimensions =
                    names.iter().zip(values.clone()).map(|(name, value)| format!("{name}={value}")).collect();
                found.push((
                    name.to_owned(),
                    metric["Unit"].as_str().unwrap().to_owned(),
                    dimensions,
                    line[name].clone(),
                ));
            }
        }
    }
    found
}

fn metric(
    name: &str,
    unit: &str,
    dimensions: &[&str],
    value: impl Into<Value>,
) -> (String, String, Vec<String>, Value) {
    (name.to_owned(), unit.to_owned(), dimensions.iter().map(|text| (*text).to_owned()).collect(), value.into())
}

#[test]
fn a_report_is_counted_by_verdict_and_by_what_came_of_it() {
    let mut report = reported();
    report.trigger.changed_at = Some(at());
    report.outcome.status = OutcomeStatus::Applied;
    let change = |operation: &str| Change {
        operation: operation.to_owned(),
        before: "absent".to_owned(),
        after: "min=3 max=5".to_owned(),
    };
    report.outcome.changes = vec![change("RegisterScalableTarget"), change("PutScalingPolicy")];
    let line = emf::of_report(&report, at() + 95.seconds());
    assert_eq!(
        metrics(&line),
        [
            metric("Reports", "Count", &["Verdict=overload"], 1),
            metric("Reports", "Count", &["Status=applied"], 1),
            metric("Changes", "Count", &[], 2),
            metric("SecondsSinceAlarm", "Seconds", &[], 95),
        ]
    );
    assert_eq!(line["_aws"]["Timestamp"], json!((at() + 95.seconds()).as_millisecond()));
}

#[test]
fn only_the_answer_to_an_alarm_says_how_long_it_took() {
    let mut report = reported();
    report.trigger.changed_at = Some(at());
    for (kind, state, expected) in [
        (TriggerKind::EventbridgeAlarm, Some("ALARM"), true),
        (TriggerKind::EventbridgeAlarm, Some("OK"), false),
        (TriggerKind::FollowUp, Some("ALARM"), false),
        (TriggerKind::Manual, None, false),
    ] {
        report.trigger.kind = kind;
        report.trigger.state = state.map(str::to_owned);
        let line = emf::of_report(&report, at());
        assert_eq!(line.get("SecondsSinceAlarm").is_some(), expected, "{kind:?} {state:?}");
        assert_eq!(metrics(&line).iter().any(|(name, ..)| name == "SecondsSinceAlarm"), expected);
    }
}

#[test]
fn no_metric_is_made_for_an_endpoint() {
    let report = reported();
    let line = emf::of_report(&report, at()).to_string();
    for name in [report.endpoint_name.to_string(), report.variant_name.unwrap().to_string()] {
        assert!(!line.contains(&name), "{line}");
    }
}

#[test]
fn a_line_is_one_line() {
    for line in [emf::of_report(&reported(), at()), emf::of_event(31, at())] {
        assert!(!line.to_string().contains('\n'));
    }
    assert_eq!(metrics(&emf::of_event(31, at())), [metric("ApiCalls", "Count", &[], 31)]);
}
