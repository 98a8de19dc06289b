//! Asynchronous endpoints: what is made of a queue whose truth is known.

mod plans;
mod replays;

use crate::endpoint::{at, known, observed as template, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Bound, Diagnosis, Hosting, InstanceCount, Metric, Metrics, Minute, Observation, Queue, Seconds, Series, Statistic,
    Verdict,
};
use endpoint_advisor::replay::QueueReplay;
use simulator::queue::{FAMILIES, Family, Incident};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One observation of another endpoint, from which everything but the metrics is taken.
static TEMPLATE: LazyLock<Observation> = LazyLock::new(|| template("hardly-used"));

/// A day of `transcribe/AllTraffic`, with trouble of this family at the end.
pub fn observed(family: &str, seed: u64) -> Observation {
    of(&Family::named(family).unwrap().incident(seed))
}

fn of(incident: &Incident) -> Observation {
    let mut observation = TEMPLATE.clone();
    observation.endpoint_name = "transcribe".to_owned().try_into().unwrap();
    observation.endpoint.arn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/transcribe".to_owned();
    observation.endpoint.max_concurrent_invocations_per_instance = incident.slots;
    observation.hosting = Hosting::Asynchronous;
    observation.objective = None;
    observation.trigger.alarm_name = Some("transcribe-backlog".to_owned());
    let instances = InstanceCount(u32::try_from(incident.instances).unwrap());
    observation.variant.current_instance_count = Some(instances);
    observation.variant.desired_instance_count = Some(instances);
    let minutes = i64::try_from(incident.published[0].values.len()).unwrap();
    let first = Minute::containing(at()).plus(-minutes);
    let series = incident.published.iter().filter_map(|published| {
        Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values.clone()))
    });
    observation.metrics = Metrics(series.collect());
    observation
}

/// The same without what is older than so many minutes.
fn shortened(mut observation: Observation, minutes: i64) -> Observation {
    let first = Minute::containing(at()).plus(-minutes);
    for series in &mut observation.metrics.0 {
        let values = (0..minutes).map(|index| series.at(first.plus(index))).collect();
        *series = Series::new(series.metric, series.statistic, first, values);
    }
    observation
}

fn is_right(family: &Family, diagnosis: &Diagnosis) -> bool {
    diagnosis.verdict.name() == family.verdict && diagnosis.sub_cause.as_deref() == family.sub_cause
}

#[test]
fn the_cause_is_named_on_endpoints_drawn_at_random() {
    let seeds = 1..=12;
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut asked, mut false_scale_outs) = (0, 0);
    for family in &FAMILIES {
        for seed in seeds.clone() {
            let diagnosis = diagnose(&of(&family.incident(seed)));
            asked += 1;
            if !is_right(family, &diagnosis) {
                let Diagnosis { verdict, sub_cause, confidence, summary, .. } = &diagnosis;
                wrong
                    .entry(family.name)
                    .or_default()
                    .push(format!("{seed}: {verdict} {sub_cause:?} {confidence} {summary}"));
            }
            let is_certain = diagnosis.confidence >= 0.9 && diagnosis.verdict == Verdict::Backlog;
            false_scale_outs += usize::from(is_certain && family.verdict != "backlog");
        }
    }
    let count: usize = wrong.values().map(Vec::len).sum();
    assert!(20 * count <= asked, "{count} of {asked} are wrong: {wrong:#?}");
    assert_eq!(false_scale_outs, 0, "{wrong:#?}");
}

#[test]
fn what_speaks_against_a_backlog_is_told_in_its_own_unit() {
    for family in ["calm", "small-batch", "slower-but-in-time"] {
        for seed in 1..=12 {
            for evidence in diagnose(&observed(family, seed)).evidence {
                assert!(evidence.observed.is_none_or(|observed| observed >= 0.0), "{family} {seed}: {evidence:?}");
                assert_eq!(evidence.unit == "minutes", evidence.signal == "minutes_to_clear", "{evidence:?}");
            }
        }
    }
}

