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
        at_least.push(("violation minutes inside the forecast's range", policies.forecast.inside, 0.75));
    }
    // NaN, where nothing could be counted, misses too.
    let high = at_most.iter().filter(|(_, value, goal)| !(value <= goal));
    let low = at_least.iter().filter(|(_, value, goal)| !(value >= goal));
    high.map(|(name, value, goal)| format!("{name}: {value:.4}; at most {goal} is asked for"))
        .chain(low.map(|(name, value, goal)| format!("{name}: {value:.4}; at least {goal} is asked for")))
        .collect()
}
