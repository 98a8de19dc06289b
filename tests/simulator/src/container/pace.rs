//! How long work takes on one instance.

use crate::Cold;

/// How long work takes on one instance, and for how long it is cold.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// What this minute's conditions multiply the time with.
    pub conditions: f64,
    /// 1 over the instance's own speed.
    slowness: f64,
    cold: Cold,
    cold_until: f64,
    idle_since: f64,
    cold_after_idle_seconds: f64,
}

impl Pace {
    /// A warm instance of this speed, 1 being the usual.
    pub fn new(speed: f64, cold: Option<Cold>, cold_after_idle_seconds: Option<f64>) -> Self {
        Self {
            conditions: 1.0,
            slowness: 1.0 / speed,
            cold: cold.unwrap_or(Cold { factor: 1.0, seconds: 0.0 }),
            cold_until: 0.0,
            idle_since: 0.0,
            cold_after_idle_seconds: cold_after_idle_seconds.unwrap_or(f64::INFINITY),
        }
    }

    /// The instance came into service.
    pub fn start(&mut self, at: f64) {
        self.cold_until = at + self.cold.seconds;
        self.idle_since = at;
    }

    /// The first request comes after nobody was there.
    pub fn wake(&mut self, at: f64) {
        if at - self.idle_since > self.cold_after_idle_seconds {
            self.cold_until = at + self.cold.seconds;
        }
    }

    /// The last request has left.
    pub fn rest(&mut self, at: f64) {
        self.idle_since = at;
    }

    /// Seconds that a second of work takes that begins then.
    pub fn at(&self, at: f64) -> f64 {
        self.conditions * self.slowness * if at < self.cold_until { self.cold.factor } else { 1.0 }
    }
}
