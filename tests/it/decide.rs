//! The last word before writing: who asks, under which mode, for what plan.

use crate::endpoint::{observed, settings, with_their_range};
use endpoint_advisor::advise::explain;
use endpoint_advisor::config::{Guardrails, Mode};
use endpoint_advisor::decide::{Authority, decide};
use endpoint_advisor::model::{Diagnosis, HoldReason, Observation, OutcomeStatus, Plan};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A certain overload of an endpoint that nothing scales, and the plan for it.
static OVERLOAD: LazyLock<(Plan, Diagnosis)> = LazyLock::new(|| planned(&observed("overload")));

const EVERYBODY: [Authority; 6] = [
    Authority::Now,
    Authority::Approved,
    Authority::OtherPlan,
    Authority::LookOnly,
    Authority::InThePast,
    Authority::StaleEvent,
];

fn planned(observation: &Observation) -> (Plan, Diagnosis) {
    let report = explain(observation, &settings(&[("ADVISOR_EXISTING_TARGETS", "raise")]));
    (report.plan, report.diagnosis)
}

/// The guardrails of a function that was deployed with this mode, for an endpoint with this tag.
fn guardrails(function_mode: Mode, tag: Option<&str>) -> Guardrails {
    let variable = if function_mode == Mode::Apply { "apply" } else { "recommend" };
    let tags = tag.map(|mode| ("endpoint-advisor:mode".to_owned(), mode.to_owned()));
    settings(&[("ADVISOR_MODE", variable)]).for_endpoint(Some(&BTreeMap::from_iter(tags)))
}

/// What is said of the plan; none where it may be written.
fn said(plan: &Plan, function_mode: Mode, tag: Option<&str>, authority: Authority) -> Option<(OutcomeStatus, String)> {
    let outcome = decide(plan, &OVERLOAD.1, &guardrails(function_mode, tag), function_mode, authority)?;
    assert_eq!(outcome.changes, [], "nothing is written before it is decided");
    Some((outcome.status, outcome.reason))
}

#[test]
fn who_asks_and_the_mode_decide_together() {
    use Authority::{Approved, InThePast, LookOnly, Now, OtherPlan, StaleEvent};
    use Mode::{Apply, Recommend};
    use OutcomeStatus::{Recommended, Refused, Stale};
    for (authority, function_mode, tag, expected) in [
        (Now, Apply, None, None),
        (Now, Apply, Some("apply"), None),
        (Now, Apply, Some("recommend"), Some((Recommended, "mode is recommend"))),
        (Now, Recommend, None, Some((Recommended, "mode is recommend"))),
        (Now, Recommend, Some("apply"), Some((Recommended, "mode is recommend"))),
        // A person's word counts for more than the tag, and for less than the deployment.
        (Approved, Apply, None, None),
        (Approved, Apply, Some("recommend"), None),
        (Approved, Recommend, None, Some((Refused, "not_deployed_with_apply"))),
        (OtherPlan, Apply, None, Some((Stale, "other_plan"))),
        (OtherPlan, Recommend, None, Some((Stale, "other_plan"))),
        (LookOnly, Apply, None, Some((Recommended, "this was a look only"))),
        (LookOnly, Recommend, None, Some((Recommended, "this was a look only"))),
        (InThePast, Apply, None, Some((Refused, "at_in_the_past"))),
        (InThePast, Recommend, None, Some((Recommended, "mode is recommend"))),
        (StaleEvent, Apply, None, Some((Refused, "stale_event"))),
        (StaleEvent, Recommend, None, Some((Refused, "stale_event"))),
    ] {
        let situation = format!("{authority:?}, {function_mode:?}, tag {tag:?}");
        match (said(&OVERLOAD.0, function_mode, tag, authority), expected) {
            (None, None) => {}
            (Some((status, reason)), Some((expected, code))) => {
                assert!(status == expected && reason.starts_with(code), "{situation}: {status:?} {reason}");
            }
            (said, expected) => panic!("{situation}: {said:?}, not {expected:?}"),
        }
    }
}

