//! What CloudWatch does to metrics on the way.

use crate::Published;
use crate::random::{Random, chance, stream};
use rand::Rng as _;
use rand_distr::{Distribution as _, Normal};

/// What is wrong with the metrics of an endpoint as they are read.
#[derive(Debug, Clone, Default)]
pub struct Degradation {
    /// Newest minutes that may not have arrived yet; how many differs from metric to metric.
    pub lag_minutes: usize,
    /// Share of a metric's minutes that have no datapoint.
    pub missing_share: f64,
    /// Standard deviation of what utilisation readings are multiplied with.
    pub utilization_noise: f64,
    /// What is not there at all: metrics, as `GPUUtilization`, or single statistics of them, as `ModelLatency p90`.
    pub without: Vec<&'static str>,
}

impl Degradation {
    /// Applies it. All statistics of a metric lack the same minutes and have the same noise.
    pub fn apply(&self, published: &mut Vec<Published>, seed: u64) {
        published.retain(|series| {
            let full_name = format!("{} {}", series.metric, series.statistic);
            !self.without.iter().any(|without| *without == series.metric || *without == full_name)
        });
        let mut metrics: Vec<&'static str> = published.iter().map(|series| series.metric).collect();
        metrics.dedup();
        for metric in metrics {
            // Each metric has its own stream: leaving one out does not change another.
            let mut random =
                stream(seed, metric.bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(31) ^ u64::from(byte)));
            let mut series: Vec<&mut Published> =
                published.iter_mut().filter(|series| series.metric == metric).collect();
            self.lose(&mut series, &mut random);
            if metric.ends_with("Utilization") && self.utilization_noise > 0.0 {
                self.disturb(&mut series, &mut random);
            }
        }
    }

    fn lose(&self, series: &mut [&mut Published], random: &mut Random) {
        let minutes = series.first().map_or(0, |series| series.values.len());
        let known = minutes.saturating_sub(random.random_range(0..=self.lag_minutes as u64) as usize);
        for minute in 0..minutes {
            if chance(random, self.missing_share) || minute >= known {
                series.iter_mut().for_each(|series| series.values[minute] = None);
            }
        }
    }

    /// Multiplies each minute; no reading passes the full hundreds that its metric has stayed below.
    fn disturb(&self, series: &mut [&mut Published], random: &mut Random) {
        let noise = Normal::new(1.0, self.utilization_noise).expect("a finite spread");
        let highest = series.iter().flat_map(|series| series.values.iter().flatten()).fold(0.0_f64, |a, b| a.max(*b));
        let cap = (highest / 100.0).ceil() * 100.0;
        let minutes = series.first().map_or(0, |series| series.values.len());
        for minute in 0..minutes {
            let factor = noise.sample(random).max(0.0);
            for value in series.iter_mut().filter_map(|series| series.values[minute].as_mut()) {
                *value = (*value * factor).min(cap);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conditions, Endpoint, Run, published};

    fn series() -> Vec<Published> {
        let mut run = Run::new(Endpoint::USUAL, 1);
        published(&(-400..0).map(|minute| run.step(minute, &Conditions::default())).collect::<Vec<_>>())
    }

    fn find<'a>(all: &'a [Published], metric: &str, statistic: &str) -> Option<&'a Published> {
        all.iter().find(|series| series.metric == metric && series.statistic == statistic)
    }

    #[test]
    fn nothing_changes_where_nothing_is_wrong() {
        let mut degraded = series();
        Degradation::default().apply(&mut degraded, 1);
        assert_eq!(degraded, series());
    }

    #[test]
    fn metrics_and_statistics_are_left_out() {
        let mut degraded = series();
        let without = vec!["CPUUtilization", "ModelLatency p90"];
        Degradation { without, ..Degradation::default() }.apply(&mut degraded, 1);
        assert_eq!(find(&degraded, "CPUUtilization", "Average"), None);
        assert_eq!(find(&degraded, "ModelLatency", "p90"), None);
        assert!(find(&degraded, "ModelLatency", "p99").is_some());
    }

    #[test]
    fn points_are_missing_and_the_newest_are_late() {
        let (mut lags, mut missing) = (Vec::new(), 0);
        for seed in 0..20 {
            let mut degraded = series();
            Degradation { lag_minutes: 2, missing_share: 0.03, ..Degradation::default() }.apply(&mut degraded, seed);
            let values = &find(&degraded, "Invocations", "Sum").unwrap().values;
            lags.push(values.iter().rev().take_while(|value| value.is_none()).count());
            missing += values[..380].iter().filter(|value| value.is_none()).count();
            let average = &find(&degraded, "ModelLatency", "Average").unwrap().values;
            let p90 = &find(&degraded, "ModelLatency", "p90").unwrap().values;
            assert!(average.iter().zip(p90).all(|(left, right)| left.is_none() == right.is_none()));
        }
        assert!((0..=2).all(|lag| lags.contains(&lag)), "{lags:?}");
        assert!((160..300).contains(&missing), "{missing} of 7600");
    }

    #[test]
    fn noise_keeps_the_order_of_statistics() {
        let mut degraded = series();
        Degradation { utilization_noise: 0.1, ..Degradation::default() }.apply(&mut degraded, 1);
        assert_ne!(degraded, series());
        let values = |statistic| find(&degraded, "CPUUtilization", statistic).unwrap().values.clone();
        for ((low, mean), high) in values("Minimum").iter().zip(values("Average")).zip(values("Maximum")) {
            assert!(*low <= mean && mean <= high);
        }
        assert_eq!(find(&degraded, "Invocations", "Sum"), find(&series(), "Invocations", "Sum"));
    }
}
