//! An endpoint that scales itself: what its requests do to the metrics moves its instances, which moves its metrics.

use crate::{Autoscaler, Conditions, Endpoint, Measured, Minute, Run, SetUp};

/// An endpoint that scales itself. A copy goes on by itself, with the same future traffic.
#[derive(Debug, Clone)]
pub struct ClosedLoop {
    run: Run,
    scaler: Autoscaler,
    instance_minutes: u64,
}

impl ClosedLoop {
    /// An idle endpoint with so many warm instances. The same seed gives the same minutes.
    #[must_use]
    pub fn new(endpoint: Endpoint, set_up: SetUp, instances: usize, provisioning_minutes: f64, seed: u64) -> Self {
        let scaler = Autoscaler::new(set_up, instances, provisioning_minutes, seed);
        Self { run: Run::new(endpoint, seed), scaler, instance_minutes: 0 }
    }

    /// Goes through one minute, counted from a Monday 00:00 UTC. How many instances serve is not up to the conditions.
    pub fn step(&mut self, minute: i64, conditions: &Conditions) -> Minute {
        let instances = self.scaler.begin_minute(minute);
        self.instance_minutes += self.scaler.billed() as u64;
        let seen = self.run.step(minute, &Conditions { instances, ..*conditions });
        self.scaler.take(minute, &Measured::of(&seen));
        seen
    }

    /// Other policies from now on.
    pub fn adopt(&mut self, set_up: SetUp) {
        self.scaler.adopt(set_up);
    }

    /// Instance-minutes that are paid for so far: instances on their way too.
    #[must_use]
    pub fn instance_minutes(&self) -> u64 {
        self.instance_minutes
    }

    /// Application Auto Scaling.
    #[must_use]
    pub fn scaler(&self) -> &Autoscaler {
        &self.scaler
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cold, Policy, ScalingMetric, TargetTracking};

    fn set_up(target: f64) -> SetUp {
        let tracking = TargetTracking {
            metric: ScalingMetric::InvocationsPerInstance,
            target,
            scale_out_cooldown_seconds: 60.0,
            scale_in_cooldown_seconds: 300.0,
            is_scale_in_disabled: false,
        };
        SetUp { min: 1, max: 20, policies: vec![Policy::TargetTracking(tracking)], scheduled: Vec::new() }
    }

    fn step(minute: i64) -> Conditions {
        Conditions { arrivals_per_minute: if minute < 60 { 1_000.0 } else { 3_000.0 }, ..Conditions::default() }
    }

    fn play(target: f64, seed: u64) -> (ClosedLoop, Vec<Minute>) {
        let cold = Some(Cold { factor: 2.0, seconds: 60.0 });
        let endpoint = Endpoint { cold, ..Endpoint::USUAL };
        let mut played = ClosedLoop::new(endpoint, set_up(target), 2, 5.0, seed);
        let minutes = (0..180).map(|minute| played.step(minute, &step(minute))).collect();
        (played, minutes)
    }

    #[test]
    fn the_same_seed_gives_the_same_minutes() {
        let of = |seed| format!("{:?}", play(600.0, seed).1);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_step_is_answered_and_latency_comes_back() {
        let (played, minutes) = play(600.0, 1);
        let instances: Vec<usize> = minutes.iter().map(|minute| minute.instances).collect();
        assert!(instances[..60].iter().all(|count| *count == 2));
        assert!((5..=8).contains(&instances[100]), "{instances:?}");
        let first = played.scaler().activities()[0];
        assert!((63..=65).contains(&first.began), "{first:?}");
        let p90 = |minute: usize| minutes[minute].model_latency_us.quantile(0.9).unwrap();
        assert!(p90(66) > 5.0 * p90(30), "while instances start");
        assert!(p90(150) < 2.0 * p90(30));
    }

    #[test]
    fn policies_see_the_same_traffic() {
        let arrivals = |target| play(target, 1).1.iter().map(|minute| minute.arrivals).collect::<Vec<_>>();
        assert_eq!(arrivals(300.0), arrivals(900.0));
    }

    #[test]
    fn instances_are_paid_for_from_their_launch() {
        let (played, minutes) = play(600.0, 1);
        let served: usize = minutes.iter().map(|minute| minute.instances).sum();
        let starting: i64 = played
            .scaler()
            .activities()
            .iter()
            .filter(|activity| activity.to > activity.from)
            .map(|activity| (activity.ended.unwrap_or(180) - activity.began) * (activity.to - activity.from) as i64)
            .sum();
        assert_eq!(played.instance_minutes(), served as u64 + starting as u64);
    }
}
