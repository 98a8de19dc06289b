//! All that the benchmark says, as it goes into JSON.

use crate::advised::KAPPAS;
use crate::baselines::AWS_FORMULA;
use crate::capacity::{Scores, Told};
use crate::headroom;
use crate::judge::Judged;
use crate::statistics::{Median, quantile, share};
use crate::trial::{Agreement, Answer, SHORTER, Trial, WEEK};
use serde::Serialize;
use std::collections::BTreeSet;

/// A policy is worse than another where it costs so much more.
const WORSE: f64 = 1.05;

/// All that the benchmark says.
#[derive(Serialize)]
pub struct Results {
    pub capacity: Option<Scores>,
    pub policies: Option<Policies>,
    pub headroom: Vec<headroom::Score>,
    /// One by one.
    pub histories: Vec<Told>,
    pub trials: Vec<Trial>,
    pub bursty: Vec<headroom::Sized>,
}

#[derive(Serialize)]
pub struct Policies {
    /// Of the whole first week, for each kappa.
    pub kappas: Vec<Score>,
    /// For a kappa of 20: by traffic, by need, by delay, by what stood, other kinds of containers, by history.
    pub groups: Vec<Score>,
    /// Where it advises something, and where the true capacity is as estimated within 5 %.
    pub special: Vec<Score>,
    /// For a kappa of 20.
    pub others: Vec<Other>,
    /// All, and where new instances are warm.
    pub forecasts: Vec<Forecast>,
    pub quick_judge: QuickJudge,
    pub problems: Vec<String>,
}

/// What the advisor's policies are worth.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub name: String,
    pub cases: usize,
    /// Cases in which it leaves what stands.
    pub held: f64,
    /// Cost over the best in hindsight, less 1.
    pub regret: Median,
    pub regret_p90: f64,
    /// Cost over that of the AWS formula with a load-tested capacity.
    pub to_aws: Median,
    pub worse_than_aws: f64,
    pub to_current: Median,
    pub worse_than_current: f64,
    /// Share of minutes over the objective.
    pub violations: f64,
    /// Instance-minutes over those of one who knows what comes.
    pub to_clairvoyant: f64,
    /// Estimated over true capacity.
    pub capacity: f64,
}

/// What another policy is worth.
#[derive(Debug, Clone, Serialize)]
pub struct Other {
    pub name: String,
    pub cases: usize,
    pub regret: f64,
    pub regret_p90: f64,
    pub violations: f64,
    pub violations_p90: f64,
    pub to_clairvoyant: f64,
    /// Of the count, a week.
    pub changes: f64,
}

/// How well the advisor knows what its policies will do.
#[derive(Debug, Clone, Serialize)]
pub struct Forecast {
    pub name: &'static str,
    pub cases: usize,
    /// Whose forecast has a range, and those that came out within it.
    pub with_range: usize,
    pub inside: f64,
    pub above: f64,
    /// |forecast/realised - 1| of the instance-hours.
    pub instance_hours_error: f64,
    pub instance_hours_error_p90: f64,
    /// Forecast less realised violation minutes of a week.
    pub violation_minutes_bias: f64,
}

/// How close the quick judge, which ranks the oracle's candidates, comes to requests one by one.
#[derive(Debug, Clone, Serialize)]
pub struct QuickJudge {
    pub policies: usize,
    /// |quick/whole - 1| of the instance-minutes.
    pub instance_minutes_error: f64,
    pub instance_minutes_error_p90: f64,
    /// |quick - whole| of the share of minutes over the objective.
    pub violations_error: f64,
    pub violations_error_p90: f64,
}

impl Results {
    pub fn of(histories: Vec<Told>, trials: Vec<Trial>, bursty: Vec<headroom::Sized>) -> Self {
        Self {
            capacity: (!histories.is_empty()).then(|| Scores::of(&histories)),
            policies: (!trials.is_empty()).then(|| Policies::of(&trials)),
            headroom: if bursty.is_empty() { Vec::new() } else { headroom::scores(&bursty) },
            histories,
            trials,
            bursty,
        }
    }
}

