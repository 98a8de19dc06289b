//! How long the pure core takes, and how that grows: with the length of the history, with variants, with candidates.
//!
//! `make bench-core`; criterion compares with the run before. All statistics are as long as the history here, more than the
//! function reads, so a decision on Lambda takes less.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program for developers: it stops where it is surprised"
)]

#[path = "shared/observed.rs"]
mod observed;

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use endpoint_advisor::advise::{compare, explain};
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::config::Settings;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Action, InstanceCount, Metric, Metrics, Observation, Part, PartMetrics, Scaling, Statistic, TriggerKind,
    TriggerSummary, VariantName, Verdict,
};
use endpoint_advisor::plan::plan;
use endpoint_advisor::replay::Setup;
use observed::{Seen, minutes_ago};
use simulator::{Published, Scenario, published, simulate};
use std::hint::black_box;
use std::sync::LazyLock;

const DAY: usize = 1_440;
/// What CloudWatch keeps of single minutes.
const MOST_DAYS: usize = 15;
/// What the function reads unless it is told otherwise.
const DAYS: usize = 14;

/// Two weeks of a working endpoint whose last minutes are an overload: the plan is to scale, so all of the search is run.
static SERIES: LazyLock<Vec<Published>> = LazyLock::new(|| {
    let minutes = i64::try_from(MOST_DAYS * DAY).unwrap();
    published(&simulate(Scenario::named("overload").unwrap(), minutes, 7))
});

/// The overloaded endpoint with so many minutes of history.
fn overloaded(minutes: usize) -> Observation {
    let tail =
        |series: &Published| Published { values: series.values[series.values.len() - minutes..].to_vec(), ..*series };
    let series: Vec<Published> = SERIES.iter().map(tail).collect();
    Seen {
        trigger: TriggerSummary {
            kind: TriggerKind::EventbridgeAlarm,
            alarm_name: Some("orders-latency".to_owned()),
            state: Some("ALARM".to_owned()),
            changed_at: Some(minutes_ago(5)),
        },
        hosting: "real_time",
        instance_type: "ml.m5.xlarge",
        routing: "RANDOM",
        instances: 1,
        desired: 1,
        scaling: Scaling { activities: Some(Vec::new()), scheduled_actions: Some(Vec::new()), ..Scaling::default() },
        objective_ms: 500.0,
        statistic: "p90",
        minutes_since_deployment: 30 * 1_440,
        scaled_at: None,
        series: &series,
    }
    .observation()
}

fn settings() -> Settings {
    Settings::read(|_| None)
}

/// Long enough to be told apart, short enough to be run often.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group
}

/// Each stage on two weeks, and all of it.
fn stages(criterion: &mut Criterion) {
    let observation = overloaded(DAYS * DAY);
    let settings = settings();
    let guardrails = settings.for_endpoint(observation.tags.as_ref());
    let (diagnosis, known) = (diagnose(&observation), capacity(&observation));
    let report = explain(&observation, &settings);
    assert_eq!((diagnosis.verdict, report.plan.action), (Verdict::Overload, Action::Scale));
    let mut group = group(criterion, "stages");
    group.bench_function("diagnose", |bencher| bencher.iter(|| diagnose(black_box(&observation))));
    group.bench_function("capacity", |bencher| bencher.iter(|| capacity(black_box(&observation))));
    group.bench_function("plan", |bencher| {
        bencher.iter(|| plan(black_box(&observation), &diagnosis, known.as_ref(), &guardrails));
    });
    group.bench_function("decision", |bencher| bencher.iter(|| explain(black_box(&observation), &settings)));
}

/// A decision on one hour to fifteen days: so many minutes a second, whatever their number.
fn history(criterion: &mut Criterion) {
    let settings = settings();
    let mut group = group(criterion, "history");
    for minutes in [60, 6 * 60, DAY, 3 * DAY, 7 * DAY, MOST_DAYS * DAY] {
        let observation = overloaded(minutes);
        group.throughput(Throughput::Elements(minutes as u64));
        group.bench_with_input(BenchmarkId::from_parameter(minutes), &observation, |bencher, observation| {
            bencher.iter(|| explain(black_box(observation), &settings));
        });
    }
}

/// Decisions for every variant of an endpoint, each with a day of the requests to all others.
fn variants(criterion: &mut Criterion) {
    let settings = settings();
    let one = overloaded(DAY);
    let requests =
        one.metrics.0.iter().find(|series| (series.metric, series.statistic) == (Metric::Invocations, Statistic::Sum));
    let requests = requests.unwrap().clone();
    let mut group = group(criterion, "variants");
    for count in [1_usize, 2, 4, 8, 16] {
        let beside = (1..count).map(|number| PartMetrics {
            part: Part::Variant(VariantName::parse(&format!("variant-{number}")).unwrap()),
            metrics: Metrics(vec![requests.clone()]),
        });
        let observation = Observation { parts: beside.collect(), ..one.clone() };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &observation, |bencher, observation| {
            bencher.iter(|| {
                for _ in 0..count {
                    black_box(explain(black_box(observation), &settings));
                }
            });
        });
    }
}

/// So many further set-ups, replayed over two weeks.
fn candidates(criterion: &mut Criterion) {
    let settings = settings();
    let observation = overloaded(DAYS * DAY);
    let mut group = group(criterion, "candidates");
    for count in [0_u32, 8, 16, 32, 64] {
        let metric = "SageMakerVariantInvocationsPerInstance";
        let tracking =
            |number| Setup::tracking(metric, 300.0 + 20.0 * f64::from(number), InstanceCount(1), InstanceCount(8));
        let setups: Vec<Setup> = (0..count).map(tracking).collect();
        group.bench_with_input(BenchmarkId::from_parameter(count), &setups, |bencher, setups| {
            bencher.iter(|| compare(black_box(&observation), &settings, setups).unwrap());
        });
    }
}

criterion_group!(core, stages, history, variants, candidates);
criterion_main!(core);
