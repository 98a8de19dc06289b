//! How many requests are served at once, and how fast that grows.

use crate::config::ScalingObjective;
use crate::model::{Concurrency, History, InstanceCount, Minute, Observation, ServerlessMinute, serverless_minutes};
use crate::replay::Boot;
use crate::statistics::quantile;

/// What is needed now is what the last minutes needed.
const NOW_MINUTES: i64 = 10;
/// One minute until the metric arrives, three datapoints until the policy's alarm fires, one until units are asked for.
const DETECTION_MINUTES: f64 = 5.0;
/// What target tracking aims at: AWS's own example is 0.7 at most, and below 0.3 most of what is paid for idles.
const MOST: f64 = 0.7;
const LEAST: f64 = 0.3;
/// A shorter history has not shown a day.
const DAY_MINUTES: i64 = 1_440;

/// Requests at once, over the history.
pub(super) struct Demand {
    minutes: Vec<ServerlessMinute>,
    scale_out_minutes: f64,
    /// The most in the last minutes.
    pub now: Concurrency,
    /// The most ever.
    pub peak: Concurrency,
    /// In 95 % of the minutes with requests there were no more.
    pub usual: Concurrency,
    /// In 99 %.
    pub high: Concurrency,
}

/// What a policy aims at.
pub(super) struct Target {
    /// Share of the provisioned concurrency in use.
    pub value: f64,
    /// Growth that it leaves room for, and in which share of the minutes it does; none where too little was seen.
    growth: Option<(f64, f64)>,
    /// Growth is beyond what a policy can leave room for.
    pub is_too_fast: bool,
}

impl Demand {
    /// Measures demand; none where nothing was served in the last minutes.
    pub fn of(observation: &Observation) -> Option<Self> {
        let minutes = serverless_minutes(observation, &History::of(observation));
        let last = observation.last_minute();
        let most = || minutes.iter().filter_map(|minute| Some((minute.minute, minute.most?.0)));
        let largest = |values: &mut dyn Iterator<Item = f64>| values.max_by(f64::total_cmp).map(Concurrency);
        let now = largest(&mut most().filter(|(at, _)| last.since(*at) < NOW_MINUTES).map(|(_, most)| most))?;
        let peak = largest(&mut most().map(|(_, most)| most))?;
        let usual = Concurrency(quantile(most().map(|(_, most)| most), 0.95)?);
        let high = Concurrency(quantile(most().map(|(_, most)| most), 0.99)?);
        let scale_out_minutes = DETECTION_MINUTES + Boot::of(observation).slow_minutes();
        Some(Self { minutes, scale_out_minutes, now, peak, usual, high })
    }

    /// The share of the units that leaves room for what comes before more are there: 1 over the growth from the mean of
    /// three minutes to the most at once within a scale-out's time, in all but 1, 2 or 10 % of the minutes, by the objective.
    /// Growth that `floor` carries is none, and what no target leaves room for is not paid for. The policy follows the mean
    /// of a minute; what spills over is its peak.
    pub fn target(&self, floor: InstanceCount, objective: ScalingObjective) -> Target {
        let covered = match objective {
            ScalingObjective::Availability => 0.99,
            ScalingObjective::Balanced => 0.98,
            ScalingObjective::Cost => 0.90,
        };
        let (Some(first), Some(last)) = (self.minutes.first(), self.minutes.last()) else { return Target::usual() };
        if last.minute.since(first.minute) < DAY_MINUTES - 60 {
            return Target::usual();
        }
        let all = self.growth(f64::from(floor.0));
        let met: Vec<f64> = all.iter().copied().filter(|growth| *growth <= 1.0 / LEAST).collect();
        let is_too_fast = share(met.len(), all.len()) < covered;
        let Some(growth) = quantile(met, covered) else { return Target { is_too_fast, ..Target::usual() } };
        // Down to a twentieth, so that the same advice a few minutes later is the same plan.
        let value = ((1.0 / growth).clamp(LEAST, MOST) * 20.0 + 1e-9).floor() / 20.0;
        Target { value, growth: Some((growth, covered)), is_too_fast }
    }

