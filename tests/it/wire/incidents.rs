//! One schedule per incident: what is remembered, in which order, and what a second event finds.

use super::fake::{Answer, Fake};
use super::*;
use endpoint_advisor::model::{IncidentKey, Phase};
use std::slice::from_ref;

const FOLLOW_UP: [(&str, &str); 3] = [
    ("ADVISOR_FOLLOW_UP_TARGET_ARN", "arn:aws:sqs:us-east-1:111122223333:events"),
    ("ADVISOR_FOLLOW_UP_ROLE_ARN", "arn:aws:iam::111122223333:role/follow-up"),
    ("ADVISOR_FOLLOW_UP_GROUP", "advisor"),
];

/// A function that follows up, in this mode.
pub fn settings_with(mode: &'static str) -> Vec<(&'static str, &'static str)> {
    FOLLOW_UP.into_iter().chain([("ADVISOR_MODE", mode), TOPICS[0]]).collect()
}

/// The operations that change or remember something, in their order.
fn acts(fake: &Fake) -> Vec<String> {
    let reads = |operation: &str| ["Describe", "List"].iter().any(|prefix| operation.starts_with(prefix));
    let asked = fake.asked().into_iter().map(|(operation, _)| operation);
    asked.filter(|operation| !reads(operation) && operation != "GetMetricData").collect()
}

fn name() -> String {
    let endpoint_name = EndpointName::parse("orders").unwrap();
    IncidentKey { region: "us-east-1".to_owned(), endpoint_name, part: "AllTraffic".to_owned() }.schedule_name()
}

/// What the one schedule remembers.
fn memory(fake: &Fake) -> Value {
    let schedules = fake.schedules();
    let input = schedules[&name()]["Target"]["Input"].as_str().unwrap();
    serde_json::from_str::<Value>(input).unwrap()["follow_up"].clone()
}

#[test]
fn what_is_done_is_remembered_before_and_told_after() {
    let fake = Fake::with(&OVERLOAD);
    let report = report(&fake, &settings_with("apply"), alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Applied);
    let expected = [
        "GetSchedule",
        "CreateSchedule",
        "RegisterScalableTarget",
        "PutScalingPolicy",
        "RegisterScalableTarget",
        "Publish",
        "UpdateSchedule",
    ];
    assert_eq!(acts(&fake), expected);
    let schedule = &fake.schedules()[&name()];
    assert!(name().starts_with("ea-") && name().len() == 35);
    assert_eq!(schedule["ActionAfterCompletion"], "NONE");
    assert_eq!(schedule["FlexibleTimeWindow"]["Mode"], "OFF");
    assert_eq!(schedule["Target"]["Arn"], FOLLOW_UP[0].1);
    assert_eq!(schedule["Target"]["RoleArn"], FOLLOW_UP[1].1);
    // Six minutes until instances serve, ten until they can be judged.
    assert_eq!(schedule["ScheduleExpression"], "at(2026-10-05T09:36:00)");
    let memory = memory(&fake);
    assert_eq!(memory["claim"], Value::Null);
    assert_eq!(memory["written"]["before"], json!({"target": null, "policies": []}));
    assert_eq!(memory["id"], report.id.as_str());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn the_same_alarm_again_asks_for_nothing_but_the_schedule() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("apply"), alarm());
    fake.forget();
    for _ in 0..100 {
        let again = answer(&fake, &settings_with("apply"), alarm()).unwrap();
        assert!(again.reports.is_empty() && again.ignored.is_some());
    }
    assert_eq!(fake.operations(), ["GetSchedule"]);
    assert_eq!(fake.asked().len(), 100);
}

