//! Under which names SageMaker publishes metrics. CloudWatch answers a wrong one with nothing, never with an error.

use crate::model::{Hosting, Metric, MetricDimension, Observation, is_of_sagemaker};
use serde_json::Value;

/// Published without `VariantName`.
const OF_ENDPOINT: [&str; 4] = [
    "ApproximateBacklogSize",
    "ApproximateBacklogSizePerInstance",
    "ApproximateAgeOfOldestRequest",
    "HasBacklogWithoutCapacity",
];
/// Published with `InferenceComponentName` alone.
const OF_COMPONENT: [&str; 3] = ["InvocationsPerCopy", "ConcurrentRequestsPerCopy", "NoCapacityInvocationFailures"];

/// The metric of this name, where the advisor knows it.
pub(super) fn metric(name: &str) -> Option<Metric> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

/// Why a metric by these names has no datapoints that say anything of the variant or component; none where it has, or nobody
/// here knows.
pub(super) fn problem(
    namespace: &str,
    name: &str,
    dimensions: &[MetricDimension],
    observation: &Observation,
) -> Option<String> {
    if !is_of_sagemaker(namespace) {
        return None;
    }
    // Normalised utilisation is published of instances and of components.
    let home = metric(name).map(Metric::namespace).filter(|_| !name.ends_with("Normalized"));
    if let Some(home) = home.filter(|home| *home != namespace) {
        return Some(format!("{name} is published in `{home}`, not in `{namespace}`"));
    }
    let value = |wanted: &str| {
        dimensions.iter().find(|dimension| dimension.name == wanted).map(|dimension| dimension.value.as_str())
    };
    if OF_COMPONENT.contains(&name) {
        let is_named = value("InferenceComponentName").is_some();
        return (!is_named).then(|| format!("{name} is published with InferenceComponentName, which is missing"));
    }
    if value("InferenceComponentName").is_some() {
        return None;
    }
    let Some(endpoint) = value("EndpointName") else {
        return Some(format!("{name} is published with EndpointName, which is missing"));
    };
    if endpoint != observation.endpoint_name.as_str() {
        return Some(format!("it is of another endpoint, {}", super::words::named(endpoint)));
    }
    match (OF_ENDPOINT.contains(&name), value("VariantName")) {
        (true, Some(_)) => Some(format!("{name} is published with EndpointName alone, and VariantName is there too")),
        (false, None) => {
            Some(format!("{name} is published with EndpointName and VariantName, and VariantName is missing"))
        }
        (false, Some(variant)) if observation.variant_name.as_ref().is_some_and(|own| own.as_str() != variant) => {
            Some(format!("it is of another variant, {}", super::words::named(variant)))
        }
        _ => None,
    }
}

/// The dimensions that it should have.
pub(super) fn dimensions(name: &str, observation: &Observation) -> Option<Vec<MetricDimension>> {
    let dimension = |name: &str, value: &str| MetricDimension { name: name.to_owned(), value: value.to_owned() };
    let endpoint = dimension("EndpointName", observation.endpoint_name.as_str());
    if let Some(component) = &observation.inference_component_name {
        return Some(vec![dimension("InferenceComponentName", component.as_str())]);
    }
    if OF_ENDPOINT.contains(&name) {
        return Some(vec![endpoint]);
    }
    if OF_COMPONENT.contains(&name) {
        return None;
    }
    Some(vec![endpoint, dimension("VariantName", observation.variant_name.as_ref()?.as_str())])
}

/// The unit of a metric, where the documentation of SageMaker's metrics states one.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    match name {
        "TimeInBacklog" | "TotalProcessingTime" => Some("Milliseconds"),
        "ApproximateAgeOfOldestRequest" => Some("Seconds"),
        "CPUUtilization" | "GPUUtilization" | "GPUMemoryUtilization" | "MemoryUtilization" | "DiskUtilization" => {
            Some("Percent")
        }
        "ModelLatency" | "OverheadLatency" | "ModelSetupTime" => Some("Microseconds"),
        "ModelLoadingWaitTime" | "ModelDownloadingTime" | "ModelLoadingTime" | "ModelUnloadingTime" => {
            Some("Microseconds")
        }
        "Invocations"
        | "InvocationsPerInstance"
        | "InvocationsPerCopy"
        | "ConcurrentRequestsPerModel"
        | "ConcurrentRequestsPerCopy" => Some("None"),
        _ => None,
    }
}

/// Whether a metric has no datapoints for this way of hosting.
pub(super) fn is_missing_for(name: &str, hosting: Hosting) -> bool {
    match hosting {
        Hosting::Asynchronous => ["Invocations", "InvocationsPerInstance", "OverheadLatency"].contains(&name),
        Hosting::Serverless => {
            ["CPUUtilization", "InvocationsPerInstance", "ConcurrentRequestsPerModel"].contains(&name)
        }
        Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer => {
            OF_ENDPOINT.contains(&name) || OF_COMPONENT.contains(&name) || name.starts_with("ServerlessProvisioned")
        }
        Hosting::InferenceComponent => OF_ENDPOINT.contains(&name) || name.starts_with("ServerlessProvisioned"),
    }
}

/// The metric behind a predefined type.
pub(super) fn predefined(kind: &str) -> Option<(&'static str, &'static [Hosting])> {
    const INSTANCES: &[Hosting] = &[Hosting::RealTime, Hosting::MultiModel, Hosting::MultiContainer];
    const COPIES: &[Hosting] = &[Hosting::InferenceComponent];
    match kind {
        "SageMakerVariantInvocationsPerInstance" => Some(("InvocationsPerInstance", INSTANCES)),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution" => Some(("ConcurrentRequestsPerModel", INSTANCES)),
        "SageMakerVariantProvisionedConcurrencyUtilization" => {
            Some(("ServerlessProvisionedConcurrencyUtilization", &[Hosting::Serverless]))
        }
        "SageMakerInferenceComponentInvocationsPerCopy" => Some(("InvocationsPerCopy", COPIES)),
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution" => {
            Some(("ConcurrentRequestsPerCopy", COPIES))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_the_unit_that_it_is_published_in() {
        for (name, expected) in [
            ("TimeInBacklog", Some("Milliseconds")),
            ("ApproximateAgeOfOldestRequest", Some("Seconds")),
            ("GPUMemoryUtilization", Some("Percent")),
            ("OverheadLatency", Some("Microseconds")),
            ("ModelLoadingTime", Some("Microseconds")),
            ("InvocationsPerCopy", Some("None")),
            ("Orders", None),
        ] {
            assert_eq!(unit(name), expected, "{name}");
        }
    }
}
