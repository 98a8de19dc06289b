//! Endpoints with a name and one known trouble.

use crate::{Conditions, Endpoint, Minute, Run, SCENARIOS};
use std::f64::consts::TAU;

/// An endpoint with one known trouble, in its last quarter of an hour unless `about` says otherwise, or none.
#[derive(Debug)]
pub struct Scenario {
    /// Name, as `slow-model`.
    pub name: &'static str,
    /// What is the matter.
    pub about: &'static str,
    /// The endpoint as it was built.
    pub endpoint: Endpoint,
    pub(crate) trouble: fn(&mut Conditions, i64),
}

/// Minutes that the trouble has lasted at the end.
pub(crate) const TROUBLE_MINUTES: i64 = 15;

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// What a minute (counted back from the end) is like.
    #[must_use]
    pub fn at(&self, minute: i64) -> Conditions {
        // The day's peak is seven hours before the end, so the end lies on a usual load.
        let day = (minute as f64 + 7.0 * 60.0) / 1_440.0;
        let mut conditions = Conditions {
            arrivals_per_minute: 1_000.0 * (1.0 + 0.4 * (TAU * day).cos()),
            over_dispersion: 0.0,
            ..Conditions::default()
        };
        (self.trouble)(&mut conditions, minute);
        conditions
    }
}

/// Runs a scenario over `minutes` minutes that end at minute 0.
#[must_use]
pub fn simulate(scenario: &Scenario, minutes: i64, seed: u64) -> Vec<Minute> {
    let mut run = Run::new(scenario.endpoint, seed);
    (-minutes..0).map(|minute| run.step(minute, &scenario.at(minute))).collect()
}

/// How far the trouble has come: 0 before it, 1 once its first five minutes are over.
pub(crate) fn progress(minute: i64) -> f64 {
    ((minute + TROUBLE_MINUTES) as f64 / 5.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What does not show in latency.
    const NO_LATENCY: [&str; 7] =
        ["hourly-herd", "healthy", "busy-but-fine", "overhead", "client-errors", "hardly-used", "blip"];
    /// What is no worse at the end than it always was.
    const ALWAYS: [&str; 3] = ["always-slow", "infrequent-traffic", "objective-too-tight"];

    /// The share of the minutes whose p90 is above the objective of 500 ms.
    fn violated(minutes: &[Minute]) -> f64 {
        let p90: Vec<f64> = minutes.iter().filter_map(|minute| minute.model_latency_us.quantile(0.9)).collect();
        p90.iter().filter(|p90| **p90 > 0.5e6).count() as f64 / p90.len() as f64
    }

    #[test]
    fn trouble_begins_when_it_is_said_to_and_violates_the_objective() {
        for scenario in &SCENARIOS {
            let minutes = simulate(scenario, 200, 1);
            let (before, now) = (violated(&minutes[..75]), violated(&minutes[197..]));
            if !ALWAYS.contains(&scenario.name) {
                assert!(before < 0.05, "{}: {before}", scenario.name);
                assert_eq!(now > 0.5, !NO_LATENCY.contains(&scenario.name), "{}", scenario.name);
            }
        }
    }

    #[test]
    fn an_objective_that_is_too_tight_is_hardly_met() {
        let minutes = simulate(Scenario::named("objective-too-tight").unwrap(), 1_000, 1);
        let share = violated(&minutes);
        assert!((0.02..0.2).contains(&share), "{share}");
    }

    #[test]
    fn every_scenario_is_found_by_its_name() {
        for scenario in &SCENARIOS {
            assert!(std::ptr::eq(Scenario::named(scenario.name).unwrap(), scenario));
            assert!(!scenario.about.is_empty());
        }
        assert_eq!(simulate(&SCENARIOS[0], 10, 1).last().unwrap().minute, -1);
    }
}
