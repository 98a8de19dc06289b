//! Answers that got lost on the way, and those that say nothing.

use super::fake::{Answer, Fake};
use super::incidents::settings_with;
use super::*;
use ciborium::Value as Cbor;

const NOTHING: fn() -> Answer = || Answer::Cbor(Cbor::Map(Vec::new()));

#[test]
fn an_event_by_hand_whose_memory_was_written_without_an_answer_is_done() {
    let fake = Fake::with(&OVERLOAD);
    fake.lose(|operation, _| operation == "UpdateSchedule");
    let report = report(&fake, &settings_with("apply"), by_hand());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    assert_eq!(fake.published().len(), 1);
    let last =
        fake.asked().into_iter().map(|(operation, _)| operation).rfind(|operation| operation.ends_with("Schedule"));
    assert_eq!(last.as_deref(), Some("GetSchedule"), "what is there is read");
}

#[test]
fn a_memory_that_was_not_written_is_not_taken_for_written() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("UpdateSchedule", vec![Answer::Error(500, "InternalServerException", "down")]);
    let failed = answer(&fake, &settings_with("apply"), by_hand()).unwrap_err();
    assert_eq!(failed.error_type(), "WriteFailed");
}

#[test]
fn an_alarm_list_that_is_absent_is_no_alarm_that_is_missing() {
    for operation in ["DescribeAlarms", "DescribeAlarmsForMetric"] {
        let fake = Fake::with(&OVERLOAD);
        fake.answer("ListEndpoints", json!({"Endpoints": [{
            "EndpointName": "orders", "EndpointArn": "arn", "CreationTime": 1.0, "LastModifiedTime": 1.0, "EndpointStatus": "InService",
        }]}));
        fake.answer("GetProducts", json!({"PriceList": []}));
        fake.script(operation, vec![NOTHING()]);
        let summary = answer(&fake, &TOPICS, json!({"audit": {}})).unwrap().summary.unwrap();
        let said = serde_json::to_string(&summary).unwrap();
        assert!(said.contains(&format!("cloudwatch:{operation}")), "{said}");
    }
}

#[test]
fn tags_that_an_incident_wrote_and_that_do_not_come_back_count_as_unread() {
    for (tags, is_doubted) in [(json!({}), true), (json!({"endpoint-advisor:before": "absent"}), false)] {
        let fake = Fake::with(&OVERLOAD);
        assert_eq!(report(&fake, &settings_with("apply"), alarm()).outcome.status, OutcomeStatus::Applied);
        let memory = fake.schedules().into_values().next().unwrap()["Target"]["Input"].clone();
        let event = serde_json::from_str(memory.as_str().unwrap()).unwrap();
        fake.answer("DescribeScalableTargets", target(2, 5));
        fake.answer("ListTagsForResource", json!({"Tags": tags}));
        let report = report(&fake, &settings_with("apply"), event);
        let is_said =
            report.warnings.iter().any(|warning| warning.contains("application-autoscaling:ListTagsForResource"));
        assert_eq!(is_said, is_doubted, "{:?}", report.warnings);
    }
}
