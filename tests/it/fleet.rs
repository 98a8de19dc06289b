//! Many endpoints: who deserves a closer look, who runs out of room, and one summary of it all.

use crate::endpoint::{observed, settings};
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::doctor::{Checkup, Finding, Gap, NotExamined, Severity};
use endpoint_advisor::fleet::{Growth, Headroom, Summary, closer, growth, headroom, message, text};
use endpoint_advisor::model::{
    Hosting, HourlySeries, Hours, InstanceCount, InvocationsPerMinute, Metric, Minute, Observation, Statistic,
};
use proptest::prelude::*;
use std::path::Path;

/// Midnight of a Monday.
const FIRST: Minute = Minute(29_666_880);

fn series(metric: Metric, statistic: Statistic, values: Vec<Option<f64>>) -> HourlySeries {
    HourlySeries { metric, statistic, first: FIRST, values }
}

/// Two weeks whose hours have this many requests, by the day.
fn requests(of_day: impl Fn(usize) -> f64) -> Hours {
    let hour = |index: usize| Some(of_day(index / 24) * if index % 24 == 12 { 2.0 } else { 1.0 });
    Hours(vec![series(Metric::Invocations, Statistic::Sum, (0..14 * 24).map(hour).collect())])
}

fn flat(metric: Metric, value: f64) -> Hours {
    Hours(vec![series(metric, Statistic::Maximum, vec![Some(value); 14 * 24])])
}

#[test]
fn growth_is_from_weekday_to_weekday_so_that_a_weekend_is_no_decline() {
    let week_and_end = |day: usize| if day % 7 < 5 { 1_000.0 } else { 200.0 };
    let steady = growth(&requests(week_and_end)).unwrap();
    assert_eq!((steady.per_week, steady.pairs), (1.0, 7));
    let growing = growth(&requests(|day| week_and_end(day) * if day >= 7 { 1.2 } else { 1.0 })).unwrap();
    assert!((growing.per_week - 1.2).abs() < 1e-9 && growing.is_steady);
    let wild = growth(&requests(|day| [700.0, 1_100.0, 900.0, 1_300.0, 800.0][day % 5])).unwrap();
    assert!(!wild.is_steady, "{wild:?}");
}

#[test]
fn growth_of_a_few_days_is_not_known() {
    let mut hours = requests(|_| 1_000.0);
    hours.0[0].values.truncate(10 * 24);
    assert_eq!(growth(&hours), None, "three pairs of days agree by chance");
    let mut gaps = requests(|_| 1_000.0);
    gaps.0[0].values.iter_mut().step_by(3).for_each(|value| *value = None);
    assert_eq!(growth(&gaps), None, "days with many hours missing are no days");
}

#[test]
fn minutes_are_read_where_there_is_something_to_see() {
    let healthy = observed("healthy");
    let why = |observation: &Observation, hours: &Hours| closer(observation, hours).map(|closer| closer.why.join("; "));
    assert_eq!(why(&healthy, &Hours::default()), None, "missing is no reason");
    assert_eq!(why(&healthy, &requests(|_| 60_000.0)), None);
    // Four cores are 400 %.
    assert_eq!(why(&healthy, &flat(Metric::CPUUtilization, 240.0)), None);
    assert_eq!(why(&healthy, &flat(Metric::CPUUtilization, 300.0)).unwrap(), "CPUUtilization reached 75 %");
    let idle = why(&healthy, &flat(Metric::CPUUtilization, 40.0)).unwrap();
    assert_eq!(idle, "CPUUtilization stayed under 10 % on 2 instances");
    let unknown = Observation {
        variant: endpoint_advisor::model::Variant { instance_type: None, ..healthy.variant.clone() },
        ..healthy.clone()
    };
    assert_eq!(why(&unknown, &flat(Metric::CPUUtilization, 300.0)), None, "of how many cores?");
    assert_eq!(
        why(&healthy, &flat(Metric::ModelLatency, 6e5)).unwrap(),
        "p90 ModelLatency was over its objective in 336 of 336 hours"
    );
    let growing = requests(|day| if day >= 7 { 1_500.0 } else { 1_000.0 });
    assert_eq!(why(&healthy, &growing).unwrap(), "its busiest hours grow by 50 % a week");
    let serverless = Observation { hosting: Hosting::Serverless, ..healthy };
    let near = flat(Metric::ServerlessConcurrentExecutionsUtilization, 0.9);
    assert_eq!(why(&serverless, &near).unwrap(), "ServerlessConcurrentExecutionsUtilization reached 90 %");
}

