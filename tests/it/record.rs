//! What was decided can be decided again.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{Metric, Minute, Observation, Series, Statistic};

#[test]
fn a_saved_observation_gives_the_same_report_bit_for_bit() {
    for scenario in ["overload", "slow-model", "burst", "model-loading"] {
        let observation = observed(scenario);
        let saved = serde_json::to_string(&observation).unwrap();
        let read: Observation = serde_json::from_str(&saved).unwrap();
        let report = |observation: &Observation| serde_json::to_string(&explain(observation, &settings(&[]))).unwrap();
        assert_eq!(report(&read), report(&observation));
    }
}

#[test]
fn a_report_says_which_observation_and_which_version_it_comes_from() {
    let observation = observed("overload");
    let report = explain(&observation, &settings(&[]));
    assert_eq!(report.advisor_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(report.observation_digest, observation.digest());
    assert!(report.observation_digest.len() == 12, "{}", report.observation_digest);
}

#[test]
fn a_datapoint_makes_another_observation_and_who_asked_does_not() {
    let observation = observed("overload");
    let mut by_hand = observation.clone();
    by_hand.trigger.alarm_name = None;
    assert_eq!(by_hand.digest(), observation.digest());
    let mut other = observation.clone();
    let one = Series::new(Metric::ModelSetupTime, Statistic::Average, Minute(29_000_000), vec![Some(1.0)]);
    other.metrics.0.push(one);
    assert_ne!(other.digest(), observation.digest());
}
