//! Observations of simulated endpoints.

use endpoint_advisor::model::{
    Endpoint, EndpointName, EndpointStatus, Hosting, InstanceCount, InstanceType, LatencyObjective, Metric, Metrics,
    Milliseconds, Minute, ObjectiveSource, Observation, PolicyAlarm, ScalableTarget, Scaling, ScalingPolicy,
    ScheduledAction, Seconds, Series, Statistic, StepAdjustment, StepScaling, TargetTracking, TriggerKind,
    TriggerSummary, Variant, VariantName,
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use simulator::{Scenario, published, simulate};
use std::collections::BTreeMap;

/// The end of every observed window in these tests.
pub fn at() -> Timestamp {
    "2026-10-05T09:20:00Z".parse().unwrap()
}

/// Two days of `orders/AllTraffic` in the given scenario, with an alarm on p90 above 500 ms and no scaling set up.
pub fn observed(scenario: &str) -> Observation {
    observed_for(scenario, 2)
}

/// The same of so many days.
pub fn observed_for(scenario: &str, days: i64) -> Observation {
    let minutes = simulate(Scenario::named(scenario).unwrap(), days * 1_440, 7);
    let instances = InstanceCount(u32::try_from(minutes.last().unwrap().instances).unwrap());
    Observation {
        version: "1".to_owned(),
        at: at(),
        trigger: TriggerSummary {
            kind: TriggerKind::EventbridgeAlarm,
            alarm_name: Some("endpoint-latency-orders".to_owned()),
            state: Some("ALARM".to_owned()),
            changed_at: Some("2026-10-05T09:14:21.989Z".parse().unwrap()),
        },
        endpoint_name: EndpointName::parse("orders").unwrap(),
        variant_name: Some(VariantName::parse("AllTraffic").unwrap()),
        inference_component_name: None,
        hosting: Hosting::RealTime,
        is_hosting_known: true,
        endpoint: Endpoint {
            arn: "arn:aws:sagemaker:us-east-1:111122223333:endpoint/orders".to_owned(),
            status: EndpointStatus("InService".to_owned()),
            failure_reason: None,
            last_modified_at: Some("2026-09-20T10:00:00Z".parse().unwrap()),
            endpoint_config_name: Some("orders-7".to_owned()),
            endpoint_config_created_at: Some("2026-09-20T09:55:00Z".parse().unwrap()),
            ..Endpoint::default()
        },
        variant: Variant {
            instance_type: Some(InstanceType("ml.m5.xlarge".to_owned())),
            current_instance_count: Some(instances),
            desired_instance_count: Some(instances),
            ..Variant::default()
        },
        component: None,
        tags: Some(BTreeMap::new()),
        scaling: Some(Scaling {
            target: None,
            policies: Vec::new(),
            activities: Some(Vec::new()),
            scheduled_actions: Some(Vec::new()),
        }),
        objective: Some(LatencyObjective {
            latency_slo_ms: Milliseconds(500.0),
            slo_statistic: Statistic::P90,
            source: ObjectiveSource::Alarm,
        }),
        age_objective: None,
        alarms: None,
        instance_price: None,
        price_list_published: None,
        is_history_cut: false,
        metrics: metrics(&minutes),
        parts: Vec::new(),
        warnings: Vec::new(),
    }
}

/// What CloudWatch would answer about these minutes, as far as the advisor has a name for it.
fn metrics(minutes: &[simulator::Minute]) -> Metrics {
    let first = Minute::containing(at()).plus(-i64::try_from(minutes.len()).unwrap());
    let series = published(minutes).into_iter().filter_map(|published| {
        Some(Series::new(known(published.metric)?, known(published.statistic)?, first, published.values))
    });
    Metrics(series.collect())
}

/// What the advisor calls a metric or a statistic, if it knows it.
pub fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

/// The observation with a scalable target of somebody else, from 1 to 3 instances.
pub fn with_their_range(mut observation: Observation) -> Observation {
    observation.scaling.as_mut().unwrap().target = Some(ScalableTarget {
        arn: Some("arn:aws:application-autoscaling:us-east-1:111122223333:scalable-target/1a2b".to_owned()),
        min_capacity: InstanceCount(1),
        max_capacity: InstanceCount(3),
        tags: Some(BTreeMap::new()),
        ..ScalableTarget::default()
    });
    observation
}

/// The observation without one metric.
pub fn without(mut observation: Observation, metric: Metric) -> Observation {
    observation.metrics.0.retain(|series| series.metric != metric);
    observation
}

/// The settings of a function without any, or with these.
pub fn settings(variables: &[(&str, &str)]) -> endpoint_advisor::config::Settings {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    endpoint_advisor::config::Settings::read(|name| variables.get(name).map(|value| (*value).to_owned()))
}

/// Target tracking of somebody's.
pub fn tracking(name: &str, metric: &str, target_value: f64) -> ScalingPolicy {
    ScalingPolicy {
        policy_name: name.to_owned(),
        policy_type: "TargetTrackingScaling".to_owned(),
        target_tracking: Some(TargetTracking {
            metric: Some(metric.to_owned()),
            target_value,
            scale_out_cooldown: Some(Seconds(60)),
            scale_in_cooldown: Some(Seconds(600)),
            disable_scale_in: false,
            customized: None,
        }),
        ..ScalingPolicy::default()
    }
}

/// A policy of somebody's that adds an instance above this threshold of a metric; of metric math where it names none.
pub fn stepping(metric: Option<&str>, threshold: f64) -> ScalingPolicy {
    let alarm = PolicyAlarm {
        alarm_name: "surge".to_owned(),
        metric: metric.map(str::to_owned),
        statistic: metric.map(|_| "Sum".to_owned()),
        comparison_operator: "GreaterThanThreshold".to_owned(),
        threshold,
        period: Seconds(60),
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        dimensions: Vec::new(),
        treat_missing_data: None,
        description: None,
    };
    ScalingPolicy {
        policy_name: "surge".to_owned(),
        policy_type: "StepScaling".to_owned(),
        step_scaling: Some(StepScaling {
            adjustment_type: "ChangeInCapacity".to_owned(),
            steps: vec![StepAdjustment { lower_bound: Some(0.0), upper_bound: None, adjustment: 1 }],
            min_adjustment_magnitude: None,
            cooldown: None,
            metric_aggregation_type: None,
        }),
        alarms: Some(vec![alarm]),
        ..ScalingPolicy::default()
    }
}

/// A scheduled action that sets `MinCapacity`, in UTC.
pub fn scheduled(name: &str, schedule: &str, min: u32) -> ScheduledAction {
    ScheduledAction {
        name: name.to_owned(),
        schedule: schedule.to_owned(),
        timezone: None,
        min_capacity: Some(InstanceCount(min)),
        max_capacity: None,
        end_time: None,
    }
}
