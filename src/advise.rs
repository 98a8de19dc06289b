//! The pipeline: the only place that knows the order of the stages.

#[cfg(feature = "aws")]
mod audit;
#[cfg(feature = "aws")]
mod budget;
#[cfg(feature = "aws")]
mod claims;
#[cfg(feature = "aws")]
mod first_pass;
#[cfg(feature = "aws")]
mod incidents;
#[cfg(feature = "aws")]
mod looks;
#[cfg(feature = "aws")]
mod session;
#[cfg(feature = "aws")]
mod taking_back;

#[cfg(feature = "aws")]
pub use budget::ONE_EVENT;
#[cfg(feature = "aws")]
pub use first_pass::{BATCH, FirstPass, Seen, unread, with_alarms};
#[cfg(feature = "aws")]
pub use session::{Advice, AdviseError, Host, advise};
#[cfg(feature = "aws")]
pub use taking_back::{PartWayBack, WayBack, take_back, way_back};

use crate::config::{Guardrails, Mode, Settings};
use crate::decide::{Authority, decide};
use crate::model::{
    Capacity, Comparison, Diagnosis, Hosting, Observation, Outcome, OutcomeStatus, Plan, PutScalingPolicy, Report,
    ScalingPolicy,
};
use crate::replay::{QueueReplay, Replay, Setup};
use crate::{capacity, diagnose, plan, report};
use std::collections::BTreeMap;

/// What the pure stages made of one observation.
#[derive(Clone)]
struct Considered {
    diagnosis: Diagnosis,
    capacity: Option<Capacity>,
    plan: Plan,
    /// None where the plan may be applied.
    decision: Option<Outcome>,
    /// Settings and tags that were not understood.
    problems: Vec<String>,
}

/// The pure stages in their order. `authority` is told the digest of the plan.
fn consider(observation: &Observation, settings: &Settings, authority: impl FnOnce(&str) -> Authority) -> Considered {
    let guardrails = settings.for_endpoint(observation.tags.as_ref());
    let diagnosis = diagnose::diagnose(observation);
    let capacity = capacity::capacity(observation);
    let plan = plan::plan(observation, &diagnosis, capacity.as_ref(), &guardrails);
    let decision = decide(&plan, &diagnosis, &guardrails, settings.defaults.mode, authority(&plan.digest));
    let decision =
        decision.or_else(|| knows_too_little(observation, &plan)).map(|outcome| outcome.said(observation.dimension()));
    Considered { diagnosis, capacity, plan, decision, problems: guardrails.problems }
}

/// What was sized with the whole history is not replaced by what one day of it suggests; a range may still be raised, and a first
/// policy is what a day of history always gave.
fn knows_too_little(observation: &Observation, plan: &Plan) -> Option<Outcome> {
    let stands = plan.based_on.as_ref().filter(|_| observation.is_history_cut)?;
    let is_other = |policy: &PutScalingPolicy| {
        let is_named = |present: &ScalingPolicy| present.policy_name == policy.policy_name;
        stands.policies.iter().any(is_named) && !policy.stands(&stands.policies)
    };
    let replaces = plan.put_scaling_policies.iter().any(is_other) || !plan.delete_scaling_policies.is_empty();
    let words = "only a day of history could be read, and what stands was made with more";
    replaces.then(|| Outcome::without_change(OutcomeStatus::Refused, "history_incomplete").because(words))
}

/// Advises on a saved observation: the same report as at the time, without a call to AWS and without a right to write.
#[must_use]
pub fn explain(observation: &Observation, settings: &Settings) -> Report {
    let considered = consider(observation, settings, |_| Authority::LookOnly);
    let nothing = || Outcome::without_change(OutcomeStatus::Recommended, "this was a look only");
    let outcome = considered.decision.unwrap_or_else(nothing);
    let mut report = report::report(observation, considered.diagnosis, considered.capacity, considered.plan, outcome);
    report.warnings.extend(considered.problems);
    report
}

/// Why the plan of a report is not to be written, where a person asks for it; none where it may be. `tags` are the endpoint's as
/// they are now.
#[must_use]
pub fn refusal(report: &Report, settings: &Settings, tags: &BTreeMap<String, String>) -> Option<Outcome> {
    if !report.plan.is_as_made() {
        let words = "the plan does not fit its digest: it was changed after it was made";
        return Some(Outcome::without_change(OutcomeStatus::Refused, "plan_changed").because(words));
    }
    let guardrails = settings.for_endpoint(Some(tags));
    decide(&report.plan, &report.diagnosis, &guardrails, Mode::Apply, Authority::Approved)
}

/// Replays scaling set-ups over a saved observation: the present one, what would be advised in quiet times, and `setups`.
///
/// # Errors
/// [`NotComparable`] where there is nothing to replay.
pub fn compare(observation: &Observation, settings: &Settings, setups: &[Setup]) -> Result<Comparison, NotComparable> {
    let guardrails = settings.for_endpoint(observation.tags.as_ref());
    if observation.objective.is_none() && !observation.is_asynchronous() {
        return Err(NotComparable::NoObjective);
    }
    let is_serverless = observation.hosting == Hosting::Serverless;
    if is_serverless && observation.variant.serverless.is_none_or(|variant| variant.provisioned_concurrency.is_none()) {
        return Err(NotComparable::NothingToScale);
    }
    let nothing_known =
        || if observation.is_asynchronous() { NotComparable::NoThroughput } else { NotComparable::NoCurve };
    let capacity = capacity::capacity(observation).ok_or_else(nothing_known)?;
    let plan = plan::tune(observation, Some(&capacity), &guardrails);
    let all: Vec<Setup> = Setup::planned(&plan).into_iter().chain(setups.iter().cloned()).collect();
    let comparison = side_by_side(observation, &capacity, &all, &guardrails).ok_or_else(nothing_known)?;
    Ok(Comparison { advised: Some(plan), ..comparison })
}

/// Replays the present set-up and a plan over a saved observation; none where there is nothing to replay.
#[must_use]
pub fn replayed(observation: &Observation, settings: &Settings, plan: &Plan) -> Option<Comparison> {
    let guardrails = settings.for_endpoint(observation.tags.as_ref());
    let planned: Vec<Setup> = Setup::planned(plan).into_iter().collect();
    side_by_side(observation, &capacity::capacity(observation)?, &planned, &guardrails)
}

/// Replays the present set-up and others; none where there is nothing to replay.
fn side_by_side(
    observation: &Observation,
    capacity: &Capacity,
    setups: &[Setup],
    guardrails: &Guardrails,
) -> Option<Comparison> {
    let weight = guardrails.objective.fleet_minutes();
    Some(if observation.is_asynchronous() {
        let replay = QueueReplay::of(observation, capacity, plan::longest_wait(observation))?;
        replay.compare(observation, setups, weight)
    } else {
        Replay::of(observation, capacity)?.compare(observation, setups, weight)
    })
}

/// Why set-ups cannot be compared on an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// Nobody stated a latency objective.
    #[error("no latency objective is known: tag the endpoint with endpoint-advisor:slo-ms, or pass --latency-slo-ms")]
    NoObjective,
    /// Latency over load is not known.
    #[error("how latency depends on load did not show in this history, so there is nothing to replay with")]
    NoCurve,
    /// A queue of which too little is known.
    #[error(
        "what arrived, or what one instance processes, did not show in this history, so there is nothing to replay with"
    )]
    NoThroughput,
    /// Serverless without provisioned concurrency.
    #[error("no provisioned concurrency is set, and Application Auto Scaling scales only what is")]
    NothingToScale,
}
