//! What a policy is worth on the second week, request by request.

use crate::trial::{FIRST_OF_WEEK_TWO, WEEK};
use serde::Serialize;
use simulator::production::Variant;
use simulator::{ClosedLoop, Conditions, Minute, SetUp};

/// Requests from which a minute counts.
const ENOUGH_REQUESTS: u64 = 10;

/// What a week was like under a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judged {
    /// Instances times minutes, from their launch.
    pub instance_minutes: f64,
    /// Minutes with enough requests whose latency statistic is over the objective.
    pub violation_minutes: f64,
    /// Share of requests in those minutes.
    pub violation_share: f64,
    /// Changes of the count.
    pub changes: usize,
}

impl Judged {
    /// What a week costs, in instance-minutes, where a minute over the objective is worth `kappa` minutes of a fleet of
    /// `mean_fleet` instances. The fleet is the same for every policy: else an idle one would make violations cheap.
    pub fn cost(&self, kappa: f64, mean_fleet: f64) -> f64 {
        self.instance_minutes + kappa * mean_fleet * self.violation_minutes
    }
}

/// Whether a minute counts as over the objective.
pub fn is_over(variant: &Variant, minute: &Minute) -> bool {
    minute.invocations >= ENOUGH_REQUESTS
        && minute.model_latency_us.quantile(variant.quantile).is_some_and(|latency| latency > variant.objective_us)
}

/// Plays the second week under other policies, from what the first one left; `see` is shown every minute.
pub fn judge(
    variant: &Variant,
    after_week_one: &ClosedLoop,
    set_up: SetUp,
    arrivals_per_minute: &[f64],
    work: &[f64],
    mut see: impl FnMut(&Minute),
) -> Judged {
    let mut played = after_week_one.clone();
    played.adopt(set_up);
    let (minutes_before, changes_before) = (played.instance_minutes(), played.scaler().activities().len());
    let (mut violations, mut requests, mut slow) = (0_u64, 0_u64, 0_u64);
    for (minute, (arrivals_per_minute, work)) in (FIRST_OF_WEEK_TWO..).zip(arrivals_per_minute.iter().zip(work)) {
        let work_factor = work * variant.usual.work_factor;
        let conditions = Conditions { arrivals_per_minute: *arrivals_per_minute, work_factor, ..variant.usual };
        let seen = played.step(minute, &conditions);
        requests += seen.invocations;
        if is_over(variant, &seen) {
            violations += 1;
            slow += seen.invocations;
        }
        see(&seen);
    }
    debug_assert_eq!(arrivals_per_minute.len() as i64, WEEK);
    Judged {
        instance_minutes: (played.instance_minutes() - minutes_before) as f64,
        violation_minutes: violations as f64,
        violation_share: slow as f64 / requests.max(1) as f64,
        changes: played.scaler().activities().len() - changes_before,
    }
}
