//! The policy that would have done best over the history of a queue.
//!
//! What is replayed is what would be put: the requests themselves, beside the policies and the schedule of others.

use super::policies::{self, Numbers};
use crate::config::ScalingObjective;
use crate::model::{
    Capacity, Days, EndpointName, Forecast, InstanceCount, Plan, ScalableKey, Scaling, ScalingPolicy, Seconds,
    Thousands, Validation,
};
use crate::plan::asked::with_alarm;
use crate::plan::score::Exchange;
use crate::replay::{Compiled, Draw, Outcome, QueueReplay, Setup};

/// Minutes of work that may wait on each instance, besides those of the closed form. Below one, chance scales; above three
/// quarters of an hour, instances are hardly ever added.
const WORK_MINUTES: [f64; 9] = [1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 45.0];
/// A minute until the metric is published, three until the policy's alarm fires, one until instances are asked for.
const DETECTION_MINUTES: f64 = 5.0;
/// Seconds between two scale-ins; where it makes no difference, the first.
const IN_COOLDOWNS: [u32; 3] = [600, 300, 1_800];
/// How many of the targets and floors go on to the cooldowns.
const KEPT: usize = 4;
const DRAWS: usize = 20;
const FEW_DRAWS: usize = 3;
/// The present policy stays unless it is beaten by this much: less is noise, and a change interrupts scaling.
const HYSTERESIS: f64 = 0.95;
/// Costs this close are the same; of those the lowest target wins, because it forgives most.
const TIE: f64 = 1.01;
/// A history has to be so long; its first minutes may be lost to the first stretch of arrivals.
const LEAST_MINUTES: usize = 24 * 60 - 15;

/// What the search has to do with.
pub(super) struct Task<'a> {
    pub replay: QueueReplay,
    pub capacity: &'a Capacity,
    pub key: &'a ScalableKey,
    pub endpoint_name: &'a EndpointName,
    pub scaling: &'a Scaling,
    pub slots: Option<f64>,
    /// `MinCapacity` may be one of these.
    pub floors: Vec<InstanceCount>,
    pub max: InstanceCount,
    pub longest_wait: Seconds,
    pub objective: ScalingObjective,
}

/// A policy with the range it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub numbers: Numbers,
    pub min: InstanceCount,
}

/// A policy that was searched for, and how it was found.
pub(super) struct Tuning<'a> {
    task: Task<'a>,
    pub best: Candidate,
    keeps_present: bool,
    tried: usize,
    validation: Validation,
}

impl<'a> Tuning<'a> {
    /// Searches; none where the history is too short, or policies of others cannot be replayed.
    pub fn of(task: Task<'a>) -> Option<Self> {
        if task.replay.minutes() < LEAST_MINUTES {
            return None;
        }
        let exchange = Exchange::of(task.objective, task.replay.needed_fleet());
        let (few, many) = (task.replay.draws(FEW_DRAWS), task.replay.draws(DRAWS));
        let usual = policies::in_cooldown(&task.replay.boot);
        let mut first = Vec::new();
        for work_minutes in task.work_minutes() {
            let Some(numbers) = task.numbers(work_minutes, usual) else { continue };
            for min in &task.floors {
                let candidate = Candidate { numbers, min: *min };
                first.push((exchange.mean(&task.outcomes(&candidate, &few)?), candidate));
            }
        }
        let tried = first.len();
        first.sort_by(|a, b| a.0.total_cmp(&b.0));
        first.dedup_by_key(|(_, candidate)| *candidate);
        let mut second = Vec::new();
        for (_, candidate) in first.into_iter().take(KEPT) {
            for seconds in IN_COOLDOWNS {
                let numbers = Numbers { in_cooldown: Seconds(seconds), ..candidate.numbers };
                let candidate = Candidate { numbers, ..candidate };
                second.push((exchange.robust(&task.outcomes(&candidate, &many)?), candidate));
            }
        }
        let cost = second.iter().map(|(cost, _)| *cost).min_by(f64::total_cmp)?;
        let tried = tried + second.len();
        let near = second.into_iter().filter(|(near, _)| *near <= TIE * cost).map(|(_, candidate)| candidate);
        let order = |seconds: Seconds| IN_COOLDOWNS.iter().position(|known| *known == seconds.0);
        let best = near.min_by(|a, b| {
            let cooldowns = order(a.numbers.in_cooldown).cmp(&order(b.numbers.in_cooldown));
            a.numbers.target.total_cmp(&b.numbers.target).then(a.min.cmp(&b.min)).then(cooldowns)
        })?;
        let present = task.present().filter(|present| {
            let outcomes = task.outcomes(present, &many);
            outcomes.is_some_and(|outcomes| cost > HYSTERESIS * exchange.robust(&outcomes))
        });
        let validation = task.replay.validate();
        Some(Self { keeps_present: present.is_some(), best: present.unwrap_or(best), task, tried, validation })
    }

