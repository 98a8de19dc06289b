//! Moments at which something happens to a request, the soonest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Moments at which something happens to a request, the soonest first; at the same moment the oldest request first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(u64, u64)>>);

impl Timers {
    /// Sets a timer; `at` is not negative.
    pub fn set(&mut self, at: f64, request: u64) {
        // The bits of floating point numbers that are not negative are in the order of the numbers.
        self.0.push(Reverse((at.to_bits(), request)));
    }

    /// The soonest moment, or never.
    pub fn next(&self) -> f64 {
        self.0.peek().map_or(f64::INFINITY, |Reverse((at, _))| f64::from_bits(*at))
    }

    /// Takes the soonest.
    pub fn pop(&mut self) -> Option<(f64, u64)> {
        self.0.pop().map(|Reverse((at, request))| (f64::from_bits(at), request))
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The requests that have one, in no order.
    pub fn requests(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|Reverse((_, request))| *request)
    }
}
