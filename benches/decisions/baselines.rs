//! Simple rules that people scale by: what a single signal is worth.

use endpoint_advisor::model::{Metric, Minute, Observation, Statistic};

/// The rules, by name.
pub const BASELINES: [&str; 8] = [
    "always scale",
    "busier than 80 %",
    "busier than 60 %",
    "traffic 20 % above the last half hour",
    "concurrency 1.5 times the last half hour",
    "load above its 99th percentile",
    "latency follows load (rank correlation > 0.5)",
    "never scale",
];

/// Whether each rule would scale.
pub fn judge(observation: &Observation) -> Vec<bool> {
    let read = Read { observation, end: observation.last_minute().plus(1) };
    let invocations = |minute| read.at(Metric::Invocations, Statistic::Sum, minute);
    let load = |minute| read.at(Metric::InvocationsPerInstance, Statistic::Sum, minute);
    // By Little's law, up to a factor that does not matter here.
    let concurrency = |minute| Some(read.at(Metric::ModelLatency, Statistic::Average, minute)? * load(minute)?);
    let busy = read.busy().unwrap_or(0.0);
    vec![
        true,
        busy > 0.8,
        busy > 0.6,
        read.rise(invocations).is_some_and(|rise| rise > 1.2),
        read.rise(concurrency).is_some_and(|rise| rise > 1.5),
        read.is_record(load),
        read.correlation(load) > 0.5,
        false,
    ]
}

struct Read<'a> {
    observation: &'a Observation,
    end: Minute,
}

impl Read<'_> {
    /// A value so many minutes before the end.
    fn at(&self, metric: Metric, statistic: Statistic, minutes_ago: i64) -> Option<f64> {
        self.observation.metrics.at(metric, statistic, self.end.plus(-minutes_ago))
    }

    /// The mean of some minutes before the end.
    fn mean(minutes: impl Iterator<Item = i64>, value: impl Fn(i64) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = minutes.filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The last five minutes against the half hour before them.
    fn rise(&self, value: impl Fn(i64) -> Option<f64>) -> Option<f64> {
        Some(Self::mean(1..=5, &value)? / Self::mean(6..=35, &value)?)
    }

    /// Share of the busiest resource in use in the last five minutes.
    fn busy(&self) -> Option<f64> {
        let kind = self.observation.variant.instance_type.as_ref()?;
        let share = |metric, units: Option<u32>| {
            let percent = Self::mean(1..=5, |minute| self.at(metric, Statistic::Average, minute))?;
            Some(percent / 100.0 / f64::from(units.filter(|units| *units > 0)?))
        };
        let shares = [share(Metric::CPUUtilization, kind.vcpus()), share(Metric::GPUUtilization, kind.gpus())];
        shares.into_iter().flatten().max_by(f64::total_cmp)
    }

    /// Whether the last five minutes are above almost all before the last ten.
    fn is_record(&self, load: impl Fn(i64) -> Option<f64>) -> bool {
        let longest = self.observation.metrics.0.iter().map(|series| series.points().count()).max().unwrap_or(0);
        let mut before: Vec<f64> = (11..=longest as i64).filter_map(&load).collect();
        before.sort_unstable_by(f64::total_cmp);
        let usual_peak = before.get(before.len() * 99 / 100);
        Self::mean(1..=5, &load).zip(usual_peak).is_some_and(|(now, peak)| now > *peak)
    }

    /// Spearman's rank correlation of latency and load in the last hour.
    fn correlation(&self, load: impl Fn(i64) -> Option<f64>) -> f64 {
        let statistic = self.observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic);
        let pairs: Vec<(f64, f64)> = (1..=60)
            .filter_map(|minute| Some((load(minute)?, self.at(Metric::ModelLatency, statistic, minute)?)))
            .collect();
        let loads = ranks(pairs.iter().map(|(load, _)| *load).collect());
        let latencies = ranks(pairs.iter().map(|(_, latency)| *latency).collect());
        let middle = (pairs.len() as f64 - 1.0) / 2.0;
        let product = |left: &[f64], right: &[f64]| -> f64 {
            left.iter().zip(right).map(|(left, right)| (left - middle) * (right - middle)).sum()
        };
        let spread = (product(&loads, &loads) * product(&latencies, &latencies)).sqrt();
        if spread > 0.0 { product(&loads, &latencies) / spread } else { 0.0 }
    }
}

/// The place of each value among all.
fn ranks(values: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0.0; values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank as f64;
    }
    ranks
}
