//! A burst inside a minute: what it does to latency on one instance, and how much of it one instance absorbs.
//!
//! Requests are taken for a fluid that runs into an instance faster than it is served, for some seconds of the minute: a
//! queue grows to a peak, and is worked off (Newell, *Applications of Queueing Theory*, 1982, chapter 2). Latencies of
//! those who queue are then spread evenly up to the peak's wait, and three published numbers tell the whole triangle
//! apart: the mean latency, the objective's percentile and the most in flight. `docs/how-it-sizes.md` has the formulas.

use std::fmt;

const MINUTE: f64 = 60.0;
/// Halvings of an interval until it is found: far closer than any metric tells.
const HALVINGS: u32 = 50;
/// Of a burst's length, this share is counted on, and of what is longer than twice the peak's wait nothing: the length is a
/// difference of two numbers that CloudWatch tells to a tenth, and a shorter burst needs more instances.
const COUNTED_LENGTH: f64 = 0.45;
const MOST_COUNTED: f64 = 2.0;
/// Bursts vary by chance: so many standard deviations above the mean keep nine in ten of them (a normal distribution's
/// 90th percentile is 1.28).
const CHANCE: f64 = 1.25;
/// Minutes without bursts fill batches a little, too: one that nobody shares takes half as much again, as a power.
const EVEN_ALONE: f64 = 1.5;
/// The busiest of so many instances, in standard deviations above their mean: expected maxima of normal draws.
const BUSIEST: [f64; 8] = [0.0, 0.56, 0.85, 1.03, 1.16, 1.27, 1.35, 1.42];

/// Minutes with bursts, as one instance has them; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// Requests of a minute.
    pub load: f64,
    /// Most in flight in any container.
    pub most: f64,
    /// Mean latency.
    pub mean: f64,
    /// Latency in the objective's statistic.
    pub latency: f64,
    /// Mean latency where nobody queues.
    pub unloaded_mean: f64,
    /// The same in the objective's statistic.
    pub unloaded: f64,
    /// The objective's statistic as a share: 0.9 for p90.
    pub quantile: f64,
    /// Instances that served.
    pub instances: f64,
    /// Whether requests go to any of them, not to the least busy.
    pub is_random: bool,
    /// How many times the work of a request in such a minute a request takes that nobody queues with: batches make it more
    /// than 1.
    pub alone: f64,
}

/// A burst as one instance gets it; rates in requests per second, times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Burst {
    /// How long it lasts.
    pub seconds: f64,
    /// Requests of the minute.
    load: f64,
    /// How long is counted on.
    counted: f64,
    /// What an instance serves at most.
    served: f64,
    /// Those that wait at the peak.
    queue: f64,
    seen: Seen,
}

impl Burst {
    /// The burst behind what was seen; none where no burst brings these numbers together.
    pub fn of(seen: &Seen) -> Option<Self> {
        let (mean, latency) = (seen.mean - seen.unloaded_mean, seen.latency - seen.unloaded);
        let beyond = 1.0 - seen.quantile;
        if !(mean > 0.0 && latency > 0.0 && beyond > 0.0 && seen.most > 0.0 && seen.load > 0.0) {
            return None;
        }
        // Waits spread evenly up to W for a share φ of the requests have a mean of φW/2 and a percentile of
        // W − (1 − q)W/φ. Where both hold for two shares, the larger is the burst.
        let root = mean * mean - 2.0 * mean * latency * beyond;
        if root < 0.0 {
            return None;
        }
        let share = ((mean + root.sqrt()) / latency).min(1.0);
        let wait = 2.0 * mean / share;
        let most = if seen.is_random { of_all(seen.most, seen.instances) } else { seen.most };
        // At the peak the last one waits for all before it.
        let served = most / (wait + seen.unloaded_mean);
        let queue = served * wait;
        let busy = (share * seen.load / served).min(MINUTE);
        let seconds = length(seen.load, served, queue, busy);
        let counted = COUNTED_LENGTH * seconds.min(MOST_COUNTED * wait);
        Some(Self { seconds, load: seen.load, counted, served, queue, seen: *seen })
    }

    /// Latency in the objective's statistic, where an instance gets `share` of what it got.
    pub fn latency(&self, share: f64) -> f64 {
        let Self { seen, counted, served, queue, .. } = self;
        let requests = share * (queue + served * counted);
        let alone = seen.alone.max(1.0).powf(EVEN_ALONE);
        let instances = if seen.is_random { 1.0 } else { seen.instances / share };
        let chance = CHANCE * (requests / instances).sqrt();
        let waiting = (requests + chance - served / alone * counted).max(0.0);
        seen.unloaded + (seen.latency - seen.unloaded) * waiting / queue * alone
    }

    /// The largest share of what an instance got that keeps `limit`; none where none does.
    pub fn share_within(&self, limit: f64) -> Option<f64> {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            if self.latency(middle) <= limit { low = middle } else { high = middle }
        }
        (low > 1e-6).then_some(low)
    }
}

