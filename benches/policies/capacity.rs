//! How well the capacity of one instance is told from history.

use crate::observed::Seen;
use crate::statistics::{quantile, share};
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::model::{Bound, Observation, TriggerKind, TriggerSummary};
use serde::Serialize;
use serde_json::json;
use simulator::production::{History, Trait, history};
use simulator::suite::Set;
use std::collections::BTreeSet;

/// An estimate whose lower end is beyond the truth by more than this is unsafe; a bound, wrong.
const TOLERATED: f64 = 1.05;
/// Bands of extrapolation: the estimate over the load that was hardly ever exceeded.
const BANDS: [(f64, &str); 6] = [
    (0.95, "E < 0.95"),
    (1.05, "0.95 to 1.05"),
    (1.2, "1.05 to 1.2"),
    (1.45, "1.2 to 1.45"),
    (2.0, "1.45 to 2"),
    (f64::INFINITY, "above 2"),
];

/// One history, and what was told of it.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    pub replicate: u64,
    pub hours: i64,
    pub traits: Vec<&'static str>,
    pub physics: String,
    pub is_new_physics: bool,
    pub truth: f64,
    /// The load that 1 % of the minutes went beyond, in units of the truth.
    pub seen: f64,
    pub answer: Answer,
}

/// What was told.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Estimate { value: f64, low: f64, high: f64 },
    AtLeast { value: f64, low: f64 },
    Nothing,
}

impl Told {
    pub fn of(set: Set, replicate: u64) -> Self {
        let history = history(set, replicate);
        let truth = history.variant.capacity;
        let loads: Vec<f64> = history
            .series
            .iter()
            .filter(|series| series.metric == "InvocationsPerInstance")
            .flat_map(|series| series.values.iter().flatten().copied())
            .collect();
        let answer = match capacity(&observation(&history)) {
            None => Answer::Nothing,
            Some(told) => {
                let (value, low) = (told.invocations_per_instance_per_minute.0, told.low.0);
                match told.bound {
                    Bound::Estimate => {
                        Answer::Estimate { value, low, high: told.high.map_or(f64::INFINITY, |high| high.0) }
                    }
                    Bound::AtLeast => Answer::AtLeast { value, low },
                }
            }
        };
        Self {
            replicate,
            hours: history.hours,
            traits: history.traits.iter().copied().map(Trait::name).collect(),
            physics: format!("{:?}, {:?}", history.variant.endpoint.discipline, history.variant.endpoint.service),
            is_new_physics: history.variant.is_new_physics,
            truth,
            seen: quantile(&loads, 0.99) / truth,
            answer,
        }
    }

    /// How far the estimate is from the truth, as a logarithm.
    fn error(&self) -> Option<f64> {
        match self.answer {
            Answer::Estimate { value, .. } => Some((value / self.truth).ln()),
            _ => None,
        }
    }

    /// The estimate over the load that was hardly ever exceeded.
    fn extrapolation(&self) -> Option<f64> {
        match self.answer {
            Answer::Estimate { value, .. } => Some(value / (self.seen * self.truth)),
            _ => None,
        }
    }
}

/// What CloudWatch shows of a history, with no incident.
pub fn observation(history: &History) -> Observation {
    let instances = history.instances as u32;
    // A set-up without its policies: what an instance carries does not depend on them.
    let is_autoscaled = history.traits.contains(&Trait::Autoscaled);
    let target = json!({
        "arn": null, "min_capacity": 1, "max_capacity": instances + 8, "is_scale_out_suspended": false, "tags": {},
    });
    let scaling = json!({ "target": is_autoscaled.then_some(target), "policies": [], "activities": [] });
    Seen {
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        hosting: "real_time",
        instance_type: history.variant.instance_type,
        routing: history.variant.routing(),
        instances,
        desired: instances,
        scaling: serde_json::from_value(scaling).unwrap(),
        objective_ms: history.variant.objective_us / 1e3,
        statistic: history.variant.statistic,
        minutes_since_deployment: history.minutes_since_deployment,
        scaled_at: None,
        series: &history.series,
    }
    .observation()
}

