//! The policy that would have done best, robustly.
//!
//! Policies within what AWS offers are replayed over the whole history: first targets and floors, then cooldowns and
//! schedules for the best of those, then the best few under many draws of what is not known for certain.

use super::schedule::{self, Floor};
use super::score::Exchange;
use super::target_tracking::{Tracked, rounded};
use crate::config::ScalingObjective;
use crate::model::{Capacity, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Seconds};
use crate::replay::{AlarmRule, Compiled, Draw, Metric, Outcome, Replay, Rule, Timed};
use crate::statistics::quantile;

/// Targets, as shares of the capacity: below 0.35 money burns, above 0.95 the noise of single minutes is an overload.
const SHARES: std::ops::RangeInclusive<u32> = 7..=19;
const STEPS: u32 = 20;
const SHARE_STEP: f64 = 1.0 / STEPS as f64;
/// Floors, as quantiles of the load.
const FLOOR_QUANTILES: [f64; 6] = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9];
/// Floors of provisioned concurrency, as quantiles of the units that minutes need: a unit costs a fraction of an instance,
/// and bursts are over before more of them come.
const UNIT_QUANTILES: [f64; 6] = [0.1, 0.5, 0.8, 0.95, 0.98, 0.995];
/// Seconds between two scale-outs; where it makes no difference, the first. SageMaker's own lock keeps it small.
const OUT_COOLDOWNS: [u32; 3] = [60, 0, 180];
/// Seconds between two scale-ins; where it makes no difference, the first.
const IN_COOLDOWNS: [u32; 4] = [600, 300, 900, 1_800];
/// What the first stage uses.
const FIRST_COOLDOWNS: (u32, u32) = (60, 300);
/// How many of the first stage go on, and of the second: half as many on utilisation, which come on top.
const ON_INVOCATIONS: (usize, usize) = (6, 10);
const ON_UTILIZATION: (usize, usize) = (3, 5);
const DRAWS: usize = 20;
/// Draws of the first two stages: a pessimistic, the likely and an optimistic capacity.
const FEW_DRAWS: usize = 3;
/// The present policy stays unless it is beaten by this much: less is noise, and a change interrupts scaling.
const HYSTERESIS: f64 = 0.95;
/// A policy on utilisation has to be better than the best on invocations by this much: it stands on one more thing that is only
/// inferred, the work of each minute.
const WORTH_UTILIZATION: f64 = 0.95;
/// Costs this close are the same; of those the lowest target wins, because it forgives most.
const TIE: f64 = 1.01;

/// What a policy may be.
pub(super) struct Bounds {
    /// Never fewer instances.
    pub least: InstanceCount,
    /// `MaxCapacity`.
    pub max: InstanceCount,
    /// Whether `MinCapacity` may follow a schedule.
    pub may_schedule: bool,
}

/// What the search has to do with.
pub(super) struct Task<'a> {
    pub replay: &'a Replay,
    pub capacity: &'a Capacity,
    pub bounds: &'a Bounds,
    pub objective: ScalingObjective,
    /// What a policy follows first of all.
    pub follows: Tracked,
    /// The policies that stand, within the new range.
    pub present: Option<&'a Compiled>,
    /// Policies of somebody else on other metrics, which act beside ours.
    pub others: &'a [Rule],
    /// Whether policies on utilisation are tried too.
    pub may_track_utilization: bool,
}

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub metric: Tracked,
    /// Load per instance that it keeps.
    pub load: InvocationsPerInstance,
    /// The same in the metric's unit.
    pub target: f64,
    /// `MinCapacity`, and in the beginning of a schedule.
    pub min: InstanceCount,
    pub out_cooldown: Seconds,
    pub in_cooldown: Seconds,
    /// `MinCapacity` by the hour; empty: always `min`.
    pub floors: Vec<Floor>,
}

/// What the search found.
pub(super) struct Found {
    pub best: Candidate,
    /// The present set-up is as good, so that it should stay.
    pub keeps_present: bool,
    /// Policies that were replayed.
    pub tried: usize,
    /// What the best on utilisation costs over the best on invocations, where both were tried.
    pub utilization_costs: Option<f64>,
    /// What will stand, as it is replayed: the best, or the present set-up where it is kept.
    pub standing: Compiled,
    /// Expected minutes over the objective under it.
    pub over_minutes: f64,
}

