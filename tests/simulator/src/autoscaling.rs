//! Application Auto Scaling at an endpoint, minute by minute: it sees what CloudWatch published by then, and decides how
//! many instances serve.
//!
//! Its rules, as far as AWS documents them and people have measured them: a policy's alarm fires on three minutes in a
//! row above the target, the one for scaling in on fifteen below nine tenths of it; missing minutes fire neither. The
//! new count is what brings the metric back to the target. With several policies, the largest count wins, and instances
//! are taken away only where every policy that may do so wants it. Nothing is decided while instances start. Within the
//! cooldown of a scale-out, what it added counts as part of the next one.

mod alarm;
mod policy;
mod schedule;

pub use policy::{Measured, Policy, ScalingMetric, SetUp, Step, StepScaling, TargetTracking};
pub use schedule::{ScheduledAction, When};

use crate::random::{Random, about, stream};
use alarm::Datapoints;
use policy::Wish;

/// Whole minutes after its end until a minute's metrics can be read.
const PUBLICATION_MINUTES: i64 = 1;
/// How much of the mean time that instances take to start differs from one time to the next.
const PROVISIONING_SPREAD: f64 = 0.25;

/// A change of the count that Application Auto Scaling made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingActivity {
    /// The minute at whose beginning it was decided.
    pub began: i64,
    /// The minute at whose beginning it was complete; none while instances start.
    pub ended: Option<i64>,
    /// Instances before.
    pub from: usize,
    /// Instances after.
    pub to: usize,
    /// Who asked for it.
    pub cause: Cause,
}

/// Who asked for a change of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The policy of this place in the set-up.
    Policy(usize),
    /// Fewer than Min, or more than Max, were running.
    Bounds,
}

/// Instances on their way.
#[derive(Debug, Clone, Copy)]
struct Starting {
    /// The minute at whose beginning they serve.
    ready: i64,
    count: usize,
    cooldown_minutes: i64,
}

/// Application Auto Scaling with one scalable target. Minutes are counted from a Monday 00:00 UTC.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    set_up: SetUp,
    /// Mean minutes from the decision until new instances serve.
    provisioning_minutes: f64,
    random: Random,
    /// In service.
    instances: usize,
    starting: Option<Starting>,
    /// What each policy's alarms have to go by.
    datapoints: Vec<Datapoints>,
    /// Instances before the last scale-out, and until when they are the base of the next.
    base: (usize, i64),
    /// No scale-in before.
    no_scale_in_before: i64,
    activities: Vec<ScalingActivity>,
}

impl Autoscaler {
    /// So many instances in service, and no alarm has fired yet.
    #[must_use]
    pub fn new(set_up: SetUp, instances: usize, provisioning_minutes: f64, seed: u64) -> Self {
        let datapoints = vec![Datapoints::default(); set_up.policies.len()];
        Self {
            set_up,
            provisioning_minutes,
            random: stream(seed, 9),
            instances: instances.max(1),
            starting: None,
            datapoints,
            base: (0, i64::MIN),
            no_scale_in_before: i64::MIN,
            activities: Vec::new(),
        }
    }

    /// Other policies, bounds and scheduled actions from now on; alarms of new policies have nothing to go by yet.
    /// Instances that are on their way still come.
    pub fn adopt(&mut self, set_up: SetUp) {
        let old = std::mem::replace(&mut self.set_up, set_up);
        let mut old: Vec<_> = old.policies.into_iter().zip(std::mem::take(&mut self.datapoints)).collect();
        self.datapoints = self
            .set_up
            .policies
            .iter()
            .map(|policy| {
                let same = old.iter().position(|(before, _)| before == policy);
                same.map(|index| old.swap_remove(index).1).unwrap_or_default()
            })
            .collect();
    }

    /// What is set up.
    #[must_use]
    pub fn set_up(&self) -> &SetUp {
        &self.set_up
    }

