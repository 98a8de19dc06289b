//! The first week: what the advisor sees of it, and what it leaves behind.

use crate::observed::Seen;
use crate::standing::Standing;
use crate::trial::{FIRST_OF_WEEK_TWO, WEEK};
use endpoint_advisor::model::{Observation, TriggerKind, TriggerSummary};
use simulator::production::Workload;
use simulator::{ClosedLoop, Conditions, Degradation, Minute, published};

/// Plays the first week under what stands: the endpoint as it is then, and what CloudWatch shows of it.
pub fn week_one(drawn: &Workload, standing: &Standing, seed: u64) -> (ClosedLoop, Observation) {
    let variant = &drawn.variant;
    let mut played = ClosedLoop::new(
        variant.endpoint,
        standing.set_up.clone(),
        standing.instances,
        drawn.provisioning_minutes,
        seed,
    );
    let minutes: Vec<Minute> = (FIRST_OF_WEEK_TWO - WEEK..FIRST_OF_WEEK_TWO)
        .zip(drawn.arrivals_per_minute.iter().zip(&drawn.work))
        .map(|(minute, (arrivals_per_minute, work))| {
            let work_factor = work * variant.usual.work_factor;
            let conditions = Conditions { arrivals_per_minute: *arrivals_per_minute, work_factor, ..variant.usual };
            played.step(minute, &conditions)
        })
        .collect();
    let mut series = published(&minutes);
    Degradation { lag_minutes: 1, missing_share: 0.003, utilization_noise: 0.02, without: Vec::new() }
        .apply(&mut series, seed);
    let count = minutes.last().map_or(1, |minute| minute.instances) as u32;
    let observation = Seen {
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        hosting: "real_time",
        instance_type: variant.instance_type,
        routing: variant.routing(),
        instances: count,
        desired: played.scaler().billed() as u32,
        scaling: standing.scaling(played.scaler().activities()),
        objective_ms: variant.objective_us / 1e3,
        statistic: variant.statistic,
        minutes_since_deployment: 30 * 1_440,
        scaled_at: None,
        series: &series,
    }
    .observation();
    (played, observation)
}
