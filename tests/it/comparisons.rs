//! Scaling set-ups side by side, for each way that an endpoint is hosted.

use crate::asynchronous::observed as queue;
use crate::components::{asleep, of_component};
use crate::convergence::applied;
use crate::endpoint::{observed, settings};
use crate::scenarios::with_target;
use crate::serverless::{family, serverless};
use endpoint_advisor::advise::{NotComparable, compare};
use endpoint_advisor::model::{Comparison, InstanceCount, Metric, NotCompared, Observation, Row, Seconds};
use endpoint_advisor::plan::{NoSuchTarget, asked};
use endpoint_advisor::replay::Setup;
use endpoint_advisor::report::{comparison as text, comparison_html as html, comparison_markdown as markdown};
use std::path::Path;

const MANY: (&str, &str) = ("ADVISOR_MAX_INSTANCES", "40");

/// What stands, what is advised, and these targets from `min` to `max`.
fn compared(observation: &Observation, targets: &[f64], (min, max): (u32, u32)) -> Comparison {
    let setup = |target: &f64| asked(observation, *target, InstanceCount(min), InstanceCount(max)).unwrap();
    compare(observation, &settings(&[MANY]), &targets.iter().map(setup).collect::<Vec<_>>()).unwrap()
}

/// The comparison as people read it, under `tests/scenarios`.
fn check(name: &str, comparison: &Comparison) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name).join("comparison.txt");
    expect_test::expect_file![golden].assert_eq(&text::render(comparison));
}

fn late(row: &Row) -> f64 {
    row.projection.as_ref().unwrap().slo_violation_minutes
}

/// A queue of which an alarm says that nobody may wait for more than ten minutes.
fn waiting() -> Observation {
    let mut observation = queue("growth", 3);
    observation.age_objective = Some(Seconds(600));
    observation
}

#[test]
fn set_ups_of_a_queue_by_the_backlog_of_each_instance() {
    let comparison = compared(&waiting(), &[8.0, 4_000.0], (1, 40));
    assert_eq!((comparison.objective, comparison.longest_wait), (None, Some(Seconds(600))));
    let [_, advised, same, hardly_any] = comparison.rows.as_slice() else { panic!("{comparison:?}") };
    assert!(advised.relative_cost.unwrap() < 1.0);
    assert!(late(hardly_any) > late(same), "{comparison:?}");
    check("backlog-grows", &comparison);
}

#[test]
fn set_ups_of_provisioned_concurrency_by_the_share_in_use() {
    let spilling = serverless(family("serverless_spillover"), 0);
    let comparison = compared(&spilling, &[0.2, 0.9], (1, 40));
    let [present, advised, roomy, tight] = comparison.rows.as_slice() else { panic!("{comparison:?}") };
    assert!(advised.relative_cost.unwrap() < 1.0 && present.projection.is_some(), "{comparison:?}");
    assert!(late(roomy) < late(tight), "{comparison:?}");
    check("serverless-spillover", &comparison);
}

#[test]
fn set_ups_of_an_inference_component_by_the_load_of_each_copy() {
    let comparison = compared(&of_component(observed("overload")), &[400.0, 900.0], (1, 8));
    let [present, advised, roomy, tight] = comparison.rows.as_slice() else { panic!("{comparison:?}") };
    assert!(advised.relative_cost < present.relative_cost);
    assert!(late(roomy) < late(tight), "{comparison:?}");
    check("component-overloaded", &comparison);
}

#[test]
fn what_a_comparison_says_of_the_advised_set_up_is_what_its_plan_foretells() {
    for observation in [
        observed("overload"),
        of_component(observed("overload")),
        waiting(),
        serverless(family("serverless_spillover"), 0),
    ] {
        let comparison = compare(&observation, &settings(&[MANY]), &[]).unwrap();
        let forecast = comparison.advised.as_ref().unwrap().forecast.as_ref().unwrap();
        let [present, advised] = comparison.rows.as_slice() else { panic!("{comparison:?}") };
        let foretold = (Some(forecast.current), Some(forecast.planned));
        assert_eq!((present.projection, advised.projection), foretold, "{:?}", observation.hosting);
        assert!(comparison.advises_a_change());
    }
}

#[test]
fn what_stands_already_is_no_change() {
    let before = observed("overload");
    let plan = compare(&before, &settings(&[MANY]), &[]).unwrap().advised.unwrap();
    let comparison = compare(&applied(&before, &plan), &settings(&[MANY]), &[]).unwrap();
    assert!(comparison.advised.as_ref().is_none_or(|plan| plan.is_in_place()), "{:?}", comparison.advised);
    assert!(!comparison.advises_a_change());
}

