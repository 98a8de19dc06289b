//! A quick judge: the same Application Auto Scaling at an endpoint of which only the flow of requests is reckoned. It
//! ranks policies that are too many to be judged request by request.

use crate::judge::{Judged, is_over};
use crate::trial::FIRST_OF_WEEK_TWO;
use simulator::production::Variant;
use simulator::{Autoscaler, Conditions, Measured, Run, SetUp};

/// Loads at which the endpoint is probed, in units of capacity.
const FROM: f64 = 0.3;
const STEP: f64 = 0.05;
const PROBES: usize = 18;
const PROBE_MINUTES: i64 = 100;
const WARM_UP: i64 = 5;
/// How often instances join when it is probed what that does, for how many minutes it is looked at, and at which load.
const JOINS: i64 = 25;
const JOINED_MINUTES: i64 = 4;
const JOINED_LOAD: f64 = 0.65;
/// Width of the bins of load.
const BIN: f64 = 0.05;
const BINS: usize = 40;

/// How an endpoint answers load, without its requests.
pub struct Plant {
    capacity: f64,
    saturation: f64,
    /// Share of minutes over the objective by load, in bins of a twentieth of capacity.
    over: Vec<f64>,
    /// Share over the objective in the first minutes after cold instances joined.
    joined: Vec<f64>,
    /// Mean requests in flight on an instance at capacity.
    pub in_flight_at_capacity: f64,
    objective_minutes: f64,
}

impl Plant {
    /// Probes the true endpoint.
    pub fn probe(variant: &Variant, instances: usize, seed: u64) -> Self {
        let mut bins = vec![(0.0, 0.0); BINS];
        let mut in_flight_at_capacity = 1.0;
        for probe in 0..PROBES {
            let load = FROM + STEP * probe as f64;
            let mut run = Run::new(variant.endpoint, seed.wrapping_add(probe as u64));
            let arrivals_per_minute = load * variant.capacity * instances as f64;
            let conditions = Conditions { arrivals_per_minute, instances, ..variant.usual };
            let (mut seconds, mut minutes) = (0.0, 0.0);
            for minute in 0..WARM_UP + PROBE_MINUTES {
                let seen = run.step(minute, &conditions);
                if minute < WARM_UP {
                    continue;
                }
                let bin = bin(seen.arrivals as f64 / instances as f64 / variant.capacity);
                bins[bin].0 += f64::from(is_over(variant, &seen));
                bins[bin].1 += 1.0;
                seconds += seen.model_latency_us.sum() / 1e6;
                minutes += 1.0;
            }
            if (load - 1.0).abs() < STEP / 2.0 {
                in_flight_at_capacity = seconds / minutes / 60.0 / instances as f64;
            }
        }
        // Where nothing was seen, as at the next lower load.
        let mut last = 0.0;
        let over = bins.iter().map(|(over, minutes)| {
            if *minutes > 0.0 {
                last = over / minutes;
            }
            last
        });
        Self {
            capacity: variant.capacity,
            saturation: variant.saturation,
            over: over.collect(),
            joined: joined(variant, instances, seed),
            in_flight_at_capacity,
            objective_minutes: variant.objective_us / 60e6,
        }
    }

    /// The second week, with the arrivals that really came and the work of each.
    pub fn judge(
        &self,
        set_up: SetUp,
        instances: usize,
        provisioning_minutes: f64,
        arrivals: &[f64],
        work: &[f64],
    ) -> Judged {
        let mut scaler = Autoscaler::new(set_up, instances, provisioning_minutes, 1);
        let (mut backlog, mut billed, mut over, mut slow) = (0.0_f64, 0.0, 0.0, 0.0);
        let (mut before, mut since_join) = (instances as f64, usize::MAX);
        for (minute, (arrived, work)) in (FIRST_OF_WEEK_TWO..).zip(arrivals.iter().zip(work)) {
            let instances = scaler.begin_minute(minute) as f64;
            since_join = if instances > before { 0 } else { since_join.saturating_add(1) };
            before = instances;
            let cold = self.joined.get(since_join).copied().unwrap_or(0.0);
            billed += scaler.billed() as f64;
            let wanted = backlog + arrived;
            let at_most = instances * self.saturation / work;
            let served = wanted.min(at_most);
            backlog = wanted - served;
            let waits = backlog / at_most;
            // Those who wait for a third of the objective have used up what it leaves beyond the work itself.
            let share = if waits > self.objective_minutes / 3.0 {
                1.0
            } else {
                self.over[bin(work * arrived / instances / self.capacity)]
            };
            let share = 1.0 - (1.0 - share) * (1.0 - cold);
            over += share;
            slow += share * arrived;
            // Nobody waits longer than a minute.
            backlog = backlog.min(at_most);
            let invocations_per_instance = (served >= 1.0).then_some(served / instances);
            scaler.take(minute, &Measured { invocations_per_instance, ..Measured::default() });
        }
        Judged {
            instance_minutes: billed,
            violation_minutes: over,
            violation_share: slow / arrivals.iter().sum::<f64>().max(1.0),
            changes: scaler.activities().len(),
        }
    }
}

/// Share over the objective in the first minutes after a quarter more instances joined; nothing where they are warm.
fn joined(variant: &Variant, instances: usize, seed: u64) -> Vec<f64> {
    if variant.endpoint.cold.is_none() {
        return Vec::new();
    }
    let mut over = vec![0.0; JOINED_MINUTES as usize];
    let mut run = Run::new(variant.endpoint, seed);
    let more = instances + (instances / 4).max(1);
    for minute in 0..2 * JOINED_MINUTES * JOINS {
        let turn = minute % (2 * JOINED_MINUTES);
        let instances = if turn < JOINED_MINUTES { instances } else { more };
        let arrivals_per_minute = JOINED_LOAD * variant.capacity * instances as f64;
        let seen = run.step(minute, &Conditions { arrivals_per_minute, instances, ..variant.usual });
        if turn >= JOINED_MINUTES {
            over[(turn - JOINED_MINUTES) as usize] += f64::from(is_over(variant, &seen)) / JOINS as f64;
        }
    }
    over
}

fn bin(load: f64) -> usize {
    ((load / BIN) as usize).min(BINS - 1)
}
