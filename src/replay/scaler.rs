//! Application Auto Scaling as it really acts on what it sees, minute by minute.
//!
//! Target tracking asks for `ceil(instances · metric / target)` as soon as its alarm fires, never while instances start
//! (SageMaker refuses changes until then) and not within the cooldown, unless it asks for more than it got. Any policy may
//! add, the largest wish wins; instances are removed only where every policy that could agrees, again the largest count.
//! Added instances are paid from their launch and serve after the boot time; removed ones go at once.

use super::rules::{AlarmRule, Compiled, Datapoints, Metric, Rule, Timed};
use std::iter::Peekable;
use std::slice::Iter;

/// A set-up while it is replayed.
pub(super) struct Scaler<'a> {
    setup: &'a Compiled,
    states: Vec<State>,
    min: f64,
    max: f64,
    /// Never fewer: 1 where AWS lets nothing go to zero.
    least: f64,
    serving: f64,
    before_change: f64,
    pending: Option<Pending>,
    timed: Peekable<Iter<'a, Timed>>,
    /// Minutes from launch to service.
    boot: i64,
    now: i64,
    changes: u32,
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

impl<'a> Scaler<'a> {
    /// `start` instances serve in the beginning, as far as the range allows, and never fewer than `least`.
    pub fn new(setup: &'a Compiled, start: f64, boot_minutes: f64, least: f64) -> Self {
        let serving = start.clamp(setup.min, setup.max).max(least);
        #[expect(clippy::cast_possible_truncation, reason = "minutes of a boot")]
        let boot = boot_minutes.clamp(1.0, 240.0).round() as i64;
        Self {
            setup,
            states: setup.rules.iter().map(|_| State::default()).collect(),
            min: setup.min,
            max: setup.max,
            least,
            serving,
            before_change: serving,
            pending: None,
            timed: setup.timed.iter().peekable(),
            boot,
            now: 0,
            changes: 0,
        }
    }

    /// Instances that serve.
    pub fn serving(&self) -> f64 {
        self.serving
    }

    /// Instances that are paid: those that start among them.
    pub fn paid(&self) -> f64 {
        self.pending.as_ref().map_or(self.serving, |pending| pending.count)
    }

    /// Changes of the instance count so far.
    pub fn changes(&self) -> u32 {
        self.changes
    }

    /// The beginning of the next minute, with what is published by then; whether other instances serve in it than before.
    #[inline]
    pub fn step(&mut self, seen: impl Fn(Metric) -> f64) -> bool {
        let (now, before) = (self.now, self.serving);
        self.now += 1;
        if let Some(started) = self.pending.take_if(|pending| pending.ready <= now) {
            self.serving = started.count;
            for (state, rule) in self.states.iter_mut().zip(&self.setup.rules) {
                let cooldown = match rule {
                    Rule::Tracking { out_cooldown, .. } => *out_cooldown,
                    Rule::Stepping { cooldown, .. } => *cooldown,
                };
                state.out_until = state.out_until.max(now + cooldown);
            }
        }
        while let Some(change) = self.timed.next_if(|timed| timed.minute <= now) {
            self.min = change.min.unwrap_or(self.min);
            self.max = change.max.unwrap_or(self.max).max(self.min);
        }
        for (state, rule) in self.states.iter_mut().zip(&self.setup.rules) {
            state.look(rule, &seen);
        }
        if self.pending.is_none() {
            self.decide(&seen, now);
        }
        self.serving != before
    }

    fn decide(&mut self, seen: &impl Fn(Metric) -> f64, now: i64) {
        let serving = self.serving;
        let wanted = if self.setup.is_out_suspended { serving } else { self.out(seen, now) };
        let wanted = wanted.min(self.max).max(self.min);
        if wanted > serving {
            self.pending = Some(Pending { count: wanted, ready: now + self.boot });
            self.before_change = serving;
            self.changes += 1;
            return;
        }
        let fewer = if self.setup.is_in_suspended { serving } else { self.fewer(seen, now) };
        let fewer = fewer.max(self.min).min(self.max).max(self.least);
        if fewer < serving {
            self.serving = fewer;
            self.before_change = fewer;
            self.changes += 1;
            for (state, rule) in self.states.iter_mut().zip(&self.setup.rules) {
                let cooldown = match rule {
                    Rule::Tracking { in_cooldown, .. } => *in_cooldown,
                    Rule::Stepping { cooldown, .. } => *cooldown,
                };
                state.in_until = now + cooldown;
            }
        }
    }

    /// The most that any policy wants; the present count where none wants more.
    fn out(&self, seen: &impl Fn(Metric) -> f64, now: i64) -> f64 {
        let serving = self.serving;
        let mut most = serving;
        for (state, rule) in self.states.iter().zip(&self.setup.rules) {
            // Within the cooldown, what was added counts: only a larger wish from before it goes further.
            let base = if now < state.out_until { self.before_change } else { serving };
            let wanted = match rule {
                Rule::Tracking { metric, target, high, .. } if state.high.fires(high) => {
                    (base * seen(*metric) / target).ceil()
                }
                Rule::Stepping { metric, alarm, steps, .. } if alarm.is_high && state.high.fires(alarm) => {
                    steps.wanted(base, seen(*metric) - alarm.threshold)
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
    fn fewer(&self, seen: &impl Fn(Metric) -> f64, now: i64) -> f64 {
        let serving = self.serving;
        let mut wish: Option<f64> = None;
        for (state, rule) in self.states.iter().zip(&self.setup.rules) {
            let (alarm, wanted): (&AlarmRule, f64) = match rule {
                Rule::Tracking { metric, target, low: Some(low), .. } => {
                    (low, (serving * seen(*metric) / target).ceil())
                }
                Rule::Stepping { metric, alarm, steps, .. } if !alarm.is_high => {
                    (alarm, steps.wanted(serving, seen(*metric) - alarm.threshold))
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
}

impl State {
    fn look(&mut self, rule: &Rule, seen: &impl Fn(Metric) -> f64) {
        match rule {
            Rule::Tracking { metric, high, low, .. } => {
                let value = seen(*metric);
                self.high.push(high, value);
                if let Some(low) = low {
                    self.low.push(low, value);
                }
            }
            Rule::Stepping { metric, alarm, .. } => {
                let value = seen(*metric);
                let points = if alarm.is_high { &mut self.high } else { &mut self.low };
                points.push(alarm, value);
            }
        }
    }
}
