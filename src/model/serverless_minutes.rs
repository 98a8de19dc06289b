//! The minutes of a serverless variant, with what only serverless variants publish.

use super::{
    History, InstanceCount, InvocationsPerMinute, Metric, Microseconds, Minute, Observation, Series, Statistic,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `MaxConcurrency` and `ProvisionedConcurrency` of one variant go no further.
pub const MOST_CONCURRENCY: InstanceCount = InstanceCount(200);

/// How far above the mean a Poisson number is in one case of a hundred, in standard deviations.
const ONE_IN_A_HUNDRED: f64 = 2.326;

/// Requests that are being served at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Concurrency(pub f64);

impl Concurrency {
    /// Little's law, L = λW: as many are being served in the mean as arrive in the time that one of them takes.
    #[must_use]
    pub fn by_littles_law(arrivals: InvocationsPerMinute, each: Microseconds) -> Self {
        Self(arrivals.0 / 60.0 * each.0 / 1e6)
    }

    /// What is exceeded in one case of a hundred where this is the mean. Requests that arrive at random and are all served
    /// at once are a Poisson number (the queue M/G/∞), whose variance is its mean; 2.33 standard deviations above it.
    #[must_use]
    pub fn with_variation(self) -> Self {
        Self(self.0 + ONE_IN_A_HUNDRED * self.0.max(0.0).sqrt())
    }

    /// A multiple.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }

    /// Units that serve so many at once: at least 1. None where the number is meaningless.
    #[must_use]
    pub fn units(self) -> Option<InstanceCount> {
        // A share of MaxConcurrency that was published with few digits is still a whole number of requests.
        let units = (self.0 - 0.01).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number, checked")]
        (units.is_finite() && units <= 10_000.0).then(|| InstanceCount((units.max(1.0)) as u32))
    }
}

/// `3`, `4.6`.
impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if (self.0 - self.0.round()).abs() < 0.05 { write!(f, "{:.0}", self.0) } else { write!(f, "{:.1}", self.0) }
    }
}

/// One minute of a serverless variant. What was not published is none, never zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerlessMinute {
    /// Which.
    pub minute: Minute,
    /// Requests.
    pub invocations: InvocationsPerMinute,
    /// Mean time in the container.
    pub service: Option<Microseconds>,
    /// Mean time that a request holds a container, with what is lost around it and without set-up.
    pub held: Option<Microseconds>,
    /// The most requests at once: as published, else what their rate and duration make likely.
    pub most: Option<Concurrency>,
    /// Cold starts. `ModelSetupTime` has samples only where there was one, so none in a minute of requests is none.
    pub setups: f64,
    /// Mean time that each took.
    pub setup_time: Option<Microseconds>,
    /// Requests beyond provisioned concurrency.
    pub spillover: Option<f64>,
    /// Units of provisioned concurrency then.
    pub provisioned: Option<f64>,
}

impl ServerlessMinute {
    /// Requests at once in the mean.
    #[must_use]
    pub fn mean(&self) -> Option<Concurrency> {
        Some(Concurrency::by_littles_law(self.invocations, self.service?))
    }

    /// Requests that provisioned concurrency did not serve: those beyond it, and cold starts where that is not published.
    #[must_use]
    pub fn unserved(&self) -> f64 {
        self.spillover.unwrap_or(self.setups)
    }
}

/// Every minute in which requests came, oldest first, up to the last whole one.
#[must_use]
pub fn serverless_minutes(observation: &Observation, history: &History) -> Vec<ServerlessMinute> {
    let metrics = &observation.metrics;
    let max_concurrency = observation.variant.serverless.map(|serverless| f64::from(serverless.max_concurrency));
    let series = |metric, statistic| metrics.series(metric, statistic);
    let at = |series: Option<&Series>, minute| series.and_then(|series| series.at(minute));
    let most = series(Metric::ServerlessConcurrentExecutionsUtilization, Statistic::Maximum);
    let setups = series(Metric::ModelSetupTime, Statistic::SampleCount);
    let setup_time = series(Metric::ModelSetupTime, Statistic::Average);
    let spillover = series(Metric::ServerlessProvisionedConcurrencySpilloverInvocations, Statistic::Sum);
    let executions = series(Metric::ServerlessProvisionedConcurrencyExecutions, Statistic::Maximum);
    let utilization = series(Metric::ServerlessProvisionedConcurrencyUtilization, Statistic::Maximum);
    let rows = history.before(observation.last_minute().plus(1));
    rows.filter_map(|(minute, row)| {
        let invocations = row.invocations.filter(|count| count.0 > 0.0)?;
        let service = row.latency_average;
        let published = at(most, minute).zip(max_concurrency).map(|(share, most)| Concurrency(share * most));
        let reckoned = || Some(Concurrency::by_littles_law(invocations, service?).with_variation());
        let (setups, setup_time) = (at(setups, minute).unwrap_or(0.0), at(setup_time, minute));
        // What set-up adds to the mean overhead is no time of a warm container.
        let set_up = setups * setup_time.unwrap_or(0.0) / invocations.0;
        let around = row.overhead.map_or(0.0, |overhead| (overhead.0 - set_up).max(0.0));
        Some(ServerlessMinute {
            minute,
            invocations,
            service,
            held: service.map(|service| Microseconds(service.0 + around)),
            most: published.or_else(reckoned),
            setups,
            setup_time: setup_time.map(Microseconds),
            spillover: at(spillover, minute),
            provisioned: at(executions, minute)
                .zip(at(utilization, minute).filter(|share| *share > 0.0))
                .map(|(executions, share)| (executions / share).round()),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_requests_a_second_of_half_a_second_each_are_five_at_once() {
        let mean = Concurrency::by_littles_law(InvocationsPerMinute(600.0), Microseconds(500_000.0));
        assert_eq!(mean, Concurrency(5.0));
        assert_eq!(mean.with_variation().units(), Some(InstanceCount(11)));
    }

    #[test]
    fn units_are_whole_and_never_made_from_a_meaningless_number() {
        assert_eq!(Concurrency(3.000_4).units(), Some(InstanceCount(3)));
        assert_eq!(Concurrency(3.2).units(), Some(InstanceCount(4)));
        assert_eq!(Concurrency(0.0).units(), Some(InstanceCount(1)));
        assert_eq!(Concurrency(f64::NAN).units(), None);
        assert_eq!((Concurrency(4.0).to_string(), Concurrency(4.62).to_string()), ("4".to_owned(), "4.6".to_owned()));
    }
}
