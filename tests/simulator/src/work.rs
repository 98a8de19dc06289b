//! How much work a request is.

use crate::Service;
use crate::random::{Random, chance, log_normal};
use rand_distr::{Distribution as _, Exp, LogNormal};

/// Spread of either kind of request where there are two.
const BIMODAL_CV: f64 = 0.2;

/// Draws the work of requests.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Fixed(f64),
    Exponential(Exp<f64>),
    LogNormal(LogNormal<f64>),
    Bimodal { short: LogNormal<f64>, long: LogNormal<f64>, long_share: f64 },
}

impl Service {
    /// The mean work of a request in seconds.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) | Self::LogNormal { mean, .. } => mean,
            Self::Bimodal { short, long, long_share } => short + (long - short) * long_share,
        }
    }
}

impl Work {
    pub fn new(service: Service) -> Self {
        match service {
            Service::Fixed(seconds) => Self::Fixed(seconds),
            Service::Exponential(mean) => Self::Exponential(Exp::new(1.0 / mean).expect("positive work")),
            Service::LogNormal { mean, cv } => Self::LogNormal(log_normal(mean, cv)),
            Service::Bimodal { short, long, long_share } => {
                Self::Bimodal { short: log_normal(short, BIMODAL_CV), long: log_normal(long, BIMODAL_CV), long_share }
            }
        }
    }

    /// The work of the next request, in seconds at full speed.
    pub fn draw(&self, random: &mut Random) -> f64 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Exponential(distribution) => distribution.sample(random),
            Self::LogNormal(distribution) => distribution.sample(random),
            Self::Bimodal { short, long, long_share } => {
                if chance(random, *long_share) {
                    long.sample(random)
                } else {
                    short.sample(random)
                }
            }
        }
    }
}
