//! Where to look: console pages, the whole definition of a graph in its link.

use crate::model::{InstanceCount, Links, Metric, Minute, Observation, ScalableDimension, Statistic};

/// Links to the endpoint and to a graph of its latency and load.
#[must_use]
pub fn links(observation: &Observation) -> Links {
    let endpoint = &observation.endpoint;
    let region = endpoint.region();
    let console = match endpoint.partition() {
        "aws-cn" => format!("{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("{region}.console.amazonaws-us-gov.com"),
        _ => format!("{region}.console.aws.amazon.com"),
    };
    let name = &observation.endpoint_name;
    Links {
        console: format!("https://{console}/sagemaker/home?region={region}#/endpoints/{name}"),
        graph: format!("https://{console}/cloudwatch/home?region={region}#metricsV2:graph={}", graph(observation)),
    }
}

/// The graph in the console's own notation: `~(` opens an object or array, `~` separates, `'` begins a string, and
/// anything but letters, digits, `-`, `_` and `.` in a string is `*` and two hex digits.
fn graph(observation: &Observation) -> String {
    let statistic = observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic).to_string();
    let (dimension, part) = match (&observation.inference_component_name, &observation.variant_name) {
        (Some(component), _) => (None, ("InferenceComponentName", component.as_str())),
        (None, Some(variant)) => (Some(observation.endpoint_name.as_str()), ("VariantName", variant.as_str())),
        (None, None) => (None, ("EndpointName", observation.endpoint_name.as_str())),
    };
    let line = |metric: Metric, stat: &str, axis: &str| {
        if metric.is_of_endpoint() {
            let name = encode(observation.endpoint_name.as_str());
            let namespace = encode(metric.namespace());
            return format!("~(~'{namespace}~'{}~'EndpointName~'{name}~(stat~'{stat}~yAxis~'{axis}))", metric.name());
        }
        let endpoint = dimension.map(|name| format!("~'EndpointName~'{}", encode(name))).unwrap_or_default();
        format!(
            "~(~'{}~'{}{endpoint}~'{}~'{}~(stat~'{}~yAxis~'{axis}))",
            encode(metric.namespace()),
            metric.name(),
            part.0,
            encode(part.1),
            encode(stat)
        )
    };
    let latency = || observation.objective.map(|objective| objective.latency_slo_ms.to_microseconds().0);
    let age = || observation.age_objective.map(|age| f64::from(age.0));
    let objective = if observation.is_asynchronous() { age() } else { latency() };
    let annotation =
        objective.map(|objective| format!("~annotations~(horizontal~(~(label~'objective~value~{objective:.0})))"));
    let lines = if observation.is_asynchronous() {
        let age = line(Metric::ApproximateAgeOfOldestRequest, "Maximum", "left");
        age + &line(Metric::ApproximateBacklogSize, "Average", "right")
    } else {
        let load = match (observation.dimension(), observation.running()) {
            // Without a copy there is no load, only requests that are refused.
            (ScalableDimension::CopyCount, Some(InstanceCount(0))) => Metric::NoCapacityInvocationFailures,
            (ScalableDimension::CopyCount, _) => Metric::InvocationsPerCopy,
            (ScalableDimension::ProvisionedConcurrency, _) => Metric::Invocations,
            (ScalableDimension::InstanceCount, _) => Metric::InvocationsPerInstance,
        };
        line(Metric::ModelLatency, &statistic, "left") + &line(load, "Sum", "right")
    };
    let end = Minute::containing(observation.at);
    format!(
        "~(metrics~({lines})~view~'timeSeries~stacked~false~region~'{}~period~60~start~'{}~end~'{}{})",
        encode(observation.endpoint.region()),
        encode(&end.plus(-24 * 60).start().to_string()),
        encode(&end.start().to_string()),
        annotation.unwrap_or_default(),
    )
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            other => out.push_str(&format!("*{other:02x}")),
        }
    }
    out
}
