//! Cores that all requests share equally.

use super::Site;
use crate::timers::Timers;

/// Cores that all requests share equally.
///
/// Virtual time is the work that each request on the cores has got since they were last idle. A request is finished when
/// virtual time has grown by its work; more requests than cores only make virtual time slower.
#[derive(Debug, Clone)]
pub(super) struct Sharing {
    pub cores: usize,
    /// Requests that do not work yet: they load or wait.
    holds: Timers,
    /// When those on the cores are finished, in virtual time.
    ends: Timers,
    virtual_now: f64,
    /// What `virtual_now` and `busy` are up to.
    now: f64,
    busy: f64,
}

impl Sharing {
    pub fn new(cores: usize) -> Self {
        Self { cores, holds: Timers::default(), ends: Timers::default(), virtual_now: 0.0, now: 0.0, busy: 0.0 }
    }

    pub fn held(&self) -> usize {
        self.holds.len() + self.ends.len()
    }

    pub fn next(&self) -> f64 {
        let end = self.now + (self.ends.next() - self.virtual_now).max(0.0) / self.rate();
        self.holds.next().min(end)
    }

    pub fn begin(&mut self, at: f64, ready: f64, request: u64, site: &Site) {
        if ready > at {
            self.holds.set(ready, request);
        } else {
            self.work(at, request, site);
        }
    }

    pub fn go_on(&mut self, at: f64, site: &mut Site) {
        if self.holds.next() <= at {
            if let Some((_, request)) = self.holds.pop() {
                self.work(at, request, site);
            }
        } else {
            self.advance(at);
            site.done.extend(self.ends.pop().map(|(_, request)| request));
        }
    }

    pub fn busy_seconds(&mut self, at: f64) -> f64 {
        self.advance(at);
        std::mem::take(&mut self.busy) / self.cores as f64
    }

    fn work(&mut self, at: f64, request: u64, site: &Site) {
        self.advance(at);
        self.ends.set(self.virtual_now + site.requests.get(request).takes, request);
    }

    /// The part of a core that each request gets.
    fn rate(&self) -> f64 {
        if self.ends.len() <= self.cores { 1.0 } else { self.cores as f64 / self.ends.len() as f64 }
    }

    fn advance(&mut self, at: f64) {
        let passed = at - self.now;
        self.busy += passed * self.ends.len().min(self.cores) as f64;
        // It starts again at 0 whenever nobody works, so that it stays exact.
        self.virtual_now = if self.ends.len() == 0 { 0.0 } else { self.virtual_now + passed * self.rate() };
        self.now = at;
    }
}
