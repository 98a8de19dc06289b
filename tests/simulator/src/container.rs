//! One instance: its container takes requests, has them wait, and works on them.

mod batching;
mod pace;
mod sharing;
mod workers;

pub(crate) use pace::Pace;

use crate::models::{Found, Models};
use crate::random::{Random, log_normal};
use crate::requests::Requests;
use crate::tally::Tally;
use crate::{Cache, Discipline, Endpoint};
use batching::Batching;
use rand_distr::Distribution as _;
use sharing::Sharing;
use std::collections::VecDeque;
use workers::Workers;

/// Spread of the time that a model takes to load.
const LOAD_CV: f64 = 0.3;

/// What a container works with besides itself.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub requests: &'a mut Requests,
    pub random: &'a mut Random,
    pub tally: &'a mut Tally,
    /// Requests worked on at the same time, where fewer than the container was built for.
    pub slots: Option<usize>,
    /// Requests that the container is done with now, to be answered.
    pub done: &'a mut Vec<u64>,
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    /// How long work takes here.
    pub pace: Pace,
    discipline: Server,
    cache: Option<(Cache, Models)>,
    waiting: VecDeque<u64>,
    queue_limit: usize,
}

#[derive(Debug, Clone)]
enum Server {
    Workers(Workers),
    Sharing(Sharing),
    Batching(Batching),
}

impl Container {
    /// An empty container with so many of the most popular models loaded.
    pub fn new(endpoint: &Endpoint, pace: Pace, popular: usize) -> Self {
        let discipline = match endpoint.discipline {
            Discipline::Fifo { workers } => Server::Workers(Workers::new(workers)),
            Discipline::ProcessorSharing { cores } => Server::Sharing(Sharing::new(cores)),
            Discipline::Batching { largest, fixed, window_seconds } => {
                Server::Batching(Batching::new(largest, fixed, window_seconds))
            }
        };
        Self {
            pace,
            discipline,
            cache: endpoint.cache.map(|cache| (cache, Models::new(&cache, popular))),
            waiting: VecDeque::new(),
            queue_limit: endpoint.queue_limit.unwrap_or(usize::MAX),
        }
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.held() == 0 && self.waiting.is_empty()
    }

    /// Models that are loaded; none of a container that holds a single one.
    pub fn loaded_models(&self) -> Option<u64> {
        self.cache.as_ref().map(|(_, models)| models.len() as u64)
    }

    /// Whether one more request would be refused.
    pub fn is_full(&self, slots: Option<usize>) -> bool {
        let room = match &self.discipline {
            Server::Workers(workers) => workers.slots(slots),
            // Without a lock everybody is worked on at once: who gets less than a core counts as waiting.
            Server::Sharing(sharing) => slots.unwrap_or(sharing.cores),
            Server::Batching(batching) if batching.is_idle() => batching.size(slots),
            Server::Batching(batching) => batching.held(),
        };
        self.held() + self.waiting.len() >= room.saturating_add(self.queue_limit)
    }

    /// Takes a request.
    pub fn take(&mut self, at: f64, request: u64, site: &mut Site) {
        if self.is_empty() {
            self.pace.wake(at);
        }
        let is_free = match &self.discipline {
            Server::Workers(workers) => workers.held() < workers.slots(site.slots),
            Server::Sharing(sharing) => site.slots.is_none_or(|slots| sharing.held() < slots),
            Server::Batching(_) => false,
        };
        if is_free {
            return self.begin(at, request, site);
        }
        self.waiting.push_back(request);
        if let Server::Batching(_) = &self.discipline {
            self.refill(at, site);
        }
    }

    /// When something happens here next, or never.
    pub fn next(&self) -> f64 {
        match &self.discipline {
            Server::Workers(workers) => workers.next(),
            Server::Sharing(sharing) => sharing.next(),
            Server::Batching(batching) => batching.next(),
        }
    }

    /// Lets happen what happens at `at`, the time of [`next`](Self::next).
    pub fn go_on(&mut self, at: f64, site: &mut Site) {
        match &mut self.discipline {
            Server::Workers(workers) => workers.go_on(site),
            Server::Sharing(sharing) => sharing.go_on(at, site),
            Server::Batching(batching) => batching.go_on(at, site.done),
        }
        self.refill(at, site);
        if self.is_empty() {
            self.pace.rest(at);
        }
    }

