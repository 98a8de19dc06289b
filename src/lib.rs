//! Finds out why a SageMaker endpoint is slow, and scales it only when scaling will help.
//!
//! ```text
//! event ─▶ trigger ─▶ observe ─▶ diagnose ─▶ capacity ─▶ plan ─▶ decide ─▶ act ─▶ report ─▶ notify
//!          pure       reads AWS   pure        pure        pure    pure      writes  pure     writes
//! ```
//!
//! Verbs are stages, nouns are the values between them, and every value serialises: a saved
//! [`Observation`](model::Observation) is a bug report, a test and a what-if at once. [`advise`] is the only place that
//! knows the order.
//!
//! | stage | takes | gives |
//! | --- | --- | --- |
//! | [`trigger`] | an event as JSON | [`Trigger`](model::Trigger): whom to look at, with which objective |
//! | `observe` | a subject | [`Observation`](model::Observation): all that is known about one variant |
//! | [`diagnose`] | the observation | [`Diagnosis`](model::Diagnosis): one verdict, with evidence and alternatives |
//! | [`capacity`] | the observation | [`Capacity`](model::Capacity): the load that one instance sustains, and latency over load |
//! | [`plan`] | diagnosis, capacity, [guardrails](config::Guardrails) | [`Plan`](model::Plan): exact AWS requests, or why to hold; [`plan::tune`] does without a diagnosis |
//! | [`decide`] | plan, guardrails, [authority](decide::Authority) | may it be written? |
//! | `act` | the plan, or the way back | [`Outcome`](model::Outcome): the only writer of scaling |
//! | [`report`] | all of it | [`Report`](model::Report), as text, card and message |
//! | `notify` | the report | SNS messages |
//!
//! An incident goes on after the first report. [`Incident`](model::Incident) is what is remembered of it, as the input of
//! a schedule; [`follow_up`] judges a later look, [`undo`] finds the way back, and [`advise`] opens, joins and closes
//! (`docs/how-it-follows-through.md`).
//!
//! [`export`] turns a plan into files of other tools, [`redact`] an observation into one that can be shared. [`alarms`] proposes the
//! alarm that wakes all of this, from the same observation.
//!
//! [`doctor`] examines scaling set-ups by numbered rules, whether or not anything is slow (`docs/rules.md`). Of many
//! endpoints [`fleet`] says which deserve a closer look, who runs out of room first, and all of it in one summary
//! (`docs/how-it-audits-a-fleet.md`).
//!
//! [`replay`] is no stage but an instrument: it plays history under any scaling set-up. The plan chooses with it, and
//! [`advise::compare`] shows it to people.
//!
//! # Invariants
//!
//! Each is held by a test.
//!
//! 1. *Pure core.* No async, SDK type, clock, environment, randomness or logging in trigger, diagnose, capacity, plan,
//!    replay, decide, follow_up, undo, report, doctor, fleet, alarms, model, config (`tests/it/architecture.rs`).
//! 2. *The plan is complete.* Acting makes no choice. It reads the scalable target again first; if it differs from what
//!    was observed, and from what an earlier attempt at the plan leaves: `stale`, nothing written (`tests/it/wire.rs`).
//! 3. *Missing is not zero.* A gap stays a gap; a missing metric never raises confidence (`tests/it/invariants.rs`).
//! 4. *Fail closed.* A guardrail that cannot be evaluated refuses; tags that cannot be read forbid writing
//!    (`plan/guardrails.rs`, `tests/it/invariants.rs`, `tests/it/wire.rs`).
//! 5. *Recommend writes nothing*, in code and in the role (`tests/it/wire.rs`, `tests/template`).
//! 6. *Ours alone.* Only policies named `endpoint-advisor-…` and targets that we tagged are changed
//!    (`tests/it/undo.rs`, `tests/it/scenarios.rs`, `tests/end_to_end`).
//! 7. *Convergent.* Advising on the state that a plan makes gives `unchanged` (`tests/it/convergence.rs`).
//! 8. *At least once to people, at most one effect on AWS.* A report that could not be delivered fails the invocation
//!    (`tests/it/wire.rs`); what a process that was cut off left undone is finished by the next (`tests/end_to_end`).
//!
//! # Words
//!
//! *Objective*: the `ModelLatency` that the endpoint should keep. *Load*: invocations per instance per minute. *Normal*:
//! the endpoint's own minutes outside incidents. *Work per request*: utilisation beyond idle, divided by load. *Hold*: a
//! plan to do nothing, with a reason. *Calm Min*: the `MinCapacity` that stood before we raised it.

#[cfg(feature = "aws")]
pub mod act;
pub mod advise;
pub mod alarms;
#[cfg(feature = "aws")]
pub mod aws;
pub mod capacity;
pub mod config;
pub mod decide;
pub mod diagnose;
pub mod doctor;
pub mod export;
pub mod fleet;
pub mod follow_up;
pub mod model;
#[cfg(feature = "aws")]
pub mod notify;
#[cfg(feature = "aws")]
pub mod observe;
pub mod plan;
pub mod redact;
pub mod replay;
pub mod report;
pub mod statistics;
pub mod trigger;
pub mod undo;
