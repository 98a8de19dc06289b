//! Parts that a variant has, or that stand beside it: other variants, instances, containers.

use super::{InstanceType, Metric, Metrics, Minute, Observation, Statistic, VariantName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose metrics they are, where not the observed variant's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Another production variant of the endpoint.
    Variant(VariantName),
    /// All instances of one type, where instances of several serve.
    InstanceType(InstanceType),
    /// One instance, by its `InstanceId`: published with enhanced metrics.
    Instance(String),
    /// One of several containers, by its `ContainerName`.
    Container(String),
}

/// The metrics of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartMetrics {
    /// Whose.
    pub part: Part,
    /// One-minute metrics.
    pub metrics: Metrics,
}

impl PartMetrics {
    /// One value of one statistic.
    #[must_use]
    pub fn at(&self, metric: Metric, statistic: Statistic, minute: Minute) -> Option<f64> {
        self.metrics.at(metric, statistic, minute).filter(|value| value.is_finite() && *value >= 0.0)
    }
}

/// The containers of a model that has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Containers {
    /// Which of them a request meets.
    pub mode: InvocationMode,
    /// Their names (`ContainerHostname`), in the order of the model.
    pub names: Vec<String>,
}

/// `InferenceExecutionConfig.Mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvocationMode {
    /// One after the other: each request meets all of them. SageMaker's default.
    Serial,
    /// The one that the request names (`TargetContainerHostname`).
    Direct,
}

impl Observation {
    /// Whether the variant gets copies of requests, whose answers nobody waits for.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.variant_name.as_ref().is_some_and(|name| self.endpoint.shadow_variants.contains(name))
    }

    /// Requests to all production variants in one minute; none where those to one of them are not known.
    #[must_use]
    pub fn requests_to_all_variants(&self, minute: Minute) -> Option<f64> {
        let own = self.metrics.at(Metric::Invocations, Statistic::Sum, minute)?;
        let others = self.parts.iter().filter(|part| matches!(part.part, Part::Variant(_)));
        let others = others.map(|part| part.at(Metric::Invocations, Statistic::Sum, minute)).sum::<Option<f64>>()?;
        Some(own + others).filter(|all| all.is_finite())
    }

    /// Whether requests go to one of several containers each, which may take different work: the load of whole minutes
    /// does not tell them apart. Containers that got no request all day do not count, where that is known.
    #[must_use]
    pub fn mixes_containers(&self) -> bool {
        let direct = self.variant.containers.as_ref().filter(|containers| containers.mode == InvocationMode::Direct);
        let Some(direct) = direct else { return false };
        let requests = |name: &String| {
            let part = self.parts.iter().find(|part| matches!(&part.part, Part::Container(other) if other == name));
            part.and_then(|part| part.metrics.series(Metric::Invocations, Statistic::Sum))
                .map(|series| series.points().map(|(_, value)| value).sum::<f64>())
        };
        let counts: Vec<Option<f64>> = direct.names.iter().map(requests).collect();
        // Where no container has a datapoint, nothing is known of any.
        let is_known = counts.iter().flatten().any(|count| *count > 0.0);
        let in_use = counts.iter().filter(|count| !is_known || count.is_some_and(|count| count > 0.0)).count();
        in_use > 1
    }
}
