//! Observations of simulated endpoints.

use endpoint_advisor::model::{
    Endpoint, EndpointName, EndpointStatus, Hosting, InstanceCount, InstanceType, LatencyObjective, Metric, Metrics,
    Milliseconds, Minute, ObjectiveSource, Observation, Scaling, Series, Statistic, TriggerKind, TriggerSummary,
    Variant, VariantName,
};
use jiff::Timestamp;
use simulator::{Scenario, simulate};
use std::collections::BTreeMap;

/// The end of every observed window in these tests.
pub fn at() -> Timestamp {
    "2026-10-05T09:20:00Z".parse().unwrap()
}

/// Two days of `orders/AllTraffic` in the given scenario, with an alarm on p90 above 500 ms and no scaling set up.
pub fn observed(scenario: &str) -> Observation {
    let minutes = simulate(Scenario::named(scenario).unwrap(), 2 * 1_440, 7);
    let first = Minute::containing(at()).plus(-i64::try_from(minutes.len()).unwrap());
    let series = |metric, statistic, value: &dyn Fn(&simulator::Minute) -> Option<f64>| {
        Series::new(metric, statistic, first, minutes.iter().map(value).collect())
    };
    let per_request = |minute: &simulator::Minute, value: f64| (minute.invocations > 0).then_some(value);
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
        },
        variant: Variant {
            instance_type: Some(InstanceType("ml.m5.xlarge".to_owned())),
            current_instance_count: Some(instances),
            desired_instance_count: Some(instances),
            routing_strategy: None,
        },
        tags: Some(BTreeMap::new()),
        scaling: Some(Scaling { target: None, policies: Vec::new(), activities: Some(Vec::new()) }),
        objective: Some(LatencyObjective {
            latency_slo_ms: Milliseconds(500.0),
            slo_statistic: Statistic::P90,
            source: ObjectiveSource::Alarm,
        }),
        instance_price: None,
        metrics: Metrics(vec![
            series(Metric::Invocations, Statistic::Sum, &|m| Some(m.invocations as f64)),
            series(Metric::InvocationsPerInstance, Statistic::Sum, &|m| {
                Some(m.invocations as f64 / m.instances as f64)
            }),
            series(Metric::ModelLatency, Statistic::P90, &|m| m.latency_quantile(0.9)),
            series(Metric::ModelLatency, Statistic::P99, &|m| m.latency_quantile(0.99)),
            series(Metric::ModelLatency, Statistic::Average, &|m| m.latency_average()),
            series(Metric::ModelLatency, Statistic::P50, &|m| m.latency_quantile(0.5)),
            series(Metric::OverheadLatency, Statistic::Average, &|m| per_request(m, m.overhead_latency_us[0].0)),
            series(Metric::Invocation4XXErrors, Statistic::Sum, &|m| per_request(m, m.errors_4xx as f64)),
            series(Metric::Invocation5XXErrors, Statistic::Sum, &|m| per_request(m, m.errors_5xx as f64)),
            series(Metric::CPUUtilization, Statistic::Average, &|m| Some(mean(&m.cpu_percent))),
            series(Metric::MemoryUtilization, Statistic::Average, &|m| Some(mean(&m.memory_percent))),
        ]),
        warnings: Vec::new(),
    }
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

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
