//! The best that could have been done, in hindsight.

use crate::fluid::Plant;
use crate::judge::Judged;
use crate::trial::FIRST_OF_WEEK_TWO;
use simulator::{Policy, ScalingMetric, ScheduledAction, SetUp, Step, StepScaling, TargetTracking, When};

/// Targets, in units of true capacity.
const TARGETS: [f64; 12] = [0.40, 0.46, 0.52, 0.58, 0.64, 0.70, 0.75, 0.80, 0.85, 0.90, 0.96, 1.04];
/// Quantiles of the instances that were needed, as Min.
const MINIMA: [f64; 7] = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0];
/// Max in units of the most instances that were needed.
const MAXIMA: [f64; 3] = [1.0, 1.25, 1.8];
/// Cooldowns in seconds.
const SCALE_OUT: [f64; 4] = [0.0, 60.0, 180.0, 300.0];
const SCALE_IN: [f64; 4] = [60.0, 300.0, 900.0, 1_800.0];
/// Utilisations, in units of that at capacity.
const UTILIZATIONS: [f64; 5] = [0.6, 0.7, 0.78, 0.86, 0.94];
/// Minutes of a day.
const DAY: i64 = 1_440;
/// Policies whose instance-minutes and violations differ by less do the same.
const SAME: f64 = 0.005;
/// First choices that are refined.
const REFINED: usize = 5;

/// What one week needs.
pub struct Week<'a> {
    pub plant: &'a Plant,
    pub capacity: f64,
    /// Mean arrivals, and those that came.
    pub rates: &'a [f64],
    pub arrivals: &'a [f64],
    /// Work per request.
    pub work: &'a [f64],
    pub instances: usize,
    pub provisioning_minutes: f64,
}

impl Week<'_> {
    /// Instances needed in each minute, ascending.
    fn needs(&self) -> Vec<usize> {
        let mut needs = self.need_by_minute();
        needs.sort_unstable();
        needs
    }

    fn need_by_minute(&self) -> Vec<usize> {
        self.rates.iter().zip(self.work).map(|(rate, work)| need(rate * work, self.capacity)).collect()
    }

    /// Instances needed on average.
    pub fn mean_need(&self) -> f64 {
        self.need_by_minute().iter().map(|need| *need as f64).sum::<f64>() / self.rates.len() as f64
    }

    /// What the quick judge says.
    pub fn judge(&self, set_up: &SetUp) -> Judged {
        self.plant.judge(set_up.clone(), self.instances, self.provisioning_minutes, self.arrivals, self.work)
    }

    /// The best target-tracking policies on invocations for each of several kappas, by the quick judge: `each` of them,
    /// the best first. What is the best for one is refined for all.
    pub fn best_of_class(&self, kappas: &[f64], each: usize) -> Vec<SetUp> {
        let needs = self.needs();
        let mean_need = self.mean_need();
        let most = needs[needs.len() - 1];
        let max = |factor: f64| (factor * most as f64).ceil() as usize;
        let mut minima: Vec<usize> =
            MINIMA.iter().map(|share| needs[((needs.len() - 1) as f64 * share) as usize]).collect();
        minima.dedup();
        let mut coarse = Vec::new();
        for min in &minima {
            for target in TARGETS {
                coarse.push(policy(*min, max(1.25), target * self.capacity, 60.0, 300.0));
            }
        }
        let coarse: Vec<(SetUp, Judged)> = coarse.into_iter().map(|set_up| self.with_judgement(set_up)).collect();
        let mut fine: Vec<(SetUp, Judged)> = Vec::new();
        for (set_up, _) in firsts(&coarse, kappas, mean_need, REFINED) {
            let [Policy::TargetTracking(tracking)] = set_up.policies[..] else { continue };
            for factor in MAXIMA {
                for out in SCALE_OUT {
                    for back in SCALE_IN {
                        let refined = policy(set_up.min, max(factor).max(set_up.min), tracking.target, out, back);
                        if fine.iter().all(|(known, _)| *known != refined) {
                            fine.push(self.with_judgement(refined));
                        }
                    }
                }
            }
        }
        firsts(&fine, kappas, mean_need, each).into_iter().map(|(set_up, _)| set_up).collect()
    }

    /// The same with more means: a Min for each hour of the day, and steps for surges, added to policies that are good
    /// without. `each` for each kappa, as far as they are better.
    pub fn best_with_more(&self, bases: &[SetUp], kappas: &[f64], each: usize) -> Vec<SetUp> {
        let mut all = Vec::new();
        for base in bases {
            for share in [None, Some(0.5), Some(0.9), Some(1.0)] {
                for has_steps in [false, true] {
                    let mut set_up = base.clone();
                    if let Some(share) = share {
                        set_up.scheduled = self.by_hour(share, base.max);
                    }
                    if has_steps {
                        set_up.policies.extend(surge(base));
                    }
                    all.push(self.with_judgement(set_up));
                }
            }
        }
        firsts(&all, kappas, self.mean_need(), each).into_iter().map(|(set_up, _)| set_up).collect()
    }

    /// A Min for each hour of the day: this share of the needs in that hour of all days, and in the time that instances
    /// take to start after it.
    fn by_hour(&self, share: f64, max: usize) -> Vec<ScheduledAction> {
        let lead = self.provisioning_minutes.ceil() as usize;
        (0..24)
            .map(|hour| {
                let minute_of_day = |index: usize| (index as i64 + FIRST_OF_WEEK_TWO).rem_euclid(DAY);
                let from = hour * 60;
                let mut needs: Vec<usize> = (0..self.rates.len())
                    .filter(|index| (minute_of_day(*index) - from).rem_euclid(DAY) < 60 + lead as i64)
                    .map(|index| need(self.rates[index] * self.work[index], self.capacity))
                    .collect();
                needs.sort_unstable();
                let min = needs[((needs.len() - 1) as f64 * share) as usize].min(max);
                let when = When::Weekly { minute_of_day: from, days: [true; 7] };
                ScheduledAction { when, min: Some(min), max: None }
            })
            .collect()
    }

    /// The same ranges and cooldowns with utilisation as the metric, which is `(metric, percent)` at capacity.
    pub fn by_utilization(bases: &[SetUp], (metric, at_capacity): (ScalingMetric, f64)) -> Vec<SetUp> {
        let mut all: Vec<SetUp> = Vec::new();
        for base in bases {
            for share in UTILIZATIONS {
                let mut set_up = base.clone();
                for policy in &mut set_up.policies {
                    if let Policy::TargetTracking(tracking) = policy {
                        (tracking.metric, tracking.target) = (metric, share * at_capacity);
                    }
                }
                if !all.contains(&set_up) {
                    all.push(set_up);
                }
            }
        }
        all
    }

    fn with_judgement(&self, set_up: SetUp) -> (SetUp, Judged) {
        let judged = self.judge(&set_up);
        (set_up, judged)
    }

    /// Instance-minutes of one who knows what comes: each level of need is served by an instance that is launched one
    /// delay early, and kept where it would be needed again within that time.
    pub fn clairvoyant(&self) -> f64 {
        let needs = self.need_by_minute();
        let most = needs.iter().copied().max().unwrap_or(1);
        (1..=most).map(|level| self.level(&needs, level)).sum()
    }

    fn level(&self, needs: &[usize], level: usize) -> f64 {
        let (mut cost, mut idle) = (0.0, f64::INFINITY);
        for need in needs {
            if *need >= level {
                // Launched anew, or kept.
                cost += 1.0 + idle.min(self.provisioning_minutes);
                idle = 0.0;
            } else {
                idle += 1.0;
            }
        }
        cost
    }
}

