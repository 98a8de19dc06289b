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
    // Latency before anything else, wherever it stands: traffic is often listed with it.
    let (latency, others): (Vec<_>, Vec<_>) = metrics.iter().partition(|metric| metric.name == MODEL_LATENCY);
    for metric in latency.into_iter().chain(others) {
        if let Some(subject) = subject(metric)? {
            return Ok(Some((subject, objective(metric, threshold))));
        }
    }
    Ok(None)
}

const MODEL_LATENCY: &str = "ModelLatency";

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
    if metric.name != MODEL_LATENCY {
        return AlarmObjective::NotOnModelLatency;
    }
    match (metric.statistic, threshold) {
        (Some(statistic), _) if !statistic.is_of_latency() => AlarmObjective::NotOnModelLatency,
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

/// Whether a metric-math expression compares a metric itself with the threshold: `m1`, `FILL(m1, 0)`, `IF(m2 > 30, m1)`,
/// `IF(m2 > 30, m1, 0)`. Anything else (`m1 / 1000`, `IF(m1 > 500000, 1, 0)`) compares something whose threshold is no
/// latency.
#[must_use]
pub fn keeps_the_unit(expression: &str) -> bool {
    let is_metric = |text: &str| {
        let text = text.trim();
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let inner = |function: &str| expression.trim().strip_prefix(function)?.trim().strip_prefix('(')?.strip_suffix(')');
    if let Some(arguments) = inner("FILL") {
        return arguments.split(',').next().is_some_and(is_metric);
    }
    if let Some(arguments) = inner("IF") {
        let arguments: Vec<&str> = arguments.split(',').collect();
        return match arguments[..] {
            [_, value] => is_metric(value),
            [_, value, other] => is_metric(value) && (is_metric(other) || other.trim().parse::<f64>().is_ok()),
            _ => false,
        };
    }
    is_metric(expression)
}

/// Whether an alarm of this comparison operator fires on high values. One that fires on low latency states no objective.
#[must_use]
pub fn fires_on_high(comparison_operator: &str) -> bool {
    comparison_operator.is_empty() || comparison_operator.starts_with("Greater")
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
    fn an_expression_that_compares_something_else_states_no_latency() {
        for expression in ["m1", "FILL(m1, 0)", "IF(m2 > 30, m1)", "IF(m2 > 30, m1, 0)", " IF( m2 > 30 , m1 , m3 ) "] {
            assert!(keeps_the_unit(expression), "{expression}");
        }
        for expression in
            ["m1 / 1000", "m1-m2", "m1 + m2", "IF(m1 > 500000, 1, 0)", "ANOMALY_DETECTION_BAND(m1, 2)", "", "1"]
        {
            assert!(!keeps_the_unit(expression), "{expression}");
        }
    }

    #[test]
    fn latency_is_found_wherever_it_stands() {
        let metric = |name: &str| AlarmMetric {
            namespace: "AWS/SageMaker".to_owned(),
            name: name.to_owned(),
            dimensions: [("EndpointName", "orders"), ("VariantName", "a")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            statistic: Some(Statistic::P90),
        };
        let (_, objective) = watched(&[metric("Invocations"), metric("ModelLatency")], Some(5e5)).unwrap().unwrap();
        assert!(matches!(objective, AlarmObjective::Known(_)));
    }

    #[test]
    fn an_objective_is_a_latency_above_zero() {
        let of = |statistic: Option<Statistic>, threshold: f64| {
            let metric = AlarmMetric {
                namespace: "AWS/SageMaker".to_owned(),
                name: "ModelLatency".to_owned(),
                dimensions: BTreeMap::new(),
                statistic,
            };
            objective(&metric, Some(threshold))
        };
        for threshold in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(of(Some(Statistic::P90), threshold), AlarmObjective::NotInEvent, "{threshold}");
        }
        assert_eq!(of(None, 5e5), AlarmObjective::NotInEvent, "of which statistic is not known");
        assert_eq!(of(Some(Statistic::SampleCount), 5e5), AlarmObjective::NotOnModelLatency, "that is no latency");
        assert_eq!(of(Some(Statistic::SampleCount), -1.0), AlarmObjective::NotOnModelLatency);
    }

    #[test]
    fn only_metrics_of_sagemaker_are_of_an_endpoint() {
        let of = |namespace: &str| {
            subject(&AlarmMetric {
                namespace: namespace.to_owned(),
                name: "CPUUtilization".to_owned(),
                dimensions: [("EndpointName".to_owned(), "orders".to_owned())].into(),
                statistic: None,
            })
            .unwrap()
        };
        assert!(of("AWS/SageMaker").is_some() && of("/aws/sagemaker/Endpoints").is_some());
        assert!(of("AWS/EC2").is_none() && of("Orders").is_none());
    }
}
