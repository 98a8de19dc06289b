//! Serverless variants.

use super::alarm;
use crate::family::Labelled;
use crate::observed::Seen;
use endpoint_advisor::model::{Scaling, Serverless, Variant, VariantWeight};
use simulator::suite::{ServerlessFamily, ServerlessIncident, Truth};

/// Minutes since the alarm.
const ALARMED: i64 = 3;
/// Minutes since the configuration was created, where that is not why.
const DEPLOYED: i64 = 20 * 1_440;

/// What the advisor would have read of this incident, and what is right.
pub fn of_serverless(family: &ServerlessFamily, incident: &ServerlessIncident) -> Labelled {
    let (series, later) = incident.seen();
    let seen = Seen {
        trigger: alarm("orders-latency", ALARMED),
        hosting: "serverless",
        instance_type: "",
        routing: "RANDOM",
        instances: 0,
        desired: 0,
        scaling: Scaling { activities: Some(Vec::new()), ..Scaling::default() },
        objective_ms: incident.objective_ms.round(),
        statistic: "p90",
        minutes_since_deployment: incident.deployed_minutes_ago.map_or(DEPLOYED, |ago| ago + later),
        scaled_at: None,
        series: &series,
    };
    let mut observation = seen.observation();
    let provisioned = u32::try_from(incident.provisioned).unwrap();
    observation.variant = Variant {
        serverless: Some(Serverless {
            memory_size_in_mb: incident.endpoint.memory_size_in_mb,
            max_concurrency: u32::try_from(incident.endpoint.max_concurrency).unwrap(),
            provisioned_concurrency: Some(provisioned).filter(|units| *units > 0),
        }),
        model_name: Some("orders".to_owned()),
        ..Variant::default()
    };
    observation.endpoint.weights = vec![VariantWeight {
        variant_name: observation.variant_name.clone().unwrap(),
        current_weight: 1.0,
        desired_weight: 1.0,
    }];
    let truth = Truth {
        verdict: family.verdict,
        also_right: family.also_right.to_vec(),
        sub_cause: family.sub_cause,
        is_overload: family.is_helped_by_units,
        blocked_by: Vec::new(),
        trouble_minutes: incident.trouble_minutes(later),
        severity: 1.0,
        capacity: Some(incident.capacity),
        physics: format!("{:?}", incident.endpoint),
        is_new_physics: incident.is_new_physics,
    };
    Labelled { hours: i64::try_from(incident.minutes.len()).unwrap() / 60, truth, observation }
}
