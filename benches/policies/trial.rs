//! One endpoint for two weeks: the advisor sees the first, every policy is judged on the second.

use crate::advised::{self, Advice, KAPPAS};
use crate::baselines::{AWS_FORMULA, baselines};
use crate::draws::Draws;
use crate::fluid::Plant;
use crate::judge::{Judged, judge};
use crate::oracle::Week;
use crate::standing::Standing;
use crate::week_one::week_one;
use serde::Serialize;
use simulator::production::{Kind, Variant, workload};
use simulator::suite::Set;
use simulator::{ClosedLoop, ScalingMetric, SetUp};

/// Minutes of a week.
pub const WEEK: i64 = 7 * 1_440;
/// The second week's first minute, counted from Monday 00:00 UTC: the end of every observed window.
pub const FIRST_OF_WEEK_TWO: i64 = 9 * 60 + 20;
/// Kappas that decide which shorter histories are good for.
const USUAL: usize = 1;
/// Hours of shorter histories.
pub const SHORTER: [i64; 3] = [6, 24, 72];
/// Candidates that the quick judge ranks first and that are judged request by request, for each kappa.
const FINALISTS: usize = 3;

/// What is to be tried.
pub struct Draw<'a> {
    /// The kind of traffic, or where it is from.
    pub name: String,
    pub kind: Option<Kind>,
    /// Real traffic.
    pub shape: Option<&'a [f64]>,
    pub need: usize,
    pub provisioning_minutes: f64,
    pub set: Set,
    pub replicate: u64,
}

/// How much of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// The advisor, the oracle and the AWS formula.
    Short,
}

/// A policy and what its second week was like.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub name: String,
    pub week: Judged,
}

/// One policy before two judges.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Agreement {
    pub quick: Judged,
    pub whole: Judged,
}

/// What was advised for one kappa, or on one history.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    pub kappa: f64,
    pub hours: i64,
    pub week: Judged,
    /// None where it leaves what stands.
    pub set_up: Option<String>,
    pub hold_reason: Option<String>,
    /// Promised violation minutes of a week.
    pub violation_minutes: Option<f64>,
    /// Their range.
    pub range: Option<(f64, f64)>,
    pub instance_hours: Option<f64>,
}

/// One endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    pub name: String,
    pub replicate: u64,
    pub need: usize,
    pub provisioning_minutes: f64,
    /// What stood before.
    pub standing: &'static str,
    pub physics: String,
    pub is_new_physics: bool,
    pub capacity: f64,
    /// What the advisor takes it for.
    pub estimated_capacity: Option<f64>,
    /// Whether it only knows a lower bound.
    pub is_at_least: bool,
    /// Whether new instances are slow at first.
    pub is_cold: bool,
    /// Instances needed on average in the second week.
    pub mean_need: f64,
    /// Instance-minutes of one who knows what comes.
    pub clairvoyant: f64,
    pub current: Judged,
    /// For each kappa, on the whole first week.
    pub advised: Vec<Answer>,
    /// On the last hours of it, for a kappa of 20.
    pub on_less: Vec<Answer>,
    /// The best in hindsight for each kappa: of its class, of the baselines and of what stood.
    pub best: Vec<Named>,
    /// The same where a Min for each hour and steps for surges are allowed too.
    pub best_with_more: Vec<Named>,
    pub baselines: Vec<Named>,
    /// What the quick judge said of those that were then judged request by request.
    pub quick: Vec<Agreement>,
    /// Requests of the plan that are not understood.
    pub problems: Vec<String>,
    /// Requests that were simulated.
    pub requests: u64,
}

