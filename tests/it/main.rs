//! The integration tests, in one binary: each further one would link every SDK again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that is surprised should stop where it was surprised"
)]
// Outside of tests themselves only those on the wire do.
#![cfg_attr(feature = "aws", expect(clippy::panic, reason = "the same"))]

mod absurd;
mod account;
mod alarms;
mod architecture;
mod asynchronous;
mod bursts;
#[cfg(feature = "aws")]
mod cli;
mod comparisons;
mod components;
mod convergence;
mod decide;
mod doctor;
mod emf;
mod endpoint;
mod events;
mod export;
mod fleet;
mod follow_up;
mod history;
mod html;
mod invariants;
mod messages;
mod parts;
mod pools;
mod properties;
mod record;
mod redact;
mod replay;
mod scenarios;
mod schema;
mod serverless;
mod standing;
mod state;
mod template;
mod terminal;
mod undo;
mod utilization;
mod variants;
#[cfg(feature = "aws")]
mod wire;
