//! What one instance of an asynchronous endpoint processes: measured directly while requests wait.
//!
//! A saturated instance works as fast as it can, so what it processes then is its capacity; there is nothing to
//! extrapolate and no latency objective to keep. Minutes beside a change of the instance count do not count, nor do those
//! before the last change of speed.

use super::speed::{Block, present};
use crate::model::{
    Bound, Capacity, Grade, InvocationsPerInstance, Milliseconds, Minute, Observation, Queue, QueueMinute, Statistic,
};
use crate::statistics::quantile;

/// Saturated minutes are taken together in blocks: a minute in which two long requests end says little.
const BLOCK_MINUTES: usize = 10;
/// A shorter block is left out: requests that wait for a few minutes by chance wait because those before them are large.
const LEAST_MINUTES: usize = 5;
/// Instances that differ by less are as many: the two metrics are averages of the same minute.
const SAME_COUNT: f64 = 0.1;
/// Minutes after new instances came in which they are not warm.
const WARM_UP_MINUTES: i64 = 3;
/// How far to trust it: half an interval of so much, as a share of the estimate.
const HIGH_WITHIN: f64 = 0.08;
const MEDIUM_WITHIN: f64 = 0.20;
/// So many minutes have to be seen to say what at least is processed.
const FEWEST_MINUTES: usize = 15;

/// What one instance processes per minute; none where too little was seen to say even that.
pub(super) fn capacity(observation: &Observation) -> Option<Capacity> {
    let queue = Queue::of(observation);
    let blocks = blocks(&queue);
    let objective = observation.objective;
    let told =
        |value: f64, (low, high): (f64, Option<f64>), bound, grade, minutes_used: usize, method: &str| Capacity {
            invocations_per_instance_per_minute: InvocationsPerInstance(value),
            low: InvocationsPerInstance(low),
            high: high.map(InvocationsPerInstance),
            bound,
            grade,
            latency_slo_ms: objective.map_or(Milliseconds(0.0), |objective| objective.latency_slo_ms),
            slo_statistic: objective.map_or(Statistic::P90, |objective| objective.slo_statistic),
            minutes_used: u32::try_from(minutes_used).unwrap_or(u32::MAX),
            method: method.to_owned(),
            extrapolation: None,
            curve: None,
            is_shared: false,
            is_throughput: true,
            work: None,
        };
    let Some(speed) = present(&blocks) else {
        let (least, minutes) = processed_at_least(&queue)?;
        let method =
            "what five in a hundred minutes reached or passed; requests never waited, so the limit was not seen";
        return Some(told(least, (least, None), Bound::AtLeast, Grade::Low, minutes, method));
    };
    let grade = match speed.spread {
        spread if spread > MEDIUM_WITHIN => Grade::Low,
        spread if spread > HIGH_WITHIN || speed.has_changed => Grade::Medium,
        _ => Grade::High,
    };
    let method = if speed.has_changed {
        "what was processed while requests waited, since its speed changed"
    } else {
        "what was processed while requests waited"
    };
    let interval = (speed.value * (1.0 - speed.spread), Some(speed.value * (1.0 + speed.spread)));
    Some(told(speed.value, interval, Bound::Estimate, grade, speed.minutes, method))
}

fn blocks(queue: &Queue) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = Block::default();
    let mut count: Option<f64> = None;
    let mut warm_from = i64::MIN;
    for (minute, row) in queue.minutes() {
        let is_same = |now: f64| count.is_some_and(|before| (now - before).abs() <= SAME_COUNT * before.max(1.0));
        if let Some(now) = row.instances.filter(|now| !is_same(*now)) {
            close(&mut open, &mut blocks);
            // Where the count was not known before, nothing says that it changed.
            warm_from = if count.is_some() { minute.0 + WARM_UP_MINUTES } else { warm_from };
            count = Some(now);
        }
        match measured(queue, minute, &row).filter(|_| minute.0 >= warm_from) {
            Some((processed, instances)) => {
                open.minutes += 1;
                open.processed += processed;
                open.instance_minutes += instances;
                if open.minutes == BLOCK_MINUTES {
                    close(&mut open, &mut blocks);
                }
            }
            None => close(&mut open, &mut blocks),
        }
    }
    close(&mut open, &mut blocks);
    blocks
}

fn close(open: &mut Block, blocks: &mut Vec<Block>) {
    let block = std::mem::take(open);
    if block.minutes >= LEAST_MINUTES {
        blocks.push(block);
    }
}

/// What was processed, and by how many instances, where all of them had more to do than they could, all the minute: the
/// backlog of a minute is a mean, which hides that a batch came late in it, or was done before its end. So the minutes beside
/// it may not be known to be idle.
fn measured(queue: &Queue, minute: Minute, row: &QueueMinute) -> Option<(f64, f64)> {
    let processed = row.processed.filter(|_| is_busy_throughout(row))?;
    let is_idle = |beside: i64| {
        let row = queue.at(minute.plus(beside));
        row.backlog.is_some() && row.instances.is_some() && !row.is_saturated
    };
    let instances = row.instances.filter(|count| *count > 0.0 && !is_idle(-1) && !is_idle(1))?;
    Some((processed, instances))
}

/// Whether more waited in the mean than is left of any queue that becomes empty in this minute: one that falls steadily from
/// a minute's work to nothing is half of that in the mean.
fn is_busy_throughout(row: &QueueMinute) -> bool {
    let work = row.processed.unwrap_or(0.0);
    row.is_saturated && row.backlog.is_some_and(|backlog| backlog >= 0.5 * work)
}

/// What one instance was seen to process, and in how many minutes.
fn processed_at_least(queue: &Queue) -> Option<(f64, usize)> {
    let rates: Vec<f64> = queue
        .minutes()
        .filter_map(|(_, row): (Minute, QueueMinute)| {
            Some(row.processed? / row.instances.filter(|count| *count > 0.0)?)
        })
        .collect();
    let least = quantile(rates.iter().copied(), 0.95).filter(|least| *least > 0.0)?;
    (rates.len() >= FEWEST_MINUTES).then_some((least, rates.len()))
}
