//! The nouns: the values that pass between the stages, and their units.
//!
//! Every value that leaves a stage serialises, so that people can enter and leave the pipeline anywhere: a saved
//! [`Observation`] is at once a bug report, a test and a what-if.

mod alarm;
mod capacity;
mod comparison;
mod curve;
mod diagnosis;
mod endpoint;
mod forecast;
mod history;
mod hosting;
mod incident;
mod metric;
mod objective;
mod observation;
mod outcome;
mod part;
mod plan;
mod pools;
mod put_scaling_policy;
mod queue;
mod report;
mod restoration;
mod room;
mod scalable_key;
mod scaling_policy;
mod scaling_state;
mod serverless_minutes;
mod serverless_update;
mod step_policy;
mod trigger;
mod units;
mod words;
mod work;

pub use alarm::*;
pub use capacity::*;
pub use comparison::*;
pub use curve::*;
pub use diagnosis::*;
pub use endpoint::*;
pub use forecast::*;
pub use history::*;
pub use hosting::*;
pub use incident::*;
pub use metric::*;
pub use objective::*;
pub use observation::*;
pub use outcome::*;
pub use part::*;
pub use plan::*;
pub use put_scaling_policy::*;
pub use queue::*;
pub use report::*;
pub use restoration::*;
pub use room::*;
pub use scalable_key::*;
pub use scaling_policy::*;
pub use scaling_state::*;
pub use serverless_minutes::*;
pub use serverless_update::*;
pub use step_policy::*;
pub use trigger::*;
pub use units::*;
pub use words::*;
pub use work::*;
