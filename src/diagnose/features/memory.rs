//! How full memory is.

use super::fact;
use crate::diagnose::check::Check;
use crate::diagnose::windows::Windows;
use crate::model::{Fact, MinuteRow};

/// Above this a container swaps, evicts or is killed.
const FULL: f64 = 0.92;

/// A heap has a limit of its own below the instance's memory: where memory in use has grown by a quarter of the instance or
/// more, this is full too.
const NEARLY_FULL: f64 = 0.78;

/// Share of memory in use on the fullest instance: of the host, or of the GPUs where that is the one that rose more.
pub(in crate::diagnose) struct Memory {
    pub now: Option<f64>,
    /// The same in normal minutes.
    pub normal: Option<f64>,
    name: &'static str,
}

impl Memory {
    pub(super) fn measure(windows: &Windows) -> Self {
        let of = |name, value: fn(&MinuteRow) -> Option<f64>| Self {
            now: windows.now(value),
            normal: windows.usually(value),
            name,
        };
        let host = of("memory", |row| row.memory);
        let gpu = of("GPU memory", |row| row.gpu_memory);
        if gpu.margin() > host.margin() || host.now.is_none() { gpu } else { host }
    }

    /// How far it rose.
    pub fn rise(&self) -> Option<f64> {
        Some(self.now? - self.normal?)
    }

    /// Positive where it is full and was not: frameworks that take all GPU memory at start are always full.
    fn margin(&self) -> f64 {
        match (self.now, self.rise()) {
            (Some(now), Some(rise)) => self.exhaustion().max(((now - NEARLY_FULL) / 0.04).min((rise - 0.25) / 0.08)),
            _ => f64::NEG_INFINITY,
        }
    }

    /// Positive where the instance has no more.
    fn exhaustion(&self) -> f64 {
        match (self.now, self.rise()) {
            (Some(now), Some(rise)) => ((now - FULL) / 0.03).min((rise - 0.04) / 0.04),
            _ => f64::NEG_INFINITY,
        }
    }

    /// The instance has no more, and had before.
    pub fn is_exhausted(&self) -> Check {
        self.check(self.exhaustion())
    }

    /// The instance has more.
    pub fn is_not_exhausted(&self) -> Check {
        self.check(-self.exhaustion()).or_if_missing(1.0)
    }

    /// `memory is 97 % in use; 61 % is normal`.
    pub fn in_words(&self) -> String {
        let name = self.name;
        match (self.now, self.normal) {
            (Some(now), Some(normal)) => {
                format!("{name} is {:.0} % in use; {:.0} % is normal", 100.0 * now, 100.0 * normal)
            }
            (Some(now), None) => format!("{name} is {:.0} % in use", 100.0 * now),
            _ => "MemoryUtilization has no datapoints".to_owned(),
        }
    }

    /// It is full, and was not.
    pub fn is_full(&self) -> Check {
        self.check(self.margin())
    }

    /// It is not what runs out.
    pub fn is_fine(&self) -> Check {
        self.check(-self.margin()).or_if_missing(1.0)
    }

    fn check(&self, margin: f64) -> Check {
        let observed = self.now.filter(|_| margin.is_finite());
        Check::by("memory", observed, margin, self.in_words()).share(self.normal.unwrap_or(0.0))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        self.now.map(|now| fact("memory", Some(now), self.normal, "share", self.in_words())).into_iter().collect()
    }
}
