//! An alarm, played over the past as CloudWatch evaluates it.
//!
//! Sources: "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Percentile-based alarms and low data
//! samples" in the CloudWatch guide. Each minute CloudWatch looks at the last `EvaluationPeriods` datapoints, and at two more
//! (the guide's examples; how many it is in general is not documented) where some are missing: real datapoints come first,
//! and only what is still missing then is filled in. With `ignore`, an evaluation that meets a percentile of too few samples
//! changes nothing.

use super::timeline::{Datapoint, Timeline};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Datapoints that are looked at beyond `EvaluationPeriods` where some are missing.
const FURTHER_BACK: usize = 2;

/// What CloudWatch makes of a datapoint that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingData {
    /// It says nothing; when all are missing, `INSUFFICIENT_DATA`.
    Missing,
    /// It is within the threshold.
    NotBreaching,
}

impl MissingData {
    /// As `TreatMissingData` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotBreaching => "notBreaching",
        }
    }
}

/// `DatapointsToAlarm` out of `EvaluationPeriods`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOf {
    pub datapoints: u32,
    pub periods: u32,
}

/// When an alarm fires: on datapoints above the threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// In the metric's unit.
    pub threshold: f64,
    pub out_of: OutOf,
    pub missing: MissingData,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Alarm,
    InsufficientData,
}

/// One time that an alarm would have fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// The end of the minute with which it would have gone into `ALARM`.
    pub at: Timestamp,
    /// For so long.
    pub minutes: u32,
    /// Whether it was still on at the end of the history.
    pub is_on: bool,
}

impl Rule {
    /// The state after an evaluation. `range`: whether each datapoint breaches, newest first, none where it is missing.
    fn evaluate(&self, range: &[Option<bool>], was: State) -> State {
        let (datapoints, periods) = (self.out_of.datapoints as usize, self.out_of.periods as usize);
        let breaching = |count: usize| range.iter().flatten().take(count).filter(|breaches| **breaches).count();
        let real = range.iter().flatten().count();
        if breaching(periods) >= datapoints {
            return State::Alarm;
        }
        match self.missing {
            MissingData::NotBreaching => State::Ok,
            MissingData::Missing if real == 0 => State::InsufficientData,
            MissingData::Missing if real >= periods || breaching(real) < real => State::Ok,
            // All that there is breaches, though there is too little of it: once the oldest is old enough, it counts.
            MissingData::Missing => match range.iter().rposition(Option::is_some) {
                Some(oldest) if oldest + 1 >= datapoints => State::Alarm,
                _ => was,
            },
        }
    }