/// Searches; none where nothing can be tried.
pub(super) fn search(task: &Task) -> Option<Found> {
    let Task { replay, capacity, present, .. } = *task;
    let exchange = Exchange::of(task.objective, replay.needed_fleet());
    let many = replay.draws(DRAWS);
    let mut search = Search { task, exchange, few: replay.draws(FEW_DRAWS), many: &many, tried: 0 };
    let (mut cost, mut winner) = search.best_on(task.follows)?;
    let mut utilization_costs = None;
    if let Some(work) = capacity.work.filter(|_| task.may_track_utilization)
        && let Some((other, candidate)) = search.best_on(Tracked::Utilization(work.metric))
    {
        utilization_costs = Some(other / cost);
        if other < WORTH_UTILIZATION * cost {
            (cost, winner) = (other, candidate);
        }
    }
    let present = present.filter(|present| can_react(present, capacity.likely()));
    let present_cost = present.map(|present| exchange.robust(&search.outcomes(present, &many)));
    let keeps_present = present_cost.is_some_and(|present| cost > HYSTERESIS * present);
    let standing = present.filter(|_| keeps_present).cloned().unwrap_or_else(|| search.compiled(&winner));
    let likely = search.outcomes(&standing, &[replay.likely()]);
    let tried = search.tried;
    Some(Found {
        keeps_present,
        tried,
        utilization_costs,
        over_minutes: likely.iter().map(Outcome::over_minutes).sum(),
        standing,
        best: winner,
    })
}

/// Whether the set-up adds instances before they are overloaded. One that does not is no better for never having been
/// tried.
fn can_react(setup: &Compiled, capacity: InvocationsPerInstance) -> bool {
    !setup.is_out_suspended
        && !setup.rules.is_empty()
        && setup.rules.iter().all(|rule| match rule {
            Rule::Tracking { metric: Metric::InvocationsPerInstance, target, .. } => *target < capacity.0,
            _ => true,
        })
}

struct Search<'a> {
    task: &'a Task<'a>,
    exchange: Exchange,
    few: Vec<Draw>,
    many: &'a [Draw],
    /// Policies that were replayed.
    tried: usize,
}

impl Search<'_> {
    /// The best policy on this metric, and what it costs.
    fn best_on(&mut self, metric: Tracked) -> Option<(f64, Candidate)> {
        let Task { replay, capacity, bounds, .. } = *self.task;
        let (second_stage, third_stage) = match metric {
            Tracked::Invocations | Tracked::ProvisionedConcurrency => ON_INVOCATIONS,
            Tracked::Utilization(_) => ON_UTILIZATION,
        };
        let mut first = Vec::new();
        let floors = floors(replay, capacity.low, bounds);
        for (load, target) in self.targets(metric) {
            for min in &floors {
                let candidate = Candidate {
                    metric,
                    load,
                    target,
                    min: *min,
                    out_cooldown: Seconds(FIRST_COOLDOWNS.0),
                    in_cooldown: Seconds(FIRST_COOLDOWNS.1),
                    floors: Vec::new(),
                };
                first.push(self.rated(candidate));
            }
        }
        let scheduled =
            || schedule::floors(&replay.traffic, capacity.low, replay.boot.slow_minutes(), bounds.least, bounds.max);
        let scheduled = bounds.may_schedule.then(scheduled).flatten();
        let mut second = Vec::new();
        for (_, candidate) in best(first, second_stage) {
            for out in OUT_COOLDOWNS {
                for within in IN_COOLDOWNS {
                    for floors in [Some(Vec::new()), scheduled.clone()].into_iter().flatten() {
                        // A schedule takes the place of the floor.
                        let min = if floors.is_empty() { candidate.min } else { bounds.least };
                        let candidate = Candidate {
                            out_cooldown: Seconds(out),
                            in_cooldown: Seconds(within),
                            min,
                            floors,
                            ..candidate.clone()
                        };
                        second.push(self.rated(candidate));
                    }
                }
            }
        }
        let third: Vec<(f64, Candidate)> = best(second, third_stage)
            .into_iter()
            .map(|(_, candidate)| {
                let outcomes = self.outcomes(&self.compiled(&candidate), self.many);
                (self.exchange.robust(&outcomes), candidate)
            })
            .collect();
        let cost = third.iter().map(|(cost, _)| *cost).min_by(f64::total_cmp)?;
        let near = third.into_iter().filter(|(near, _)| *near <= TIE * cost).map(|(_, candidate)| candidate);
        let rank = |candidate: &Candidate| {
            let out = OUT_COOLDOWNS.iter().position(|seconds| *seconds == candidate.out_cooldown.0);
            (out, IN_COOLDOWNS.iter().position(|seconds| *seconds == candidate.in_cooldown.0))
        };
        let winner = near.min_by(|a, b| a.target.total_cmp(&b.target).then(rank(a).cmp(&rank(b))))?;
        Some((cost, winner))
    }

    /// Targets to try, lowest first: the load on an instance, and the metric at it.
    fn targets(&self, metric: Tracked) -> Vec<(InvocationsPerInstance, f64)> {
        let Capacity { work, .. } = self.task.capacity;
        let value = self.task.capacity.likely();
        let target = |step: u32| {
            let load = InvocationsPerInstance(SHARE_STEP * f64::from(step) * value.0);
            match (metric, work) {
                (Tracked::Invocations, _) => rounded(load.0).map(|target| (InvocationsPerInstance(target), target)),
                (Tracked::Utilization(_), Some(work)) => {
                    rounded(work.percent_at(load)).map(|target| (work.load_at(target), target))
                }
                (Tracked::Utilization(_), None) => None,
                // The metric is the share itself.
                (Tracked::ProvisionedConcurrency, _) => Some((load, f64::from(step) / f64::from(STEPS))),
            }
        };
        let mut targets: Vec<(InvocationsPerInstance, f64)> = SHARES.filter_map(target).collect();
        targets.dedup_by(|(_, a), (_, b)| *a <= *b);
        targets
    }

    fn rated(&mut self, candidate: Candidate) -> (f64, Candidate) {
        self.tried += 1;
        (self.exchange.mean(&self.outcomes(&self.compiled(&candidate), &self.few)), candidate)
    }

    fn outcomes(&self, compiled: &Compiled, draws: &[Draw]) -> Vec<Outcome> {
        let Task { replay, .. } = *self.task;
        let start = replay.start(compiled);
        draws.iter().map(|draw| replay.emulator.run(compiled, start, *draw)).collect()
    }

    fn compiled(&self, candidate: &Candidate) -> Compiled {
        compiled(candidate, self.task.bounds.max, self.task.replay, self.task.others)
    }
}

