//! The range of quiet times, and the closed form where the history is too short to search.

use super::copies;
use super::sizing::scalable;
use super::target_tracking::{Tracked, is_on, numbers, ours, rounded};
use crate::config::{ExistingTargets, Guardrails};
use crate::model::{
    A_DAY_HOURS, Bound, Capacity, HoldReason, InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Observation,
    ScalableTarget, ScalingPolicy,
};
use crate::replay::Traffic;
use crate::statistics::quantile;

/// The most of an instance that is planned for where too little was seen to search.
const SHORT_HISTORY_SHARE: f64 = 0.60;
/// Where the limit was never seen in a day or more, the load that kept the objective is itself the safe side. Not all of it:
/// the cliff may be right behind it.
const NEVER_NEAR_SHARE: f64 = 0.85;
/// Policies under which more of the minutes are over the objective do not keep it.
const TOO_OFTEN_OVER: f64 = 0.01;
/// The load that `MinCapacity` carries: the usual one, or that of quiet hours where those were seen.
const SHORT_HISTORY_FLOOR: f64 = 0.5;
const NEVER_NEAR_FLOOR: f64 = 0.1;
/// Room above the busiest minute: half as much again where two weeks were seen, as much again where hardly a day was.
const ROOM: f64 = 1.5;
const SHORT_HISTORY_ROOM: f64 = 2.0;

/// A range, and a policy for when there is no better one.
pub(super) struct Quiet {
    pub current: InstanceCount,
    /// Never fewer.
    pub least: InstanceCount,
    pub max_capacity: InstanceCount,
    /// Of the closed form.
    pub min_capacity: InstanceCount,
    /// Of the closed form.
    pub target_value: InvocationsPerInstance,
    /// Of what one instance carries for certain.
    share: f64,
    /// The share of the minutes over the objective.
    missed: f64,
}

impl Quiet {
    /// Sizes a variant in quiet times, on the lower end of its capacity.
    ///
    /// # Errors
    /// Why it cannot be sized, or which guardrail forbids it.
    pub fn of(
        observation: &Observation,
        present: Option<&ScalableTarget>,
        capacity: Option<&Capacity>,
        guardrails: &Guardrails,
    ) -> Result<Self, HoldReason> {
        let (current, capacity) = scalable(observation, capacity)?;
        let ceiling = copies::ceiling(observation, guardrails, present, current)?;
        let traffic = Traffic::of(observation).ok_or(HoldReason::CapacityUnknown)?;
        let traffic = traffic.with_work(observation, capacity.work.as_ref());
        let load = |share: f64| quantile(traffic.usual(), share).map(InvocationsPerMinute);
        let peak = load(1.0).ok_or(HoldReason::CapacityUnknown)?;
        let missed = missed(&traffic);
        let is_short = 24.0 * traffic.days() < A_DAY_HOURS;
        let (share, floor_quantile) = match capacity.bound {
            Bound::AtLeast if !is_short => (NEVER_NEAR_SHARE, NEVER_NEAR_FLOOR),
            _ => (SHORT_HISTORY_SHARE, SHORT_HISTORY_FLOOR),
        };
        let usual = load(floor_quantile).ok_or(HoldReason::CapacityUnknown)?;
        let room = if is_short { SHORT_HISTORY_ROOM } else { ROOM };
        let room = capacity.low.instances_for(peak.times(room)).ok_or(HoldReason::CapacityUnknown)?;
        // What somebody else set may be raised, never lowered, once we may change it at all.
        let may_only_rise = guardrails.existing_targets == ExistingTargets::Raise;
        let floor = present.filter(|target| may_only_rise && !target.is_ours()).map(|target| target.min_capacity);
        let least = floor.unwrap_or(InstanceCount(1)).max(guardrails.min_instances).min(ceiling);
        // Registering a target with a Max below what is running would remove instances at once.
        let present_max = present.map_or(current, |target| target.max_capacity.max(current));
        let max_capacity = room.max(least).min(ceiling).max(present_max);
        let target_value = rounded(share * capacity.low.0).ok_or(HoldReason::CapacityUnknown)?;
        let target_value = InvocationsPerInstance(target_value);
        let needed = target_value.instances_for(usual).ok_or(HoldReason::CapacityUnknown)?;
        Ok(Self {
            current,
            least,
            max_capacity,
            min_capacity: needed.max(least).min(max_capacity),
            target_value,
            share,
            missed,
        })
    }