    /// What was, against what is planned; none where a replay of what there is does not come close to what happened.
    pub fn forecast(&self, plan: &Plan) -> Option<Forecast> {
        let replay = &self.task.replay;
        if !self.validation.passed {
            return None;
        }
        let current = match replay.present() {
            Some(setup) => replay.project(&replay.compile(setup).ok()?),
            None => replay.project_recorded(),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few weeks")]
        let days = replay.days().round().max(1.0) as u32;
        Some(Forecast {
            days,
            longest_wait: Some(self.task.longest_wait),
            current,
            planned: replay.project(&replay.compile(&Setup::planned(plan)?).ok()?),
            no_policy: replay.project_fixed(),
            validation: self.validation.clone(),
        })
    }

    /// How the policy was found, one fact each.
    pub fn reasoning(&self) -> Vec<String> {
        let Self { task, best, tried, .. } = self;
        let days = Days(task.replay.days());
        let first = if self.keeps_present {
            format!(
                "the present policy stays: none of {tried} policies replayed over {days} of this queue is better by \
                 more than 5 %"
            )
        } else {
            format!(
                "of {tried} policies replayed over {days} of this queue, a backlog of {} for each instance ({} of \
                 work) with MinCapacity {} costs least, a minute in which the oldest request has waited more than {:.0} min \
                 counting as {} minutes of the fleet",
                Thousands(best.numbers.target),
                minutes(best.numbers.target / task.capacity.low.0),
                best.min,
                f64::from(task.longest_wait.0) / 60.0,
                task.objective.fleet_minutes()
            )
        };
        let why_not = (!self.validation.passed).then(|| format!("no forecast is shown: {}", self.validation.why_not));
        std::iter::once(first).chain(why_not).collect()
    }
}

impl Task<'_> {
    /// The most minutes of work that may wait on each instance. A history in which little waited does not show what happens
    /// when more arrives than ever; so where twice arrives what the instances can process, the last request that comes before
    /// the new ones serve must still be in time.
    fn most_work_minutes(&self) -> f64 {
        let boot = &self.replay.boot;
        self.closed_work_minutes().max(self.longest_wait_minutes() - DETECTION_MINUTES - boot.slow_minutes())
    }

    fn closed_work_minutes(&self) -> f64 {
        policies::start_minutes(&self.replay.boot).min(self.longest_wait_minutes())
    }

    fn longest_wait_minutes(&self) -> f64 {
        f64::from(self.longest_wait.0) / 60.0
    }

    /// Minutes of work to try, fewest first.
    fn work_minutes(&self) -> Vec<f64> {
        let most = self.most_work_minutes();
        let mut tried: Vec<f64> = WORK_MINUTES.into_iter().filter(|minutes| *minutes <= most).collect();
        tried.push(self.closed_work_minutes());
        tried.sort_by(f64::total_cmp);
        tried
    }

    fn numbers(&self, work_minutes: f64, in_cooldown: Seconds) -> Option<Numbers> {
        policies::numbers(self.capacity.low, work_minutes, &self.replay.boot, self.slots, in_cooldown)
    }

    /// The policy on the backlog as it stands, whosever it is, with the lowest floor that is allowed now; none where it lets more
    /// wait than may: such a one is no better for never having been tried.
    fn present(&self) -> Option<Candidate> {
        let of_others = || policies::in_the_way(&self.scaling.policies)?.target_tracking.as_ref();
        let numbers = policies::ours(&self.scaling.policies).or_else(of_others).and_then(policies::standing)?;
        let most = self.capacity.likely().0 * self.most_work_minutes();
        if numbers.target > most.max(self.numbers(0.0, numbers.in_cooldown)?.target) {
            return None;
        }
        let stands = self.scaling.target.as_ref().map(|target| target.min_capacity);
        let least = self.floors.iter().copied().min()?;
        Some(Candidate { numbers, min: stands.unwrap_or(least).max(least).min(self.max) })
    }

    fn outcomes(&self, candidate: &Candidate, draws: &[Draw]) -> Option<Vec<Outcome>> {
        let compiled = self.compiled(candidate)?;
        Some(draws.iter().map(|draw| self.replay.run(&compiled, *draw)).collect())
    }

    /// The candidate beside what others set up; none where that cannot be replayed.
    fn compiled(&self, candidate: &Candidate) -> Option<Compiled> {
        let (start, alarm) = policies::from_zero(self.key, self.endpoint_name, &self.replay.boot);
        let starts = candidate.min == InstanceCount(0) && !policies::starts_from_zero(&self.scaling.policies);
        let tracking = policies::tracking(self.key, self.endpoint_name, candidate.numbers).to_policy();
        let stays = |policy: &&ScalingPolicy| !policy.is_ours() && !policies::tracks_backlog(policy);
        let others = self.scaling.policies.iter().filter(stays).cloned();
        let setup = Setup {
            name: String::new(),
            min_capacity: candidate.min,
            max_capacity: self.max.max(candidate.min),
            policies: others.chain([tracking]).chain(starts.then(|| with_alarm(&start, &alarm))).collect(),
            scheduled_actions: self.scaling.scheduled_actions.clone().unwrap_or_default(),
            ..Setup::default()
        };
        self.replay.compile(&setup).ok()
    }
}

/// `6 minutes`, `1.2 minutes`.
fn minutes(exact: f64) -> String {
    if exact < 2.95 { format!("{exact:.1} minutes") } else { format!("{exact:.0} minutes") }
}