#[test]
fn another_alarm_of_the_variant_is_heard_and_says_nothing_new() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("apply"), alarm());
    fake.forget();
    let mut other = alarm();
    other["detail"]["alarmName"] = json!("endpoint-latency-orders-p99");
    let joined = answer(&fake, &settings_with("apply"), other).unwrap();
    assert!(joined.reports.is_empty(), "{joined:?}");
    assert_eq!(acts(&fake), ["GetSchedule", "GetSchedule", "UpdateSchedule"], "read again before it is written");
    assert_eq!(memory(&fake)["alarms"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_process_left_behind_is_finished_by_the_next() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("PutScalingPolicy", vec![THROTTLED]);
    assert_eq!(answer(&fake, &settings_with("apply"), alarm()).unwrap_err().error_type(), "WriteFailed");
    assert_ne!(memory(&fake)["claim"], Value::Null);
    assert_eq!(fake.published().len(), 0);
    fake.answer("PutScalingPolicy", json!({"PolicyARN": "arn:policy"}));
    fake.forget();
    let later = at() + SignedDuration::from_mins(6);
    let (finished, _) = answer_at(&fake, &settings_with("apply"), alarm(), later);
    assert_eq!(finished.unwrap().reports[0].outcome.status, OutcomeStatus::Applied);
    assert_eq!(fake.published().len(), 1);
    assert_eq!(memory(&fake)["claim"], Value::Null);
    assert!(!fake.operations().contains(&"GetMetricData".to_owned()), "what was decided is not decided again");
}

#[test]
fn what_was_left_behind_for_too_long_is_told_and_not_written() {
    let fake = Fake::with(&OVERLOAD);
    fake.script("RegisterScalableTarget", vec![THROTTLED]);
    answer(&fake, &settings_with("apply"), alarm()).unwrap_err();
    fake.forget();
    let later = at() + SignedDuration::from_mins(40);
    let (finished, _) = answer_at(&fake, &settings_with("apply"), alarm(), later);
    let outcome = &finished.unwrap().reports[0].outcome;
    assert_eq!((outcome.status, outcome.reason.as_str()), (OutcomeStatus::Refused, "stale_event"));
    assert_eq!(fake.writes(), []);
    assert_eq!(fake.published().len(), 1);
}

#[test]
fn a_message_that_could_not_be_delivered_is_delivered_by_the_next() {
    let fake = Fake::with(&OVERLOAD);
    let failing = Answer::Error(500, "InternalError", "again");
    fake.script("Publish", vec![failing]);
    assert_eq!(answer(&fake, &settings_with("recommend"), alarm()).unwrap_err().error_type(), "DeliveryFailed");
    let good = Fake::with(&OVERLOAD);
    good.schedule(&name(), fake.schedules()[&name()].clone());
    let later = at() + SignedDuration::from_mins(6);
    let (finished, _) = answer_at(&good, &settings_with("recommend"), alarm(), later);
    assert_eq!(finished.unwrap().reports[0].outcome.status, OutcomeStatus::Recommended);
    assert_eq!(good.published().len(), 1);
}

#[test]
fn without_a_memory_nothing_is_written_and_people_are_told() {
    for operation in ["GetSchedule", "CreateSchedule"] {
        for error in [DENIED, THROTTLED, Answer::Error(500, "InternalServerException", "down")] {
            let fake = Fake::with(&OVERLOAD);
            fake.script(operation, vec![error]);
            let report = report(&fake, &settings_with("apply"), alarm());
            assert_eq!(
                (report.outcome.status, report.outcome.reason.as_str()),
                (OutcomeStatus::Refused, "no_follow_up")
            );
            assert!(report.warnings.iter().any(|warning| warning.contains(&format!("scheduler:{operation}"))));
            assert_eq!(fake.writes(), []);
            assert_eq!(fake.published().len(), 1);
        }
    }
}

#[test]
fn recommend_mode_remembers_too_and_writes_no_scaling() {
    let fake = Fake::with(&OVERLOAD);
    let report = report(&fake, &settings_with("recommend"), alarm());
    assert_eq!(report.outcome.status, OutcomeStatus::Recommended);
    assert_eq!(acts(&fake), ["GetSchedule", "CreateSchedule", "Publish", "UpdateSchedule"]);
    assert_eq!(memory(&fake)["written"], Value::Null);
}

#[test]
fn a_plan_that_is_approved_is_written_into_the_open_incident() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("ListTags", json!({"Tags": [{"Key": "endpoint-advisor:mode", "Value": "recommend"}]}));
    let recommended = report(&fake, &settings_with("apply"), alarm());
    assert_eq!(recommended.outcome.status, OutcomeStatus::Recommended);
    assert!(recommended.can_be_approved);
    fake.forget();
    let approval = |digest: &str| {
        json!({"apply": {
            "endpoint_name": "orders", "variant_name": "AllTraffic", "latency_slo_ms": 500, "plan_digest": digest,
        }})
    };
    let other = report(&fake, &settings_with("apply"), approval("000000000000"));
    assert_eq!(other.outcome.status, OutcomeStatus::Stale);
    assert_eq!(fake.writes(), []);
    let approved = report(&fake, &settings_with("apply"), approval(&recommended.plan.digest));
    assert_eq!(approved.outcome.status, OutcomeStatus::Applied);
    assert_eq!(approved.thread(), recommended.id, "it is told in the same thread");
    assert_eq!(memory(&fake)["written"]["relax"]["MinCapacity"], 2);
}

