//! What leaves for SNS, whatever comes in.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{Evidence, OutcomeStatus, Report, Severity, Verdict};
use endpoint_advisor::report::{card, message, text};
use serde_json::Value;

const HOSTILE: &str = "a\"b'c<script>alert(1)</script>`rm -rf`\n@here <!channel> ünïcödé \u{1b}[31m & *bold*";

fn hostile() -> Report {
    let mut observation = observed("overload");
    observation.trigger.alarm_name = Some(HOSTILE.to_owned());
    observation.warnings.push(HOSTILE.to_owned());
    let mut report = explain(&observation, &settings(&[]));
    report.diagnosis.summary = HOSTILE.to_owned();
    report
}

#[test]
fn text_for_people_and_the_report_for_machines() {
    let report = explain(&observed("overload"), &settings(&[]));
    let message = message::render(&report);
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body["default"], body["email"]);
    assert_eq!(body["email"].as_str().unwrap(), text::render(&report));
    for protocol in ["sqs", "lambda", "https"] {
        let read: Report = serde_json::from_str(body[protocol].as_str().unwrap()).unwrap();
        assert_eq!(read, report);
    }
    let attributes: Vec<_> = message.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        attributes,
        ["verdict=overload", "action=scale", "status=recommended", "endpoint_name=orders", "severity=action_required"]
    );
    assert_eq!(message.subject, "orders/AllTraffic is overloaded: recommended 3 to 5 instances");
}

#[test]
fn how_much_a_report_asks_of_a_person() {
    let report = explain(&observed("overload"), &settings(&[]));
    let of = |status: OutcomeStatus, verdict: Verdict| {
        let mut report = report.clone();
        (report.outcome.status, report.diagnosis.verdict) = (status, verdict);
        report.severity()
    };
    for status in [OutcomeStatus::Applied, OutcomeStatus::RolledBack, OutcomeStatus::Relaxed] {
        assert_eq!(of(status, Verdict::Overload), Severity::ActionTaken, "{status:?}");
    }
    for status in [OutcomeStatus::Unchanged, OutcomeStatus::Verified] {
        assert_eq!(of(status, Verdict::Overload), Severity::Info, "{status:?}");
    }
    assert_eq!(of(OutcomeStatus::NotNeeded, Verdict::Transient), Severity::Info);
    assert_eq!(of(OutcomeStatus::NotNeeded, Verdict::SlowDependency), Severity::ActionRequired);
    for status in [OutcomeStatus::Recommended, OutcomeStatus::Failed, OutcomeStatus::Stale] {
        assert_eq!(of(status, Verdict::Overload), Severity::ActionRequired, "{status:?}");
    }
}

#[test]
fn hostile_names_come_out_inert() {
    let report = hostile();
    let subject = message::render(&report).subject;
    assert!(subject.len() < 100 && subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{subject}");
    let text = text::render(&report);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains("\n@here"));
    let card = card::render(&report);
    for field in ["title", "description"] {
        let shown = card["content"][field].as_str().unwrap();
        assert!(!shown.contains("<script") && !shown.contains("<!channel>"), "{shown}");
    }
}

#[test]
fn a_card_keeps_the_limits_of_its_schema() {
    let mut report = hostile();
    report.diagnosis.summary = "x".repeat(20_000);
    report.next_steps = vec!["&".repeat(400); 3];
    let card = card::render(&report);
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!((&card["version"], &card["source"]), (&Value::from("1.0"), &Value::from("custom")));
    assert!(length(&card["content"]["title"]) <= 250);
    assert!(length(&card["content"]["description"]) <= 8_000);
    assert!(card["content"]["nextSteps"].as_array().unwrap().iter().all(|step| length(step) <= 350));
    assert!(card["content"]["keywords"].as_array().unwrap().iter().all(|keyword| length(keyword) <= 75));
    assert!(card["metadata"]["additionalContext"].as_object().unwrap().values().all(Value::is_string));
}

#[test]
fn a_message_too_large_loses_evidence_first() {
    let mut report = explain(&observed("overload"), &settings(&[]));
    let fact = Evidence {
        signal: "x".to_owned(),
        supports: true,
        observed: None,
        expected: None,
        unit: String::new(),
        text: "y".repeat(1_000),
    };
    report.diagnosis.evidence = vec![fact; 200];
    let message = message::render(&report);
    assert!(message.body.len() <= 200 * 1024);
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let read: Value = serde_json::from_str(body["sqs"].as_str().unwrap()).unwrap();
    assert_eq!(read["truncated"], true);
    assert_eq!(read["diagnosis"]["verdict"], "overload");
}
