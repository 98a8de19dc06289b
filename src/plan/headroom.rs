//! Room for bursts: how many instances absorb what comes inside single minutes.
//!
//! A burst is over before instances start, so they have to be there before: a floor, and a target that leaves the room at
//! any load. Where the metrics do not say how much that is, the plan holds and says why.

use super::burst::{Burst, Seen};
use super::herd::Herds;
use super::schedule::Floor;
use super::target_tracking;
use crate::model::{
    Capacity, Days, History, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, LatencyObjective,
    Minute, MinuteRow, Observation, Plan, Statistic, Thousands,
};
use crate::replay::Boot;
use crate::statistics::{median, quantile, theil_sen_intercept};

/// The minutes that the verdict is about.
const RECENT_MINUTES: i64 = 10;
/// Fewer minutes than an alarm takes tell no burst.
const FEWEST_MINUTES: usize = 3;
/// Bursts that need more than so many times the instances that run are too far from anything seen, and a matter for a queue.
const MOST_TIMES: f64 = 5.0;
/// The quietest tenth of the minutes hardly queues.
const UNLOADED: f64 = 0.1;
/// Minutes with the same load, and how many of them make a median.
const SAME_LOAD: f64 = 0.2;
const FEWEST_MATCHED: usize = 5;
/// More than this is not idling.
const MOST_IDLE: f64 = 0.1;
/// Work per request varies by a tenth by itself.
const SAME_WORK: f64 = 1.1;
/// A burst of the past has this share of the present one's requests in flight, and came this long before.
const LIKE: f64 = 0.5;
const EPISODE_MINUTES: i64 = 60;
/// Of what one worker carries in theory, so much is counted on: nine in ten herds have to be carried, not half of them.
const CAREFUL: f64 = 0.85;
/// Standard deviations that keep nine in ten.
const CHANCE: f64 = 1.25;
/// Of what an instance carries, so much is aimed at between herds.
const BETWEEN_HERDS: f64 = 0.6;

/// Why headroom is not planned.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unsized {
    pub reason: HoldReason,
    /// What is missing, in words; empty where the reason says it.
    pub why: String,
    /// What a person can do.
    pub advice: Vec<String>,
}

impl From<HoldReason> for Unsized {
    fn from(reason: HoldReason) -> Self {
        Self { reason, why: String::new(), advice: Vec::new() }
    }
}

impl From<Unsized> for Plan {
    fn from(Unsized { reason, why, advice }: Unsized) -> Self {
        Self { reasoning: Some(why).filter(|why| !why.is_empty()).into_iter().collect(), advice, ..Self::hold(reason) }
    }
}

fn unsized_for<T>(why: impl Into<String>) -> Result<T, Unsized> {
    Err(Unsized { why: why.into(), ..HoldReason::HeadroomNotSized.into() })
}

/// The room that bursts need.
pub(super) struct Headroom {
    /// Load per instance at which a burst still fits.
    pub target: InvocationsPerInstance,
    /// Instances that absorb it.
    pub needed: InstanceCount,
    /// Why, in one line.
    pub why: String,
    /// Whether bursts like it came before.
    pub recurs: Option<String>,
    /// `MinCapacity` by the clock, where herds come by it; else it is `needed` all the time.
    pub floors: Vec<Floor>,
    /// The share of the time in which it is.
    pub up: f64,
    /// Hours of history.
    pub hours: f64,
    /// Minutes over the objective in a day, if nothing is done and it goes on.
    pub minutes_over: f64,
}

