//! One worker that takes several requests at once.

/// One worker that takes several requests at once.
#[derive(Debug, Clone)]
pub(super) struct Batching {
    pub window_seconds: f64,
    largest: usize,
    fixed: f64,
    members: Vec<u64>,
    work_begins: f64,
    /// When the batch is done.
    end: f64,
    /// When the idle worker begins with whoever is there.
    opens: f64,
    since: f64,
    busy: f64,
}

impl Batching {
    pub fn new(largest: usize, fixed: f64, window_seconds: f64) -> Self {
        Self {
            window_seconds,
            largest,
            fixed,
            members: Vec::new(),
            work_begins: 0.0,
            end: f64::INFINITY,
            opens: f64::INFINITY,
            since: 0.0,
            busy: 0.0,
        }
    }

    /// Requests in a batch at most.
    pub fn size(&self, limit: Option<usize>) -> usize {
        limit.map_or(self.largest, |limit| limit.min(self.largest))
    }

    pub fn held(&self) -> usize {
        self.members.len()
    }

    pub fn is_idle(&self) -> bool {
        self.members.is_empty()
    }

    pub fn next(&self) -> f64 {
        self.end.min(self.opens)
    }

    /// The worker waits until then for more requests.
    pub fn open(&mut self, until: f64) {
        self.opens = until;
    }

    /// Takes a request into the batch that is about to begin.
    pub fn add(&mut self, request: u64) {
        self.members.push(request);
    }

    /// Begins with the batch; `each` is what one of its requests would take on average.
    pub fn begin(&mut self, at: f64, each: f64) {
        self.opens = f64::INFINITY;
        self.work_begins = at;
        self.end = at + each * (self.fixed + (1.0 - self.fixed) * self.members.len() as f64);
    }

    /// The batch is done, or the window is over and the container starts one.
    pub fn go_on(&mut self, at: f64, done: &mut Vec<u64>) {
        if at < self.end {
            return;
        }
        self.busy += at - self.work_begins.max(self.since);
        self.end = f64::INFINITY;
        done.append(&mut self.members);
    }

    pub fn busy_seconds(&mut self, at: f64) -> f64 {
        let begun = if self.is_idle() { 0.0 } else { (at - self.work_begins.max(self.since)).max(0.0) };
        let busy = self.busy + begun;
        (self.since, self.busy) = (at, 0.0);
        busy
    }
}
