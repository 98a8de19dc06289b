//! Request by request through one minute after the other.

use crate::arrivals::Arrivals;
use crate::container::Site;
use crate::fleet::Fleet;
use crate::random::{Random, Streams, about, chance};
use crate::requests::{Request, Requests, TIMEOUT_SECONDS};
use crate::tally::{Answer, Tally};
use crate::timers::Timers;
use crate::utilization::Gauges;
use crate::work::Work;
use crate::{Conditions, Endpoint, Minute};
use rand_distr::{Distribution as _, Exp1, Zipf};

/// Seconds of a minute, and of the stretches in which requests in flight are counted.
const MINUTE: f64 = 60.0;
const STRETCH: f64 = 10.0;
/// How long a refusal takes, in seconds, give or take 60 %.
const REFUSAL_SECONDS: f64 = 0.003;
/// The wait for something else is uniform within this part of its mean.
const WAIT_SPREAD: f64 = 0.3;
/// A client that lost patience asks again within this part of its timeout.
const RETRY_JITTER: f64 = 0.1;

/// An endpoint at work. A copy goes on by itself, with the same future under the same conditions.
#[derive(Debug, Clone)]
pub struct Run {
    endpoint: Endpoint,
    work: Work,
    random: Streams,
    /// Minutes that are over.
    minutes: u64,
    arrivals: Arrivals,
    requests: Requests,
    fleet: Fleet,
    /// Clients that will ask again: when, and how often they have asked before.
    retries: Timers,
    tally: Tally,
    /// What containers are done with at this moment.
    done: Vec<u64>,
}

impl Run {
    /// An idle endpoint. The same seed gives the same run.
    #[must_use]
    pub fn new(endpoint: Endpoint, seed: u64) -> Self {
        Self {
            endpoint,
            work: Work::new(endpoint.service),
            random: Streams::new(seed),
            minutes: 0,
            arrivals: Arrivals::default(),
            requests: Requests::default(),
            fleet: Fleet::default(),
            retries: Timers::default(),
            tally: Tally::default(),
            done: Vec::new(),
        }
    }

    /// Goes through one minute; `minute` only labels it. There is always at least one instance.
    pub fn step(&mut self, minute: i64, conditions: &Conditions) -> Minute {
        let begin = self.minutes as f64 * MINUTE;
        self.minutes += 1;
        self.fleet.begin_minute(begin, &self.endpoint, conditions, &mut self.random);
        self.at_containers(conditions, |fleet, site| fleet.refill(begin, site));
        let models = self
            .endpoint
            .cache
            .map(|cache| Zipf::new(conditions.models.max(1) as f64, cache.zipf.max(0.0)).expect("a finite exponent"));
        self.arrivals = Arrivals::of_minute(conditions, &mut self.random.arrivals);
        let mut arrival = self.next_arrival(begin);
        let mut end = begin;
        while end < begin + MINUTE {
            end += STRETCH;
            self.go_until(end, begin, &mut arrival, conditions, models.as_ref());
            self.fleet.take_peaks(&mut self.tally.concurrent_requests);
        }
        self.observe(minute, end, conditions)
    }

    /// Lets everything happen that happens before `end`.
    fn go_until(
        &mut self,
        end: f64,
        begin: f64,
        arrival: &mut f64,
        conditions: &Conditions,
        models: Option<&Zipf<f64>>,
    ) {
        let patience = self.endpoint.retries.map_or(f64::INFINITY, |retries| retries.timeout_seconds);
        loop {
            let (served, place) = self.fleet.next();
            let deadline = self.requests.next_deadline();
            let impatience = if patience.is_finite() { self.requests.next_impatience(patience) } else { f64::INFINITY };
            let retry = self.retries.next();
            let outside = if *arrival <= retry { *arrival } else { retry };
            let given_up = if deadline <= impatience { deadline } else { impatience };
            if served >= end && outside >= end && given_up >= end {
                return;
            }
            if served <= outside && served <= given_up {
                self.at_containers(conditions, |fleet, site| fleet.go_on(place, served, site));
                self.answer_done(served);
            } else if *arrival <= retry && *arrival <= given_up {
                self.arrive(*arrival, 0, conditions, models);
                *arrival = self.next_arrival(begin);
            } else if retry <= given_up {
                if let Some((at, attempt)) = self.retries.pop() {
                    self.arrive(at, attempt as u32, conditions, models);
                }
            } else if deadline <= impatience {
                let request = self.requests.take_deadline();
                self.answer(request, deadline, Answer::ServerError);
                self.requests.forget();
            } else {
                let request = self.requests.take_impatience();
                self.lose_patience(request, impatience);
            }
        }
    }

    /// The moment of the next arrival in the minute that begins then, or never.
    fn next_arrival(&mut self, begin: f64) -> f64 {
        self.arrivals.next(&mut self.random.arrivals).map_or(f64::INFINITY, |at| begin + at)
    }

    /// A request comes in.
    fn arrive(&mut self, at: f64, attempt: u32, conditions: &Conditions, models: Option<&Zipf<f64>>) {
        self.tally.arrivals += 1;
        let request = self.draw(at, attempt, conditions, models);
        if chance(&mut self.random.requests, conditions.error_4xx_share) {
            return self.refuse(Answer::ClientError);
        }
        let place = self.fleet.route(self.endpoint.routing, &mut self.random);
        if self.fleet.is_full(place, conditions.workers) {
            return self.refuse(Answer::ServerError);
        }
        let number = self.requests.add(Request { container: place as u32, ..request });
        self.at_containers(conditions, |fleet, site| fleet.take(place, at, number, site));
    }

