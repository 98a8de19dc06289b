//! Requests in flight, and whether they come in bursts inside the minute.

use super::fact;
use crate::diagnose::check::{Check, NOT_EXCLUDED};
use crate::diagnose::windows::{Windows, positive};
use crate::model::{Fact, MinuteRow, Thousands};

/// A queue that builds makes the mean rise with the most; so far above it only bursts go.
const CLEAR_BURSTS: f64 = 1.4;

/// `ConcurrentRequestsPerModel` against what the mean explains.
pub(in crate::diagnose) struct Concurrency {
    /// Mean requests in flight on one instance, by Little's law: load times mean latency.
    pub in_flight: Option<f64>,
    /// Most requests in flight in one container.
    pub most: Option<f64>,
    /// Most in flight over what random arrivals with this mean would bring, against normal minutes.
    pub burst_ratio: Option<f64>,
    /// Fewest in flight against normal minutes, one more of each: between bursts a container is as idle as ever.
    pub fewest_ratio: Option<f64>,
}

impl Concurrency {
    pub(super) fn measure(windows: &Windows) -> Self {
        Self {
            in_flight: windows.now(in_flight),
            most: windows.now(|row| row.concurrency_maximum),
            burst_ratio: windows.ratio(burst_index),
            fewest_ratio: windows.ratio(|row| row.concurrency_minimum.map(|fewest| fewest + 1.0)),
        }
    }

    /// `up to 96 requests are in flight in one container, 12 on average: 2.6 times what is usual for such a mean`.
    pub fn in_words(&self) -> String {
        match (self.most, self.in_flight, self.burst_ratio) {
            (Some(most), Some(mean), Some(ratio)) => format!(
                "up to {} requests are in flight in one container and {} on average: {ratio:.2} times the peaks that \
                 are usual for such a mean",
                Thousands(most.round()),
                Thousands(mean),
            ),
            _ => "ConcurrentRequestsPerModel has no datapoints".to_owned(),
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let Some(ratio) = self.burst_ratio else { return Vec::new() };
        vec![fact("burst_ratio", Some(ratio), Some(1.0), "ratio", self.in_words())]
    }

    /// Requests come in bursts: the most in flight is far above what random arrivals bring, or it is above while the
    /// fewest is below, because between bursts a container is idler than ever.
    pub fn comes_in_bursts(&self) -> Check {
        Check::above("burstiness", self.burstiness(), 0.0, 1.0, self.in_words()).share(0.0)
    }

    /// The most in flight is so far above what random arrivals bring that no steady queue explains it.
    pub fn comes_in_clear_bursts(&self) -> Check {
        Check::above("burst_ratio", self.burst_ratio, CLEAR_BURSTS, 0.2, self.in_words())
    }

    /// A steady queue explains the most in flight.
    pub fn is_steady(&self) -> Check {
        Check::below("burst_ratio", self.burst_ratio, CLEAR_BURSTS, 0.2, self.in_words()).or_if_missing(1.0)
    }

    /// Requests come as evenly as they always do.
    pub fn is_smooth(&self) -> Check {
        Check::below("burstiness", self.burstiness(), 0.0, 1.0, self.in_words()).share(0.0).or_if_missing(NOT_EXCLUDED)
    }

    /// Positive where requests come in bursts, in units of a clear difference.
    fn burstiness(&self) -> Option<f64> {
        let peaks = self.burst_ratio?;
        let far = (peaks - 1.3) / 0.2;
        let apart = self.fewest_ratio.map_or(-1.0, |fewest| ((peaks - 1.08) / 0.08).min((1.05 - fewest) / 0.08));
        Some(far.max(apart))
    }
}

/// Little's law: the mean number in flight is the rate times the mean time.
fn in_flight(row: &MinuteRow) -> Option<f64> {
    Some(row.load?.0 / 60.0 * row.latency_average?.0 / 1e6)
}

/// The largest number in flight over the mean and a standard deviation of random (Poisson) arrivals. CloudWatch's
/// sampling
/// makes it smaller or larger; against normal minutes of the same endpoint that cancels.
fn burst_index(row: &MinuteRow) -> Option<f64> {
    let mean = in_flight(row)?;
    Some(row.concurrency_maximum? / positive(mean + mean.sqrt())?)
}
