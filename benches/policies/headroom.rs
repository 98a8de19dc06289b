//! How well the room for bursts is sized: endpoints whose burstiness is known, and the count that is advised for each, tried
//! request by request.

use crate::observed::{Seen, minutes_ago};
use crate::statistics::{quantile, share};
use endpoint_advisor::advise::explain;
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{
    Action, InstanceCount, Observation, Plan, Scaling, TriggerKind, TriggerSummary, Verdict,
};
use serde::Serialize;
use simulator::production::{Bursty, Coming, bursty};
use simulator::suite::Set;

/// One endpoint, and what was advised.
#[derive(Debug, Clone, Serialize)]
pub struct Sized {
    pub replicate: u64,
    pub is_hourly: bool,
    /// Seconds of a burst inside the minute.
    pub seconds: Option<f64>,
    pub physics: String,
    pub verdict: &'static str,
    pub instances: usize,
    /// The fewest that absorb the bursts.
    pub fewest: Option<usize>,
    /// Those that are advised; none where the plan holds.
    pub advised: Option<u32>,
    pub is_kept: bool,
    pub hold_reason: Option<String>,
    pub why: String,
}

impl Sized {
    pub fn of(set: Set, replicate: u64) -> Self {
        let bursty = bursty(set, replicate);
        let variables = |name: &str| (name == "ADVISOR_MAX_INSTANCES").then(|| "1000".to_owned());
        let report = explain(&observation(&bursty), &Settings::read(variables));
        let is_burst = report.diagnosis.verdict == Verdict::Burst;
        let advised = Some(&report.plan).filter(|plan| is_burst && plan.action == Action::Scale).and_then(most);
        Self {
            replicate,
            is_hourly: matches!(bursty.coming, Coming::Hourly(_)),
            seconds: match bursty.coming {
                Coming::Within(burst) => Some(burst.seconds),
                Coming::Hourly(_) => None,
            },
            physics: format!("{:?}", bursty.variant.endpoint.discipline),
            verdict: report.diagnosis.verdict.name(),
            instances: bursty.instances,
            fewest: bursty.fewest(),
            advised: advised.map(|count| count.0),
            is_kept: advised.is_some_and(|count| bursty.is_absorbed_by(count.0 as usize)),
            hold_reason: report.plan.hold_reason.map(|reason| reason.code()),
            why: report.plan.reasoning.first().cloned().unwrap_or_default(),
        }
    }

    /// Instances advised over the fewest that do.
    fn cost(&self) -> Option<f64> {
        Some(f64::from(self.advised?) / self.fewest? as f64)
    }
}

/// The instances that are there when a burst comes.
fn most(plan: &Plan) -> Option<InstanceCount> {
    let scheduled = plan.put_scheduled_actions.iter().map(|action| action.scalable_target_action.min_capacity);
    scheduled.chain(plan.register_scalable_target.as_ref().map(|register| register.min_capacity)).max()
}

/// How well it is sized in some cases.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub name: &'static str,
    /// Called a burst, and of these: those that are sized.
    pub cases: usize,
    pub advised: usize,
    /// Of those: the objective is kept.
    pub kept: f64,
    /// Instances over the fewest that keep it.
    pub cost_median: f64,
    pub cost_p90: f64,
}

/// All, and those with bursts of some length.
pub fn scores(all: &[Sized]) -> Vec<Score> {
    let within = |least: f64, most: f64| {
        move |sized: &Sized| sized.seconds.is_some_and(|seconds| seconds >= least && seconds < most)
    };
    vec![
        score("bursts inside minutes", all, |sized| !sized.is_hourly),
        score("  of 1 to 2 s", all, within(1.0, 2.0)),
        score("  of 2 to 5 s", all, within(2.0, 5.0)),
        score("  of 5 to 10 s", all, within(5.0, 10.0)),
        score("  of 10 to 20 s", all, within(10.0, 20.0)),
        score("  workers", all, |sized| !sized.is_hourly && sized.physics.starts_with("Fifo")),
        score("  shared cores", all, |sized| !sized.is_hourly && sized.physics.starts_with("Processor")),
        score("  batches", all, |sized| !sized.is_hourly && sized.physics.starts_with("Batching")),
        score("hourly herds", all, |sized| sized.is_hourly),
    ]
}

fn score(name: &'static str, all: &[Sized], is_one: impl Fn(&Sized) -> bool) -> Score {
    let cases: Vec<&Sized> = all.iter().filter(|sized| sized.verdict == "burst" && is_one(sized)).collect();
    let advised: Vec<&Sized> = cases.iter().copied().filter(|sized| sized.advised.is_some()).collect();
    let costs: Vec<f64> = advised.iter().filter_map(|sized| sized.cost()).collect();
    Score {
        name,
        cases: cases.len(),
        advised: advised.len(),
        kept: share(&advised, |sized| sized.is_kept),
        cost_median: quantile(&costs, 0.5),
        cost_p90: quantile(&costs, 0.9),
    }
}

/// What CloudWatch shows of it, three minutes after the alarm.
fn observation(bursty: &Bursty) -> Observation {
    Seen {
        trigger: TriggerSummary {
            kind: TriggerKind::EventbridgeAlarm,
            alarm_name: Some("orders-latency".to_owned()),
            state: Some("ALARM".to_owned()),
            changed_at: Some(minutes_ago(bursty.minutes_since_alarm)),
        },
        hosting: "real_time",
        instance_type: bursty.variant.instance_type,
        routing: bursty.variant.routing(),
        instances: bursty.instances as u32,
        desired: bursty.instances as u32,
        scaling: Scaling { activities: Some(Vec::new()), scheduled_actions: Some(Vec::new()), ..Scaling::default() },
        objective_ms: bursty.variant.objective_us / 1e3,
        statistic: bursty.variant.statistic,
        minutes_since_deployment: 60 * 1_440,
        scaled_at: None,
        series: &bursty.series,
    }
    .observation()
}
