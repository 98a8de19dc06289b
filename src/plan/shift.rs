//! What a variant has to carry at a share of the endpoint's requests that it did not have before.

use crate::model::{Capacity, Diagnosis, InstanceCount, InvocationsPerMinute, Observation, Thousands};

/// Requests to the other variants are read for so long.
const MINUTES: i64 = 1_440;

/// Requests that moved to this variant, and what they bring at their busiest.
pub(super) struct Shift {
    /// Of the endpoint's requests, now.
    share: f64,
    /// To all variants, in the busiest minute of the last day.
    busiest: f64,
}

impl Shift {
    /// None where requests did not move, or those to the other variants are not known.
    pub fn of(observation: &Observation, diagnosis: &Diagnosis) -> Option<Self> {
        let moved = diagnosis.evidence.iter().find(|fact| fact.signal == "traffic_share" && fact.supports)?;
        let last = observation.last_minute();
        let all = (0..MINUTES).filter_map(|back| observation.requests_to_all_variants(last.plus(-back)));
        Some(Self { share: moved.observed?, busiest: all.max_by(f64::total_cmp)? })
    }

    /// What the busiest minute would bring here.
    pub fn peak(&self) -> InvocationsPerMinute {
        InvocationsPerMinute(self.share * self.busiest)
    }

    /// What `MaxCapacity` has to hold beyond what this variant's own history asks for, and whether it does.
    pub fn reasoning(&self, capacity: Option<&Capacity>, max_capacity: InstanceCount) -> String {
        let needed = capacity.and_then(|capacity| capacity.low.instances_for(self.peak()));
        let room = match needed {
            Some(needed) if needed > max_capacity => {
                format!("that takes {needed} instances, and {max_capacity} are allowed")
            }
            _ => "MaxCapacity has room for that".to_owned(),
        };
        format!(
            "at its present share of {:.0} %, the endpoint's busiest minute of the last day ({} requests) brings {} here: \
             {room}; whatever is replayed is traffic as it was shared until now",
            100.0 * self.share,
            Thousands(self.busiest.round()),
            Thousands(self.peak().0.round())
        )
    }
}
