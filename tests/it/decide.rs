//! Who may write what: a plan stands on a verdict and on a capacity, and both have to be certain.

use crate::endpoint::{observed, settings};
use endpoint_advisor::config::Mode;
use endpoint_advisor::decide::{Authority, decide};
use endpoint_advisor::model::{Capacity, Diagnosis, Grade, Outcome, OutcomeStatus, Plan};
use endpoint_advisor::{capacity, diagnose, plan};

/// What would be done about an overload, once `change` was made to what is known.
fn decided(authority: Authority, change: impl Fn(&mut Diagnosis, &mut Capacity)) -> Option<Outcome> {
    let observation = observed("overload");
    let mut diagnosis = diagnose::diagnose(&observation);
    let mut capacity = capacity::capacity(&observation).unwrap();
    let guardrails = settings(&[("ADVISOR_MODE", "apply")]).for_endpoint(observation.tags.as_ref());
    let plan: Plan = plan::plan(&observation, &diagnosis, Some(&capacity), &guardrails);
    change(&mut diagnosis, &mut capacity);
    decide(&plan, &diagnosis, Some(&capacity), &guardrails, Mode::Apply, authority)
}

#[test]
fn a_certain_plan_is_applied() {
    assert_eq!(decided(Authority::Now, |_, _| {}), None);
}

#[test]
fn a_capacity_that_is_not_certain_is_for_a_person_to_act_on() {
    for grade in [Grade::Low, Grade::Insufficient] {
        let outcome = decided(Authority::Now, |_, capacity| capacity.grade = grade).unwrap();
        assert_eq!((outcome.status, outcome.reason.as_str()), (OutcomeStatus::Recommended, "capacity_not_certain"));
        // Who approves the plan has seen the grade.
        assert_eq!(decided(Authority::Approved, |_, capacity| capacity.grade = grade), None);
    }
    assert_eq!(decided(Authority::Now, |_, capacity| capacity.grade = Grade::Medium), None);
}

#[test]
fn an_uncertain_verdict_comes_first() {
    let outcome = decided(Authority::Now, |diagnosis, capacity| {
        diagnosis.confidence = 0.85;
        capacity.grade = Grade::Low;
    });
    assert_eq!(outcome.unwrap().reason, "not_certain_enough");
}
