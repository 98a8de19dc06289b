//! All that the benchmark says, as it goes into JSON.

use crate::baselines::BASELINES;
use crate::case::{ABLATIONS, Answer, Case};
use crate::family::Kind;
use crate::score::{Bin, Score, bins, score};
use crate::sizing::{SizingScore, sizing};
use serde::Serialize;
use std::collections::BTreeMap;

/// All that the benchmark says.
#[derive(Serialize)]
pub struct Results {
    /// Of instances, as all that follows but the families.
    pub whole: Score,
    pub bins: Vec<Bin>,
    pub families: Vec<OfFamily>,
    /// What was said, for each right verdict.
    pub confusion: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    /// By hours of history.
    pub hours: BTreeMap<i64, Score>,
    /// Endpoints of kinds that development and validation do not have.
    pub new_physics: Score,
    /// With parts of the metrics missing.
    pub without: Vec<Named>,
    /// Overload or not, by simple rules.
    pub baselines: Vec<Baseline>,
    /// Other ways of hosting.
    pub kinds: Vec<OfKind>,
}

/// One way of hosting.
#[derive(Serialize)]
pub struct OfKind {
    pub kind: Kind,
    pub score: Score,
    pub bins: Vec<Bin>,
    pub capacity: SizingScore,
    /// Of kinds that development and validation do not have.
    pub new_physics: Score,
    pub new_physics_capacity: SizingScore,
}

#[derive(Serialize)]
pub struct Named {
    pub name: &'static str,
    pub score: Score,
}

#[derive(Serialize)]
pub struct OfFamily {
    pub name: String,
    pub incidents: usize,
    pub right: f64,
    pub sub_cause: f64,
    /// Wrong verdicts, most frequent first.
    pub wrong: Vec<(&'static str, usize)>,
    /// Replicates that were judged wrong.
    pub wrong_replicates: Vec<u64>,
}

#[derive(Serialize)]
pub struct Baseline {
    pub name: &'static str,
    pub overload_or_not: f64,
    pub false_scale_out: f64,
    pub missed_overload: f64,
}

impl Results {
    pub fn of(all: &[Case]) -> Self {
        let cases: Vec<&Case> = all.iter().filter(|case| case.kind == Kind::Instances).collect();
        let whole: fn(&Case) -> &Answer = |case| &case.answer;
        let mut hours: Vec<i64> = cases.iter().map(|case| case.hours).collect();
        hours.sort_unstable();
        hours.dedup();
        let mut confusion: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for case in all {
            let said = if case.is_right() { case.truth.verdict } else { case.answer.verdict };
            *confusion.entry(case.truth.verdict).or_default().entry(said).or_default() += 1;
        }
        let has_ablations = cases.iter().all(|case| case.without.len() == ABLATIONS.len());
        Self {
            whole: score(cases.iter().copied(), whole),
            bins: bins(cases.iter().copied(), whole),
            families: families(all),
            confusion,
            hours: hours
                .into_iter()
                .map(|hours| (hours, score(cases.iter().copied().filter(|case| case.hours == hours), whole)))
                .collect(),
            new_physics: score(cases.iter().copied().filter(|case| case.truth.is_new_physics), whole),
            without: ABLATIONS
                .iter()
                .enumerate()
                .filter(|_| has_ablations)
                .map(|(index, ablation)| Named {
                    name: ablation.name,
                    score: score(cases.iter().copied(), |case| &case.without[index]),
                })
                .collect(),
            baselines: BASELINES.iter().enumerate().map(|(index, name)| baseline(&cases, index, name)).collect(),
            kinds: Kind::OTHERS.into_iter().filter_map(|kind| OfKind::of(all, kind)).collect(),
        }
    }
}

impl OfKind {
    /// None where nothing of it was asked.
    fn of(all: &[Case], kind: Kind) -> Option<Self> {
        let own = all.iter().filter(|case| case.kind == kind);
        let new = own.clone().filter(|case| case.truth.is_new_physics);
        own.clone().next()?;
        Some(Self {
            kind,
            score: score(own.clone(), |case| &case.answer),
            bins: bins(own.clone(), |case| &case.answer),
            capacity: sizing(own),
            new_physics: score(new.clone(), |case| &case.answer),
            new_physics_capacity: sizing(new),
        })
    }
}

fn families(cases: &[Case]) -> Vec<OfFamily> {
    let mut names: Vec<&str> = cases.iter().map(|case| case.family.as_str()).collect();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let own = cases.iter().filter(|case| case.family == name);
            let mut wrong: BTreeMap<&'static str, usize> = BTreeMap::new();
            for case in own.clone().filter(|case| !case.is_right()) {
                *wrong.entry(case.answer.verdict).or_default() += 1;
            }
            let mut wrong: Vec<(&'static str, usize)> = wrong.into_iter().collect();
            wrong.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let score = score(own.clone(), |case| &case.answer);
            OfFamily {
                name: name.to_owned(),
                incidents: score.incidents,
                right: score.cause_micro,
                sub_cause: score.sub_cause,
                wrong,
                wrong_replicates: own.filter(|case| !case.is_right()).map(|case| case.replicate).collect(),
            }
        })
        .collect()
}

fn baseline(cases: &[&Case], index: usize, name: &'static str) -> Baseline {
    let share = |of: Option<bool>, said: bool| {
        let all = cases
            .iter()
            .filter(|case| case.truth.is_overload.is_some() && of.is_none_or(|of| case.truth.is_overload == Some(of)));
        let counted = all.clone().filter(|case| match of {
            Some(_) => case.baselines[index] == said,
            None => Some(case.baselines[index]) == case.truth.is_overload,
        });
        counted.count() as f64 / all.count() as f64
    };
    Baseline {
        name,
        overload_or_not: share(None, true),
        false_scale_out: share(Some(false), true),
        missed_overload: share(Some(true), false),
    }
}