    /// Every time that the alarm would have fired, oldest first.
    pub(super) fn replay(&self, timeline: &Timeline) -> Vec<Firing> {
        let periods = self.out_of.periods as usize;
        let mut firings: Vec<Firing> = Vec::new();
        let mut state = State::InsufficientData;
        let mut range = Vec::with_capacity(periods + FURTHER_BACK);
        for (minute, datapoints) in timeline.looks(periods, FURTHER_BACK) {
            range.clear();
            range.extend(datapoints);
            let has_few = range.iter().take(periods).flatten().any(|datapoint: &Datapoint| !datapoint.has_enough);
            let was = state;
            if !has_few {
                let breaches: Vec<Option<bool>> =
                    range.iter().map(|datapoint| datapoint.map(|datapoint| datapoint.value > self.threshold)).collect();
                state = self.evaluate(&breaches, was);
            }
            match (was, state) {
                (State::Alarm, State::Alarm) => firings.last_mut().into_iter().for_each(|firing| firing.minutes += 1),
                (_, State::Alarm) => firings.push(Firing { at: minute.plus(1).start(), minutes: 1, is_on: false }),
                _ => {}
            }
        }
        if let (Some(last), State::Alarm) = (firings.last_mut(), state) {
            last.is_on = true;
        }
        firings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Minute;
    use proptest::prelude::*;

    fn after_minute(minute: i64) -> Timestamp {
        Minute(minute + 1).start()
    }

    /// Oldest first, as the guide writes it: `0` within, `X` breaching, `-` missing.
    fn after(pattern: &str, datapoints: u32, missing: MissingData) -> State {
        let range: Vec<Option<bool>> = pattern
            .split(' ')
            .rev()
            .map(|point| match point {
                "X" => Some(true),
                "0" => Some(false),
                _ => None,
            })
            .collect();
        let out_of = OutOf { datapoints, periods: 3 };
        Rule { threshold: 1.0, out_of, missing }.evaluate(&range, State::Ok)
    }

    #[test]
    fn missing_data_is_treated_as_the_cloudwatch_guide_lists_it() {
        use State::{Alarm, InsufficientData, Ok};
        for (datapoints, pattern, missing, not_breaching) in [
            (3, "0 - X - X", Ok, Ok),
            (3, "0 - - - -", Ok, Ok),
            (3, "- - - - -", InsufficientData, Ok),
            (3, "0 X X - X", Alarm, Alarm),
            (3, "- - X - -", Alarm, Ok),
            (3, "- - - - X", Ok, Ok),
            (3, "- - - X -", Ok, Ok),
            (2, "0 - X - X", Alarm, Alarm),
            (2, "0 0 X 0 X", Alarm, Alarm),
            (2, "0 - X - -", Ok, Ok),
            (2, "- - - - 0", Ok, Ok),
            (2, "- - - X -", Alarm, Ok),
        ] {
            assert_eq!(after(pattern, datapoints, MissingData::Missing), missing, "{datapoints} of 3, {pattern}");
            assert_eq!(
                after(pattern, datapoints, MissingData::NotBreaching),
                not_breaching,
                "{datapoints} of 3, {pattern}"
            );
        }
    }

    fn timeline(values: &[Option<f64>]) -> Timeline {
        let enough = |value: f64| Datapoint { value, has_enough: true };
        Timeline { first: Minute(0), period: 1, datapoints: values.iter().map(|value| value.map(enough)).collect() }
    }

    fn rule(datapoints: u32, periods: u32) -> Rule {
        Rule { threshold: 1.0, out_of: OutOf { datapoints, periods }, missing: MissingData::NotBreaching }
    }

    #[test]
    fn an_alarm_fires_with_its_last_slow_minute_and_ends_with_the_first_that_is_not() {
        let slow = [0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 2.0].map(Some);
        let firings = rule(3, 3).replay(&timeline(&slow));
        let first = Firing { at: after_minute(3), minutes: 2, is_on: false };
        assert_eq!(firings, [first, Firing { at: after_minute(9), minutes: 1, is_on: true }]);
    }

    #[test]
    fn a_minute_of_few_requests_changes_nothing() {
        let mut quiet = timeline(&[2.0, 2.0, 2.0, 2.0, 0.0, 0.0].map(Some));
        quiet.datapoints[4] = Some(Datapoint { value: 0.0, has_enough: false });
        let firings = rule(2, 2).replay(&quiet);
        assert_eq!(firings, [Firing { at: after_minute(1), minutes: 5, is_on: true }]);
    }

    proptest! {
        #[test]
        fn an_alarm_never_fires_on_a_constant_below_its_threshold(
            level in 0.0..1.0_f64, gaps in prop::collection::vec(any::<bool>(), 1..200),
            datapoints in 1_u32..4, more in 0_u32..3, silent in any::<bool>(),
        ) {
            let values: Vec<_> = gaps.iter().map(|gap| (!gap).then_some(level)).collect();
            let missing = if silent { MissingData::Missing } else { MissingData::NotBreaching };
            let rule = Rule { missing, ..rule(datapoints, datapoints + more) };
            prop_assert_eq!(rule.replay(&timeline(&values)), []);
        }

        /// Firings may join into one; the minutes in ALARM cannot become fewer.
        #[test]
        fn more_slow_minutes_never_mean_fewer_minutes_in_alarm(
            minutes in prop::collection::vec(prop::option::of(any::<bool>()), 1..200),
            slower in prop::collection::vec(any::<bool>(), 200),
            datapoints in 1_u32..4, more in 0_u32..3, silent in any::<bool>(),
        ) {
            let value = |slow: bool| if slow { 2.0 } else { 0.0 };
            let before: Vec<_> = minutes.iter().map(|slow| slow.map(value)).collect();
            let after: Vec<_> =
                minutes.iter().zip(&slower).map(|(slow, slower)| slow.map(|slow| value(slow || *slower))).collect();
            let missing = if silent { MissingData::Missing } else { MissingData::NotBreaching };
            let rule = Rule { missing, ..rule(datapoints, datapoints + more) };
            let total = |values: &[_]| rule.replay(&timeline(values)).iter().map(|firing| firing.minutes).sum::<u32>();
            prop_assert!(total(&after) >= total(&before));
        }

        #[test]
        fn a_higher_threshold_never_means_more_minutes_in_alarm(
            values in prop::collection::vec(prop::option::of(0.0..4.0_f64), 1..200), raised in 1.0..4.0_f64,
        ) {
            let total = |threshold| {
                let rule = Rule { threshold, ..rule(2, 3) };
                rule.replay(&timeline(&values)).iter().map(|firing| firing.minutes).sum::<u32>()
            };
            prop_assert!(total(raised) <= total(1.0));
        }
    }
}