impl Policies {
    fn of(trials: &[Trial]) -> Self {
        let usual = |trial: &Trial| trial.advised.get(1).cloned();
        let kappas = KAPPAS.iter().enumerate().map(|(index, (kappa, _))| {
            score(&format!("kappa {kappa}"), trials, &|trial| trial.advised.get(index).cloned())
        });
        let mut groups = Vec::new();
        let mut group = |key: &dyn Fn(&Trial) -> String| {
            let names: BTreeSet<String> = trials.iter().map(key).collect();
            for name in names {
                groups.push(score(&name, trials, &|trial| usual(trial).filter(|_| key(trial) == name)));
            }
        };
        group(&|trial| format!("traffic: {}", trial.name));
        group(&|trial| format!("need: {:2} instances", trial.need));
        group(&|trial| format!("delay: {:2} min", trial.provisioning_minutes));
        group(&|trial| format!("stood: {}", trial.standing));
        for hours in SHORTER {
            let name = format!("history: {hours:3} h");
            let of = |trial: &Trial| trial.on_less.iter().find(|answer| answer.hours == hours).cloned();
            groups.push(score(&name, trials, &of));
        }
        groups.push(score("history: 168 h", trials, &usual));
        groups.retain(|score| score.cases > 0);
        let is_known = |trial: &&Trial| {
            trial.estimated_capacity.is_some_and(|estimate| (estimate / trial.capacity).ln().abs() < 0.05)
        };
        let special = vec![
            score("kinds of containers never developed on", trials, &|trial| {
                usual(trial).filter(|_| trial.is_new_physics)
            }),
            score("limit seen in the first week", trials, &|trial| usual(trial).filter(|_| !trial.is_at_least)),
            score("only a lower bound of the capacity", trials, &|trial| usual(trial).filter(|_| trial.is_at_least)),
            score("new instances are warm", trials, &|trial| usual(trial).filter(|_| !trial.is_cold)),
            score("new instances are slow at first", trials, &|trial| usual(trial).filter(|_| trial.is_cold)),
            score("something advised", trials, &|trial| usual(trial).filter(|answer| answer.set_up.is_some())),
            score("nothing advised", trials, &|trial| usual(trial).filter(|answer| answer.set_up.is_none())),
            score("capacity known within 5 %", trials, &|trial| usual(trial).filter(|_| is_known(&trial))),
            score("no foreign policy beside", trials, &|trial| {
                usual(trial).filter(|_| trial.standing != "utilisation")
            }),
        ];
        Self {
            kappas: kappas.collect(),
            groups,
            special: special.into_iter().filter(|score| score.cases > 0).collect(),
            others: others(trials),
            forecasts: vec![forecast("all", trials, |_| true), forecast("warm", trials, |trial| !trial.is_cold)],
            quick_judge: quick_judge(trials),
            problems: trials.iter().flat_map(|trial| trial.problems.iter().cloned()).collect(),
        }
    }
}

/// Scores those trials that have such an answer.
fn score(name: &str, trials: &[Trial], answer: &dyn Fn(&Trial) -> Option<Answer>) -> Score {
    let answered: Vec<(&Trial, Answer)> = trials.iter().filter_map(|trial| Some((trial, answer(trial)?))).collect();
    let to = |other: &dyn Fn(&Trial, f64) -> Option<Judged>| -> Vec<f64> {
        let ratio = |(trial, answer): &(&Trial, Answer)| {
            let other = other(trial, answer.kappa)?;
            Some(trial.cost(&answer.week, answer.kappa) / trial.cost(&other, answer.kappa))
        };
        answered.iter().filter_map(ratio).collect()
    };
    let regrets: Vec<f64> = to(&best).iter().map(|ratio| ratio - 1.0).collect();
    let to_aws = to(&|trial, _| trial.baselines.iter().find(|named| named.name == AWS_FORMULA).map(|named| named.week));
    let to_current = to(&|trial, _| Some(trial.current));
    let of = |value: &dyn Fn(&(&Trial, Answer)) -> f64| -> Vec<f64> { answered.iter().map(value).collect() };
    Score {
        name: name.to_owned(),
        cases: answered.len(),
        held: share(&answered, |(_, answer)| answer.set_up.is_none()),
        regret: Median::of(&regrets),
        regret_p90: quantile(&regrets, 0.9),
        worse_than_aws: share(&to_aws, |ratio| *ratio > WORSE),
        to_aws: Median::of(&to_aws),
        worse_than_current: share(&to_current, |ratio| *ratio > WORSE),
        to_current: Median::of(&to_current),
        violations: quantile(&of(&|(_, answer)| answer.week.violation_minutes / WEEK as f64), 0.5),
        to_clairvoyant: quantile(&of(&|(trial, answer)| answer.week.instance_minutes / trial.clairvoyant), 0.5),
        capacity: quantile(&of(&|(trial, _)| trial.estimated_capacity.unwrap_or(f64::NAN) / trial.capacity), 0.5),
    }
}