/// How long a burst lasts that leaves `queue` waiting and keeps an instance busy for `busy` seconds, that serves `served`
/// a second, in a minute of `load` requests: `queue = (served − rest)(busy − length)` with what comes outside of the burst,
/// `rest = (load − queue − served · length) / (60 − length)`.
fn length(load: f64, served: f64, queue: f64, busy: f64) -> f64 {
    let (mut short, mut long) = (0.0, busy);
    for _ in 0..HALVINGS {
        let middle = (short + long) / 2.0;
        let rest = ((load - queue - served * middle) / (MINUTE - middle)).max(0.0);
        if (served - rest) * (busy - middle) > queue { short = middle } else { long = middle }
    }
    short
}

/// Most in flight on a usual instance, where `busiest` are on the busiest of so many: requests that go anywhere spread as
/// chance has it, by the root of their number.
fn of_all(busiest: f64, instances: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "instances, and `as` saturates")]
    let index = (instances.round() as usize).saturating_sub(1).min(BUSIEST.len() - 1);
    let above = BUSIEST.get(index).copied().unwrap_or(0.0);
    ((above.mul_add(above, 4.0 * busiest).sqrt() - above) / 2.0).powi(2)
}

/// `bursts of 8 s carry 3.1 times the minute's mean`.
impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = self.queue + self.served * self.seconds;
        if self.seconds < 1.0 {
            return write!(f, "bursts bring {requests:.0} requests at once to each instance");
        }
        let times = requests / self.seconds / (self.load / MINUTE);
        write!(f, "bursts of {:.0} s carry {times:.1} times the minute's mean", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a fluid burst of `seconds` does to one instance that serves 20 a second: exactly.
    fn seen(rate: f64, rest: f64, seconds: f64) -> Seen {
        let (served, unloaded) = (20.0, 0.2);
        let queue = (rate - served) * seconds;
        let busy = seconds + queue / (served - rest);
        let load = rate * seconds + rest * (MINUTE - seconds);
        let (share, wait) = (busy * served / load, queue / served);
        Seen {
            load,
            most: queue + served * unloaded,
            mean: unloaded + share * wait / 2.0,
            latency: unloaded + wait - 0.1 * wait / share,
            unloaded_mean: unloaded,
            unloaded,
            quantile: 0.9,
            instances: 1.0,
            is_random: true,
            alone: 1.0,
        }
    }

    #[test]
    fn three_numbers_tell_a_burst_apart() {
        for (rate, rest, seconds) in [(30.0, 2.0, 12.0), (60.0, 4.0, 5.0), (100.0, 5.0, 2.0)] {
            let burst = Burst::of(&seen(rate, rest, seconds)).unwrap();
            assert!((burst.seconds - seconds).abs() < 0.01, "{burst:?}");
            assert!((burst.served - 20.0).abs() < 0.01, "{burst:?}");
        }
        let words = Burst::of(&seen(60.0, 4.0, 8.0)).unwrap().to_string();
        assert_eq!(words, "bursts of 8 s carry 5.2 times the minute's mean");
    }

    #[test]
    fn a_burst_of_twice_the_rate_needs_more_than_twice_the_instances() {
        // Short of the wait that the objective leaves, and what chance adds.
        let burst = Burst::of(&seen(40.0, 2.0, 12.0)).unwrap();
        let share = burst.share_within(0.5).unwrap();
        assert!((0.25..0.5).contains(&share), "{share}");
        assert!(burst.latency(share) <= 0.5 && burst.latency(1.1 * share) > 0.5);
    }

    #[test]
    fn more_bursty_is_never_absorbed_by_fewer() {
        let share = |rate: f64, seconds: f64| {
            // The same requests in a minute.
            let rest = (600.0 - rate * seconds) / (MINUTE - seconds);
            Burst::of(&seen(rate, rest, seconds)).unwrap().share_within(0.5).unwrap()
        };
        for seconds in [2.0, 5.0, 10.0] {
            let shares: Vec<f64> =
                (5..12).map(|tenth| share(600.0 * f64::from(tenth) / 12.0 / seconds, seconds)).collect();
            assert!(shares.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{seconds}: {shares:?}");
        }
    }

    #[test]
    fn least_outstanding_requests_leave_less_to_chance() {
        let one = Seen { instances: 4.0, ..seen(40.0, 2.0, 12.0) };
        let spread = Burst::of(&Seen { most: one.most + 1.03 * one.most.sqrt(), ..one }).unwrap();
        let even = Burst::of(&Seen { is_random: false, ..one }).unwrap();
        assert!(even.share_within(0.5) > spread.share_within(0.5));
    }

    #[test]
    fn batches_that_get_smaller_absorb_less() {
        let of = |alone| Burst::of(&Seen { alone, ..seen(40.0, 2.0, 12.0) }).unwrap().share_within(0.5).unwrap();
        assert!(of(1.5) < 0.8 * of(1.0));
    }

    #[test]
    fn what_no_burst_explains_is_none() {
        // One request in fifty takes long: it moves the percentile of none, or the mean of hardly any.
        let usual = seen(30.0, 2.0, 12.0);
        assert_eq!(Burst::of(&Seen { mean: 0.21, ..usual }), None);
        assert_eq!(Burst::of(&Seen { latency: 0.2, ..usual }), None);
        assert_eq!(Burst::of(&Seen { most: f64::NAN, ..usual }), None);
    }
}
