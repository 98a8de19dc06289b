//! Policies as they are replayed: numbers only, so that a week takes a fraction of a millisecond.

/// A set-up ready to be replayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// `MinCapacity` in the beginning.
    pub min: f64,
    /// `MaxCapacity` in the beginning.
    pub max: f64,
    /// Policies; a step policy is one for each of its alarms.
    pub rules: Vec<Rule>,
    /// Scheduled changes of the range, by minute.
    pub timed: Vec<Timed>,
    /// Nothing is added.
    pub is_out_suspended: bool,
    /// Nothing is removed.
    pub is_in_suspended: bool,
}

/// What a policy follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Invocations per instance and minute.
    InvocationsPerInstance,
    /// Requests of a minute that found no copy.
    Refused,
    /// Use of the busiest resource, in percent of one core or GPU times their number, as CloudWatch has it.
    Utilization,
    /// Requests in the queue of an asynchronous endpoint for each instance; not published where there is none.
    BacklogPerInstance,
    /// 1 while requests wait in the queue and there is no instance, else 0.
    BacklogWithoutCapacity,
}

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Target tracking.
    Tracking {
        /// What it follows.
        metric: Metric,
        /// In the metric's unit.
        target: f64,
        /// When it adds.
        high: AlarmRule,
        /// When it removes; none: never.
        low: Option<AlarmRule>,
        /// Minutes.
        out_cooldown: i64,
        /// Minutes.
        in_cooldown: i64,
    },
    /// Step scaling on one alarm.
    Stepping {
        /// What its alarm watches.
        metric: Metric,
        /// When it acts.
        alarm: AlarmRule,
        /// What it does.
        steps: Steps,
        /// Minutes.
        cooldown: i64,
    },
}

/// An alarm on minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmRule {
    /// In the metric's unit.
    pub threshold: f64,
    /// Datapoints looked at, 1 to 64.
    pub of: u32,
    /// Of which so many have to be beyond the threshold.
    pub needed: u32,
    /// Beyond is above.
    pub is_high: bool,
}

/// Steps of a step policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    kind: Kind,
    /// Lower and upper bound relative to the threshold, and the adjustment.
    bounds: Vec<(f64, f64, f64)>,
    least: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Percent,
    Exact,
}

impl Steps {
    /// So many instances more or fewer.
    #[must_use]
    pub fn by_count(bounds: Vec<(f64, f64, f64)>, _least: f64) -> Self {
        Self { kind: Kind::Count, bounds, least: 1.0 }
    }

    /// So many percent more or fewer, at least `least` instances.
    #[must_use]
    pub fn by_percent(bounds: Vec<(f64, f64, f64)>, least: f64) -> Self {
        Self { kind: Kind::Percent, bounds, least: least.max(1.0) }
    }

    /// Exactly so many.
    #[must_use]
    pub fn to_count(bounds: Vec<(f64, f64, f64)>, _least: f64) -> Self {
        Self { kind: Kind::Exact, bounds, least: 1.0 }
    }

    /// How many instances are wanted where the metric is `beyond` the threshold and `count` are running.
    #[must_use]
    pub fn wanted(&self, count: f64, beyond: f64) -> f64 {
        let step = self.bounds.iter().find(|(lower, upper, _)| beyond >= *lower && beyond < *upper);
        let Some((_, _, adjustment)) = step else { return count };
        match self.kind {
            Kind::Exact => adjustment.max(0.0),
            Kind::Count => (count + adjustment).max(0.0),
            Kind::Percent => {
                // AWS rounds towards zero, but a change of less than one instance becomes one.
                let change = (count * adjustment / 100.0).trunc();
                let change = if change.abs() < self.least { self.least.copysign(*adjustment) } else { change };
                (count + change).max(0.0)
            }
        }
    }
}

/// A scheduled change of the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// Minutes from the first.
    pub minute: i64,
    /// The new `MinCapacity`, where it changes.
    pub min: Option<f64>,
    /// The new `MaxCapacity`, where it changes.
    pub max: Option<f64>,
}

/// The datapoints of one alarm, newest in the lowest bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Datapoints(u64);

impl Datapoints {
    /// One more datapoint. A missing one leaves a high alarm as it is and starts a low one anew, so that missing data never
    /// removes an instance.
    pub fn push(&mut self, alarm: &AlarmRule, value: f64) {
        if value.is_nan() {
            if !alarm.is_high {
                self.0 = 0;
            }
            return;
        }
        let is_beyond = if alarm.is_high { value > alarm.threshold } else { value < alarm.threshold };
        self.0 = (self.0 << 1) | u64::from(is_beyond);
    }

    /// Whether the alarm fires.
    pub fn fires(self, alarm: &AlarmRule) -> bool {
        let window = if alarm.of >= 64 { u64::MAX } else { (1_u64 << alarm.of) - 1 };
        (self.0 & window).count_ones() >= alarm.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_fires_on_enough_of_the_last_datapoints() {
        let alarm = AlarmRule { threshold: 10.0, of: 3, needed: 2, is_high: true };
        let mut points = Datapoints::default();
        let mut fired = Vec::new();
        for value in [11.0, 9.0, 11.0, f64::NAN, 9.0, 9.0] {
            points.push(&alarm, value);
            fired.push(points.fires(&alarm));
        }
        assert_eq!(fired, [false, false, true, true, false, false]);
    }

    #[test]
    fn steps_follow_their_bounds() {
        let steps = Steps::by_percent(vec![(0.0, 50.0, 10.0), (50.0, f64::INFINITY, 100.0)], 1.0);
        assert_eq!([steps.wanted(4.0, 10.0), steps.wanted(4.0, 60.0), steps.wanted(4.0, -1.0)], [5.0, 8.0, 4.0]);
        assert_eq!(Steps::by_count(vec![(f64::NEG_INFINITY, 0.0, -2.0)], 1.0).wanted(4.0, -3.0), 2.0);
    }
}
