//! The integration tests, in one binary: each further one would link every SDK again.

mod architecture;
mod convergence;
mod endpoint;
mod events;
mod messages;
mod properties;
mod scenarios;
#[cfg(feature = "aws")]
mod wire;
