//! What a CloudWatch alarm says about an endpoint, whether an event or `DescribeAlarms` told it.

use super::{
    AlarmObjective, EndpointName, InferenceComponentName, InvalidName, LatencyObjective, Microseconds, ObjectiveSource,
    Statistic, Subject, VariantName,
};
use std::collections::BTreeMap;

/// One metric behind an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmMetric {
    /// CloudWatch namespace.
    pub namespace: String,
    /// Metric name.
    pub name: String,
    /// Dimensions, name to value.
    pub dimensions: BTreeMap<String, String>,
    /// The statistic; none where it is not one of latency's.
    pub statistic: Option<Statistic>,
}

/// The subject and objective of the first metric that belongs to a SageMaker endpoint or component; none where no
/// metric does. `threshold` is the alarm's, in the unit of what it compares.
///
/// # Errors
/// Where a dimension holds a name that SageMaker would refuse.
pub fn watched(
    metrics: &[AlarmMetric],
    threshold: Option<f64>,
) -> Result<Option<(Subject, AlarmObjective)>, InvalidName> {
    for metric in metrics {
        if let Some(subject) = subject(metric)? {
            return Ok(Some((subject, objective(metric, threshold))));
        }
    }
    Ok(None)
}

fn subject(metric: &AlarmMetric) -> Result<Option<Subject>, InvalidName> {
    if metric.namespace != "AWS/SageMaker" && !metric.namespace.starts_with("/aws/sagemaker/") {
        return Ok(None);
    }
    if let Some(component) = metric.dimensions.get("InferenceComponentName") {
        return InferenceComponentName::parse(component).map(|name| Some(Subject::InferenceComponent(name)));
    }
    let Some(endpoint) = metric.dimensions.get("EndpointName") else { return Ok(None) };
    let endpoint = EndpointName::parse(endpoint)?;
    match metric.dimensions.get("VariantName") {
        Some(variant) => VariantName::parse(variant).map(|variant| Some(Subject::Variant(endpoint, variant))),
        None => Ok(Some(Subject::Endpoint(endpoint))),
    }
}

/// Only `ModelLatency` supplies an objective; its unit is microseconds.
fn objective(metric: &AlarmMetric, threshold: Option<f64>) -> AlarmObjective {
    if metric.name != "ModelLatency" {
        return AlarmObjective::NotOnModelLatency;
    }
    match (metric.statistic, threshold) {
        // The sum of latencies, or how many there were, is no latency.
        (Some(Statistic::Sum | Statistic::SampleCount), _) => AlarmObjective::NotOnModelLatency,
        (Some(slo_statistic), Some(threshold)) if threshold > 0.0 && threshold.is_finite() => {
            AlarmObjective::Known(LatencyObjective {
                latency_slo_ms: Microseconds(threshold).to_milliseconds(),
                slo_statistic,
                source: ObjectiveSource::Alarm,
            })
        }
        _ => AlarmObjective::NotInEvent,
    }
}

/// Whether a metric-math expression compares latency itself with the threshold. `IF(m2 > 30, m1, 0)` and `FILL(m1, 0)`
/// do; `m1 / 1000` or `m1 + m2` compare something else, whose threshold is no latency.
#[must_use]
pub fn keeps_the_unit(expression: &str) -> bool {
    !expression.contains(['+', '*', '/']) && !expression.contains(" - ")
}

/// `arn:aws:cloudwatch:us-east-1:111122223333:alarm:name` → `name`.
#[must_use]
pub fn alarm_name_of(arn: &str) -> Option<String> {
    arn.strip_prefix("arn:")?.splitn(6, ':').nth(5).map(str::to_owned)
}

/// The alarms that a composite alarm's rule says must be in ALARM: `ALARM(a) AND ALARM("b")` → `a`, `b`.
#[must_use]
pub fn alarms_in_rule(rule: &str) -> Vec<String> {
    rule.split("ALARM(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|name| name.trim().trim_matches(['"', '\'']).trim())
        .map(|name| alarm_name_of(name).unwrap_or_else(|| name.to_owned()))
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_the_alarms_that_must_be_in_alarm() {
        let rule = r#"(ALARM(orders-latency) OR ALARM("arn:aws:cloudwatch:us-east-1:1:alarm:a b")) AND NOT OK(x)"#;
        assert_eq!(alarms_in_rule(rule), ["orders-latency", "a b"]);
        assert_eq!(alarms_in_rule("TRUE"), [""; 0]);
    }

    #[test]
    fn only_a_model_latency_alarm_supplies_the_objective() {
        let metric = |name: &str| AlarmMetric {
            namespace: "AWS/SageMaker".to_owned(),
            name: name.to_owned(),
            dimensions: BTreeMap::new(),
            statistic: Some(Statistic::P90),
        };
        assert_eq!(objective(&metric("OverheadLatency"), Some(5e5)), AlarmObjective::NotOnModelLatency);
        assert_eq!(objective(&metric("ModelLatency"), None), AlarmObjective::NotInEvent);
        let AlarmObjective::Known(objective) = objective(&metric("ModelLatency"), Some(5e5)) else { panic!() };
        assert_eq!(objective.latency_slo_ms.0, 500.0);
    }

    #[test]
    fn an_expression_that_changes_the_unit_states_no_latency() {
        assert!(keeps_the_unit("IF(m2 > 30, m1, 0)"));
        assert!(!keeps_the_unit("m1 / 1000"));
        assert!(!keeps_the_unit("m1 + m2"));
    }
}