/// Instances that are needed for a rate.
fn need(rate: f64, capacity: f64) -> usize {
    (rate / capacity).ceil().max(1.0) as usize
}

fn policy(min: usize, max: usize, target: f64, out: f64, back: f64) -> SetUp {
    let tracking = TargetTracking {
        metric: ScalingMetric::InvocationsPerInstance,
        target,
        scale_out_cooldown_seconds: out,
        scale_in_cooldown_seconds: back,
        is_scale_in_disabled: false,
    };
    SetUp { min, max: max.max(min), policies: vec![Policy::TargetTracking(tracking)], scheduled: Vec::new() }
}

/// Half as many instances more above 1.3 times the target, twice as many above twice the target.
fn surge(base: &SetUp) -> Option<Policy> {
    let [Policy::TargetTracking(tracking)] = base.policies[..] else { return None };
    let threshold = 1.3 * tracking.target;
    Some(Policy::Step(StepScaling {
        metric: tracking.metric,
        threshold,
        is_below: false,
        minutes: 1,
        of_them: 1,
        steps: vec![
            Step { from: 0.0, below: 0.7 * tracking.target, adjustment: 50.0 },
            Step { from: 0.7 * tracking.target, below: f64::INFINITY, adjustment: 100.0 },
        ],
        is_percent: true,
        at_least: 1,
        cooldown_seconds: 120.0,
    }))
}

/// Whether two policies do nearly the same.
fn is_same(one: &Judged, other: &Judged) -> bool {
    (one.instance_minutes / other.instance_minutes - 1.0).abs() < SAME
        && (one.violation_minutes - other.violation_minutes).abs() < SAME * one.violation_minutes.max(200.0)
}

/// The cheapest for each kappa, each only once.
fn firsts(judged: &[(SetUp, Judged)], kappas: &[f64], mean_need: f64, each: usize) -> Vec<(SetUp, Judged)> {
    let mut firsts: Vec<(SetUp, Judged)> = Vec::new();
    for kappa in kappas {
        let mut order: Vec<&(SetUp, Judged)> = judged.iter().collect();
        order.sort_by(|(_, left), (_, right)| left.cost(*kappa, mean_need).total_cmp(&right.cost(*kappa, mean_need)));
        // Many differ in what does not matter; those that do the same stand for each other.
        let mut chosen: Vec<&(SetUp, Judged)> = Vec::new();
        for candidate in order {
            if chosen.len() < each && chosen.iter().all(|known| !is_same(&known.1, &candidate.1)) {
                chosen.push(candidate);
            }
        }
        for candidate in chosen {
            if firsts.iter().all(|known| !is_same(&known.1, &candidate.1)) {
                firsts.push(candidate.clone());
            }
        }
    }
    firsts
}
