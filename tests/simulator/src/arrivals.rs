//! When requests come: at random around a rate that differs from second to second.

use crate::Conditions;
use crate::random::Random;
use rand::Rng as _;
use rand_distr::{Distribution as _, Exp1, Gamma};

/// Seconds of a minute.
const MINUTE: f64 = 60.0;

/// The arrivals of one minute, one after the other.
///
/// Within a second the arrivals are Poisson around a rate that was drawn from a gamma distribution for this second: the
/// number of arrivals in a second then has a variance of `1 + over_dispersion` times its mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals {
    /// The last arrival, in seconds of the minute, or the beginning of the present piece.
    now: f64,
    /// Arrivals per second until `piece_end`.
    rate: f64,
    piece_end: f64,
    /// What the rate of this second was multiplied with.
    modulation: f64,
    second_end: f64,
    /// Arrivals per second outside the burst.
    base: f64,
    burst_begin: f64,
    burst_end: f64,
    burst_factor: f64,
    over_dispersion: f64,
}

impl Arrivals {
    /// The arrivals of a minute under these conditions.
    pub fn of_minute(conditions: &Conditions, random: &mut Random) -> Self {
        let mut arrivals = Self {
            base: conditions.arrivals_per_minute.max(0.0) / MINUTE,
            burst_factor: 1.0,
            burst_begin: f64::INFINITY,
            burst_end: f64::INFINITY,
            over_dispersion: conditions.over_dispersion,
            ..Self::default()
        };
        if let Some(burst) = conditions.burst {
            let seconds = burst.seconds.clamp(0.0, MINUTE);
            arrivals.base *= MINUTE / (MINUTE - seconds + seconds * burst.factor);
            arrivals.burst_factor = burst.factor;
            arrivals.burst_begin = (MINUTE - seconds) * random.random::<f64>();
            arrivals.burst_end = arrivals.burst_begin + seconds;
        }
        arrivals
    }

    /// The next arrival, in seconds of the minute; none once the minute is over.
    pub fn next(&mut self, random: &mut Random) -> Option<f64> {
        loop {
            if self.rate > 0.0 {
                let gap: f64 = Exp1.sample(random);
                let at = self.now + gap / self.rate;
                if at < self.piece_end {
                    self.now = at;
                    return Some(at);
                }
            }
            // Poisson arrivals have no memory: what is left of the gap means nothing in the next piece.
            self.now = self.piece_end;
            if self.now >= MINUTE {
                return None;
            }
            self.begin_piece(random);
        }
    }

    /// Goes on to the next stretch of time with one rate: until the second ends, or the burst begins or ends.
    fn begin_piece(&mut self, random: &mut Random) {
        if self.now >= self.second_end {
            self.second_end = if self.over_dispersion > 0.0 { self.now.floor() + 1.0 } else { MINUTE };
            self.modulation = self.draw_modulation(random);
        }
        let is_burst = (self.burst_begin..self.burst_end).contains(&self.now);
        self.rate = self.base * self.modulation * if is_burst { self.burst_factor } else { 1.0 };
        let edge = |edge: f64| if edge > self.now { edge } else { f64::INFINITY };
        self.piece_end = self.second_end.min(edge(self.burst_begin)).min(edge(self.burst_end));
    }

    /// A gamma factor with mean 1 and the variance that this second's expected arrivals ask for.
    fn draw_modulation(&self, random: &mut Random) -> f64 {
        let bursting = (self.second_end.min(self.burst_end) - self.now.max(self.burst_begin)).max(0.0);
        let expected = self.base * (1.0 + (self.burst_factor - 1.0) * bursting);
        if self.over_dispersion <= 0.0 || expected <= 0.0 {
            return 1.0;
        }
        let shape = expected / self.over_dispersion;
        Gamma::new(shape, 1.0 / shape).map_or(1.0, |gamma| gamma.sample(random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Burst;
    use crate::random::stream;

    /// Mean, and variance over mean, of the arrivals of single seconds.
    fn seconds(conditions: &Conditions) -> (f64, f64) {
        let mut random = stream(5, 0);
        let mut counts = Vec::new();
        for _ in 0..2_000 {
            let mut arrivals = Arrivals::of_minute(conditions, &mut random);
            let mut minute = [0.0; 60];
            while let Some(at) = arrivals.next(&mut random) {
                minute[at as usize] += 1.0;
            }
            counts.extend(minute);
        }
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64;
        (mean, variance / mean)
    }

    #[test]
    fn the_arrivals_of_seconds_are_dispersed_as_stated() {
        for over_dispersion in [0.0, 0.1, 0.3, 2.0] {
            for arrivals_per_minute in [60.0, 600.0] {
                let (mean, dispersion) =
                    seconds(&Conditions { arrivals_per_minute, over_dispersion, ..Conditions::default() });
                assert!((mean * 60.0 / arrivals_per_minute - 1.0).abs() < 0.015, "{mean}");
                assert!((dispersion / (1.0 + over_dispersion) - 1.0).abs() < 0.03, "{over_dispersion}: {dispersion}");
            }
        }
    }

    #[test]
    fn a_burst_keeps_the_mean_of_the_minute() {
        let burst = Some(Burst { seconds: 12.0, factor: 6.0 });
        let (mean, dispersion) =
            seconds(&Conditions { arrivals_per_minute: 600.0, over_dispersion: 0.0, burst, ..Conditions::default() });
        assert!((mean / 10.0 - 1.0).abs() < 0.01, "{mean}");
        assert!(dispersion > 5.0, "{dispersion}");
    }

    #[test]
    fn no_traffic_is_no_arrivals() {
        let mut random = stream(1, 0);
        let conditions = Conditions { arrivals_per_minute: 0.0, ..Conditions::default() };
        assert_eq!(Arrivals::of_minute(&conditions, &mut random).next(&mut random), None);
    }
}
