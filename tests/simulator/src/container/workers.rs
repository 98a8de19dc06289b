//! Workers that take requests first come, first served.

use super::Site;
use crate::requests::Requests;
use crate::timers::Timers;

/// Workers that take requests first come, first served.
#[derive(Debug, Clone)]
pub(super) struct Workers {
    built: usize,
    /// When each busy worker is free again.
    ends: Timers,
    /// Since when busy time is counted, and how much there was.
    since: f64,
    busy: f64,
}

impl Workers {
    pub fn new(workers: usize) -> Self {
        Self { built: workers, ends: Timers::default(), since: 0.0, busy: 0.0 }
    }

    /// Workers that can work at the same time.
    pub fn slots(&self, limit: Option<usize>) -> usize {
        limit.map_or(self.built, |limit| limit.min(self.built))
    }

    pub fn held(&self) -> usize {
        self.ends.len()
    }

    pub fn next(&self) -> f64 {
        self.ends.next()
    }

    pub fn begin(&mut self, end: f64, request: u64) {
        self.ends.set(end, request);
    }

    pub fn go_on(&mut self, site: &mut Site) {
        if let Some((end, request)) = self.ends.pop() {
            self.busy += end - site.requests.get(request).work_begins.max(self.since);
            site.done.push(request);
        }
    }

    pub fn busy_seconds(&mut self, at: f64, requests: &Requests) -> f64 {
        let begun = |request: u64| (at - requests.get(request).work_begins.max(self.since)).max(0.0);
        let busy = self.busy + self.ends.requests().map(begun).sum::<f64>();
        (self.since, self.busy) = (at, 0.0);
        busy / self.built as f64
    }
}
