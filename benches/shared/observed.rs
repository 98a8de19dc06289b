//! Simulated series as the observation that they would be.

use endpoint_advisor::model::{
    Endpoint, EndpointName, EndpointStatus, Hosting, InstanceCount, InstanceType, LatencyObjective, Metrics,
    Milliseconds, Minute, ObjectiveSource, Observation, Scaling, Series, TriggerSummary, Variant, VariantName,
};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use simulator::Published;
use std::collections::BTreeMap;

/// The end of every observed window: a Monday.
pub fn at() -> Timestamp {
    "2026-10-05T09:20:00Z".parse().unwrap()
}

/// So many minutes before the end.
pub fn minutes_ago(minutes: i64) -> Timestamp {
    at() - SignedDuration::from_mins(minutes)
}

/// A name of AWS that the advisor knows.
pub fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

/// What there is to see of a variant.
pub struct Seen<'a> {
    pub trigger: TriggerSummary,
    pub hosting: &'static str,
    pub instance_type: &'static str,
    pub routing: &'static str,
    pub instances: u32,
    pub desired: u32,
    pub scaling: Scaling,
    pub objective_ms: f64,
    pub statistic: &'static str,
    pub minutes_since_deployment: i64,
    /// Each change of the count changes the endpoint.
    pub scaled_at: Option<Timestamp>,
    pub series: &'a [Published],
}

impl Seen<'_> {
    /// What the advisor would have read.
    pub fn observation(self) -> Observation {
        let deployed_at = minutes_ago(self.minutes_since_deployment);
        Observation {
            version: "1".to_owned(),
            at: at(),
            trigger: self.trigger,
            endpoint_name: EndpointName::parse("orders").unwrap(),
            variant_name: Some(VariantName::parse("AllTraffic").unwrap()),
            inference_component_name: None,
            hosting: known::<Hosting>(self.hosting).unwrap(),
            is_hosting_known: true,
            endpoint: Endpoint {
                arn: "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders".to_owned(),
                status: EndpointStatus("InService".to_owned()),
                failure_reason: None,
                last_modified_at: Some(self.scaled_at.map_or(deployed_at, |scaled_at| scaled_at.max(deployed_at))),
                endpoint_config_name: Some("orders-7".to_owned()),
                endpoint_config_created_at: Some(deployed_at),
                ..Endpoint::default()
            },
            variant: Variant {
                instance_type: Some(InstanceType(self.instance_type.to_owned())),
                current_instance_count: Some(InstanceCount(self.instances)),
                desired_instance_count: Some(InstanceCount(self.desired)),
                routing_strategy: Some(self.routing.to_owned()),
                ..Variant::default()
            },
            component: None,
            tags: Some(BTreeMap::new()),
            scaling: Some(self.scaling),
            objective: Some(LatencyObjective {
                latency_slo_ms: Milliseconds(self.objective_ms),
                slo_statistic: self.statistic.parse().unwrap(),
                source: ObjectiveSource::Alarm,
            }),
            age_objective: None,
            alarms: None,
            instance_price: None,
            price_list_published: None,
            is_history_cut: false,
            metrics: Metrics(self.series.iter().filter_map(series).collect()),
            parts: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// A series that the advisor reads; none where it does not.
fn series(published: &Published) -> Option<Series> {
    let first = Minute::containing(at()).plus(-i64::try_from(published.values.len()).ok()?);
    Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values.clone()))
}