#[test]
fn an_approval_is_not_lost_in_what_it_finds_half_done() {
    let fake = Fake::with(&OVERLOAD);
    fake.answer("ListTags", json!({"Tags": [{"Key": "endpoint-advisor:mode", "Value": "recommend"}]}));
    fake.script("Publish", vec![Answer::Error(500, "InternalError", "again")]);
    answer(&fake, &settings_with("apply"), alarm()).unwrap_err();
    assert_ne!(memory(&fake)["claim"], Value::Null);
    let good = Fake::with(&OVERLOAD);
    good.answer("ListTags", json!({"Tags": [{"Key": "endpoint-advisor:mode", "Value": "recommend"}]}));
    good.schedule(&name(), fake.schedules()[&name()].clone());
    let digest = memory(&fake)["claim"]["report"]["plan"]["digest"].clone();
    let approval = json!({"apply": {"endpoint_name": "orders", "variant_name": "AllTraffic", "plan_digest": digest}});
    let approved = report(&good, &settings_with("apply"), approval);
    assert_eq!(approved.outcome.status, OutcomeStatus::Applied);
    assert_eq!(good.published().len(), 2, "what was left undone is told, and what was approved");
    assert_ne!(memory(&good)["written"], Value::Null);
}

#[test]
fn an_ok_closes_what_an_alarm_opened_and_nothing_else() {
    let ok = || serde_json::from_str::<Value>(include_str!("../../../events/eventbridge-ok.json")).unwrap();
    let fake = Fake::with(&OVERLOAD);
    let nothing = answer(&fake, &settings_with("apply"), ok()).unwrap();
    assert!(nothing.ignored.unwrap().contains("no incident is open"));
    assert_eq!(fake.operations(), ["GetSchedule"]);

    report(&fake, &settings_with("recommend"), alarm());
    let mut of_the_same_alarm = ok();
    of_the_same_alarm["detail"]["alarmName"] = alarm()["detail"]["alarmName"].clone();
    fake.forget();
    let closing = report(&fake, &settings_with("recommend"), of_the_same_alarm.clone());
    assert_eq!(closing.outcome.status, OutcomeStatus::Verified);
    assert_eq!(closing.incident.map(|incident| incident.phase), Some(Phase::Recovered));
    fake.forget();
    let again = answer(&fake, &settings_with("recommend"), of_the_same_alarm).unwrap();
    assert!(again.reports.is_empty(), "it is said once");
    assert_eq!(fake.published().len(), 0);
}

