//! The endpoint in numbers, before and after.

use crate::model::{
    History, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Measures, Microseconds, Minute, MinuteRow,
    Observation, Queue, backlog_now,
};
use crate::statistics::median;

/// Medians of five minutes: one minute says little, and ten mix before and after.
const JUDGED: usize = 5;
/// Fewer minutes than an alarm looks at are no answer.
const FEWEST: usize = 3;
/// How far back these are looked for: metrics come late, and single minutes are missing.
const WITHIN_MINUTES: i64 = 10;
/// Minutes in which new instances fill their caches; they are not judged by them.
const WARM_UP_MINUTES: i64 = 3;
/// Instances come one by one, and a minute in which the last one came counts as a part of it.
const NEARLY: f64 = 0.5;

impl Measures {
    /// The last minutes of an observation.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let history = History::of(observation);
        let last = observation.last_minute();
        let rows: Vec<&MinuteRow> = history.between(last.plus(1 - WITHIN_MINUTES), last).map(|(_, row)| row).collect();
        Self::over(observation, &rows)
    }

    /// The last minutes in which all the `instances` that were asked for served warm; none where there are too few yet.
    #[must_use]
    pub fn served_by(observation: &Observation, instances: InstanceCount) -> Option<Self> {
        let history = History::of(observation);
        let last = observation.last_minute();
        let all = |row: &MinuteRow| row.instances().is_none_or(|serving| serving >= f64::from(instances.0) - NEARLY);
        let rows: Vec<(Minute, &MinuteRow)> = history.between(last.plus(-60), last).collect();
        let served: Vec<(Minute, &MinuteRow)> = rows.into_iter().rev().take_while(|(_, row)| all(row)).collect();
        let (arrived, _) = served.last()?;
        let warm = served.iter().rev().filter(|(minute, _)| minute.since(*arrived) >= WARM_UP_MINUTES);
        let recent = warm.filter(|(minute, row)| last.since(*minute) < WITHIN_MINUTES && row.latency.is_some());
        let rows: Vec<&MinuteRow> = recent.map(|(_, row)| *row).collect();
        (rows.len() >= FEWEST).then(|| Self::over(observation, &rows))
    }

    /// Medians of the last of these minutes.
    fn over(observation: &Observation, rows: &[&MinuteRow]) -> Self {
        let middle = |value: fn(&MinuteRow) -> Option<f64>| {
            let known: Vec<f64> = rows.iter().filter_map(|row| value(row)).collect();
            median(known.iter().rev().take(JUDGED).copied())
        };
        Self {
            at: observation.at,
            latency: middle(|row| row.latency.map(|latency| latency.0)).map(Microseconds),
            load: middle(|row| row.load.map(|load| load.0)).map(InvocationsPerInstance),
            invocations: middle(|row| row.invocations.map(|count| count.0)).map(InvocationsPerMinute),
            instances: observation.running(),
            unserved: super::serverless::unserved(observation, WITHIN_MINUTES),
            backlog: observation.is_asynchronous().then(|| backlog_now(&Queue::of(observation))).flatten(),
        }
    }
}