/// How good estimates are. Shares are 0 to 1; NaN (null in JSON) where there was nothing to count.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub name: String,
    pub histories: usize,
    pub estimates: usize,
    /// |ln(estimate/truth)|.
    pub error_median: f64,
    pub error_p90: f64,
    /// Its sign: above 0 where estimates are too high.
    pub bias: f64,
    /// Estimates whose interval holds the truth.
    pub coverage: f64,
    /// Width of the interval, in units of the estimate.
    pub width: f64,
    /// Estimates and bounds whose lower end is unsafe.
    pub unsafe_share: f64,
    /// Refusals to give more than a lower bound, or anything.
    pub at_least: f64,
    pub nothing: f64,
    /// Bounds that are true.
    pub at_least_true: f64,
}

impl Score {
    fn of(name: &str, all: &[&Told]) -> Self {
        let errors: Vec<f64> = all.iter().filter_map(|told| told.error()).collect();
        let sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
        let intervals: Vec<(f64, f64, f64, f64)> = all
            .iter()
            .filter_map(|told| match told.answer {
                Answer::Estimate { value, low, high } => Some((told.truth, value, low, high)),
                _ => None,
            })
            .collect();
        let lows: Vec<(f64, f64)> = all
            .iter()
            .filter_map(|told| match told.answer {
                Answer::Estimate { low, .. } | Answer::AtLeast { low, .. } => Some((told.truth, low)),
                Answer::Nothing => None,
            })
            .collect();
        let bounds: Vec<(f64, f64)> = all
            .iter()
            .filter_map(|told| match told.answer {
                Answer::AtLeast { value, .. } => Some((told.truth, value)),
                _ => None,
            })
            .collect();
        let widths: Vec<f64> = intervals.iter().map(|(_, value, low, high)| (high - low) / value).collect();
        Self {
            name: name.to_owned(),
            histories: all.len(),
            estimates: errors.len(),
            error_median: quantile(&sizes, 0.5),
            error_p90: quantile(&sizes, 0.9),
            bias: quantile(&errors, 0.5),
            coverage: share(&intervals, |(truth, _, low, high)| (*low..=*high).contains(truth)),
            width: quantile(&widths, 0.5),
            unsafe_share: share(&lows, |(truth, low)| *low > TOLERATED * truth),
            at_least: bounds.len() as f64 / all.len() as f64,
            nothing: share(all, |told| matches!(told.answer, Answer::Nothing)),
            at_least_true: share(&bounds, |(truth, value)| *value <= TOLERATED * truth),
        }
    }
}

/// All that is said of capacity.
#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    pub whole: Score,
    /// Estimates by how far they extrapolate.
    pub bands: Vec<Score>,
    /// E up to 1.2, and from there to 1.45: what the goals are about.
    pub seen: Score,
    pub near: Score,
    /// By the load that was seen, in units of the truth.
    pub loads: Vec<Score>,
    pub hours: Vec<Score>,
    pub traits: Vec<Score>,
    pub new_physics: Score,
}

impl Scores {
    pub fn of(all: &[Told]) -> Self {
        let those = |name: &str, is_one: &dyn Fn(&Told) -> bool| {
            Score::of(name, &all.iter().filter(|told| is_one(told)).collect::<Vec<_>>())
        };
        let between = |name: &str, from: f64, below: f64| {
            those(name, &|told| told.extrapolation().is_some_and(|beyond| beyond >= from && beyond < below))
        };
        let mut from = 0.0;
        let bands = BANDS.iter().map(|(below, name)| {
            let score = between(name, from, *below);
            from = *below;
            score
        });
        let bands = bands.collect();
        let loads =
            [(0.0, 0.5), (0.5, 0.65), (0.65, 0.8), (0.8, 0.95), (0.95, 1.05), (1.05, 9.0)].map(|(from, below)| {
                those(&format!("load seen {from} to {below} C"), &|told| told.seen >= from && told.seen < below)
            });
        let hours: BTreeSet<i64> = all.iter().map(|told| told.hours).collect();
        let traits: BTreeSet<&'static str> = all.iter().flat_map(|told| told.traits.iter().copied()).collect();
        Self {
            whole: those("all", &|_| true),
            bands,
            seen: between("E up to 1.2", 0.0, 1.2),
            near: between("E from 1.2 to 1.45", 1.2, 1.45),
            loads: loads.into(),
            hours: hours.iter().map(|hours| those(&format!("{hours} h"), &|told| told.hours == *hours)).collect(),
            traits: std::iter::once(those("nothing special", &|told| told.traits.is_empty()))
                .chain(traits.iter().map(|name| those(name, &|told| told.traits.contains(name))))
                .collect(),
            new_physics: those("other kinds of containers", &|told| told.is_new_physics),
        }
    }
}