    /// Whether the closed form should take the place of the policies that stand. Without a replay there is no telling how
    /// much better it is, so what keeps the objective stays, unless it could do so with fewer instances.
    pub fn is_better_than(&self, present: &[ScalingPolicy]) -> bool {
        // One of ours on utilisation was the better of many that were replayed; that it cannot be now is no reason to change.
        if ours(present).and_then(numbers).is_some_and(|ours| ours.metric != Tracked::Invocations) {
            return false;
        }
        let target = present.iter().filter(|policy| is_on(policy, Tracked::Invocations));
        let target = target.filter_map(|policy| policy.target_tracking.as_ref()).map(|tracking| tracking.target_value);
        let Some(target) = target.min_by(f64::total_cmp) else { return true };
        self.missed > TOO_OFTEN_OVER || (self.share > SHORT_HISTORY_SHARE && target < self.target_value.0)
    }

    /// How the closed form came about.
    pub fn reasoning(&self) -> Vec<String> {
        vec![format!(
            "too little was seen to compare policies, so these are the conservative values: a target of {:.0} % of what one \
             instance carries for certain, and a MinCapacity for {} load at that",
            100.0 * self.share,
            if self.share > SHORT_HISTORY_SHARE { "the quiet hours'" } else { "the usual" }
        )]
    }
}

/// The share of the minutes over the objective.
fn missed(traffic: &Traffic) -> f64 {
    let known = traffic.missed.iter().filter(|missed| !missed.is_nan());
    let (over, count) = known.fold((0.0, 0.0), |(over, count), missed| (over + missed, count + 1.0));
    if count > 0.0 { over / count } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetTracking;

    fn quiet(share: f64, missed: f64) -> Quiet {
        let (one, nine) = (InstanceCount(1), InstanceCount(9));
        let target_value = InvocationsPerInstance(300.0);
        Quiet { current: one, least: one, max_capacity: nine, min_capacity: one, target_value, share, missed }
    }

    fn policy(target_value: f64) -> ScalingPolicy {
        ScalingPolicy {
            policy_name: "theirs".to_owned(),
            policy_type: "TargetTrackingScaling".to_owned(),
            target_tracking: Some(TargetTracking {
                metric: Some("SageMakerVariantInvocationsPerInstance".to_owned()),
                target_value,
                scale_out_cooldown: None,
                scale_in_cooldown: None,
                disable_scale_in: false,
                customized: None,
            }),
            ..ScalingPolicy::default()
        }
    }

    #[test]
    fn what_keeps_the_objective_stays_unless_it_could_with_fewer_instances() {
        let takes_the_place = |share, missed, target| quiet(share, missed).is_better_than(&[policy(target)]);
        assert!(!takes_the_place(SHORT_HISTORY_SHARE, 0.0, 200.0), "too little was seen to say that it could");
        assert!(!takes_the_place(SHORT_HISTORY_SHARE, TOO_OFTEN_OVER, 400.0));
        assert!(takes_the_place(SHORT_HISTORY_SHARE, TOO_OFTEN_OVER + 0.001, 400.0), "it does not keep it");
        assert!(takes_the_place(NEVER_NEAR_SHARE, 0.0, 200.0), "each instance could do more");
        assert!(!takes_the_place(NEVER_NEAR_SHARE, 0.0, 300.0));
        assert!(!takes_the_place(NEVER_NEAR_SHARE, 0.0, 400.0));
        assert!(quiet(SHORT_HISTORY_SHARE, 0.0).is_better_than(&[]), "there is none");
        let both = [policy(400.0), policy(200.0)];
        assert!(quiet(NEVER_NEAR_SHARE, 0.0).is_better_than(&both), "the lower one decides");
    }

    #[test]
    fn the_closed_form_says_of_what_it_is() {
        let said = |share| quiet(share, 0.0).reasoning().concat();
        assert!(said(SHORT_HISTORY_SHARE).ends_with(
            "of 60 % of what one instance carries for certain, and a MinCapacity for the usual load at that"
        ));
        assert!(said(NEVER_NEAR_SHARE).ends_with(
            "of 85 % of what one instance carries for certain, and a MinCapacity for the quiet hours' load at that"
        ));
    }

    #[test]
    fn minutes_that_nobody_saw_are_not_among_those_that_were_missed() {
        let of = |over: Vec<f64>| {
            let unknown = vec![f64::NAN; over.len()];
            let first = crate::model::Minute(0);
            missed(&Traffic { first, offered: unknown.clone(), instances: unknown, missed: over, work: None })
        };
        assert!((of(vec![1.0, 0.0, f64::NAN, 0.0, 0.0]) - 0.25).abs() < 1e-9);
        assert!((of(vec![f64::NAN]) - 1.0).abs() < 1e-9, "what is not known is not kept");
    }
}
