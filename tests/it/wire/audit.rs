//! An audit: in one go, or in parts through the queue, and one summary of it.

use super::fake::{Answer, Fake};
use super::*;
use endpoint_advisor::fleet::Summary;
use std::collections::BTreeSet;

static HEALTHY: LazyLock<Observation> = LazyLock::new(|| observed("healthy"));

const QUEUE: (&str, &str) = ("ADVISOR_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/events");
const FOLLOW_UP: [(&str, &str); 3] = [
    ("ADVISOR_FOLLOW_UP_TARGET_ARN", "arn:aws:sqs:us-east-1:111122223333:events"),
    ("ADVISOR_FOLLOW_UP_ROLE_ARN", "arn:aws:iam::111122223333:role/follow-up"),
    ("ADVISOR_FOLLOW_UP_GROUP", "advisor"),
];

/// A function with topics, a queue, and the means to gather.
fn whole() -> Vec<(&'static str, &'static str)> {
    TOPICS.into_iter().chain(FOLLOW_UP).chain([QUEUE]).collect()
}

/// A Region with so many endpoints, all of them as the observation has it.
fn fleet(observation: &Observation, count: usize) -> Fake {
    let fake = Fake::with(observation);
    let names: Vec<String> = (0..count).map(|index| format!("endpoint-{index}")).collect();
    let pages: Vec<Answer> = names
        .chunks(100)
        .enumerate()
        .map(|(page, names)| {
            let listed = names.iter().map(|name| json!({"EndpointName": name, "EndpointArn": "arn", "CreationTime": 1.0, "LastModifiedTime": 1.0, "EndpointStatus": "InService"}));
            let more = (100 * (page + 1) < count).then(|| format!("after page {page}"));
            Answer::Json(json!({"Endpoints": listed.collect::<Vec<_>>(), "NextToken": more}))
        })
        .collect();
    fake.script("ListEndpoints", pages);
    fake.answer("SendMessageBatch", json!({"Successful": [], "Failed": []}));
    fake.answer("GetProducts", json!({"PriceList": []}));
    fake
}

/// The bodies that went to the queue.
fn sent(fake: &Fake) -> Vec<Value> {
    let batches = fake.asked().into_iter().filter(|(operation, _)| operation == "SendMessageBatch");
    let entries = batches.flat_map(|(_, body)| body["Entries"].as_array().unwrap().clone());
    entries.map(|entry| serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap()).collect()
}

fn count(fake: &Fake, operation: &str) -> usize {
    fake.asked().iter().filter(|(asked, _)| asked == operation).count()
}

fn audit() -> Value {
    json!({"audit": {}})
}

/// The event that the schedule of the audit sends.
fn wake(fake: &Fake) -> Value {
    serde_json::from_str(fake.schedules()["ea-audit"]["Target"]["Input"].as_str().unwrap()).unwrap()
}

fn summary(advice: Advice) -> Summary {
    *advice.summary.unwrap()
}

#[test]
fn a_few_endpoints_are_looked_at_in_depth_and_told_once() {
    let fake = fleet(&OVERLOAD, 2);
    let (advice, logged) = answer_at(&fake, &whole(), audit(), at());
    let advice = advice.unwrap();
    assert_eq!((advice.reports.len(), logged.len()), (2, 2));
    assert!(advice.reports.iter().all(|report| report.trigger.kind == TriggerKind::Audit));
    let summary = summary(advice);
    assert_eq!((summary.endpoints, summary.in_depth, summary.missing_batches), (2, 2, 0));
    let messages = fake.published();
    assert_eq!(messages.len(), 2, "one to each topic");
    assert!(
        messages[0]["Subject"].as_str().unwrap().starts_with("Audit of 2 endpoints: "),
        "{}",
        messages[0]["Subject"]
    );
    assert_eq!(fake.writes(), []);
    assert_eq!(fake.schedules().len(), 0);
}

#[test]
fn a_few_endpoints_and_little_time_are_looked_at_from_afar() {
    let fake = fleet(&HEALTHY, 3);
    let Event::One(trigger) = parse(audit()).unwrap() else { panic!("a batch") };
    let host = Host { log: &|_| {}, home: None, remaining: Arc::new(|| Some(SignedDuration::from_secs(25))) };
    let (aws, settings) = (fake.aws(), settings(&whole()));
    let advice = run(advise(&aws, &settings, trigger, at(), &host)).unwrap();
    assert_eq!(advice.reports, []);
    assert_eq!((advice.summary.as_ref().unwrap().endpoints, advice.summary.as_ref().unwrap().in_depth), (3, 0));
}

