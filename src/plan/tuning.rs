//! The search, and what is said about it.

use super::floor::FloorInstead;
use super::search::{self, Bounds, Candidate, Found, Task};
use super::target_tracking::{self, Numbers, Tracked};
use crate::config::ScalingObjective;
use crate::model::{
    A_DAY_HOURS, Bound, Capacity, Days, Forecast, InstanceCount, InvocationsPerMinute, Metric, Observation, Plan,
    ScalableDimension, ScalableTarget, ScalingPolicy, Validation, utilization_in_words,
};
use crate::replay::{Replay, Rule, Setup};
use crate::statistics::quantile;

/// Where even the best policy is over the objective for a larger share of the time, reacting is not enough.
const TOO_MUCH: f64 = 0.01;
/// The floor that is then named carries all but one minute in two hundred.
const FLOOR_QUANTILE: f64 = 0.995;
/// It is worth naming where it leaves at most this share of what is missed.
const HELPS: f64 = 0.5;

/// A policy that was searched for, and how it was found.
pub(super) struct Tuning {
    replay: Replay,
    capacity: Capacity,
    found: Found,
    validation: Validation,
    max: InstanceCount,
    objective: ScalingObjective,
}

impl Tuning {
    /// Searches within `bounds`; none where the history is too short, or nothing can be replayed.
    pub fn of(
        observation: &Observation,
        capacity: &Capacity,
        bounds: &Bounds,
        objective: ScalingObjective,
    ) -> Option<Self> {
        let replay = Replay::of(observation, capacity)?;
        if 24.0 * replay.traffic.days() < A_DAY_HOURS {
            return None;
        }
        // The present policies within the new range: the range itself is not theirs, and a Min that was raised for an
        // incident goes back.
        let target = observation.scaling.as_ref().and_then(|scaling| scaling.target.as_ref());
        let present = replay.present().and_then(|setup| {
            let calm = target.map_or(setup.min_capacity, ScalableTarget::calm_min_capacity).min(setup.min_capacity);
            let range = Setup { min_capacity: calm, max_capacity: bounds.max.max(calm), ..setup.clone() };
            replay.compile(&range).ok()
        });
        let follows = follows(&replay);
        let others = replay.present().map_or_else(Vec::new, |setup| foreign_rules(&replay, setup, follows));
        let policies = observation.scaling.as_ref().map_or(&[][..], |scaling| &scaling.policies);
        // A fault is no reason to give up a policy of ours: what cannot be replayed is not beaten.
        let ours = target_tracking::ours(policies).and_then(target_tracking::numbers);
        if present.is_none() && ours.is_some_and(|ours| ours.metric != follows) {
            return None;
        }
        let is_free = |metric| target_tracking::in_the_way(policies, metric).is_none();
        let found = search::search(&Task {
            replay: &replay,
            capacity,
            bounds,
            objective,
            follows,
            present: present.as_ref().filter(|_| !target_tracking::are_both_ours(policies)),
            others: &others,
            // The utilisation of a copy is a share of what it was given: another metric, whose use nobody has measured yet.
            may_track_utilization: observation.dimension() == ScalableDimension::InstanceCount
                && is_free(Tracked::Invocations)
                && capacity.work.is_some_and(|work| is_free(Tracked::Utilization(work.metric))),
        })?;
        let validation = replay.validate();
        Some(Self { replay, capacity: capacity.clone(), found, validation, max: bounds.max, objective })
    }

    /// The policy to have.
    pub fn best(&self) -> &Candidate {
        &self.found.best
    }

    /// Whether the present set-up should stay.
    pub fn keeps_present(&self) -> bool {
        self.found.keeps_present
    }

    /// The numbers of our policy: as they stand where they are as good.
    pub fn numbers(&self, present: &[ScalingPolicy]) -> Numbers {
        let best = &self.found.best;
        let new = Numbers {
            metric: best.metric,
            target: best.target,
            out_cooldown: best.out_cooldown,
            in_cooldown: best.in_cooldown,
        };
        let ours = target_tracking::ours(present).and_then(target_tracking::numbers);
        ours.filter(|ours| self.keeps_present() || *ours == new).unwrap_or(new)
    }

    /// What was, against what is planned; none where a replay of what there is does not come close to what happened.
    pub fn forecast(&self, plan: &Plan) -> Option<Forecast> {
        self.replay.forecast(plan, &self.validation)
    }

