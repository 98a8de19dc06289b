//! [`Plan`] and [`Guardrails`] → may it be written? The last word before acting, and pure.

use crate::config::{ExistingTargets, Guardrails, Mode};
use crate::model::{Action, Diagnosis, Outcome, OutcomeStatus, Plan};

/// Belief in the verdict from which money is spent without asking a person.
const CONFIDENT: f64 = 0.9;

/// Who asks, as far as it matters for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// An alarm or a person asks now: the mode decides.
    Now,
    /// A person approved exactly this plan: the tag `recommend` is overruled, the function's own mode is not.
    Approved,
    /// A person approved another plan than the one that would be right now.
    OtherPlan,
    /// Looking only: an audit, a follow-up, the tool's `explain`.
    LookOnly,
    /// The observed window ends in the past.
    InThePast,
    /// The alarm is old and no longer in ALARM, or that could not be verified.
    StaleEvent,
}

/// The outcome where nothing is to be written; none where the plan may be applied. `function_mode` is the mode of the
/// deployment, before any tag.
#[must_use]
pub fn decide(
    plan: &Plan,
    diagnosis: &Diagnosis,
    guardrails: &Guardrails,
    function_mode: Mode,
    authority: Authority,
) -> Option<Outcome> {
    let outcome = |status, reason: &str| Some(Outcome::without_change(status, reason));
    let coded = |status, code: &str, words: &str| Some(Outcome::without_change(status, code).because(words));
    if authority == Authority::OtherPlan {
        let words = "the plan that was approved is no longer the one that would be right";
        return coded(OutcomeStatus::Stale, "other_plan", words);
    }
    if let Some(problem) = guardrails.problems.first()
        && plan.action == Action::Scale
    {
        return outcome(OutcomeStatus::Refused, problem);
    }
    if let Some(reason) = plan.hold_reason {
        let status = if reason.is_refusal() { OutcomeStatus::Refused } else { OutcomeStatus::NotNeeded };
        return coded(status, &reason.code(), reason.text());
    }
    if plan.is_in_place() {
        return outcome(OutcomeStatus::Unchanged, "what the plan asks already stands");
    }
    match authority {
        Authority::StaleEvent => {
            let words = "the event is old, and its alarm is not known to be in ALARM any more";
            return coded(OutcomeStatus::Refused, "stale_event", words);
        }
        Authority::InThePast if function_mode == Mode::Apply => {
            let words = "what was right then may not be right now";
            return coded(OutcomeStatus::Refused, "at_in_the_past", words);
        }
        Authority::Approved if function_mode != Mode::Apply => {
            let words = "the function itself may only recommend";
            return coded(OutcomeStatus::Refused, "not_deployed_with_apply", words);
        }
        Authority::LookOnly => return outcome(OutcomeStatus::Recommended, "this was a look only"),
        Authority::InThePast => return outcome(OutcomeStatus::Recommended, "mode is recommend"),
        Authority::Now if guardrails.mode != Mode::Apply => {
            return outcome(OutcomeStatus::Recommended, "mode is recommend");
        }
        Authority::Approved | Authority::Now | Authority::OtherPlan => {}
    }
    let target = plan.based_on.as_ref().and_then(|state| state.target.as_ref());
    if target.is_some_and(|target| !target.is_ours()) && guardrails.existing_targets == ExistingTargets::Advise {
        let words = "the scalable target was made by somebody else, and the settings allow advice only";
        return coded(OutcomeStatus::Refused, "existing_target", words);
    }
    if authority == Authority::Now && plan.is_dear {
        let words = "the headroom costs more than the minutes over the objective are worth, so a person decides";
        return coded(OutcomeStatus::Recommended, "dearer_than_worth", words);
    }
    if authority == Authority::Now && diagnosis.confidence < CONFIDENT {
        let words = "the verdict is not certain enough to act without a person";
        return coded(OutcomeStatus::Recommended, "not_certain_enough", words);
    }
    None
}
