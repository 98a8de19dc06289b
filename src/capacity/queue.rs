//! What one instance of an asynchronous endpoint processes: measured directly while requests wait.
//!
//! A saturated instance works as fast as it can, so what it processes then is its capacity; there is nothing to
//! extrapolate and no latency objective to keep. Minutes beside a change of the instance count do not count.

use crate::model::{
    Bound, Capacity, Grade, InvocationsPerInstance, Milliseconds, Minute, Observation, Queue, QueueMinute, Statistic,
};
use crate::statistics::{median, quantile};

/// Saturated minutes are taken together in blocks: a minute in which two long requests end says little.
const BLOCK_MINUTES: usize = 10;
/// A shorter block is left out.
const LEAST_MINUTES: usize = 5;
/// Instances that differ by less are as many: the two metrics are averages of the same minute.
const SAME_COUNT: f64 = 0.1;
/// Minutes after new instances came in which they are not warm.
const WARM_UP_MINUTES: i64 = 3;
/// What was measured in the last hours is how it works now, where it differs from before by more than this.
const CHANGED: f64 = 0.15;
const RECENT_MINUTES: i64 = 6 * 60;
/// With fewer blocks the interval is wide, whatever they say.
const FEW_BLOCKS: usize = 3;
const ENOUGH_BLOCKS: usize = 8;
/// The narrowest interval: containers differ by so much.
const LEAST_SPREAD: f64 = 0.05;
const SPREAD_OF_FEW: f64 = 0.20;
/// So many minutes have to be seen to say what at least is processed.
const FEWEST_MINUTES: usize = 15;

/// Some saturated minutes in a row, with the same instances.
#[derive(Debug, Default)]
struct Block {
    minutes: usize,
    processed: f64,
    instance_minutes: f64,
    last: i64,
}

impl Block {
    fn rate(&self) -> f64 {
        self.processed / self.instance_minutes
    }
}

/// What one instance processes per minute; none where too little was seen to say even that.
pub(super) fn capacity(observation: &Observation) -> Option<Capacity> {
    let queue = Queue::of(observation);
    let blocks = blocks(&queue);
    let rates = |recent: bool| -> Vec<f64> {
        let is_recent = |block: &&Block| queue.last.0 - block.last < RECENT_MINUTES;
        blocks.iter().filter(|block| is_recent(block) == recent).map(Block::rate).collect()
    };
    let (recent, older) = (rates(true), rates(false));
    let changed = median(recent.iter().copied()).zip(median(older.iter().copied()));
    let is_changed = changed.is_some_and(|(now, before)| (now / before - 1.0).abs() > CHANGED);
    let used: Vec<f64> = if is_changed { recent } else { recent.into_iter().chain(older).collect() };
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
    let Some(value) = median(used.iter().copied()).filter(|value| *value > 0.0) else {
        let (least, minutes) = processed_at_least(&queue)?;
        let method =
            "what five in a hundred minutes reached or passed; requests never waited, so the limit was not seen";
        return Some(told(least, (least, None), Bound::AtLeast, Grade::Low, minutes, method));
    };
    let spread = spread(&used, value);
    let grade = match used.len() {
        count if count < FEW_BLOCKS => Grade::Low,
        count if count < ENOUGH_BLOCKS || is_changed => Grade::Medium,
        _ => Grade::High,
    };
    let method = if is_changed {
        "what was processed while requests waited in the last six hours; before, it was another speed"
    } else {
        "what was processed while requests waited"
    };
    let minutes = used.len() * BLOCK_MINUTES;
    let interval = (value * (1.0 - spread), Some(value * (1.0 + spread)));
    Some(told(value, interval, Bound::Estimate, grade, minutes, method))
}

/// Half the 90 % interval of a median, as a share of it: 1.645 standard errors, of which the median has 1.2533 σ/√n where
/// blocks scatter normally, with σ from the quartiles (their distance over 1.349).
fn spread(rates: &[f64], value: f64) -> f64 {
    let quartile = |share| quantile(rates.iter().copied(), share).unwrap_or(value);
    let sigma = (quartile(0.75) - quartile(0.25)) / 1.349;
    #[expect(clippy::cast_precision_loss, reason = "blocks of at most 15 days")]
    let error = 1.645 * 1.2533 * sigma / (rates.len() as f64).sqrt();
    let least = if rates.len() < FEW_BLOCKS { SPREAD_OF_FEW } else { LEAST_SPREAD };
    (error / value).clamp(least, 0.5)
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
        match measured(&row).filter(|_| minute.0 >= warm_from) {
            Some((processed, instances)) => {
                open.minutes += 1;
                open.processed += processed;
                open.instance_minutes += instances;
                open.last = minute.0;
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

/// What was processed, and by how many instances, where all of them had more to do than they could.
fn measured(row: &QueueMinute) -> Option<(f64, f64)> {
    let instances = row.instances.filter(|count| *count > 0.0 && row.is_saturated)?;
    Some((row.processed?, instances))
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