    /// What a request is like.
    fn draw(&mut self, arrived: f64, attempt: u32, conditions: &Conditions, models: Option<&Zipf<f64>>) -> Request {
        let random = &mut self.random.requests;
        let mut work = self.work.draw(random);
        if chance(random, conditions.stall_share) {
            let stall: f64 = Exp1.sample(random);
            work += stall * conditions.stall_factor * self.endpoint.service.mean();
        }
        let waits = conditions.wait_seconds > 0.0 && chance(random, conditions.wait_share);
        Request {
            arrived,
            work: work * conditions.work_factor,
            wait: if waits { about(random, conditions.wait_seconds, WAIT_SPREAD) } else { 0.0 },
            work_begins: 0.0,
            takes: 0.0,
            container: 0,
            model: models.map_or(0, |models| models.sample(random) as u32 - 1),
            attempt,
            fails: chance(random, conditions.error_5xx_share),
            is_answered: false,
            has_left: false,
        }
    }

    /// A request is answered with an error at once.
    fn refuse(&mut self, answer: Answer) {
        self.tally.answer(about(&mut self.random.requests, REFUSAL_SECONDS, 0.6), answer);
    }

    /// The client of a request that is not answered yet may ask again.
    fn lose_patience(&mut self, number: u64, at: f64) {
        let Some(retries) = self.endpoint.retries else { return };
        let attempt = self.requests.get(number).attempt;
        if attempt < retries.at_most && chance(&mut self.random.clients, retries.probability) {
            let jitter = about(&mut self.random.clients, RETRY_JITTER / 2.0, 1.0) * retries.timeout_seconds;
            self.retries.set(at + jitter, u64::from(attempt) + 1);
        }
    }

    /// Answers what the containers are done with, unless SageMaker has given it up before.
    fn answer_done(&mut self, at: f64) {
        while let Some(number) = self.done.pop() {
            let request = self.requests.get(number);
            let answer = if request.fails { Answer::ServerError } else { Answer::Ok };
            if !request.is_answered {
                self.answer(number, at, answer);
            }
            self.requests.leave(number);
        }
        self.requests.forget();
    }

    fn answer(&mut self, number: u64, at: f64, answer: Answer) {
        let request = self.requests.get_mut(number);
        request.is_answered = true;
        self.tally.answer((at - request.arrived).min(TIMEOUT_SECONDS), answer);
        self.fleet.answered(request.container as usize);
    }

    fn at_containers(&mut self, conditions: &Conditions, act: impl FnOnce(&mut Fleet, &mut Site)) {
        let mut site = Site {
            requests: &mut self.requests,
            random: &mut self.random.instances,
            tally: &mut self.tally,
            slots: conditions.workers,
            done: &mut self.done,
        };
        act(&mut self.fleet, &mut site);
    }

    /// The minute as SageMaker would publish it.
    fn observe(&mut self, minute: i64, end: f64, conditions: &Conditions) -> Minute {
        let gauges = self.gauges(end, conditions);
        let places = self.fleet.in_service().to_vec();
        let loaded: Option<Vec<u64>> =
            places.iter().map(|place| self.fleet.container(*place).loaded_models()).collect();
        let tally = &mut self.tally;
        let seen = Minute {
            minute,
            invocations: tally.invocations(),
            arrivals: tally.arrivals,
            instances: places.len(),
            overhead_latency_us: overhead(tally.invocations(), conditions.overhead_seconds, &mut self.random.noise),
            model_latency_us: tally.latencies(),
            cpu_percent: gauges.cpu,
            gpu_percent: gauges.gpu,
            gpu_memory_percent: gauges.gpu_memory,
            memory_percent: gauges.memory,
            errors_4xx: tally.errors_4xx,
            errors_5xx: tally.errors_5xx,
            model_errors: tally.errors_4xx + tally.errors_5xx,
            concurrent_requests: tally.concurrent_requests.clone(),
            multi_model: loaded.map(|loaded| tally.multi_model(loaded)),
        };
        self.tally.clear();
        seen
    }

    fn gauges(&mut self, end: f64, conditions: &Conditions) -> Gauges {
        let mut gauges = Gauges::default();
        for (rank, place) in self.fleet.in_service().to_vec().into_iter().enumerate() {
            let busy = self.fleet.container(place).busy_seconds(end, &self.requests) / MINUTE;
            gauges.read(&self.endpoint, conditions, rank, busy, &mut self.random.noise);
        }
        gauges
    }
}

/// Overhead of so many requests: as many samples as tell their spread, each for several requests.
fn overhead(invocations: u64, mean_seconds: f64, random: &mut Random) -> crate::Samples {
    const DRAWS: u64 = 40;
    const CV: f64 = 0.3;
    if mean_seconds <= 0.0 {
        return crate::Samples::repeated(vec![(0.0, invocations)]);
    }
    let distribution = crate::random::log_normal(mean_seconds * 1e6, CV);
    let draws = invocations.min(DRAWS);
    let weight = |draw| (draw + 1) * invocations / draws - draw * invocations / draws;
    crate::Samples::repeated((0..draws).map(|draw| (distribution.sample(random), weight(draw))).collect())
}
