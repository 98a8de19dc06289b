//! One incident through the advisor, whole and with parts of what it reads missing.

use crate::baselines;
use crate::family::{AnyFamily, Kind, Labelled};
use endpoint_advisor::capacity::capacity;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{Bound, Diagnosis, Hosting, Metric, Observation, Series, Statistic};
use simulator::suite::{Set, Truth};

/// Something that an advisor has to do without.
pub struct Ablation {
    pub name: &'static str,
    take: fn(&mut Observation),
}

pub const ABLATIONS: [Ablation; 9] = [
    Ablation { name: "CPU and GPU utilisation", take: |seen| take(seen, |series| is(series, &UTILIZATION)) },
    Ablation { name: "OverheadLatency", take: |seen| take(seen, |series| is(series, &["OverheadLatency"])) },
    Ablation {
        name: "ConcurrentRequestsPerModel",
        take: |seen| take(seen, |series| is(series, &["ConcurrentRequestsPerModel"])),
    },
    Ablation { name: "ModelLatency Minimum", take: |seen| take(seen, |series| is_latency(series, Statistic::Minimum)) },
    Ablation {
        name: "utilisation of single instances",
        take: |seen| take(seen, |series| is(series, &UTILIZATION) && series.statistic != Statistic::Average),
    },
    Ablation { name: "ModelLatency p50", take: |seen| take(seen, |series| is_latency(series, Statistic::P50)) },
    Ablation {
        name: "errors",
        take: |seen| {
            take(seen, |series| is(series, &["Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors"]));
        },
    },
    Ablation {
        name: "memory",
        take: |seen| take(seen, |series| is(series, &["MemoryUtilization", "GPUMemoryUtilization"])),
    },
    Ablation { name: "history beyond 3 h", take: forget },
];

const UTILIZATION: [&str; 2] = ["CPUUtilization", "GPUUtilization"];

/// Minutes that are left where only history is missing.
const SHORT_HISTORY: i64 = 180;

fn is(series: &Series, names: &[&str]) -> bool {
    names.contains(&series.metric.name())
}

fn is_latency(series: &Series, statistic: Statistic) -> bool {
    series.metric == Metric::ModelLatency && series.statistic == statistic
}

fn take(seen: &mut Observation, is_taken: impl Fn(&Series) -> bool) {
    seen.metrics.0.retain(|series| !is_taken(series));
}

fn forget(seen: &mut Observation) {
    let first = seen.last_minute().plus(1 - SHORT_HISTORY);
    for series in &mut seen.metrics.0 {
        let values = (0..SHORT_HISTORY).map(|minute| series.at(first.plus(minute))).collect();
        *series = Series::new(series.metric, series.statistic, first, values);
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub verdict: &'static str,
    pub sub_cause: Option<String>,
    pub confidence: f64,
    pub blocked_by: Option<String>,
    /// Whether it would scale.
    pub scales: bool,
}

impl Answer {
    fn of(observation: &Observation) -> Self {
        Self::from(diagnose(observation), observation.hosting)
    }

    fn from(diagnosis: Diagnosis, hosting: Hosting) -> Self {
        Self {
            verdict: diagnosis.verdict.name(),
            sub_cause: diagnosis.sub_cause,
            confidence: diagnosis.confidence,
            blocked_by: diagnosis
                .blocked_by
                .and_then(|blocked| serde_json::to_value(blocked).ok()?.as_str().map(str::to_owned)),
            scales: diagnosis.verdict.is_helped_by_scaling_of(hosting),
        }
    }
}

/// What was said of a capacity, over the true one.
#[derive(Debug, Clone, Copy)]
pub struct Sizing {
    pub value: f64,
    pub low: f64,
    /// None where only a lower bound was given.
    pub high: Option<f64>,
}

impl Sizing {
    fn of(observation: &Observation, truth: f64) -> Option<Self> {
        let capacity = capacity(observation)?;
        let is_estimate = capacity.bound == Bound::Estimate;
        Some(Self {
            value: capacity.invocations_per_instance_per_minute.0 / truth,
            low: capacity.low.0 / truth,
            high: capacity.high.filter(|_| is_estimate).map(|high| high.0 / truth),
        })
    }
}

/// One incident: what is right, and what was answered.
#[derive(Debug, Clone)]
pub struct Case {
    pub kind: Kind,
    pub family: String,
    pub replicate: u64,
    pub hours: i64,
    pub truth: Truth,
    pub answer: Answer,
    /// What was said of the capacity; of instances that answer at once `benches/policies.rs` asks.
    pub sizing: Option<Sizing>,
    /// With one part missing, in the order of [`ABLATIONS`]; of instances only.
    pub without: Vec<Answer>,
    /// Whether each of the simple rules would scale, in the order of [`baselines::BASELINES`]; of instances only.
    pub baselines: Vec<bool>,
}

impl Case {
    /// Generates an incident and lets everybody judge it.
    pub fn of(family: AnyFamily, set: Set, replicate: u64, is_whole_only: bool) -> Self {
        let Labelled { hours, truth, observation } = family.incident(set, replicate);
        let is_instances = family.kind() == Kind::Instances;
        let without = if is_whole_only || !is_instances {
            Vec::new()
        } else {
            let lacking = |ablation: &Ablation| {
                let mut lacking = observation.clone();
                (ablation.take)(&mut lacking);
                Answer::of(&lacking)
            };
            ABLATIONS.iter().map(lacking).collect()
        };
        Self {
            kind: family.kind(),
            family: family.name(),
            replicate,
            hours,
            answer: Answer::of(&observation),
            sizing: truth.capacity.filter(|_| !is_instances).and_then(|truth| Sizing::of(&observation, truth)),
            without,
            baselines: if is_instances { baselines::judge(&observation) } else { Vec::new() },
            truth,
        }
    }

    pub fn is_right(&self) -> bool {
        self.truth.allows(self.answer.verdict)
    }
}
