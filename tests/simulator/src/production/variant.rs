//! A production variant: an endpoint with its objective, and what is true of it.

use crate::suite::site::Site;
use crate::{Cold, Conditions, Endpoint, Routing};

/// A production variant, and what is true of it.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// How it was built.
    pub endpoint: Endpoint,
    /// As `ml.m5.xlarge`.
    pub instance_type: &'static str,
    /// The objective, in microseconds.
    pub objective_us: f64,
    /// Of which statistic of `ModelLatency`: `p90` or `p99`.
    pub statistic: &'static str,
    /// The same as a number.
    pub quantile: f64,
    /// Arrivals per minute and instance that go on for long with the median minute within the objective.
    pub capacity: f64,
    /// Arrivals per minute and instance that keep it busy all the time.
    pub saturation: f64,
    /// A usual minute, but for its arrivals and instances.
    pub usual: Conditions,
    /// Whether development and validation have endpoints of this kind.
    pub is_new_physics: bool,
}

impl Variant {
    pub(super) fn of(site: &Site, cold: Option<Cold>) -> Self {
        Self {
            endpoint: Endpoint { cold, ..site.endpoint },
            instance_type: site.instance_type,
            objective_us: site.objective_us,
            statistic: site.statistic,
            quantile: site.quantile,
            capacity: site.capacity,
            saturation: crate::saturation(&site.endpoint, &site.usual),
            usual: site.usual,
            is_new_physics: site.is_new_physics,
        }
    }

    /// `RoutingStrategy`.
    #[must_use]
    pub fn routing(&self) -> &'static str {
        match self.endpoint.routing {
            Routing::Random => "RANDOM",
            Routing::LeastOutstandingRequests => "LEAST_OUTSTANDING_REQUESTS",
        }
    }
}