#[test]
fn alarms_that_cannot_all_be_listed_in_time_are_not_judged() {
    let fake = fleet(&HEALTHY, 30);
    let Event::One(trigger) = parse(audit()).unwrap() else { panic!("a batch") };
    let host = Host { log: &|_| {}, home: None, remaining: Arc::new(|| Some(SignedDuration::from_secs(5))) };
    let (aws, settings) = (fake.aws(), settings(&TOPICS));
    let summary = summary(run(advise(&aws, &settings, trigger, at(), &host)).unwrap());
    assert_eq!(summary.endpoints, 30);
    assert_eq!(summary.by_rule.get("EA023"), None, "no alarm is called missing: {:?}", summary.by_rule);
    assert!(
        summary.warnings.iter().any(|warning| warning.contains("raise the function's timeout")),
        "{:?}",
        summary.warnings
    );
}

#[test]
fn a_fleet_goes_through_the_queue_in_parts_that_name_everybody_once() {
    let fake = fleet(&HEALTHY, 260);
    let advice = answer(&fake, &whole(), audit()).unwrap();
    assert_eq!(advice.ignored.as_deref(), Some("260 endpoints are looked at in 11 parts; a summary follows"));
    let bodies = sent(&fake);
    assert_eq!((bodies.len(), count(&fake, "SendMessageBatch")), (11, 2));
    let names: Vec<&str> = bodies
        .iter()
        .flat_map(|body| body["audit"]["endpoint_names"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!((names.len(), names.iter().collect::<BTreeSet<_>>().len()), (260, 260));
    assert_eq!((count(&fake, "DescribeEndpoint"), count(&fake, "GetMetricData"), fake.published().len()), (0, 0, 0));
    let schedules = fake.schedules();
    assert_eq!(schedules["ea-audit"]["State"], "ENABLED");
    assert_eq!(schedules["ea-audit"]["ScheduleExpression"], "at(2026-10-05T09:23:00)");
    assert_eq!(schedules["ea-audit-20261005T092000Z-0"]["State"], "DISABLED", "it only remembers");
}

#[test]
fn the_parts_are_gathered_into_one_message_and_nothing_is_left_behind() {
    let fake = fleet(&HEALTHY, 60);
    answer(&fake, &whole(), audit()).unwrap();
    for body in sent(&fake) {
        let advice = answer(&fake, &whole(), body).unwrap();
        assert_eq!(advice.reports, []);
    }
    assert_eq!(fake.published().len(), 0, "not one for each part");
    let advice = answer(&fake, &whole(), wake(&fake)).unwrap();
    let summary = summary(advice);
    assert_eq!((summary.endpoints, summary.missing_batches), (60, 0));
    // Nobody scales any of them: each has a finding that says so, and the worst are told.
    assert!(summary.findings.high + summary.findings.medium >= 60, "{:?}", summary.by_rule);
    assert_eq!(summary.worst.len(), 40);
    assert_eq!(fake.published().len(), 2);
    assert_eq!(fake.schedules().len(), 0);
    let again = answer(
        &fake,
        &whole(),
        json!({"audit": {"collect": {"id": "x", "started_at": at(), "batches": 3, "is_sent": true}}}),
    );
    assert_eq!(again.unwrap().ignored.as_deref(), Some("the audit is over"));
    let late = answer(&fake, &whole(), sent(&fake)[0].clone()).unwrap();
    assert_eq!(late.ignored.as_deref(), Some("the audit is over"), "a part that comes again leaves nothing behind");
    assert_eq!((fake.published().len(), fake.schedules().len()), (2, 0));
}

#[test]
fn the_first_pass_takes_one_request_for_metrics_for_each_part() {
    let fake = fleet(&HEALTHY, 50);
    answer(&fake, &whole(), audit()).unwrap();
    let bodies = sent(&fake);
    let mut calls = 0;
    for body in bodies {
        fake.forget();
        let part = summary(answer(&fake, &whole(), body).unwrap());
        let first = fake.asked().into_iter().find(|(operation, _)| operation == "GetMetricData").unwrap().1;
        let queries = first["MetricDataQueries"].as_array().unwrap();
        assert_eq!((queries.len(), &queries[0]["MetricStat"]["Period"]), (75, &json!(3_600)));
        calls += count(&fake, "GetMetricData");
        assert_eq!((part.in_depth, part.metrics), (0, 75));
    }
    assert_eq!(calls, 2);
}

#[test]
fn minutes_are_read_where_the_hours_show_something_and_there_is_time() {
    let fake = fleet(&observed("busy-but-fine"), 30);
    fake.answer("ListTags", json!({"Tags": [{"Key": "endpoint-advisor:slo-ms", "Value": "500"}]}));
    let part = |remaining: i64| {
        let names: Vec<String> = (0..4).map(|index| format!("endpoint-{index}")).collect();
        let event = json!({"audit": {"endpoint_names": names, "batch": {"id": "1", "number": 1, "of": 1}}});
        let open = json!({"audit": {"collect": {"id": "1", "started_at": at(), "batches": 1, "is_sent": true}}});
        fake.schedule("ea-audit", json!({"Target": {"Arn": "queue", "RoleArn": "role", "Input": open.to_string()}}));
        let Event::One(trigger) = parse(event).unwrap() else { panic!("a batch") };
        let seen = fake.clone();
        fake.forget();
        // Every look takes ten seconds; the first four models are seen from afar.
        let looks = move || i64::try_from(count(&seen, "DescribeModel")).unwrap() - 4;
        let host = Host {
            log: &|_| {},
            home: None,
            remaining: Arc::new(move || Some(SignedDuration::from_secs(remaining - 10 * looks().max(0)))),
        };
        let (aws, settings) = (fake.aws(), settings(&whole()));
        summary(run(advise(&aws, &settings, trigger, at(), &host)).unwrap())
    };
    let whole = part(1_000);
    assert_eq!((whole.endpoints, whole.in_depth, whole.not_in_depth), (4, 4, 0));
    assert_eq!(whole.headroom.len(), 4);
    let hurried = part(35);
    assert_eq!((hurried.endpoints, hurried.in_depth, hurried.not_in_depth), (4, 3, 1));
}

#[test]
fn parts_that_are_not_done_are_waited_for_and_then_given_up() {
    let fake = fleet(&HEALTHY, 60);
    answer(&fake, &whole(), audit()).unwrap();
    let bodies = sent(&fake);
    answer(&fake, &whole(), bodies[0].clone()).unwrap();
    // The same part again leaves the same again.
    answer(&fake, &whole(), bodies[0].clone()).unwrap();
    let later = |hours| at() + SignedDuration::from_hours(hours);
    let advice = answer_at(&fake, &whole(), wake(&fake), later(1)).0.unwrap();
    assert_eq!(advice.ignored.as_deref(), Some("2 parts are not done yet"));
    assert_eq!(fake.schedules()["ea-audit"]["ScheduleExpression"], "at(2026-10-05T10:23:00)");
    let given_up = summary(answer_at(&fake, &whole(), wake(&fake), later(3)).0.unwrap());
    assert_eq!((given_up.endpoints, given_up.missing_batches), (25, 2));
    let text = fake.published()[0]["Message"].as_str().unwrap().to_owned();
    assert!(text.contains("Nothing was heard of 2 parts"), "{text}");
    assert_eq!(fake.schedules().len(), 0);
}

#[test]
fn one_audit_at_a_time_and_one_that_was_cut_off_begins_again() {
    let fake = fleet(&HEALTHY, 60);
    fake.script("SendMessageBatch", vec![Answer::Error(500, "InternalError", "no"); 4]);
    let error = answer(&fake, &whole(), audit()).unwrap_err();
    assert_eq!(error.error_type(), "DeliveryFailed");
    fake.answer("SendMessageBatch", json!({"Successful": [], "Failed": []}));
    let again = answer(&fake, &whole(), audit()).unwrap().ignored.unwrap();
    assert!(again.starts_with("60 endpoints"), "{again}");
    let third = answer(&fake, &whole(), audit()).unwrap().ignored.unwrap();
    assert_eq!(third, "an audit is under way since 2026-10-05T09:20:00Z; its summary comes");
    let tomorrow = at() + SignedDuration::from_hours(24);
    let fresh = answer_at(&fake, &whole(), audit(), tomorrow).0.unwrap().ignored.unwrap();
    assert!(fresh.starts_with("60 endpoints"), "one that nobody gathered keeps no other away: {fresh}");
    let left: Vec<String> = fake.schedules().into_keys().collect();
    assert_eq!(left, ["ea-audit", "ea-audit-20261006T092000Z-0"], "and leaves nothing behind");
}

#[test]
fn an_endpoint_that_cannot_be_read_stops_nobody_else() {
    let fake = fleet(&HEALTHY, 30);
    let described = fake.answer_of("DescribeEndpoint");
    let gone = Answer::Error(400, "ValidationException", "Could not find endpoint \"x\".");
    fake.script("DescribeEndpoint", vec![described.clone(), gone, described]);
    let advice = answer(&fake, &TOPICS, audit()).unwrap();
    let summary = summary(advice);
    assert_eq!((summary.endpoints, summary.not_examined), (29, 1));
    assert!(summary.not_examined_why[0].why.contains("Could not find"), "{:?}", summary.not_examined_why);
}

#[test]
fn without_schedules_each_part_tells_for_itself_and_without_a_queue_all_is_done_at_once() {
    let fake = fleet(&HEALTHY, 60);
    let no_follow_up: Vec<_> = TOPICS.into_iter().chain([QUEUE]).collect();
    answer(&fake, &no_follow_up, audit()).unwrap();
    let bodies = sent(&fake);
    let part = summary(answer(&fake, &no_follow_up, bodies[0].clone()).unwrap());
    assert_eq!((part.endpoints, fake.published().len()), (25, 2));
    let fake = fleet(&HEALTHY, 60);
    let all = summary(answer(&fake, &TOPICS, audit()).unwrap());
    assert_eq!((all.endpoints, fake.published().len(), sent(&fake).len()), (60, 2, 0));
}
