//! Endpoints whose trouble is known: request by request, then minute by minute as CloudWatch would show it.
//!
//! An [`Endpoint`] is how it was built: how its containers serve requests, on what hardware, and how requests reach them.
//! [`Conditions`] are what a minute is like: traffic, instances, work, waits and errors. A [`Run`] takes an endpoint
//! through one minute after the other and answers what SageMaker would have seen of each; [`published`] makes CloudWatch
//! statistics of that, and [`Degradation`] what really arrives of them. A [`Scenario`] is an endpoint with a name and one
//! known trouble. The same seed gives the same minutes.

mod arrivals;
mod autoscaling;
#[cfg(test)]
mod behaviour;
mod capacity;
mod closed_loop;
mod conditions;
mod container;
mod degrade;
mod endpoint;
mod fleet;
mod minute;
mod models;
pub mod production;
mod published;
pub mod queue;
mod random;
mod requests;
mod run;
mod samples;
mod scenario;
mod scenarios;
mod serverless;
pub mod suite;
mod tally;
mod timers;
mod utilization;
#[cfg(test)]
mod validation;
mod work;

pub use autoscaling::{
    Autoscaler, Cause, Measured, Policy, ScalingActivity, ScalingMetric, ScheduledAction, SetUp, Step, StepScaling,
    TargetTracking, When,
};
pub use capacity::{capacity, saturation, unloaded};
pub use closed_loop::ClosedLoop;
pub use conditions::{Burst, Conditions};
pub use degrade::Degradation;
pub use endpoint::{Cache, Cold, Discipline, Endpoint, Retries, Routing, Service};
pub use minute::{Minute, MultiModel};
pub use published::{Published, published};
pub use run::Run;
pub use samples::Samples;
pub use scenario::{Scenario, simulate};
pub use scenarios::SCENARIOS;
pub use serverless::{ServerlessConditions, ServerlessEndpoint, ServerlessMinute, ServerlessRun, serverless_published};
