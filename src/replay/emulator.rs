//! Application Auto Scaling as it really acts, minute by minute.
//!
//! A minute's metric is published a minute after its end, so a decision at the beginning of a minute knows the last but
//! one. Target tracking asks for `ceil(instances · metric / target)` as soon as its alarm fires, never while instances
//! start (SageMaker refuses changes until then) and not within the cooldown, unless it asks for more than it got. Any
//! policy may add, the largest wish wins; instances are removed only where every policy that could agrees, again the
//! largest count. Added instances are paid from their launch and serve after the boot time; removed ones go at once.
//! Requests beyond what the instances serve wait, for a minute at most.

use super::rules::{AlarmRule, Compiled, Datapoints, Metric, Rule};
use super::shares::Shares;
use super::traffic::{LEAST_REQUESTS, Traffic};
use crate::model::{InvocationsPerInstance, LatencyCurve, Microseconds};

/// A container has a minute to answer: what would wait longer has failed.
const LONGEST_WAIT_MINUTES: f64 = 1.0;
const MICROSECONDS: f64 = 60e6;

/// An endpoint and its traffic, ready to be replayed under any set-up.
#[derive(Debug, Clone)]
pub struct Emulator {
    offered: Vec<f64>,
    curve: LatencyCurve,
    limit: Microseconds,
    /// Share of minutes over the objective, by load and work.
    over: Shares,
    utilization: Option<Usage>,
    /// Work per request at each minute, where it is not always the same.
    work: Option<Vec<f64>>,
    /// The work that utilisation shows, chance included, where it is not always the same. NaN: nothing was published.
    measured: Option<Vec<f64>>,
}

/// Utilisation over load, as CloudWatch has it: in percent, summed over cores or GPUs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Without load.
    pub idle: f64,
    /// For each invocation per instance and minute.
    pub each: f64,
    /// All of it.
    pub full: f64,
}

/// What policies can see of a minute: NaN where nothing is known.
#[derive(Debug, Clone, Copy)]
struct Seen {
    load: f64,
    utilization: f64,
    refused: f64,
}

const NOT_SEEN: Seen = Seen { load: f64::NAN, utilization: f64::NAN, refused: f64::NAN };

/// What is not known for certain: one draw of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// True capacity over the estimate, above 0.
    pub capacity: f64,
    /// Minutes from launch to service, above 0.
    pub boot_minutes: f64,
}

/// One minute of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Minutes from the first.
    pub minute: usize,
    /// Instances that serve.
    pub serving: f64,
    /// Instances that are paid: those that start among them.
    pub paid: f64,
    /// How likely the minute is over the objective, 0 to 1.
    pub over: f64,
}

/// What a set-up did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// By block, counted from the first minute: see [`Emulator::block_minutes`].
    pub blocks: Vec<Block>,
    /// Changes of the instance count.
    pub changes: u32,
}

/// One block of an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Block {
    /// Expected minutes over the objective.
    pub over_minutes: f64,
    /// Minutes of single instances.
    pub instance_minutes: f64,
}

impl Outcome {
    /// Expected minutes over the objective.
    #[must_use]
    pub fn over_minutes(&self) -> f64 {
        self.blocks.iter().map(|block| block.over_minutes).sum()
    }

    /// Minutes of single instances.
    #[must_use]
    pub fn instance_minutes(&self) -> f64 {
        self.blocks.iter().map(|block| block.instance_minutes).sum()
    }
}

/// A policy while it is replayed.
#[derive(Default)]
struct State {
    high: Datapoints,
    low: Datapoints,
    out_until: i64,
    in_until: i64,
}

/// Instances on their way.
struct Pending {
    count: f64,
    ready: i64,
}

impl Emulator {
    /// An endpoint with this curve, objective and traffic.
    #[must_use]
    pub fn new(traffic: &Traffic, curve: &LatencyCurve, limit: Microseconds, utilization: Option<Usage>) -> Self {
        let work = traffic.work.as_ref();
        Self {
            offered: traffic.offered.clone(),
            curve: curve.clone(),
            limit,
            over: Shares::of(curve, limit, work.map_or(&[1.0], |work| &work.smooth)),
            utilization,
            work: work.map(|work| work.smooth.clone()),
            measured: work.map(|work| work.measured.clone()),
        }
    }

