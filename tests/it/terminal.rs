//! The report on a terminal.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::Metric;
use endpoint_advisor::report::{terminal, text};
use std::path::Path;

/// Text without its ANSI colours.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |out, piece| out + piece.split_once('m').unwrap().1)
}

#[test]
fn colours_change_no_word() {
    for scenario in ["overload", "slow-model", "blip"] {
        let report = explain(&observed(scenario), &settings(&[]));
        let coloured = terminal::render(&report);
        assert_eq!(without_colours(&coloured), text::render(&report));
        assert!(coloured.starts_with("\x1b[1m\x1b[3"), "the headline stands out");
    }
}

#[test]
fn what_speaks_for_the_verdict_and_what_to_run_stand_out() {
    let coloured = terminal::render(&explain(&observed("overload"), &settings(&[])));
    assert!(coloured.contains("\n\x1b[32m+\x1b[0m "), "{coloured:?}");
    assert!(coloured.contains("\n\x1b[1mWhy\x1b[0m\n"), "{coloured:?}");
    assert!(coloured.contains("\n\x1b[36m    aws application-autoscaling register-scalable-target"), "{coloured:?}");
}

#[test]
fn latency_and_load_are_charts_with_units_and_the_objective() {
    let charts = terminal::charts(&observed("overload"), 80);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/traffic-beyond-capacity/charts.txt");
    expect_test::expect_file![golden].assert_eq(&charts);
    assert!(charts.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn what_has_no_metric_has_no_chart() {
    let mut observation = observed("overload");
    observation.metrics.0.retain(|series| series.metric != Metric::ModelLatency);
    let charts = terminal::charts(&observation, 80);
    assert!(!charts.contains("ModelLatency") && charts.contains("Invocations per instance"));
    observation.metrics.0.clear();
    assert_eq!(terminal::charts(&observation, 80), "");
}
