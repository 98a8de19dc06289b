//! One incident through the advisor, whole and with parts of what it reads missing.

use crate::baselines;
use crate::observation::observation;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{Diagnosis, Metric, Observation, Series, Statistic};
use simulator::suite::{Family, Set, Truth, generate};

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

impl From<Diagnosis> for Answer {
    fn from(diagnosis: Diagnosis) -> Self {
        Self {
            verdict: diagnosis.verdict.name(),
            sub_cause: diagnosis.sub_cause,
            confidence: diagnosis.confidence,
            blocked_by: diagnosis
                .blocked_by
                .and_then(|blocked| serde_json::to_value(blocked).ok()?.as_str().map(str::to_owned)),
            scales: diagnosis.verdict.is_helped_by_scaling(),
        }
    }
}

/// One incident: what is right, and what was answered.
#[derive(Debug, Clone)]
pub struct Case {
    pub family: &'static str,
    pub replicate: u64,
    pub hours: i64,
    pub truth: Truth,
    pub answer: Answer,
    /// With one part missing, in the order of [`ABLATIONS`].
    pub without: Vec<Answer>,
    /// Whether each of the simple rules would scale, in the order of [`baselines::BASELINES`].
    pub baselines: Vec<bool>,
}

impl Case {
    /// Generates an incident and lets everybody judge it.
    pub fn of(family: &'static Family, set: Set, replicate: u64, is_whole_only: bool) -> Self {
        let incident = generate(family, set, replicate);
        let observation = observation(&incident);
        let without = if is_whole_only {
            Vec::new()
        } else {
            let lacking = |ablation: &Ablation| {
                let mut lacking = observation.clone();
                (ablation.take)(&mut lacking);
                diagnose(&lacking).into()
            };
            ABLATIONS.iter().map(lacking).collect()
        };
        Self {
            family: family.name,
            replicate,
            hours: incident.history_hours,
            answer: diagnose(&observation).into(),
            without,
            baselines: baselines::judge(&observation),
            truth: incident.truth,
        }
    }

    pub fn is_right(&self) -> bool {
        self.truth.allows(self.answer.verdict)
    }
}
