//! A simulated incident as the observation that it would be.

use endpoint_advisor::model::{
    Endpoint, EndpointName, EndpointStatus, Hosting, InstanceCount, InstanceType, LatencyObjective, Metrics,
    Milliseconds, Minute, ObjectiveSource, Observation, ScalableTarget, Scaling, ScalingActivity, ScalingPolicy,
    Series, TargetTracking, TriggerKind, TriggerSummary, Variant, VariantName,
};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use simulator::Published;
use simulator::suite::Incident;
use std::collections::BTreeMap;

/// The end of every observed window.
fn at() -> Timestamp {
    "2026-10-05T09:20:00Z".parse().unwrap()
}

fn minutes_ago(minutes: i64) -> Timestamp {
    at() - SignedDuration::from_mins(minutes)
}

/// What the advisor would have read of this incident.
pub fn observation(incident: &Incident) -> Observation {
    let deployed_at = minutes_ago(incident.minutes_since_deployment);
    // Each scaling activity changes the endpoint.
    let activity = incident.scaling.as_ref().and_then(|scaling| scaling.activity.as_ref());
    let scaled_at = activity.filter(|activity| activity.status != "Failed").map(|last| minutes_ago(last.minutes_ago));
    Observation {
        version: "1".to_owned(),
        at: at(),
        trigger: TriggerSummary {
            kind: TriggerKind::EventbridgeAlarm,
            alarm_name: Some("orders-latency".to_owned()),
            state: Some("ALARM".to_owned()),
            changed_at: Some(minutes_ago(incident.minutes_since_alarm)),
        },
        endpoint_name: EndpointName::parse("orders").unwrap(),
        variant_name: Some(VariantName::parse("AllTraffic").unwrap()),
        inference_component_name: None,
        hosting: known::<Hosting>(incident.hosting).unwrap(),
        is_hosting_known: true,
        endpoint: Endpoint {
            arn: "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders".to_owned(),
            status: EndpointStatus("InService".to_owned()),
            failure_reason: None,
            last_modified_at: Some(scaled_at.map_or(deployed_at, |scaled_at| scaled_at.max(deployed_at))),
            endpoint_config_name: Some("orders-7".to_owned()),
            endpoint_config_created_at: Some(deployed_at),
        },
        variant: Variant {
            instance_type: Some(InstanceType(incident.instance_type.to_owned())),
            current_instance_count: Some(InstanceCount(incident.instances)),
            desired_instance_count: Some(InstanceCount(incident.desired)),
            routing_strategy: Some(incident.routing.to_owned()),
        },
        tags: Some(BTreeMap::new()),
        scaling: Some(scaling(incident)),
        objective: Some(LatencyObjective {
            latency_slo_ms: Milliseconds(incident.objective_ms),
            slo_statistic: incident.statistic.parse().unwrap(),
            source: ObjectiveSource::Alarm,
        }),
        instance_price: None,
        metrics: Metrics(incident.series.iter().filter_map(series).collect()),
        warnings: Vec::new(),
    }
}

/// A series that the advisor reads; none where it does not.
fn series(published: &Published) -> Option<Series> {
    let first = Minute::containing(at()).plus(-i64::try_from(published.values.len()).ok()?);
    Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values.clone()))
}

/// A name of AWS that the advisor knows.
fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

fn scaling(incident: &Incident) -> Scaling {
    let Some(scaling) = &incident.scaling else {
        return Scaling { target: None, activities: Some(Vec::new()), ..Scaling::default() };
    };
    let activity = scaling.activity.as_ref().map(|activity| ScalingActivity {
        started_at: minutes_ago(activity.minutes_ago),
        ended_at: (activity.status != "InProgress").then(|| minutes_ago(activity.minutes_ago - 1)),
        status_code: activity.status.to_owned(),
        status_message: Some(activity.message.clone()),
        description: format!("Setting desired instance count to {}.", activity.wanted),
        cause: "monitor alarm TargetTracking-endpoint/orders/variant/AllTraffic in state ALARM".to_owned(),
        not_scaled_reasons: Vec::new(),
    });
    Scaling {
        target: Some(ScalableTarget {
            arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
            min_capacity: InstanceCount(scaling.min),
            max_capacity: InstanceCount(scaling.max),
            is_scale_out_suspended: false,
            tags: Some(BTreeMap::new()),
            ..ScalableTarget::default()
        }),
        policies: vec![ScalingPolicy {
            policy_name: "keep-up".to_owned(),
            policy_type: "TargetTrackingScaling".to_owned(),
            target_tracking: Some(TargetTracking {
                metric: Some("SageMakerVariantInvocationsPerInstance".to_owned()),
                target_value: scaling.target,
                scale_out_cooldown: None,
                scale_in_cooldown: None,
                disable_scale_in: false,
            }),
            ..ScalingPolicy::default()
        }],
        activities: Some(activity.into_iter().collect()),
        ..Scaling::default()
    }
}