impl Headroom {
    /// The headroom for bursts inside minutes.
    ///
    /// # Errors
    /// What does not show in the metrics.
    pub fn within_minutes(observation: &Observation, objective: &LatencyObjective) -> Result<Self, Unsized> {
        let history = History::of(observation);
        let last = observation.last_minute();
        let limit = objective.latency_slo_ms.to_microseconds().0;
        let is_over = |row: &MinuteRow| row.latency.is_some_and(|latency| latency.0 > limit);
        let recent = history.between(last.plus(1 - RECENT_MINUTES), last).map(|(_, row)| row);
        let bursting: Vec<&MinuteRow> = recent.filter(|row| is_over(row)).collect();
        let calm: Vec<&MinuteRow> = history.0.values().filter(|row| !is_over(row) && row.has_few_errors()).collect();
        let seen = seen(observation, objective, &bursting, &calm)?;
        let Some(burst) = Burst::of(&seen) else {
            return unsized_for(
                "mean, percentile and most in flight do not fit together as a burst leaves them: few requests wait long",
            );
        };
        let seconds = limit / 1e6;
        let Some(share) = burst.share_within(seconds) else {
            return unsized_for("requests that queue for nobody are hardly within the objective");
        };
        let target = target_tracking::rounded(seen.load * share).map(InvocationsPerInstance);
        let arrived = median(bursting.iter().filter_map(|row| Some(row.invocations?.0)));
        let needed =
            target.zip(arrived).and_then(|(target, arrived)| target.instances_for(InvocationsPerMinute(arrived)));
        let Some((target, needed)) = target.zip(needed) else {
            return unsized_for("less than one request per instance and minute would be left");
        };
        let ran = seen.instances;
        let why = format!(
            "{burst}: {needed} instances absorb them within {}, {ran:.0} {} not",
            objective.latency_slo_ms,
            if ran < 1.5 { "does" } else { "do" },
        );
        if f64::from(needed.0) > MOST_TIMES * ran {
            return unsized_for(format!("{why}; so many are far beyond anything seen, and dearer than a queue"));
        }
        let like =
            |row: &MinuteRow| is_over(row) && row.concurrency_maximum.is_some_and(|most| most >= LIKE * seen.most);
        let past: Vec<Minute> = history.before(last).filter(|(_, row)| like(row)).map(|(minute, _)| minute).collect();
        let times = episodes(&past);
        let days = (history.hours() / 24.0).max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "minutes of two weeks")]
        let a_day = past.len() as f64 / days;
        let recurs = (times > 1).then(|| format!("such bursts came {times} times in {}", Days(days)));
        // What has only begun may go on.
        let minutes_over = if recurs.is_some() { a_day } else { 1_440.0 };
        Ok(Self { target, needed, why, recurs, floors: Vec::new(), up: 1.0, hours: history.hours(), minutes_over })
    }

    /// The headroom for single minutes with many requests. `calm_min`: what `MinCapacity` goes back to between them.
    ///
    /// # Errors
    /// What does not show in the metrics, or that nobody knows when the next one comes.
    pub fn single_minutes(
        observation: &Observation,
        objective: &LatencyObjective,
        capacity: Option<&Capacity>,
        calm_min: InstanceCount,
    ) -> Result<Self, Unsized> {
        let history = History::of(observation);
        let last = observation.last_minute();
        let Some(herds) = Herds::of(&history, last) else {
            return unsized_for("the minute that stood out is no longer there, or lasted too long for a burst");
        };
        let limit = objective.latency_slo_ms.to_microseconds().0;
        let latencies = history.0.values().filter_map(|row| Some(row.latency?.0));
        let unloaded = quantile(latencies, UNLOADED).filter(|unloaded| *unloaded < limit);
        let Some(unloaded) = unloaded else {
            return unsized_for("requests that queue for nobody are hardly within the objective");
        };
        // For a minute, a herd is a load as any other. An instance that it overloads serves what it can; of one worker every
        // percentile of latency is that without load over 1 − ρ (M/M/1), so it is within the objective up to
        // ρ = 1 − unloaded/objective, and more workers carry more. What was seen to be carried is carried.
        let carried = herds.served * (1.0 - unloaded / limit);
        let carried = CAREFUL * capacity.map_or(carried, |capacity| carried.max(capacity.low.0));
        let needed = InvocationsPerInstance(without_chance(carried)).instances_for(herds.requests);
        let target = target_tracking::rounded(BETWEEN_HERDS * carried).map(InvocationsPerInstance);
        let Some((needed, target)) = needed.zip(target) else {
            return unsized_for("what one instance carries does not show");
        };
        let ran = observation.running().unwrap_or(InstanceCount(1));
        let why = format!(
            "herds of {} requests in a minute come where {} are usual: {needed} instances carry them within {}, {ran} {} not",
            Thousands(herds.requests.0.round()),
            Thousands(herds.usual.0.round()),
            objective.latency_slo_ms,
            if ran.0 == 1 { "does" } else { "do" },
        );
        let Some(clock) = herds.clock else {
            return unsized_for(format!(
                "{why}; nobody knows when the next one comes, and they would wait for it idle"
            ));
        };
        let recurs = Some(format!("{}, {} of them seen", clock.in_words(), herds.count));
        let minutes_over = clock.times_a_day();
        let (floors, up) = match clock.floors(Boot::of(observation).slow_minutes(), calm_min, needed) {
            Some(scheduled) => scheduled,
            None => (Vec::new(), 1.0),
        };
        Ok(Self { target, needed, why, recurs, floors, up, hours: history.hours(), minutes_over })
    }
}