#[test]
fn from_zero_something_starts_the_first_one() {
    let highest = |row: &Row| row.instances.iter().copied().fold(0.0, f64::max);
    let mut from_zero = waiting();
    from_zero.variant.current_instance_count = Some(InstanceCount(0));
    let comparison = compared(&from_zero, &[8.0], (0, 10));
    assert!(highest(&comparison.rows[2]) >= 9.0, "{comparison:?}");
    let setup = asked(&from_zero, 8.0, InstanceCount(0), InstanceCount(10)).unwrap();
    let names: Vec<&str> = setup.policies.iter().map(|policy| policy.policy_name.as_str()).collect();
    assert_eq!(names, ["asked for", "endpoint-advisor-from-zero"]);
    let of_copies = asked(&asleep(), 400.0, InstanceCount(0), InstanceCount(4)).unwrap();
    assert_eq!(of_copies.policies.len(), 2);
    // Where one is always there, none has to be started.
    assert_eq!(asked(&from_zero, 8.0, InstanceCount(1), InstanceCount(10)).unwrap().policies.len(), 1);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let why = |observation: &Observation| compare(observation, &settings(&[]), &[]).unwrap_err();
    let without = |mut observation: Observation, gone: fn(Metric) -> bool| {
        observation.metrics.0.retain(|series| !gone(series.metric));
        observation
    };
    let silent = without(waiting(), |metric| metric == Metric::ApproximateBacklogSize);
    assert_eq!(why(&silent), NotComparable::NoThroughput);
    assert_eq!(why(&serverless(family("serverless_after_idle"), 0)), NotComparable::NothingToScale);
    let unmeasured = without(of_component(observed("overload")), |metric| metric == Metric::ModelLatency);
    assert_eq!(why(&unmeasured), NotComparable::NoCurve);
    let mut aimless = observed("overload");
    aimless.objective = None;
    assert_eq!(why(&aimless), NotComparable::NoObjective);
}

#[test]
fn a_policy_that_does_not_fit_the_way_of_hosting_is_a_row_with_its_reason() {
    let by_load = Setup::tracking("SageMakerVariantInvocationsPerInstance", 20.0, InstanceCount(6), InstanceCount(40));
    let by_backlog = asked(&waiting(), 8.0, InstanceCount(1), InstanceCount(9)).unwrap();
    for (observation, misfit) in [
        (waiting(), &by_load),
        (serverless(family("serverless_spillover"), 0), &by_load),
        (of_component(observed("overload")), &by_backlog),
    ] {
        let comparison = compare(&observation, &settings(&[MANY]), std::slice::from_ref(misfit)).unwrap();
        let reason = comparison.rows.last().unwrap().not_replayable.clone().unwrap();
        assert!(reason.contains("policy `asked for` follows a metric that cannot be worked out from"), "{reason}");
        assert!(text::render(&comparison).contains(&format!("not replayed: {reason}")));
        assert!(markdown::render(&comparison).contains("is not replayed: "));
    }
}

#[test]
fn a_target_that_means_nothing_is_refused() {
    let range = (InstanceCount(1), InstanceCount(9));
    let refused = |observation: &Observation, target: f64| asked(observation, target, range.0, range.1).err();
    for target in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(&waiting(), target), Some(NoSuchTarget::NotAboveZero));
    }
    let spilling = serverless(family("serverless_spillover"), 0);
    assert_eq!(refused(&spilling, 70.0), Some(NoSuchTarget::NotAShare));
    assert_eq!(refused(&spilling, 1.01), Some(NoSuchTarget::NotAShare));
    assert_eq!([0.7, 1.0].map(|share| refused(&spilling, share)), [None, None]);
}

#[test]
fn a_policy_that_stands_on_a_queue_is_its_first_row() {
    let standing = asked(&waiting(), 12.0, InstanceCount(2), InstanceCount(9)).unwrap().policies.remove(0);
    let comparison = compared(&with_target(waiting(), 2, 9, Some(standing)), &[12.0], (2, 9));
    let [present, .., asked] = comparison.rows.as_slice() else { panic!("{comparison:?}") };
    assert_eq!((present.name.as_str(), asked.name.as_str()), ("as it is", "target 12, 2 to 9"));
    assert_eq!((&present.instances, present.changes), (&asked.instances, asked.changes));
}

#[test]
fn every_face_says_how_long_requests_may_wait() {
    let comparison = compared(&waiting(), &[8.0], (1, 40));
    let words =
        "1 day from 2026-10-04 09:30 UTC, over the objective where the oldest request has waited more than 10 min";
    for face in [text::render(&comparison), markdown::render(&comparison)] {
        assert!(face.contains(words), "{face}");
    }
    let left_out = NotCompared {
        endpoint_name: comparison.endpoint_name.clone(),
        part_name: None,
        why: NotComparable::NoThroughput.to_string(),
    };
    let page = html::render(std::slice::from_ref(&comparison), &[left_out]);
    assert!(page.contains(words) && page.contains("what arrived, or what one instance processes"), "{page}");
    assert_eq!(page.matches("<svg ").count(), 2, "what arrived, and the instances of each set-up");
    let json = serde_json::to_string(&comparison).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap(), comparison);
}
