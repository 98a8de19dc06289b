//! Time outside the container: `OverheadLatency`.

use super::fact;
use crate::diagnose::check::{Check, NOT_EXCLUDED};
use crate::diagnose::windows::{Windows, positive};
use crate::model::{Fact, Microseconds, MinuteRow};
use crate::statistics::quantile;

/// Mean `OverheadLatency`.
pub(in crate::diagnose) struct Overhead {
    pub now: Option<Microseconds>,
    pub normal: Option<Microseconds>,
    /// Against the same load.
    pub ratio: Option<f64>,
    /// Against the highest that is usual at this load (95th percentile).
    pub beyond_usual: Option<f64>,
    /// The rise, over the objective (over normal `ModelLatency` where there is none).
    pub rise: Option<f64>,
}

impl Overhead {
    pub(super) fn measure(windows: &Windows) -> Self {
        let of = |row: &MinuteRow| row.overhead.map(|overhead| overhead.0);
        let (now, normal) = (windows.now(of), windows.usually(of));
        let objective = windows.observation.objective;
        let reference = objective.map_or(windows.slow.normal, |objective| objective.latency_slo_ms.to_microseconds());
        Self {
            now: now.map(Microseconds),
            normal: normal.map(Microseconds),
            ratio: windows.ratio(of),
            beyond_usual: now.and_then(|now| {
                Some(now / positive(quantile(windows.matched.iter().filter_map(|row| of(row)), 0.95)?)?)
            }),
            rise: now.zip(normal).map(|(now, normal)| (now - normal) / reference.0.max(1.0)),
        }
    }

    /// `OverheadLatency is 700 ms; 4.0 ms is normal`.
    pub fn in_words(&self) -> String {
        match (self.now, self.normal) {
            (Some(now), Some(normal)) => format!("OverheadLatency is {now}; {normal} is normal"),
            _ => "OverheadLatency has no datapoints".to_owned(),
        }
    }

    /// It moved with the requests.
    pub fn has_risen(&self) -> Check {
        Check::above("overhead_rise", self.risen(), 0.0, 1.0, self.in_words()).share(0.0)
    }

    /// It did not move with the requests.
    pub fn is_flat(&self) -> Check {
        Check::below("overhead_rise", self.risen(), 0.0, 1.0, self.in_words()).share(0.0).or_if_missing(NOT_EXCLUDED)
    }

    /// Positive above normal by an eighth and above what varies by itself, in units of a clear difference.
    fn risen(&self) -> Option<f64> {
        Some(((self.ratio? - 1.12) / 0.10).min((self.beyond_usual? - 1.0) / 0.06))
    }

    /// Callers feel it.
    pub fn is_large(&self) -> Check {
        Check::above("overhead_rise", self.largeness(), 0.0, 1.0, self.in_words()).share(0.0)
    }

    /// Callers do not feel it.
    pub fn is_small(&self) -> Check {
        Check::below("overhead_rise", self.largeness(), 0.0, 1.0, self.in_words()).share(0.0).or_if_missing(1.0)
    }

    /// Positive where it rose by a third of the objective, or to many times what is normal and not by little, in units of
    /// a clear difference.
    fn largeness(&self) -> Option<f64> {
        let (rise, ratio) = (self.rise?, self.ratio?);
        let many_times = ((ratio - 3.0) / 1.5).min((rise - 0.015) / 0.01).min(1.0);
        Some(((rise - 0.3) / 0.25).max(many_times))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let (Some(now), Some(normal)) = (self.now, self.normal) else { return Vec::new() };
        vec![fact("overhead_latency", Some(now.0), Some(normal.0), "microseconds", self.in_words())]
    }
}
