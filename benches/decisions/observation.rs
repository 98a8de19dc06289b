//! A simulated incident as the observation that it would be.

#[path = "observation/components.rs"]
mod components;
#[path = "observation/queue.rs"]
mod queue;
#[path = "observation/serverless.rs"]
mod serverless;

pub use components::of_component;
pub use queue::of_queue;
pub use serverless::of_serverless;

use crate::observed::{Seen, minutes_ago};
use endpoint_advisor::model::{
    InstanceCount, Observation, ScalableTarget, Scaling, ScalingActivity, ScalingPolicy, TargetTracking, TriggerKind,
    TriggerSummary,
};
use simulator::suite::Incident;
use std::collections::BTreeMap;

/// What the advisor would have read of this incident.
pub fn observation(incident: &Incident) -> Observation {
    let activity = incident.scaling.as_ref().and_then(|scaling| scaling.activity.as_ref());
    let scaled_at = activity.filter(|activity| activity.status != "Failed").map(|last| minutes_ago(last.minutes_ago));
    Seen {
        trigger: alarm("orders-latency", incident.minutes_since_alarm),
        hosting: incident.hosting,
        instance_type: incident.instance_type,
        routing: incident.routing,
        instances: incident.instances,
        desired: incident.desired,
        scaling: scaling(incident, "SageMakerVariantInvocationsPerInstance"),
        objective_ms: incident.objective_ms,
        statistic: incident.statistic,
        minutes_since_deployment: incident.minutes_since_deployment,
        scaled_at,
        series: &incident.series,
    }
    .observation()
}

fn alarm(name: &str, minutes: i64) -> TriggerSummary {
    TriggerSummary {
        kind: TriggerKind::EventbridgeAlarm,
        alarm_name: Some(name.to_owned()),
        state: Some("ALARM".to_owned()),
        changed_at: Some(minutes_ago(minutes)),
    }
}

fn scaling(incident: &Incident, tracked: &str) -> Scaling {
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
                metric: Some(tracked.to_owned()),
                target_value: scaling.target,
                scale_out_cooldown: None,
                scale_in_cooldown: None,
                disable_scale_in: false,
                customized: None,
            }),
            ..ScalingPolicy::default()
        }],
        activities: Some(activity.into_iter().collect()),
        ..Scaling::default()
    }
}