impl Trial {
    pub fn of(draw: &Draw, extent: Extent) -> Self {
        let drawn =
            workload(&draw.name, draw.kind, draw.shape, draw.need, draw.provisioning_minutes, draw.set, draw.replicate);
        let variant = drawn.variant;
        let (rates_one, rates_two) = drawn.arrivals_per_minute.split_at(WEEK as usize);
        let work = &drawn.work[WEEK as usize..];
        let mut draws = Draws::new(drawn.seed);
        let standing = Standing::draw(&variant, rates_one, draws.next());
        let (after, observation) = week_one(&drawn, &standing, draws.next());

        let mut requests = 0;
        let mut arrivals = Vec::with_capacity(rates_two.len());
        let current = judge(&variant, &after, standing.set_up.clone(), rates_two, work, |minute| {
            arrivals.push(minute.arrivals as f64);
            requests += minute.invocations;
        });
        let plant = Plant::probe(&variant, draw.need, draws.next());
        let week = Week {
            plant: &plant,
            capacity: variant.capacity,
            rates: rates_two,
            arrivals: &arrivals,
            work,
            instances: after.scaler().billed(),
            provisioning_minutes: draw.provisioning_minutes,
        };
        let mut bench = Bench {
            variant: &variant,
            after: &after,
            rates: rates_two,
            work,
            known: vec![(standing.set_up.clone(), current)],
            requests: 2 * requests,
        };
        let baselines: Vec<Named> = baselines(&variant, rates_one, plant.in_flight_at_capacity, &observation)
            .into_iter()
            .filter(|baseline| extent == Extent::Whole || baseline.name == AWS_FORMULA)
            .map(|baseline| Named { name: baseline.name.to_owned(), week: bench.judge(&baseline.set_up) })
            .collect();
        let kappas = KAPPAS.map(|(kappa, _)| kappa);
        let mean_need = week.mean_need();
        let finalists = week.best_of_class(&kappas, FINALISTS);
        let quick = finalists
            .iter()
            .map(|finalist| Agreement { quick: week.judge(finalist), whole: bench.judge(finalist) })
            .collect();
        // Where all requests are alike, utilisation says the same as invocations.
        if draw.kind == Some(Kind::WanderingWork) {
            let finalists = &finalists[..finalists.len().min(FINALISTS)];
            for set_up in Week::by_utilization(finalists, utilization_at_capacity(&variant)) {
                bench.judge(&set_up);
            }
        }
        // What the advisor alone thinks of is judged after this, so that the oracle does not depend on it.
        let best = kappas.map(|kappa| bench.best(kappa, mean_need)).into();
        for finalist in week.best_with_more(&finalists, &kappas, 1) {
            bench.judge(&finalist);
        }
        let best_with_more = kappas.map(|kappa| bench.best(kappa, mean_need)).into();
        let mut problems = Vec::new();
        let (mut estimated_capacity, mut is_at_least) = (None, false);
        let whole = WEEK / 60;
        let mut advised = Vec::new();
        for (kappa, objective) in KAPPAS {
            match advised::advise(&observation, &standing, objective) {
                Ok(advice) => {
                    (estimated_capacity, is_at_least) = (advice.capacity, advice.is_at_least);
                    advised.push(bench.answer(advice, &standing, kappa, whole));
                }
                Err(problem) => problems.push(problem),
            }
        }
        let mut on_less = Vec::new();
        for hours in SHORTER.into_iter().filter(|_| extent == Extent::Whole) {
            let (kappa, objective) = KAPPAS[USUAL];
            match advised::advise(&advised::shortened(&observation, hours), &standing, objective) {
                Ok(advice) => on_less.push(bench.answer(advice, &standing, kappa, hours)),
                Err(problem) => problems.push(problem),
            }
        }
        Self {
            name: draw.name.clone(),
            replicate: draw.replicate,
            need: draw.need,
            provisioning_minutes: draw.provisioning_minutes,
            standing: standing.kind,
            physics: format!("{:?}, {:?}", variant.endpoint.discipline, variant.endpoint.service),
            is_new_physics: variant.is_new_physics,
            capacity: variant.capacity,
            estimated_capacity,
            is_at_least,
            is_cold: variant.endpoint.cold.is_some(),
            mean_need,
            clairvoyant: week.clairvoyant(),
            current,
            advised,
            on_less,
            best,
            best_with_more,
            baselines,
            quick,
            problems,
            requests: bench.requests,
        }
    }

    /// The cost of a week, as [`Judged::cost`].
    pub fn cost(&self, week: &Judged, kappa: f64) -> f64 {
        week.cost(kappa, self.mean_need)
    }
}

/// The metric that shows the work, and its value at capacity.
fn utilization_at_capacity(variant: &Variant) -> (ScalingMetric, f64) {
    let endpoint = &variant.endpoint;
    let (metric, full) = ScalingMetric::utilization(endpoint);
    let at_work = endpoint.utilization_at_saturation * variant.capacity / variant.saturation;
    (metric, full * (endpoint.idle_utilization + (1.0 - endpoint.idle_utilization) * at_work))
}

/// Judges policies, none of them twice.
struct Bench<'a> {
    variant: &'a Variant,
    after: &'a ClosedLoop,
    rates: &'a [f64],
    work: &'a [f64],
    known: Vec<(SetUp, Judged)>,
    requests: u64,
}

impl Bench<'_> {
    fn judge(&mut self, set_up: &SetUp) -> Judged {
        if let Some((_, judged)) = self.known.iter().find(|(known, _)| known == set_up) {
            return *judged;
        }
        let mut requests = 0;
        let judged = judge(self.variant, self.after, set_up.clone(), self.rates, self.work, |minute| {
            requests += minute.invocations;
        });
        self.requests += requests;
        self.known.push((set_up.clone(), judged));
        judged
    }

    fn answer(&mut self, advice: Advice, standing: &Standing, kappa: f64, hours: i64) -> Answer {
        Answer {
            kappa,
            hours,
            week: self.judge(advice.set_up.as_ref().unwrap_or(&standing.set_up)),
            set_up: advice.set_up.map(|set_up| format!("{set_up:?}")),
            hold_reason: advice.hold_reason,
            violation_minutes: advice.forecast.map(|forecast| forecast.violation_minutes),
            range: advice.forecast.and_then(|forecast| forecast.range),
            instance_hours: advice.forecast.map(|forecast| forecast.instance_hours),
        }
    }

    /// The cheapest of all that were judged so far.
    fn best(&self, kappa: f64, mean_need: f64) -> Named {
        let cost = |judged: &Judged| judged.cost(kappa, mean_need);
        let (set_up, week) =
            self.known.iter().min_by(|(_, left), (_, right)| cost(left).total_cmp(&cost(right))).unwrap();
        Named { name: format!("{set_up:?}"), week: *week }
    }
}