#[test]
fn nobody_writes_a_plan_to_hold_or_one_that_stands() {
    let hold = |reason| Plan::hold(reason);
    let before = OVERLOAD.0.based_on.clone().unwrap_or_default();
    let stands = Plan { based_on: Some(OVERLOAD.0.stands_on(&before)), ..OVERLOAD.0.clone() };
    for authority in EVERYBODY.into_iter().filter(|authority| *authority != Authority::OtherPlan) {
        let said = |plan: &Plan| said(plan, Mode::Apply, None, authority).map(|(status, _)| status);
        assert_eq!(said(&hold(HoldReason::ScalingWillNotHelp)), Some(OutcomeStatus::NotNeeded), "{authority:?}");
        assert_eq!(said(&hold(HoldReason::GuardrailBelowCurrent)), Some(OutcomeStatus::Refused), "{authority:?}");
        assert_eq!(said(&stands), Some(OutcomeStatus::Unchanged), "{authority:?}");
    }
}

#[test]
fn settings_that_are_not_understood_refuse_whoever_asks() {
    for authority in EVERYBODY.into_iter().filter(|authority| *authority != Authority::OtherPlan) {
        let (status, reason) = said(&OVERLOAD.0, Mode::Apply, Some("on"), authority).expect("it is refused");
        assert_eq!(status, OutcomeStatus::Refused);
        assert!(reason.contains("`endpoint-advisor:mode` is `on`"), "{reason}");
    }
    // Where nothing would be written, what is wrong with the tags is a warning of the report.
    let hold = Plan::hold(HoldReason::ScalingWillNotHelp);
    let said = said(&hold, Mode::Apply, Some("on"), Authority::Now);
    assert_eq!(said.map(|(status, _)| status), Some(OutcomeStatus::NotNeeded));
}

#[test]
fn a_person_may_decide_where_the_advisor_alone_does_not() {
    let guardrails = guardrails(Mode::Apply, None);
    let status = |plan: &Plan, confidence: f64, authority| {
        let diagnosis = Diagnosis { confidence, ..OVERLOAD.1.clone() };
        decide(plan, &diagnosis, &guardrails, Mode::Apply, authority).map(|outcome| outcome.status)
    };
    let plan = &OVERLOAD.0;
    assert_eq!(status(plan, 0.9, Authority::Now), None, "certain enough");
    assert_eq!(status(plan, 0.899, Authority::Now), Some(OutcomeStatus::Recommended));
    assert_eq!(status(plan, 0.899, Authority::Approved), None);
    let dear = Plan { is_dear: true, ..plan.clone() };
    assert_eq!(status(&dear, 1.0, Authority::Now), Some(OutcomeStatus::Recommended));
    assert_eq!(status(&dear, 1.0, Authority::Approved), None);
}

#[test]
fn a_range_of_somebody_else_is_written_only_where_the_settings_say_so() {
    let (plan, diagnosis) = planned(&with_their_range(observed("overload")));
    for (variable, expected) in [("advise", Some(OutcomeStatus::Refused)), ("raise", None)] {
        let settings = settings(&[("ADVISOR_MODE", "apply"), ("ADVISOR_EXISTING_TARGETS", variable)]);
        let guardrails = settings.for_endpoint(Some(&BTreeMap::new()));
        for authority in [Authority::Now, Authority::Approved] {
            let outcome = decide(&plan, &diagnosis, &guardrails, Mode::Apply, authority);
            assert_eq!(outcome.map(|outcome| outcome.status), expected, "{variable} {authority:?}");
        }
    }
    // Ours is ours under either.
    let outcome = decide(&OVERLOAD.0, &diagnosis, &guardrails(Mode::Apply, None), Mode::Apply, Authority::Now);
    assert_eq!(outcome, None);
}