/// The best in hindsight for a kappa.
fn best(trial: &Trial, kappa: f64) -> Option<Judged> {
    let index = KAPPAS.iter().position(|(known, _)| (known - kappa).abs() < f64::EPSILON)?;
    Some(trial.best.get(index)?.week)
}

/// What everybody else is worth, and the oracle.
fn others(trials: &[Trial]) -> Vec<Other> {
    let (kappa, _) = KAPPAS[1];
    let mut all: Vec<(String, Vec<(&Trial, Judged)>)> = Vec::new();
    let mut put = |name: &str, trial, week| match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, weeks)) => weeks.push((trial, week)),
        None => all.push((name.to_owned(), vec![(trial, week)])),
    };
    for trial in trials {
        if let Some(best) = best(trial, kappa) {
            put("best in hindsight", trial, best);
        }
        if let Some(best) = trial.best_with_more.get(1) {
            put("the same with a schedule and steps", trial, best.week);
        }
        if let Some(answer) = trial.advised.get(1) {
            put("the advisor", trial, answer.week);
        }
        put("what stood", trial, trial.current);
        for baseline in &trial.baselines {
            put(&baseline.name, trial, baseline.week);
        }
    }
    all.into_iter()
        .map(|(name, weeks)| {
            let of = |value: &dyn Fn(&Trial, &Judged) -> f64, q: f64| {
                quantile(&weeks.iter().map(|(trial, week)| value(trial, week)).collect::<Vec<_>>(), q)
            };
            let regret = |trial: &Trial, week: &Judged| {
                best(trial, kappa).map_or(f64::NAN, |best| trial.cost(week, kappa) / trial.cost(&best, kappa) - 1.0)
            };
            let violations = |_: &Trial, week: &Judged| week.violation_minutes / WEEK as f64;
            Other {
                cases: weeks.len(),
                regret: of(&regret, 0.5),
                regret_p90: of(&regret, 0.9),
                violations: of(&violations, 0.5),
                violations_p90: of(&violations, 0.9),
                to_clairvoyant: of(&|trial, week| week.instance_minutes / trial.clairvoyant, 0.5),
                changes: of(&|_, week| week.changes as f64, 0.5),
                name,
            }
        })
        .collect()
}

/// Forecasts on the whole first week, for every kappa.
fn forecast(name: &'static str, trials: &[Trial], is_one: fn(&Trial) -> bool) -> Forecast {
    let answers: Vec<&Answer> = trials
        .iter()
        .filter(|trial| is_one(trial))
        .flat_map(|trial| &trial.advised)
        .filter(|answer| answer.violation_minutes.is_some())
        .collect();
    let ranges: Vec<(f64, (f64, f64))> =
        answers.iter().filter_map(|answer| Some((answer.week.violation_minutes, answer.range?))).collect();
    let realised = |answer: &Answer| answer.week.instance_minutes / 60.0;
    let errors: Vec<f64> =
        answers.iter().filter_map(|answer| Some((answer.instance_hours? / realised(answer) - 1.0).abs())).collect();
    let bias: Vec<f64> =
        answers.iter().filter_map(|answer| Some(answer.violation_minutes? - answer.week.violation_minutes)).collect();
    Forecast {
        name,
        cases: answers.len(),
        with_range: ranges.len(),
        inside: share(&ranges, |(realised, (low, high))| (*low..=*high).contains(realised)),
        above: share(&ranges, |(realised, (_, high))| realised > high),
        instance_hours_error: quantile(&errors, 0.5),
        instance_hours_error_p90: quantile(&errors, 0.9),
        violation_minutes_bias: quantile(&bias, 0.5),
    }
}

fn quick_judge(trials: &[Trial]) -> QuickJudge {
    let all: Vec<&Agreement> = trials.iter().flat_map(|trial| &trial.quick).collect();
    let instances: Vec<f64> =
        all.iter().map(|both| (both.quick.instance_minutes / both.whole.instance_minutes - 1.0).abs()).collect();
    let violations: Vec<f64> = all
        .iter()
        .map(|both| (both.quick.violation_minutes - both.whole.violation_minutes).abs() / WEEK as f64)
        .collect();
    QuickJudge {
        policies: all.len(),
        instance_minutes_error: quantile(&instances, 0.5),
        instance_minutes_error_p90: quantile(&instances, 0.9),
        violations_error: quantile(&violations, 0.5),
        violations_error_p90: quantile(&violations, 0.9),
    }
}
