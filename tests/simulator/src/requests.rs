//! The requests that somebody still has to do with, oldest first.

use std::collections::VecDeque;

/// SageMaker gives up on the container after this long.
pub(crate) const TIMEOUT_SECONDS: f64 = 60.0;

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// When it came, in seconds of the run.
    pub arrived: f64,
    /// Seconds of work at full speed.
    pub work: f64,
    /// Seconds that it waits for something else.
    pub wait: f64,
    /// When its work begins, once a worker has it.
    pub work_begins: f64,
    /// How long the work takes there, if nobody else shares the core.
    pub takes: f64,
    /// Which container has it.
    pub container: u32,
    /// Which model it asks for, on a multi-model endpoint.
    pub model: u32,
    /// How often its client has asked before.
    pub attempt: u32,
    /// The container answers it with a 5xx.
    pub fails: bool,
    /// The client has its answer.
    pub is_answered: bool,
    /// The container is done with it.
    pub has_left: bool,
}

/// The requests that somebody still has to do with, each known by its number in the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    kept: VecDeque<Request>,
    /// The number of the first that is kept.
    first: u64,
    /// The oldest that SageMaker may still give up.
    oldest_waiting: u64,
    /// The oldest whose client may still ask again.
    oldest_patient: u64,
}

impl Requests {
    /// Keeps a request and gives it a number.
    pub fn add(&mut self, request: Request) -> u64 {
        self.kept.push_back(request);
        self.end() - 1
    }

    pub fn get(&self, number: u64) -> &Request {
        &self.kept[(number - self.first) as usize]
    }

    pub fn get_mut(&mut self, number: u64) -> &mut Request {
        &mut self.kept[(number - self.first) as usize]
    }

    /// The container is done with it.
    pub fn leave(&mut self, number: u64) {
        self.get_mut(number).has_left = true;
    }

    /// Forgets the oldest ones, as far as nobody has to do with them any more.
    pub fn forget(&mut self) {
        while self.kept.front().is_some_and(|request| request.is_answered && request.has_left) {
            self.kept.pop_front();
            self.first += 1;
        }
        self.oldest_waiting = self.oldest_waiting.max(self.first);
        self.oldest_patient = self.oldest_patient.max(self.first);
    }

    /// When SageMaker gives up the next request, if it is not answered before.
    pub fn next_deadline(&mut self) -> f64 {
        self.oldest_waiting = self.skip_answered(self.oldest_waiting);
        self.arrival(self.oldest_waiting) + TIMEOUT_SECONDS
    }

    /// The request whose deadline it is.
    pub fn take_deadline(&mut self) -> u64 {
        self.oldest_waiting += 1;
        self.oldest_waiting - 1
    }

    /// When the next client loses patience, if it has no answer before.
    pub fn next_impatience(&mut self, timeout_seconds: f64) -> f64 {
        self.oldest_patient = self.skip_answered(self.oldest_patient);
        self.arrival(self.oldest_patient) + timeout_seconds
    }

    /// The request whose client loses patience.
    pub fn take_impatience(&mut self) -> u64 {
        self.oldest_patient += 1;
        self.oldest_patient - 1
    }

    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn skip_answered(&self, mut number: u64) -> u64 {
        while number < self.end() && self.get(number).is_answered {
            number += 1;
        }
        number
    }

    fn arrival(&self, number: u64) -> f64 {
        if number < self.end() { self.get(number).arrived } else { f64::INFINITY }
    }
}