    /// Gives free workers to those who wait.
    pub fn refill(&mut self, at: f64, site: &mut Site) {
        loop {
            let is_free = match &self.discipline {
                Server::Workers(workers) => workers.held() < workers.slots(site.slots),
                Server::Sharing(sharing) => site.slots.is_none_or(|slots| sharing.held() < slots),
                Server::Batching(batching) => return self.refill_batch(at, batching.is_idle(), site),
            };
            if !is_free {
                return;
            }
            let Some(request) = self.next_waiting(site) else { return };
            self.begin(at, request, site);
        }
    }

    /// For how long everything in the container was at work in this minute, in seconds; the next minute begins.
    pub fn busy_seconds(&mut self, at: f64, requests: &Requests) -> f64 {
        match &mut self.discipline {
            Server::Workers(workers) => workers.busy_seconds(at, requests),
            Server::Sharing(sharing) => sharing.busy_seconds(at),
            Server::Batching(batching) => batching.busy_seconds(at),
        }
    }

    fn held(&self) -> usize {
        match &self.discipline {
            Server::Workers(workers) => workers.held(),
            Server::Sharing(sharing) => sharing.held(),
            Server::Batching(batching) => batching.held(),
        }
    }

    /// The next who waits. Those who have been given up are sent away without work.
    fn next_waiting(&mut self, site: &mut Site) -> Option<u64> {
        loop {
            let request = self.waiting.pop_front()?;
            if !site.requests.get(request).is_answered {
                return Some(request);
            }
            site.requests.leave(request);
        }
    }

    /// Starts a batch, or the window in which one forms, if somebody waits and the worker is idle.
    fn refill_batch(&mut self, at: f64, is_idle: bool, site: &mut Site) {
        let Server::Batching(batching) = &mut self.discipline else { return };
        if !is_idle {
            return;
        }
        // Those who have been given up do not count towards a batch.
        while let Some(first) = self.waiting.front().copied().filter(|first| site.requests.get(*first).is_answered) {
            self.waiting.pop_front();
            site.requests.leave(first);
        }
        let Some(first) = self.waiting.front() else { return batching.open(f64::INFINITY) };
        let opened = site.requests.get(*first).arrived + batching.window_seconds;
        let size = batching.size(site.slots);
        if size == 0 || (self.waiting.len() < size && at < opened) {
            return batching.open(if size == 0 { f64::INFINITY } else { opened });
        }
        let (mut ready, mut work, mut members) = (at, 0.0, 0);
        while members < size {
            let Some(request) = self.next_waiting(site) else { break };
            ready = ready.max(self.ready(at, request, site));
            work += site.requests.get(request).work;
            members += 1;
            if let Server::Batching(batching) = &mut self.discipline {
                batching.add(request);
            }
        }
        let pace = self.pace.at(ready);
        if let Server::Batching(batching) = &mut self.discipline {
            batching.begin(ready, work / members as f64 * pace);
        }
    }

    /// Gives a request a worker: it loads what it must, waits for what it must, and is worked on.
    fn begin(&mut self, at: f64, request: u64, site: &mut Site) {
        let ready = self.ready(at, request, site);
        let begun = site.requests.get_mut(request);
        begun.work_begins = ready;
        begun.takes = begun.work * self.pace.at(ready);
        match &mut self.discipline {
            Server::Workers(workers) => workers.begin(ready + begun.takes, request),
            Server::Sharing(sharing) => sharing.begin(at, ready, request, site),
            Server::Batching(_) => {}
        }
    }

    /// When the work of a request can begin that has a worker now.
    fn ready(&mut self, at: f64, request: u64, site: &mut Site) -> f64 {
        let (model, wait) = (site.requests.get(request).model, site.requests.get(request).wait);
        at + self.load(at, model, site) + wait
    }

    /// How long a request waits for its model.
    fn load(&mut self, at: f64, model: u32, site: &mut Site) -> f64 {
        let Some((cache, models)) = &mut self.cache else { return 0.0 };
        let wait = match models.find(model, at) {
            Found::Ready => 0.0,
            Found::Loading(ready) => ready - at,
            Found::Missing => {
                let seconds = log_normal(cache.load_seconds, LOAD_CV).sample(site.random);
                let evicts = models.load(model, at + seconds);
                site.tally.load(seconds, evicts);
                seconds
            }
        };
        site.tally.loading_wait(wait);
        wait
    }
}