#[test]
fn what_one_instance_processes_lies_in_its_interval() {
    let (mut inside, mut asked) = (0, 0);
    for (family, seed) in
        ["growth", "batch", "slower"].iter().flat_map(|family| (1..=10).map(move |seed| (family, seed)))
    {
        let incident = Family::named(family).unwrap().incident(seed);
        let capacity = capacity(&of(&incident)).unwrap();
        assert_eq!((capacity.bound, capacity.is_throughput), (Bound::Estimate, true));
        // Give or take 10 %: how often the interval itself holds it is what the benchmark measures.
        let is_inside =
            0.9 * capacity.low.0 <= incident.capacity && incident.capacity <= 1.1 * capacity.high.unwrap().0;
        inside += usize::from(is_inside);
        asked += 1;
    }
    assert!(10 * inside >= 9 * asked, "{inside} of {asked}");
}

#[test]
fn a_queue_that_was_never_seen_waiting_says_what_is_processed_at_least() {
    let observation = shortened(observed("calm", 1), 960);
    let capacity = capacity(&observation).unwrap();
    assert_eq!((capacity.bound, capacity.high), (Bound::AtLeast, None));
}

#[test]
fn nothing_is_said_of_a_queue_that_is_not_published() {
    let mut observation = observed("growth", 1);
    observation.metrics.0.retain(|series| !series.metric.name().starts_with("ApproximateBacklog"));
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.diagnosis.verdict, Verdict::InsufficientData);
    assert_eq!(report.capacity, None);
}

#[test]
fn how_long_a_request_is_in_work_and_how_many_instances_there_are_where_nothing_waits() {
    let mut observation = observed("growth", 3);
    observation.endpoint.max_concurrent_invocations_per_instance = Some(4);
    assert_eq!(Queue::of(&observation).work_minutes(2.0), 2.0, "four at once, two done a minute");
    observation.endpoint.max_concurrent_invocations_per_instance = None;
    observation.metrics.0.retain(|series| series.metric != Metric::ModelLatency);
    let half_a_minute = vec![Some(30e6); 9];
    let latency =
        Series::new(Metric::ModelLatency, Statistic::Average, observation.last_minute().plus(-8), half_a_minute);
    observation.metrics.0.push(latency);
    assert_eq!(Queue::of(&observation).work_minutes(2.0), 0.5, "as long as ModelLatency");
    observation.metrics.0.retain(|series| series.metric != Metric::ModelLatency);
    assert_eq!(Queue::of(&observation).work_minutes(2.0), 0.0, "neither is known");

    let last = observation.last_minute();
    let instances = |backlog: f64, per_instance: Option<f64>| {
        let mut observation = observation.clone();
        let mut put = |metric, value: Option<f64>| {
            observation.metrics.0.retain(|series| series.metric != metric);
            observation.metrics.0.push(Series::new(metric, Statistic::Average, last.plus(-1), vec![Some(1.0), value]));
        };
        put(Metric::ApproximateBacklogSize, Some(backlog));
        put(Metric::ApproximateBacklogSizePerInstance, per_instance);
        put(Metric::HasBacklogWithoutCapacity, Some(0.0));
        Queue::of(&observation).instances_at(last)
    };
    assert_eq!(instances(12.0, Some(4.0)), Some(3.0));
    assert_eq!(instances(0.0, None), Some(0.0), "it is published for each instance that there is");
    assert_eq!(instances(0.0, Some(0.0)), None);
    assert_eq!(instances(12.0, None), None);
}

#[test]
fn a_replay_is_of_as_many_days_as_its_minutes() {
    let observation = observed("growth", 3);
    let replay = QueueReplay::of(&observation, &capacity(&observation).unwrap(), Seconds(600)).unwrap();
    let minutes = f64::from(u32::try_from(replay.minutes()).unwrap());
    assert!(minutes > 600.0 && (1_440.0 * replay.days() - minutes).abs() < 1e-6, "{minutes}: {}", replay.days());
}