    /// How the policy was found, one fact each.
    pub fn reasoning(&self) -> Vec<String> {
        let Found { best, tried, .. } = &self.found;
        let weight = self.objective.fleet_minutes();
        let days = Days(self.replay.traffic.days());
        let mut reasoning = Vec::new();
        if self.keeps_present() {
            reasoning.push(format!(
                "the present policy stays: none of {tried} policies replayed over {days} of this traffic is better by \
                 more than 5 %"
            ));
        } else {
            let share = 100.0 * best.load.0 / self.capacity.invocations_per_instance_per_minute.0;
            let of = match self.capacity.bound {
                Bound::Estimate => "capacity",
                Bound::AtLeast => "the highest load that kept the objective; the limit was never seen",
            };
            let target = match (best.metric, self.capacity.work) {
                (Tracked::ProvisionedConcurrency, _) => {
                    format!("a target of {} ({:.0} % of the units in use)", best.target, 100.0 * best.target)
                }
                (Tracked::Utilization(_), Some(work)) => {
                    let words = utilization_in_words(work.metric, best.target, work.full_percent);
                    format!("{words} (TargetValue {}, {share:.0} % of {of})", best.target)
                }
                _ => format!("a target of {} ({share:.0} % of {of})", best.load),
            };
            let (minute, fleet) = match best.metric {
                Tracked::ProvisionedConcurrency => ("a minute with requests beyond the units", "units"),
                _ => ("a minute over the objective", "fleet"),
            };
            reasoning.push(format!(
                "of {tried} policies replayed over {days} of this traffic, {target} with MinCapacity {} in quiet \
                 times costs least, {minute} counting as {weight} minutes of the {fleet}",
                best.min
            ));
            reasoning.extend(self.metric_reasoning());
        }
        if !self.validation.passed {
            reasoning.push(format!("no forecast is shown: {}", self.validation.why_not));
        }
        reasoning.extend(self.floor_instead().map(|floor| floor.reasoning()));
        reasoning
    }

    /// Why this metric, where both were tried.
    fn metric_reasoning(&self) -> Option<String> {
        let (work, costs) = self.capacity.work.zip(self.found.utilization_costs)?;
        let name = if work.metric == Metric::GPUUtilization { "GPU" } else { "CPU" };
        let wanders = format!(
            "the work of a request wanders by itself, by {:.0} % from one hour to another, and {name} and latency follow it",
            100.0 * work.deviation
        );
        Some(if self.found.best.metric == Tracked::Invocations {
            format!("{wanders}; a policy on {name} was tried too, and is not clearly better")
        } else {
            format!("{wanders}: the best policy on invocations would cost {:.0} % more", 100.0 * (1.0 / costs - 1.0))
        })
    }

    /// Where what reacts cannot keep the objective: the floor that can; none where it can, or no floor helps much.
    pub fn floor_instead(&self) -> Option<FloorInstead> {
        #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
        let minutes = self.replay.traffic.minutes() as f64;
        if self.found.over_minutes <= TOO_MUCH * minutes {
            return None;
        }
        let load = || quantile(self.replay.traffic.usual(), FLOOR_QUANTILE);
        let units = self.replay.emulator.units();
        let min = match units {
            Some(units) => units.for_share(FLOOR_QUANTILE)?,
            None => self.capacity.low.instances_for(InvocationsPerMinute(load()?))?,
        };
        let floor = f64::from(min.0);
        let mut setup = self.found.standing.clone();
        setup.min = setup.min.max(floor);
        setup.max = setup.max.max(setup.min);
        for timed in &mut setup.timed {
            timed.min = timed.min.map(|min| min.max(floor));
            timed.max = timed.max.map(|max| max.max(floor));
        }
        let outcome = self.replay.emulator.run(&setup, floor, self.replay.likely());
        let instead = FloorInstead {
            min,
            max: self.max,
            misses: self.found.over_minutes,
            would_miss: outcome.over_minutes(),
            instance_hours: outcome.instance_minutes() / 60.0,
            days: self.replay.traffic.days(),
            is_of_units: units.is_some(),
        };
        (instead.would_miss < HELPS * instead.misses).then_some(instead)
    }
}

/// What a policy follows first of all.
fn follows(replay: &Replay) -> Tracked {
    match replay.emulator.units() {
        Some(_) => Tracked::ProvisionedConcurrency,
        None => Tracked::Invocations,
    }
}

/// Policies of somebody else on other metrics; none where one of them cannot be replayed.
fn foreign_rules(replay: &Replay, present: &Setup, follows: Tracked) -> Vec<Rule> {
    let foreign = present.policies.iter().filter(|policy| !policy.is_ours());
    let beside = foreign.filter(|policy| !target_tracking::is_on(policy, follows)).cloned().collect();
    let setup = Setup { policies: beside, scheduled_actions: Vec::new(), ..present.clone() };
    replay.compile(&setup).map(|compiled| compiled.rules).unwrap_or_default()
}
