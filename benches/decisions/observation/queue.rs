//! Asynchronous endpoints.

use super::alarm;
use crate::family::Labelled;
use crate::observed::Seen;
use endpoint_advisor::model::{Observation, Scaling};
use simulator::queue::{Family, Incident};
use simulator::suite::Truth;

/// Minutes since the alarm.
const ALARMED: i64 = 3;
/// Minutes since the configuration was created: long ago.
const DEPLOYED: i64 = 20 * 1_440;

/// What the advisor would have read of this incident, and what is right.
pub fn of_queue(family: &Family, incident: &Incident) -> Labelled {
    let instances = u32::try_from(incident.instances).unwrap();
    let seen = Seen {
        trigger: alarm("transcribe-backlog", ALARMED),
        hosting: "asynchronous",
        instance_type: "ml.m5.xlarge",
        routing: "RANDOM",
        instances,
        desired: instances,
        scaling: Scaling { activities: Some(Vec::new()), ..Scaling::default() },
        objective_ms: 0.0,
        statistic: "p90",
        minutes_since_deployment: DEPLOYED,
        scaled_at: None,
        series: &incident.published,
    };
    let mut observation = Observation { objective: None, ..seen.observation() };
    observation.endpoint.max_concurrent_invocations_per_instance = incident.slots;
    let is_backlog = family.verdict == "backlog";
    let truth = Truth {
        verdict: family.verdict,
        also_right: Vec::new(),
        sub_cause: family.sub_cause,
        is_overload: Some(is_backlog),
        blocked_by: Vec::new(),
        trouble_minutes: incident.trouble_minutes,
        severity: 1.0,
        // Requests that fail or wait for S3 take another time, for as long as they do.
        capacity: (is_backlog || family.verdict == "transient").then_some(incident.capacity),
        physics: incident.physics.clone(),
        is_new_physics: incident.is_new_physics,
    };
    let minutes = incident.published.first().map_or(0, |series| series.values.len());
    Labelled { hours: i64::try_from(minutes).unwrap() / 60, truth, observation }
}