/// Somebody takes a look at the incident while the endpoint is observed for another, once.
fn looked_at_meanwhile(fake: &Fake) {
    let (schedules, is_done) = (fake.clone(), std::sync::atomic::AtomicBool::new(false));
    fake.never(move |operation, _| {
        if operation == "DescribeEndpoint" && !is_done.swap(true, std::sync::atomic::Ordering::Relaxed) {
            let (name, mut body) = schedules.schedules().pop_first().unwrap();
            let mut input: Value = serde_json::from_str(body["Target"]["Input"].as_str().unwrap()).unwrap();
            input["follow_up"]["looks"] = json!(input["follow_up"]["looks"].as_u64().unwrap() + 1);
            body["Target"]["Input"] = input.to_string().into();
            schedules.schedule(&name, body);
        }
        false
    });
}

#[test]
fn an_ok_is_told_also_where_somebody_looked_meanwhile() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    let mut ok: Value = serde_json::from_str(include_str!("../../../events/eventbridge-ok.json")).unwrap();
    ok["detail"]["alarmName"] = alarm()["detail"]["alarmName"].clone();
    looked_at_meanwhile(&fake);
    let closing = report(&fake, &settings_with("recommend"), ok);
    assert_eq!(closing.outcome.status, OutcomeStatus::Verified);
    assert_eq!(memory(&fake)["looks"], 2, "it goes on from what is there");
}

#[test]
fn a_wake_up_whose_look_somebody_takes_meanwhile_says_and_changes_nothing() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    let event = json!({"follow_up": memory(&fake)});
    looked_at_meanwhile(&fake);
    fake.forget();
    let looked = answer(&fake, &settings_with("recommend"), event).unwrap();
    assert_eq!(looked.ignored.as_deref(), Some("somebody else takes this look"));
    assert!(!fake.operations().iter().any(|operation| ["UpdateSchedule", "Publish"].contains(&operation.as_str())));
}

#[test]
fn an_alarm_that_is_known_to_be_over_opens_nothing_that_a_new_one_would_join() {
    let fake = Fake::with(&OVERLOAD);
    let mut old = alarm();
    old["detail"]["state"]["timestamp"] = json!("2026-10-05T08:50:00.000+0000");
    assert_eq!(report(&fake, &settings_with("apply"), old).outcome.reason, "stale_event");
    assert!(fake.schedules().is_empty());
    assert_eq!(fake.published().len(), 1, "and people hear of it");
}

#[test]
fn an_ok_of_an_endpoint_that_is_slow_all_the_same_does_not_say_otherwise() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    let mut ok: Value = serde_json::from_str(include_str!("../../../events/eventbridge-ok.json")).unwrap();
    ok["detail"]["alarmName"] = alarm()["detail"]["alarmName"].clone();
    report(&fake, &settings_with("recommend"), ok);
    let subjects: Vec<_> = fake.published().iter().map(|message| message["Subject"].clone()).collect();
    assert_eq!(subjects[1], "orders/AllTraffic: its alarms are OK again");
}

#[test]
fn a_wake_up_that_comes_twice_is_taken_once() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    let event = json!({"follow_up": memory(&fake)});
    let looked = answer(&fake, &settings_with("recommend"), event.clone()).unwrap();
    assert!(looked.ignored.unwrap().contains("no news"));
    fake.forget();
    let again = answer(&fake, &settings_with("recommend"), event).unwrap();
    assert!(again.ignored.unwrap().contains("taken before"));
    assert_eq!(fake.operations(), ["GetSchedule"]);
}

#[test]
fn a_wake_up_that_got_lost_is_made_up_for_by_the_next_alarm() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    fake.forget();
    let later = at() + SignedDuration::from_mins(45);
    answer_at(&fake, &settings_with("recommend"), alarm(), later).0.unwrap();
    assert_eq!(memory(&fake)["looks"], 1);
}

#[test]
fn an_endpoint_that_went_away_closes_its_incident() {
    let fake = Fake::with(&OVERLOAD);
    report(&fake, &settings_with("recommend"), alarm());
    let event = json!({"follow_up": memory(&fake)});
    fake.script(
        "DescribeEndpoint",
        from_ref(&Answer::Error(400, "ValidationException", "Could not find endpoint \"orders\".")).to_vec(),
    );
    answer(&fake, &settings_with("recommend"), event).unwrap();
    assert!(fake.schedules().is_empty());
}