    /// Decides at the beginning of a minute, and answers how many instances serve in it.
    pub fn begin_minute(&mut self, minute: i64) -> usize {
        self.finish(minute);
        for action in self.set_up.scheduled.clone().iter().filter(|action| action.when.is(minute)) {
            self.set_up.min = action.min.unwrap_or(self.set_up.min);
            self.set_up.max = action.max.unwrap_or(self.set_up.max);
        }
        if self.starting.is_none() {
            self.decide(minute);
        }
        self.instances
    }

    /// Takes what was measured in a minute; it can be read once it is published.
    pub fn take(&mut self, minute: i64, measured: &Measured) {
        for (policy, datapoints) in self.set_up.policies.iter().zip(&mut self.datapoints) {
            datapoints.put(minute, measured.reading(policy.metric()));
        }
    }

    /// Instances that are paid for: those on their way too.
    #[must_use]
    pub fn billed(&self) -> usize {
        self.instances + self.starting.map_or(0, |starting| starting.count)
    }

    /// Every change so far, oldest first.
    #[must_use]
    pub fn activities(&self) -> &[ScalingActivity] {
        &self.activities
    }

    /// New instances serve once they are ready; the cooldown begins then.
    fn finish(&mut self, minute: i64) {
        let Some(starting) = self.starting.take_if(|starting| starting.ready <= minute) else { return };
        self.instances += starting.count;
        self.base.1 = minute + starting.cooldown_minutes;
        if let Some(last) = self.activities.last_mut() {
            last.ended = Some(minute);
        }
    }

    fn decide(&mut self, minute: i64) {
        let (min, max) = (self.set_up.min.max(1), self.set_up.max.max(1));
        if self.instances < min {
            return self.scale_out(minute, min, Cause::Bounds, 0);
        }
        if self.instances > max {
            return self.scale_in(minute, max, Cause::Bounds, 0);
        }
        // What the last scale-out added counts as part of the next one while its cooldown lasts.
        let base = if minute < self.base.1 { self.base.0 } else { self.instances };
        let wishes: Vec<Wish> = (self.set_up.policies.iter().zip(&self.datapoints))
            .map(|(policy, datapoints)| policy.wish(datapoints, minute - PUBLICATION_MINUTES, self.instances, base))
            .collect();
        let most = wishes.iter().enumerate().rev().filter_map(|(index, wish)| Some((wish.more()?, index))).max();
        if let Some((more, index)) = most {
            let more = more.min(max);
            if more > self.instances {
                let cooldown = self.set_up.policies[index].scale_out_cooldown_minutes();
                self.scale_out(minute, more, Cause::Policy(index), cooldown);
            }
            // Whoever wants more keeps everybody from taking away.
            return;
        }
        let may_shrink = wishes.iter().all(|wish| !matches!(wish, Wish::Keep)) && minute >= self.no_scale_in_before;
        let fewer = wishes.iter().enumerate().filter_map(|(index, wish)| Some((wish.fewer()?, index))).max();
        if let Some((fewer, index)) = fewer.filter(|_| may_shrink) {
            let fewer = fewer.max(min);
            if fewer < self.instances {
                let cooldown = self.set_up.policies[index].scale_in_cooldown_minutes();
                self.scale_in(minute, fewer, Cause::Policy(index), cooldown);
            }
        }
    }

    fn scale_out(&mut self, minute: i64, to: usize, cause: Cause, cooldown_minutes: i64) {
        let takes = about(&mut self.random, self.provisioning_minutes, PROVISIONING_SPREAD).round().max(1.0) as i64;
        self.starting = Some(Starting { ready: minute + takes, count: to - self.instances, cooldown_minutes });
        self.base = (self.instances, i64::MIN);
        // Load that asks for more ends the wait for less.
        self.no_scale_in_before = i64::MIN;
        self.activities.push(ScalingActivity { began: minute, ended: None, from: self.instances, to, cause });
    }

    fn scale_in(&mut self, minute: i64, to: usize, cause: Cause, cooldown_minutes: i64) {
        self.activities.push(ScalingActivity { began: minute, ended: Some(minute), from: self.instances, to, cause });
        self.instances = to;
        self.no_scale_in_before = minute + cooldown_minutes;
        self.base = (0, i64::MIN);
    }
}

#[cfg(test)]
mod tests;
