//! Serverless variants: what is said of them, and what is planned.

use crate::endpoint::{at, observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{
    Hosting, Metrics, Milliseconds, Minute, Observation, Series, Serverless, Variant, VariantWeight,
};
use endpoint_advisor::report::text;
use serde::de::DeserializeOwned;
use simulator::serverless_published;
use simulator::suite::{SERVERLESS_FAMILIES, ServerlessFamily, Set, serverless_incident};
use std::sync::LazyLock;

/// Everything of an observation that the way of hosting does not change.
static USUAL: LazyLock<Observation> = LazyLock::new(|| observed("hardly-used"));

/// A day and three hours of `orders/AllTraffic` as a serverless variant with the trouble of this family.
pub fn serverless(family: &ServerlessFamily, replicate: u64) -> Observation {
    let incident = serverless_incident(family, Set::Development, replicate);
    let mut observation = USUAL.clone();
    observation.hosting = Hosting::Serverless;
    observation.variant = Variant {
        serverless: Some(Serverless {
            memory_size_in_mb: incident.endpoint.memory_size_in_mb,
            max_concurrency: u32::try_from(incident.endpoint.max_concurrency).unwrap(),
            provisioned_concurrency: Some(u32::try_from(incident.provisioned).unwrap()).filter(|units| *units > 0),
        }),
        model_name: Some("orders".to_owned()),
        ..Variant::default()
    };
    observation.endpoint.weights = vec![VariantWeight {
        variant_name: observation.variant_name.clone().unwrap(),
        current_weight: 1.0,
        desired_weight: 1.0,
    }];
    if let Some(ago) = incident.deployed_minutes_ago {
        let deployed = Minute::containing(at()).plus(-ago).start();
        observation.endpoint.endpoint_config_created_at = Some(deployed);
    }
    observation.objective.as_mut().unwrap().latency_slo_ms = Milliseconds(incident.objective_ms.round());
    let first = Minute::containing(at()).plus(-i64::try_from(incident.minutes.len()).unwrap());
    let series = serverless_published(&incident.minutes).into_iter().filter_map(|published| {
        Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values))
    });
    observation.metrics = Metrics(series.collect());
    observation
}

/// What the advisor calls a metric or a statistic, if it knows it.
fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// The family of this name.
pub fn family(name: &str) -> &'static ServerlessFamily {
    SERVERLESS_FAMILIES.iter().find(|family| family.name == name).unwrap()
}

#[test]
fn each_trouble_is_named() {
    const EACH: u64 = 4;
    let mut wrong = Vec::new();
    for family in SERVERLESS_FAMILIES {
        for replicate in 0..EACH {
            let report = explain(&serverless(family, replicate), &settings(&[]));
            let said = (report.diagnosis.verdict.name(), report.diagnosis.sub_cause.as_deref());
            let is_right = said.0 == family.verdict && family.sub_cause.is_none_or(|wanted| said.1 == Some(wanted));
            if !is_right {
                wrong.push(format!("{} {replicate}: {said:?}\n{}", family.name, text::render(&report)));
            }
        }
    }
    let all = SERVERLESS_FAMILIES.len() * usize::try_from(EACH).unwrap();
    assert!(wrong.len() * 20 <= all, "{} of {all} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}
