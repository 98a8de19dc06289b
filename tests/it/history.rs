//! What the metrics of a minute are read as: shares of what an instance has, and requests that found no copy.

use crate::components::of_component;
use crate::endpoint::observed;
use endpoint_advisor::model::{History, InstanceType, Metric, Minute, MinuteRow, Observation, Series, Statistic};

/// `overload` with these series besides, each of one value in the last minute.
fn with(mut observation: Observation, series: &[(Metric, Statistic, f64)]) -> Observation {
    let last = observation.last_minute();
    for (metric, statistic, value) in series {
        observation.metrics.0.retain(|series| (series.metric, series.statistic) != (*metric, *statistic));
        observation.metrics.0.push(Series::new(*metric, *statistic, last, vec![Some(*value)]));
    }
    observation
}

fn last(observation: &Observation) -> MinuteRow {
    History::of(observation).0.get(&observation.last_minute()).copied().unwrap()
}

#[test]
fn utilisation_is_a_share_of_all_cores_and_all_gpus() {
    use Statistic::{Average, Maximum, Minimum};
    let mut observation = observed("overload");
    // 48 cores and 4 GPUs: 4,800 % and 400 % where all of them work.
    observation.variant.instance_type = Some(InstanceType("ml.g5.12xlarge".to_owned()));
    let series: Vec<_> = [(Average, 0.5), (Minimum, 0.25), (Maximum, 0.75)]
        .into_iter()
        .flat_map(|(statistic, share)| {
            [
                (Metric::CPUUtilization, statistic, 4_800.0 * share),
                (Metric::GPUUtilization, statistic, 400.0 * share),
                (Metric::GPUMemoryUtilization, statistic, 400.0 * share),
                (Metric::MemoryUtilization, statistic, 100.0 * share),
            ]
        })
        .collect();
    let row = last(&with(observation, &series));
    for used in [row.cpu, row.gpu] {
        assert_eq!((used.average, used.minimum, used.maximum), (Some(0.5), Some(0.25), Some(0.75)));
    }
    assert_eq!((row.gpu_memory, row.memory), (Some(0.75), Some(0.75)), "the fullest instance decides");
}

#[test]
fn what_a_copy_uses_is_a_share_of_what_it_was_given() {
    use Statistic::{Average, Maximum, Minimum};
    let series: Vec<_> = [(Average, 50.0), (Minimum, 25.0), (Maximum, 75.0)]
        .into_iter()
        .flat_map(|(statistic, percent)| {
            [
                (Metric::CPUUtilizationNormalized, statistic, percent),
                (Metric::GPUUtilizationNormalized, statistic, percent),
                (Metric::GPUMemoryUtilizationNormalized, statistic, percent),
                (Metric::MemoryUtilizationNormalized, statistic, percent),
                // What its instances do, they do for others too.
                (Metric::CPUUtilization, statistic, 390.0),
            ]
        })
        .collect();
    let row = last(&with(of_component(observed("overload")), &series));
    for used in [row.cpu, row.gpu] {
        assert_eq!((used.average, used.minimum, used.maximum), (Some(0.5), Some(0.25), Some(0.75)));
    }
    assert_eq!((row.gpu_memory, row.memory), (Some(0.75), Some(0.75)));
}

#[test]
fn requests_that_found_no_copy_came_too() {
    let mut observation = of_component(observed("overload"));
    let last = observation.last_minute();
    let before = History::of(&observation);
    let counted =
        |history: &History, minute: Minute| history.0.get(&minute).and_then(|row| row.invocations).map(|count| count.0);
    let came = |minutes_ago: i64| counted(&before, last.plus(-minutes_ago)).unwrap();
    let refused = vec![Some(came(2) + 7.0), Some(0.0), Some(came(0) - 7.0), Some(came(0) + 9.0)];
    observation.metrics.0.push(Series::new(
        Metric::NoCapacityInvocationFailures,
        Statistic::Sum,
        last.plus(-2),
        refused,
    ));
    let after = History::of(&observation);
    assert_eq!(counted(&after, last.plus(-2)), Some(came(2) + 7.0), "more were refused than were counted");
    assert_eq!(counted(&after, last.plus(-1)), Some(came(1)));
    assert_eq!(counted(&after, last), Some(came(0)), "fewer were");
    assert_eq!(counted(&after, last.plus(1)), None, "that minute is not looked at");
    // A minute in which none was refused, and of which nothing else is known, is no minute without requests.
    observation.metrics.0.retain(|series| series.metric == Metric::NoCapacityInvocationFailures);
    let alone = History::of(&observation);
    assert_eq!(counted(&alone, last.plus(-2)), Some(came(2) + 7.0));
    assert!(!alone.0.contains_key(&last.plus(-1)));
}