fn room(subject: &str, used: f64, growth: Option<f64>, weeks: Option<f64>) -> Headroom {
    Headroom {
        subject: subject.to_owned(),
        peak: InvocationsPerMinute(6_000.0 * used),
        carries: InvocationsPerMinute(6_000.0),
        is_at_least: false,
        instances: InstanceCount(5),
        growth_per_week: growth,
        weeks,
    }
}

#[test]
fn who_grows_into_its_limit_first_comes_first() {
    let observation = observed("busy-but-fine");
    let mut carried = capacity(&observation).unwrap();
    carried.low.0 *= 2.0;
    let growing = |per_week, is_steady| Some(Growth { per_week, is_steady, pairs: 7 });
    let of = |growth| headroom(&observation, &carried, growth).unwrap();
    let (fast, slow, none, chance) =
        (of(growing(1.5, true)), of(growing(1.05, true)), of(None), of(growing(1.5, false)));
    assert!(fast.weeks.unwrap() < slow.weeks.unwrap_or(99.0), "{fast:?} {slow:?}");
    assert_eq!((none.weeks, chance.weeks), (None, None), "growth that may be chance crosses nothing");
    assert!(fast.sooner(&slow).is_lt() && slow.sooner(&none).is_le());
    // What carries twice as much lasts as long as doubling takes.
    let mut more = carried.clone();
    more.low.0 *= 2.0;
    let later = headroom(&observation, &more, growing(1.5, true)).unwrap();
    let doubling = 2.0_f64.ln() / 1.5_f64.ln();
    assert!((later.weeks.unwrap() - fast.weeks.unwrap() - doubling).abs() < 1e-9);
}

fn finding(severity: Severity, rule: &str, subject: &str, saving: Option<u32>) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        endpoint_name: subject.split('/').next().unwrap().parse().ok(),
        subject: subject.to_owned(),
        title: "its Max is what runs already".to_owned(),
        why: "It cannot grow.".to_owned(),
        evidence: "4 instances run, and MaxCapacity is 4.".to_owned(),
        fix: "Raise MaxCapacity to 8".to_owned(),
        commands: vec!["aws application-autoscaling register-scalable-target …".to_owned()],
        saving_instances: saving,
        saving_usd_per_hour: saving.map(|count| 0.23 * f64::from(count)),
        price_list_published: saving.and("2026-10-01T17:04:05Z".parse().ok()),
    }
}

fn of(findings: Vec<Finding>, headroom: Vec<Headroom>) -> Summary {
    let mut summary = Summary::at(crate::endpoint::at());
    let endpoints = u32::try_from(findings.len()).unwrap();
    summary.add(Checkup { endpoints, findings, ..Checkup::default() }, headroom);
    summary
}

fn example() -> Summary {
    let mut summary = of(
        vec![
            finding(Severity::Low, "EA025", "search/AllTraffic", Some(3)),
            finding(Severity::High, "EA003", "orders/AllTraffic", None),
            finding(Severity::Medium, "EA011", "ranking/Stable", None),
        ],
        vec![
            room("ranking/Stable", 0.5, None, None),
            room("search/AllTraffic", 0.7, Some(1.14), Some(2.7)),
            room("orders/AllTraffic", 1.05, Some(1.0), Some(0.0)),
        ],
    );
    summary.add(
        Checkup {
            endpoints: 1,
            ignored: 2,
            not_read: vec![Gap {
                subject: "old/AllTraffic".to_owned(),
                what: "cannot read scaling activities".to_owned(),
                rules: Vec::new(),
            }],
            not_examined: vec![NotExamined { subject: "gone".to_owned(), why: "endpoint not found".to_owned() }],
            ..Checkup::default()
        },
        Vec::new(),
    );
    Summary { in_depth: 3, not_in_depth: 1, calls: 4_210, metrics: 1_560, missing_batches: 1, ..summary }
}