    /// The same endpoint with the work per request that each minute of the past had.
    #[must_use]
    pub fn in_the_past(&self, traffic: &Traffic) -> Self {
        let minutes = (0..).map(|index| traffic.first.plus(index)).take(traffic.minutes());
        let then: Vec<f64> = minutes.map(|minute| self.curve.work_at(minute.start())).collect();
        let times = |work: &Vec<f64>| work.iter().zip(&then).map(|(work, then)| work * then).collect();
        let work = self.work.as_ref().map_or_else(|| then.clone(), times);
        let measured = self.measured.as_ref().map(times);
        Self { over: Shares::of(&self.curve, self.limit, &work), work: Some(work), measured, ..self.clone() }
    }

    /// Minutes of a block: a day, which repeats with all that happens in one; two hours where there are fewer than five days.
    #[must_use]
    pub fn block_minutes(&self) -> usize {
        if self.offered.len() >= 5 * 1_440 { 1_440 } else { 120 }
    }

    /// Whether policies on utilisation can be replayed.
    #[must_use]
    pub fn has_utilization(&self) -> bool {
        self.utilization.is_some()
    }

    /// What the set-up does, block by block.
    #[must_use]
    pub fn run(&self, setup: &Compiled, start: f64, draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.offered.len(), self.block_minutes());
        let changes = self.play(setup, start, draw, |step| sums.add(step));
        Outcome { blocks: sums.done, changes }
    }

    /// What these counts would have done: `counts` has one for each minute.
    #[must_use]
    pub fn run_counts(&self, counts: &[f64], draw: Draw) -> Outcome {
        let mut sums = Sums::new(self.offered.len(), self.block_minutes());
        let mut queue = 0.0;
        let mut changes = 0;
        let mut before = f64::NAN;
        for (minute, (offered, serving)) in self.offered.iter().zip(counts).enumerate() {
            let over = self.serve(minute, *offered, &self.fleet(*serving, draw.capacity), &mut queue);
            changes += u32::from(before.is_finite() && (before - serving).abs() > 0.5);
            before = *serving;
            sums.add(Step { minute, serving: *serving, paid: *serving, over });
        }
        Outcome { blocks: sums.done, changes }
    }

    /// Replays minute by minute; answers how often the count changed.
    pub fn play(&self, setup: &Compiled, start: f64, draw: Draw, mut see: impl FnMut(Step)) -> u32 {
        let mut states: Vec<State> = setup.rules.iter().map(|_| State::default()).collect();
        let (mut min, mut max) = (setup.min, setup.max);
        let mut serving = start.clamp(min, max);
        let mut fleet = self.fleet(serving, draw.capacity);
        let mut before_change = serving;
        let mut pending: Option<Pending> = None;
        let mut queue = 0.0;
        let mut changes = 0;
        let mut timed = setup.timed.iter().peekable();
        #[expect(clippy::cast_possible_truncation, reason = "minutes of a boot")]
        let boot = draw.boot_minutes.clamp(1.0, 240.0).round() as i64;
        // The last minute, and the one before that.
        let (mut last, mut known) = (NOT_SEEN, NOT_SEEN);
        for (minute, offered) in self.offered.iter().enumerate() {
            let now = i64::try_from(minute).unwrap_or(i64::MAX);
            if let Some(started) = pending.take_if(|pending| pending.ready <= now) {
                serving = started.count;
                fleet = self.fleet(serving, draw.capacity);
                for (state, rule) in states.iter_mut().zip(&setup.rules) {
                    let cooldown = match rule {
                        Rule::Tracking { out_cooldown, .. } => *out_cooldown,
                        Rule::Stepping { cooldown, .. } => *cooldown,
                    };
                    state.out_until = state.out_until.max(now + cooldown);
                }
            }
            while let Some(change) = timed.next_if(|timed| timed.minute <= now) {
                min = change.min.unwrap_or(min);
                max = change.max.unwrap_or(max).max(min);
            }
            for (state, rule) in states.iter_mut().zip(&setup.rules) {
                self.look(state, rule, known);
            }
            if pending.is_none() {
                let wanted = if setup.is_out_suspended {
                    serving
                } else {
                    self.out(&states, &setup.rules, known, serving, before_change, now)
                };
                let wanted = wanted.min(max).max(min);
                if wanted > serving {
                    pending = Some(Pending { count: wanted, ready: now + boot });
                    before_change = serving;
                    changes += 1;
                } else {
                    let fewer = if setup.is_in_suspended {
                        serving
                    } else {
                        self.fewer(&states, &setup.rules, known, serving, now)
                    };
                    let fewer = fewer.max(min).min(max);
                    if fewer < serving {
                        serving = fewer;
                        fleet = self.fleet(serving, draw.capacity);
                        before_change = fewer;
                        changes += 1;
                        for (state, rule) in states.iter_mut().zip(&setup.rules) {
                            let cooldown = match rule {
                                Rule::Tracking { in_cooldown, .. } => *in_cooldown,
                                Rule::Stepping { cooldown, .. } => *cooldown,
                            };
                            state.in_until = now + cooldown;
                        }
                    }
                }
            }
            let waiting = queue;
            let over = self.serve(minute, *offered, &fleet, &mut queue);
            known = last;
            // What waits is not counted yet; what waited is.
            last = if serving < 1.0 {
                Seen { refused: *offered, ..NOT_SEEN }
            } else {
                self.seen(minute, (waiting + offered - queue) * fleet.each)
            };
            let paid = pending.as_ref().map_or(serving, |pending| pending.count);
            see(Step { minute, serving, paid, over });
        }
        changes
    }

    /// What a minute shows with this load on one instance.
    #[inline]
    fn seen(&self, minute: usize, load: f64) -> Seen {
        let utilization = self.utilization.map_or(f64::NAN, |usage| {
            let work = self.measured.as_ref().map_or(1.0, |work| work.get(minute).copied().unwrap_or(f64::NAN));
            let percent = usage.idle + usage.each * load * work;
            // Not `min`, which would make a number of what is not known.
            if percent > usage.full { usage.full } else { percent }
        });
        Seen { load, utilization, refused: 0.0 }
    }

    fn look(&self, state: &mut State, rule: &Rule, seen: Seen) {
        match rule {
            Rule::Tracking { metric, high, low, .. } => {
                let value = seen.of(*metric);
                state.high.push(high, value);
                if let Some(low) = low {
                    state.low.push(low, value);
                }
            }
            Rule::Stepping { metric, alarm, .. } => {
                let value = seen.of(*metric);
                let points = if alarm.is_high { &mut state.high } else { &mut state.low };
                points.push(alarm, value);
            }
        }
    }

    /// The most that any policy wants; the present count where none wants more.
    fn out(&self, states: &[State], rules: &[Rule], seen: Seen, serving: f64, before: f64, now: i64) -> f64 {
        let mut most = serving;
        for (state, rule) in states.iter().zip(rules) {
            let wanted = match rule {
                Rule::Tracking { metric, target, high, .. } if state.high.fires(high) => {
                    // Within the cooldown, what was added counts: only a larger wish from before it goes further.
                    let base = if now < state.out_until { before } else { serving };
                    (base * seen.of(*metric) / target).ceil()
                }
                Rule::Stepping { metric, alarm, steps, .. } if alarm.is_high && state.high.fires(alarm) => {
                    let base = if now < state.out_until { before } else { serving };
                    steps.wanted(base, seen.of(*metric) - alarm.threshold)
                }
                _ => continue,
            };
            if wanted > most {
                most = wanted;
            }
        }
        most
    }

    /// The fewest that all policies agree on; the present count where one does not.
    fn fewer(&self, states: &[State], rules: &[Rule], seen: Seen, serving: f64, now: i64) -> f64 {
        let mut wish: Option<f64> = None;
        for (state, rule) in states.iter().zip(rules) {
            let (alarm, wanted): (&AlarmRule, f64) = match rule {
                Rule::Tracking { metric, target, low: Some(low), .. } => {
                    (low, (serving * seen.of(*metric) / target).ceil())
                }
                Rule::Stepping { metric, alarm, steps, .. } if !alarm.is_high => {
                    (alarm, steps.wanted(serving, seen.of(*metric) - alarm.threshold))
                }
                // It never removes, so nobody asks it.
                _ => continue,
            };
            if now < state.in_until || !state.low.fires(alarm) || !wanted.is_finite() {
                return serving;
            }
            wish = Some(wish.map_or(wanted, |wish| wish.max(wanted)));
        }
        wish.unwrap_or(serving)
    }

    fn fleet(&self, serving: f64, capacity: f64) -> Fleet {
        let each = 1.0 / serving;
        Fleet { each, load: each / capacity, at_most: serving * self.curve.saturation.0 * capacity }
    }

    /// Serves a minute: how likely it is over the objective. `queue` is what waits.
    #[inline]
    fn serve(&self, minute: usize, offered: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
        let work = self.work.as_ref().map_or(1.0, |work| work.get(minute).copied().unwrap_or(1.0));
        // Most minutes are like this: nothing waits.
        if *queue == 0.0 && offered * work <= fleet.at_most {
            return if offered < LEAST_REQUESTS { 0.0 } else { self.over.at(minute, offered * work * fleet.load) };
        }
        self.serve_slowly(offered, work, fleet, queue)
    }

    fn serve_slowly(&self, offered: f64, work: f64, fleet: &Fleet, queue: &mut f64) -> f64 {
        if offered.is_nan() {
            *queue = 0.0;
            return 0.0;
        }
        // Nothing serves: whatever comes is refused.
        if fleet.at_most <= 0.0 {
            *queue = 0.0;
            return if offered > 0.0 { 1.0 } else { 0.0 };
        }
        let at_most = fleet.at_most / work;
        let waiting = *queue;
        *queue = (waiting + offered - at_most).clamp(0.0, LONGEST_WAIT_MINUTES * at_most);
        if offered < LEAST_REQUESTS {
            return 0.0;
        }
        let served = (waiting + offered).min(at_most);
        let load = InvocationsPerInstance(served * fleet.load * work);
        let waited = MICROSECONDS * (waiting + *queue) / 2.0 / at_most;
        let typical = Microseconds(work * self.curve.latency(load).0 + waited);
        self.curve.share_of(typical, self.limit, load)
    }
}

impl Seen {
    fn of(self, metric: Metric) -> f64 {
        match metric {
            Metric::InvocationsPerInstance => self.load,
            Metric::Utilization => self.utilization,
            Metric::Refused => self.refused,
        }
    }
}

/// What follows from the instances in service.
struct Fleet {
    /// The part of the requests that one instance gets.
    each: f64,
    /// The same, in units of an instance whose capacity is the estimate.
    load: f64,
    /// Requests per minute that all of them serve.
    at_most: f64,
}

/// Sums by block.
struct Sums {
    done: Vec<Block>,
    in_block: usize,
    block_minutes: usize,
}

impl Sums {
    fn new(minutes: usize, block_minutes: usize) -> Self {
        Self { done: Vec::with_capacity(minutes / block_minutes + 1), in_block: 0, block_minutes }
    }

    #[inline]
    fn add(&mut self, step: Step) {
        if self.in_block == 0 {
            self.done.push(Block::default());
        }
        self.in_block += 1;
        if self.in_block == self.block_minutes {
            self.in_block = 0;
        }
        if let Some(block) = self.done.last_mut() {
            block.over_minutes += step.over;
            block.instance_minutes += step.paid;
        }
    }
}