/// A candidate as it is replayed, beside the policies of `others`, which stay.
fn compiled(candidate: &Candidate, max: InstanceCount, replay: &Replay, others: &[Rule]) -> Compiled {
    let target = candidate.target;
    let minutes = |seconds: Seconds| i64::from(seconds.0.div_ceil(60));
    let length = i64::try_from(replay.traffic.minutes()).unwrap_or(i64::MAX);
    let offset = replay.traffic.first.0.rem_euclid(1_440);
    let mut timed = Vec::new();
    for floor in &candidate.floors {
        let first = (floor.minute - offset).rem_euclid(1_440);
        let mut minute = first;
        while minute < length {
            timed.push(Timed { minute, min: Some(f64::from(floor.min.0)), max: None });
            minute += 1_440;
        }
    }
    timed.sort_by_key(|timed| timed.minute);
    let ours = Rule::Tracking {
        metric: match candidate.metric {
            Tracked::Invocations => Metric::InvocationsPerInstance,
            Tracked::Utilization(_) | Tracked::ProvisionedConcurrency => Metric::Utilization,
        },
        target,
        high: AlarmRule { threshold: target, of: 3, needed: 3, is_high: true },
        low: Some(AlarmRule { threshold: 0.9 * target, of: 15, needed: 15, is_high: false }),
        out_cooldown: minutes(candidate.out_cooldown),
        in_cooldown: minutes(candidate.in_cooldown),
    };
    Compiled {
        min: f64::from(candidate.min.0),
        max: f64::from(max.0.max(candidate.min.0)),
        rules: std::iter::once(ours).chain(others.iter().cloned()).collect(),
        timed,
        is_out_suspended: false,
        is_in_suspended: false,
    }
}

/// The cheapest first.
fn best(mut rated: Vec<(f64, Candidate)>, count: usize) -> Vec<(f64, Candidate)> {
    rated.sort_by(|a, b| a.0.total_cmp(&b.0));
    rated.truncate(count);
    rated
}

/// Floors to try, fewest first.
fn floors(replay: &Replay, sustained: InvocationsPerInstance, bounds: &Bounds) -> Vec<InstanceCount> {
    let of = |share: &f64| {
        let load = quantile(replay.traffic.usual(), *share)?;
        sustained.instances_for(InvocationsPerMinute(load))
    };
    let units = |share: &f64| replay.emulator.units()?.for_share(*share);
    let mut floors: Vec<InstanceCount> = match replay.emulator.units() {
        Some(_) => UNIT_QUANTILES.iter().filter_map(units).collect(),
        None => FLOOR_QUANTILES.iter().filter_map(of).collect(),
    };
    floors = floors.into_iter().map(|count| count.max(bounds.least).min(bounds.max)).collect();
    floors.push(bounds.least.min(bounds.max));
    floors.sort_unstable();
    floors.dedup();
    floors
}