/// The bursting minutes in the words of the model.
fn seen(
    observation: &Observation,
    objective: &LatencyObjective,
    bursting: &[&MinuteRow],
    calm: &[&MinuteRow],
) -> Result<Seen, Unsized> {
    let Statistic::Percentile(hundredths) = objective.slo_statistic else {
        return unsized_for(format!("the objective is stated as {}: a percentile is needed", objective.slo_statistic));
    };
    if bursting.len() < FEWEST_MINUTES {
        return unsized_for(format!(
            "{} of the last minutes were over the objective: three are needed",
            bursting.len()
        ));
    }
    if 2 * bursting.iter().filter(|row| row.has_few_errors()).count() < bursting.len() {
        return unsized_for("requests failed or were refused, so what came does not show in what was served");
    }
    let middle = |name: &str, value: fn(&MinuteRow) -> Option<f64>| {
        let values: Vec<f64> = bursting.iter().filter_map(|row| value(row)).collect();
        let middle = median(values.iter().copied()).filter(|_| values.len() >= FEWEST_MINUTES);
        middle.map_or_else(|| unsized_for(format!("{name} has too few datapoints")), Ok)
    };
    let quietest = |name: &str, value: fn(&MinuteRow) -> Option<f64>| {
        let quietest = quantile(calm.iter().filter_map(|row| value(row)), UNLOADED);
        quietest.map_or_else(|| unsized_for(format!("{name} has no datapoints in usual minutes")), Ok)
    };
    let mean = |row: &MinuteRow| Some(row.latency_average?.0 / 1e6);
    let latency = |row: &MinuteRow| Some(row.latency?.0 / 1e6);
    let load = middle("InvocationsPerInstance", |row| Some(row.load?.0))?;
    Ok(Seen {
        load,
        most: middle("ConcurrentRequestsPerModel", |row| row.concurrency_maximum)?,
        mean: middle("ModelLatency Average", mean)?,
        latency: middle("ModelLatency", latency)?,
        unloaded_mean: quietest("ModelLatency Average", mean)?,
        unloaded: quietest("ModelLatency", latency)?,
        quantile: f64::from(hundredths) / 10_000.0,
        instances: middle("InvocationsPerInstance", MinuteRow::instances)?.round().max(1.0),
        is_random: observation.variant.routing_strategy.as_deref() != Some("LEAST_OUTSTANDING_REQUESTS"),
        alone: alone(load, bursting, calm)?,
    })
}

/// How many times the work of a request in a burst a request takes at the same load without one: batches are filled by
/// bursts, and what a batch costs whatever its size is then borne by more. The room between bursts is that of small
/// batches.
fn alone(load: f64, bursting: &[&MinuteRow], calm: &[&MinuteRow]) -> Result<f64, Unsized> {
    let used = |row: &MinuteRow| [row.cpu.average, row.gpu.average].into_iter().flatten().max_by(f64::total_cmp);
    let line: Vec<(f64, f64)> = calm.iter().filter_map(|row| Some((row.load?.0, used(row)?))).collect();
    let idle = theil_sen_intercept(&line).unwrap_or(0.0).clamp(0.0, MOST_IDLE);
    let work = |row: &MinuteRow| Some((used(row)? - idle) / row.load?.0);
    let matched = |row: &&&MinuteRow| row.load.is_some_and(|calm| (calm.0 / load).ln().abs() < SAME_LOAD);
    let calm: Vec<f64> = calm.iter().filter(matched).filter_map(|row| work(row)).collect();
    let bursting = median(bursting.iter().filter_map(|row| work(row))).filter(|work| *work > 0.0);
    let calm = median(calm.iter().copied()).filter(|_| calm.len() >= FEWEST_MATCHED);
    match calm.zip(bursting) {
        Some((calm, bursting)) if calm > SAME_WORK * bursting => Ok(calm / bursting),
        Some(_) => Ok(1.0),
        None => unsized_for("no utilisation at this load tells whether requests are served in batches"),
    }
}

/// The mean of requests that go to any instance, of which nine in ten minutes have no more than `most`.
fn without_chance(most: f64) -> f64 {
    // m + CHANCE √m = most.
    ((CHANCE.mul_add(CHANCE, 4.0 * most).sqrt() - CHANCE) / 2.0).powi(2)
}

/// Stretches of minutes that are an hour apart or more.
fn episodes(minutes: &[Minute]) -> usize {
    let apart = minutes.windows(2).filter(|pair| match pair {
        [before, after] => after.since(*before) > EPISODE_MINUTES,
        _ => false,
    });
    usize::from(!minutes.is_empty()) + apart.count()
}
