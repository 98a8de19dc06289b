//! Saved observations that no AWS ever answered: found by fuzzing (`fuzz/`), each kept here by what was wrong.

use crate::endpoint::{observed, settings};
use crate::serverless::{family, serverless};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{Metric, Milliseconds, Minute, Observation, Report, Series};

fn explained(observation: &Observation) -> Report {
    explain(observation, &settings(&[]))
}

/// The report as somebody reads it who gets its JSON.
fn read_again(report: &Report) -> Report {
    serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
}

#[test]
fn a_ratio_to_nothing_is_missing_in_the_report_as_it_is_in_its_json() {
    let mut observation = observed("overload");
    for nothing in [0.0, -0.0, f64::MIN_POSITIVE] {
        observation.objective.as_mut().unwrap().latency_slo_ms = Milliseconds(nothing);
        let report = explained(&observation);
        assert_eq!(read_again(&report), report, "{nothing}");
    }
}

#[test]
fn minutes_of_two_thousand_years_ago_are_not_looked_at() {
    let usual = observed("overload");
    let mut observation = usual.clone();
    for series in &mut observation.metrics.0 {
        if series.metric == Metric::ConcurrentRequestsPerModel {
            let values = series.points().map(|(_, value)| Some(value)).collect();
            let year_one: jiff::Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
            *series = Series::new(series.metric, series.statistic, Minute::containing(year_one), values);
        }
    }
    let mut without = usual;
    without.metrics.0.retain(|series| series.metric != Metric::ConcurrentRequestsPerModel);
    let (report, expected) = (explained(&observation), explained(&without));
    assert_eq!((report.diagnosis, report.plan), (expected.diagnosis, expected.plan), "as if they had not been read");
}

#[test]
fn memory_and_concurrency_beyond_every_limit_of_today_are_no_reason_to_fail() {
    for name in ["serverless_slower", "serverless_spillover", "serverless_growth"] {
        let usual = serverless(family(name), 0);
        for (memory_size_in_mb, max_concurrency) in [(10_240, 1_000), (u32::MAX, u32::MAX)] {
            let mut observation = usual.clone();
            let variant = observation.variant.serverless.as_mut().unwrap();
            (variant.memory_size_in_mb, variant.max_concurrency) = (memory_size_in_mb, max_concurrency);
            let report = explained(&observation);
            assert_eq!(read_again(&report), report, "{name} with {memory_size_in_mb} MB");
        }
    }
}
