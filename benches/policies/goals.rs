//! What capacities and policies have to be worth.

use crate::results::Results;

/// The goals that were missed, in words.
pub fn missed(results: &Results) -> Vec<String> {
    let mut at_most = Vec::new();
    let mut at_least = Vec::new();
    if let Some(capacity) = &results.capacity {
        at_most.extend([
            ("capacity error up to E 1.2, median", capacity.seen.error_median, 0.03),
            ("capacity error up to E 1.2, p90", capacity.seen.error_p90, 0.10),
            ("capacity error from E 1.2 to 1.45, median", capacity.near.error_median, 0.10),
            ("unsafe capacities", capacity.whole.unsafe_share, 0.06),
            ("coverage of the interval", capacity.whole.coverage, 0.94),
        ]);
        at_least.push(("coverage of the interval", capacity.whole.coverage, 0.88));
    }
    if let Some(policies) = &results.policies {
        let usual = &policies.kappas[1];
        at_most.extend([
            ("regret, median", usual.regret.value, 0.05),
            ("regret, p90", usual.regret_p90, 0.20),
            ("cost over the AWS formula's, median", usual.to_aws.value, 0.88),
            ("cases worse than the AWS formula by 5 %", usual.worse_than_aws, 0.0),
            ("cases made worse by 5 %", usual.worse_than_current, 0.02),
        ]);
        at_least.push(("violation minutes inside the forecast's range", policies.forecasts[0].inside, 0.75));
    }
    if let Some(within) = results.headroom.first() {
        at_most.extend([
            ("headroom over the fewest instances, median", within.cost_median, 1.25),
            ("headroom over the fewest instances, p90", within.cost_p90, 1.7),
        ]);
        at_least.push(("bursts absorbed", within.kept, 0.9));
    }
    // NaN, where nothing could be counted, misses too.
    let high = at_most.iter().filter(|(_, value, goal)| value.is_nan() || value > goal);
    let low = at_least.iter().filter(|(_, value, goal)| value.is_nan() || value < goal);
    high.map(|(name, value, goal)| format!("{name}: {value:.4}; at most {goal} is asked for"))
        .chain(low.map(|(name, value, goal)| format!("{name}: {value:.4}; at least {goal} is asked for")))
        .collect()
}

/// Whether a few capacities and policies are far from what they were when this was written, or the judges from each other.
pub fn is_broken(results: &Results) -> bool {
    let is_capacity_well = results.capacity.as_ref().is_some_and(|capacity| {
        capacity.seen.error_median <= 0.15
            && capacity.whole.unsafe_share <= 0.25
            && capacity.whole.at_least_true >= 0.85
    });
    let are_policies_well = results.policies.as_ref().is_some_and(|policies| {
        let usual = &policies.kappas[1];
        usual.to_current.value <= 1.0
            && usual.to_aws.value <= 1.3
            && policies.quick_judge.instance_minutes_error <= 0.03
            && policies.quick_judge.violations_error <= 0.02
    });
    !(is_capacity_well && are_policies_well)
}
