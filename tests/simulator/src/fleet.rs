//! The instances, and which of them gets a request.

use crate::container::{Container, Pace, Site};
use crate::random::Streams;
use crate::{Conditions, Endpoint, Routing};
use rand::Rng as _;
use rand_distr::{Distribution as _, Normal};

/// An instance is at least this fast, 1 being the usual.
const SLOWEST: f64 = 0.2;

/// The instances. A container keeps its place in the vectors until it is empty, also after it left the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    containers: Vec<Container>,
    /// When something happens next in each container.
    next: Vec<f64>,
    /// Requests that a container has not answered yet.
    in_flight: Vec<u64>,
    /// Most requests in flight in these ten seconds.
    peak: Vec<u64>,
    /// Places of those in service, the oldest first.
    in_service: Vec<usize>,
    /// Places of those that finish what they have.
    leaving: Vec<usize>,
}

impl Fleet {
    /// Places of the instances in service.
    pub fn in_service(&self) -> &[usize] {
        &self.in_service
    }

    pub fn container(&mut self, place: usize) -> &mut Container {
        &mut self.containers[place]
    }

    /// Has as many instances in service as the conditions say, and sets their pace.
    pub fn begin_minute(&mut self, at: f64, endpoint: &Endpoint, conditions: &Conditions, random: &mut Streams) {
        let is_start = self.containers.is_empty();
        while self.in_service.len() > conditions.instances.max(1) {
            self.leaving.extend(self.in_service.pop());
        }
        while self.in_service.len() < conditions.instances.max(1) {
            let speed = Normal::new(1.0, endpoint.speed_spread).expect("a finite spread").sample(&mut random.instances);
            let mut pace = Pace::new(speed.max(SLOWEST), endpoint.cold, endpoint.cold_after_idle_seconds);
            if !is_start {
                pace.start(at);
            }
            let popular = if is_start { conditions.models } else { 0 };
            let place = self.place(Container::new(endpoint, pace, popular));
            self.in_service.push(place);
        }
        for (rank, place) in self.in_service.iter().enumerate() {
            let sick = if rank < conditions.sick_instances { conditions.sick_factor } else { 1.0 };
            self.containers[*place].pace.conditions = conditions.steal * sick;
        }
    }

    /// Gives a container a place: one that somebody left, or a new one.
    fn place(&mut self, container: Container) -> usize {
        if let Some(index) = self.leaving.iter().position(|place| self.containers[*place].is_empty()) {
            let place = self.leaving.swap_remove(index);
            self.containers[place] = container;
            self.peak[place] = 0;
            return place;
        }
        self.containers.push(container);
        self.next.push(f64::INFINITY);
        self.in_flight.push(0);
        self.peak.push(0);
        self.containers.len() - 1
    }

    /// The place that the next request goes to.
    pub fn route(&self, routing: Routing, random: &mut Streams) -> usize {
        if let [only] = self.in_service[..] {
            return only;
        }
        match routing {
            Routing::Random => self.in_service[random.routing.random_range(0..self.in_service.len())],
            Routing::LeastOutstandingRequests => {
                let in_flight = |place: &usize| self.in_flight[*place];
                let fewest = self.in_service.iter().map(in_flight).min().unwrap_or(0);
                let ties = self.in_service.iter().filter(|place| in_flight(place) == fewest);
                let chosen = random.routing.random_range(0..ties.clone().count());
                ties.clone().nth(chosen).copied().unwrap_or(0)
            }
        }
    }

    /// Whether the container would refuse one more.
    pub fn is_full(&self, place: usize, slots: Option<usize>) -> bool {
        self.containers[place].is_full(slots)
    }

    /// Gives a container a request.
    pub fn take(&mut self, place: usize, at: f64, request: u64, site: &mut Site) {
        self.in_flight[place] += 1;
        self.peak[place] = self.peak[place].max(self.in_flight[place]);
        self.containers[place].take(at, request, site);
        self.next[place] = self.containers[place].next();
    }

    /// One that it had is answered.
    pub fn answered(&mut self, place: usize) {
        self.in_flight[place] -= 1;
    }

    /// When and where something happens next.
    pub fn next(&self) -> (f64, usize) {
        let mut soonest = (f64::INFINITY, 0);
        for (place, at) in self.next.iter().enumerate() {
            if *at < soonest.0 {
                soonest = (*at, place);
            }
        }
        soonest
    }

    /// Lets it happen.
    pub fn go_on(&mut self, place: usize, at: f64, site: &mut Site) {
        self.containers[place].go_on(at, site);
        self.next[place] = self.containers[place].next();
    }

    /// Gives free workers to those who wait, everywhere: there may be more of them now.
    pub fn refill(&mut self, at: f64, site: &mut Site) {
        for (container, next) in self.containers.iter_mut().zip(&mut self.next) {
            container.refill(at, site);
            *next = container.next();
        }
    }

    /// The most requests in flight on each instance since this was last asked.
    pub fn take_peaks(&mut self, peaks: &mut Vec<u64>) {
        peaks.extend(self.in_service.iter().map(|place| self.peak[*place]));
        self.peak.copy_from_slice(&self.in_flight);
    }
}
