//! What a set-up costs: instances, and minutes over the objective.

use crate::config::ScalingObjective;
use crate::replay::{Block, Outcome, resampled};
use crate::statistics::quantile;

/// Replicates of other days behind a score.
const REPLICATES: u64 = 60;
/// The best is what does well in four of five cases, not what does best on average: an average hides the week that goes
/// wrong.
const ROBUST: f64 = 0.80;

/// How minutes over the objective weigh against instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange {
    /// Minutes of the mean fleet that one minute over the objective is worth.
    pub minutes: f64,
    /// The mean fleet: what the load needs at every minute, in instances. The same for every set-up, or a fleet that is
    /// always too small would be forgiven for being small.
    pub fleet: f64,
}

impl Exchange {
    /// The exchange rate of an objective, for a load that needs so many instances on average.
    pub fn of(objective: ScalingObjective, fleet: f64) -> Self {
        Self { minutes: objective.fleet_minutes(), fleet: fleet.max(1.0) }
    }

    /// Instance-minutes, with minutes over the objective turned into them.
    fn cost(&self, sum: &Block) -> f64 {
        sum.instance_minutes + self.minutes * self.fleet * sum.over_minutes
    }

    /// The mean over outcomes of one set-up.
    pub fn mean(&self, outcomes: &[Outcome]) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few draws")]
        let count = outcomes.len().max(1) as f64;
        outcomes.iter().flat_map(|outcome| &outcome.blocks).map(|block| self.cost(block)).sum::<f64>() / count
    }

    /// The 80th percentile over outcomes (draws of what is not known) and other days.
    pub fn robust(&self, outcomes: &[Outcome]) -> f64 {
        let costs = (0..REPLICATES).filter_map(|number| {
            let index = usize::try_from(number).ok()? % outcomes.len().max(1);
            Some(self.cost(&resampled(&outcomes.get(index)?.blocks, number)))
        });
        quantile(costs, ROBUST).unwrap_or(f64::INFINITY)
    }
}