    /// For each minute that was followed by more than `floor` at once: the most within a scale-out's time, over the mean.
    fn growth(&self, floor: f64) -> Vec<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "minutes, far below the limits of i64")]
        let horizon = self.scale_out_minutes.ceil() as i64;
        let within = |from: Minute, until: Minute| {
            let begin = self.minutes.partition_point(|minute| minute.minute < from);
            let end = self.minutes.partition_point(|minute| minute.minute <= until);
            self.minutes.get(begin..end).unwrap_or_default()
        };
        let of = |minute: &ServerlessMinute| {
            let before = within(minute.minute.plus(-2), minute.minute);
            let mean = before.iter().filter_map(ServerlessMinute::mean).map(|mean| mean.0).sum::<f64>() / 3.0;
            let ahead =
                within(minute.minute, minute.minute.plus(horizon)).iter().filter_map(|ahead| Some(ahead.most?.0));
            let ahead = ahead.max_by(f64::total_cmp).filter(|ahead| *ahead > floor)?;
            // What the floor has in reserve is there before any policy acts.
            Some((ahead / mean.max(LEAST * floor).max(0.1)).max(1.0))
        };
        self.minutes.iter().filter_map(of).collect()
    }

    /// How the closed form's target came about.
    pub fn target_reasoning(&self, target: &Target) -> String {
        match target.growth {
            Some((growth, covered)) => format!(
                "the target is {:.0} % of the units in use: where requests at once outgrew MinCapacity of quiet times and a \
                 policy can follow, {:.0} % of them grew to {growth:.1} times their mean or more within the {:.0} minutes that \
                 a scale-out takes",
                100.0 * target.value,
                100.0 * (1.0 - covered),
                self.scale_out_minutes,
            ),
            None => format!(
                "the target is the usual {:.0} % of the units in use: too little was seen to tell how fast requests grow",
                100.0 * target.value
            ),
        }
    }

    /// How many units are needed, one fact each.
    pub fn reasoning(&self, needed: InstanceCount, current: InstanceCount, ceiling: InstanceCount) -> Vec<String> {
        let (is, units) = if current.0 == 1 { ("is", "unit") } else { ("are", "units") };
        let mut reasoning = vec![format!(
            "up to {} requests are served at once now, and {} were at most: that takes {needed} units; {current} {units} of \
             provisioned concurrency {is} set",
            self.now, self.peak
        )];
        if needed > ceiling {
            reasoning.push(format!(
                "{needed} units are needed and {ceiling} are allowed: requests beyond them may be cold until MaxConcurrency or \
                 the limit is raised"
            ));
        }
        reasoning
    }
}

impl Target {
    fn usual() -> Self {
        Self { value: MOST, growth: None, is_too_fast: false }
    }
}

#[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{InvocationsPerMinute, Microseconds};

    /// A day of one request at once in the mean, with so many in every tenth minute.
    pub(in crate::plan::serverless) fn demand(most: f64, minutes: i64) -> Demand {
        let minute = |index: i64| ServerlessMinute {
            minute: Minute(index),
            invocations: InvocationsPerMinute(60.0),
            service: Some(Microseconds(1e6)),
            held: None,
            most: Some(Concurrency(if index % 10 == 0 { most } else { 1.0 })),
            setups: 0.0,
            setup_time: None,
            spillover: None,
            provisioned: None,
        };
        let most = Concurrency(most);
        let minutes = (0..minutes).map(minute).collect();
        Demand { minutes, scale_out_minutes: 10.0, now: most, peak: most, usual: most, high: most }
    }

    #[test]
    fn the_target_leaves_room_for_growth_down_to_a_twentieth() {
        let target = |most: f64| demand(most, 1_440).target(InstanceCount(0), ScalingObjective::Balanced).value;
        // 1 over the growth, between 0.3 and 0.7.
        for (most, expected) in [(1.0, 0.7), (1.5, 0.65), (1.9, 0.5), (2.0, 0.5), (2.3, 0.4), (3.2, 0.3)] {
            assert!((target(most) - expected).abs() < 1e-9, "{most}: {}", target(most));
        }
    }

    #[test]
    fn what_no_target_leaves_room_for_is_too_fast() {
        let target = |most: f64| demand(most, 1_440).target(InstanceCount(0), ScalingObjective::Balanced);
        assert!(!target(3.2).is_too_fast && target(9.0).is_too_fast);
        let carried = demand(9.0, 1_440).target(InstanceCount(9), ScalingObjective::Balanced);
        assert!(!carried.is_too_fast, "the floor carries it");
    }

    #[test]
    fn less_than_a_day_shows_no_growth() {
        let is_known = |minutes| {
            let demand = demand(2.0, minutes);
            let target = demand.target(InstanceCount(0), ScalingObjective::Balanced);
            demand.target_reasoning(&target).starts_with("the target is 50 % of the units in use: where requests")
        };
        assert!(is_known(DAY_MINUTES - 59));
        assert!(!is_known(DAY_MINUTES - 60));
    }
}