#[test]
fn a_fleet_in_a_message() {
    let golden = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/fleet").join(name);
    std::fs::create_dir_all(golden("")).unwrap();
    expect_test::expect_file![golden("audit.txt")].assert_eq(&text::render(&example()));
    let card = serde_json::to_string_pretty(&message::card(&example())).unwrap();
    expect_test::expect_file![golden("card.json")].assert_eq(&card);
    let message = message::render(&example());
    assert_eq!(
        message.subject,
        "Audit of 4 endpoints: 1 high, 1 medium, 1 low findings; 2 run out of room within four weeks"
    );
    assert_eq!(message.attributes, [("status", "audit"), ("severity", "action_required")]);
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    let machine: serde_json::Value = serde_json::from_str(body["sqs"].as_str().unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<Summary>(machine["audit"].clone()).unwrap(), example());
    let nothing = Summary::at(crate::endpoint::at());
    assert_eq!(message::render(&nothing).attributes[1].1, "info");
}

#[test]
fn a_name_from_outside_is_inert() {
    let mut summary = example();
    summary.worst[0].evidence = "<!channel> <https://x|y> & \u{1b}[31m\nAll is well".to_owned();
    let card = message::card(&summary).to_string();
    assert!(!card.contains("<!channel>") && card.contains("&lt;!channel&gt;"), "{card}");
    let text = text::render(&summary);
    assert!(!text.contains('\u{1b}') && !text.contains("\nAll is well"), "{text}");
}

#[test]
fn a_summary_of_thousands_fits_into_a_message() {
    let many =
        (0..5_000).map(|index| finding(Severity::High, "EA003", &format!("endpoint-{index}/AllTraffic"), Some(1)));
    let rooms = (0..5_000).map(|index| room(&format!("endpoint-{index}/AllTraffic"), 0.5, Some(1.1), Some(7.0)));
    let summary = of(many.collect(), rooms.collect());
    assert_eq!((summary.findings.high, summary.worst.len(), summary.headroom.len()), (5_000, 40, 20));
    assert!(message::render(&summary).body.len() < 200 * 1024);
    assert!(serde_json::to_string(&summary).unwrap().len() < 100 * 1024, "a schedule remembers 256 KB");
}

/// Some findings and rooms of endpoints that occur nowhere else.
fn some() -> impl Strategy<Value = Summary> {
    let severity = prop_oneof![Just(Severity::High), Just(Severity::Medium), Just(Severity::Low)];
    let finding = (severity, 1..30_u32, 0..1_000_u32, prop::option::of(1..5_u32)).prop_map(
        |(severity, rule, subject, saving)| {
            finding(severity, &format!("EA{rule:03}"), &format!("endpoint-{subject}/v"), saving)
        },
    );
    let room = (0..1_000_u32, 0.1..1.5_f64, prop::option::of(0.0..20.0_f64))
        .prop_map(|(subject, used, weeks)| room(&format!("endpoint-{subject}/v"), used, None, weeks));
    (prop::collection::vec(finding, 0..60), prop::collection::vec(room, 0..30))
        .prop_map(|(findings, rooms)| of(findings, rooms))
}

/// A sum of prices depends on the order of its parts by a rounding.
fn without_rounding(summary: Summary) -> Summary {
    Summary { saving_usd_per_hour: (summary.saving_usd_per_hour * 1e6).round(), ..summary }
}

fn sum(parts: &[&Summary]) -> Summary {
    let mut all = Summary::at(crate::endpoint::at());
    parts.iter().for_each(|part| all.merge((*part).clone()));
    without_rounding(all)
}

proptest! {
    #[test]
    fn parts_come_to_the_same_in_any_order_and_grouping(a in some(), b in some(), c in some()) {
        let all = sum(&[&a, &b, &c]);
        prop_assert_eq!(&all, &sum(&[&c, &a, &b]));
        prop_assert_eq!(&all, &sum(&[&a, &sum_of(&b, &c)]));
        prop_assert_eq!(all.findings.high, a.findings.high + b.findings.high + c.findings.high);
    }
}

fn sum_of(a: &Summary, b: &Summary) -> Summary {
    let mut both = a.clone();
    both.merge(b.clone());
    both
}

#[test]
fn settings_name_the_queue() {
    assert_eq!(settings(&[("ADVISOR_QUEUE_URL", "https://queue")]).queue_url.as_deref(), Some("https://queue"));
    assert_eq!(settings(&[]).queue_url, None);
}
