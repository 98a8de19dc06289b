//! Beyond the variant's own metrics: requests to the variants beside it, its instance types, instances and containers.
//!
//! Sources: "Metrics for inference endpoints", "Enhanced metrics", "Deploy to multiple instance types with instance
//! pools", "Metrics for multi-container endpoints with direct invocation" and "Inference pipeline logs and metrics" in the
//! SageMaker guide. The last two have `ContainerLatency` by `ContainerName`, for requests to one container and for
//! pipelines alike.

use super::cloudwatch::Query;
use super::sagemaker::EndpointDescription;
use super::statistics::{Depth, statistics};
use super::whose::Whose;
use crate::aws::{Aws, CallError};
use crate::model::{Containers, InstanceType, Metric, Part, Statistic, Variant};
use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, RecentlyActive};

/// Three statistics of so many instances fit into one request.
const MOST_INSTANCES: usize = 100;

const LIST_METRICS: &str = "cloudwatch:ListMetrics";

/// What the third round reads: the variant's own metrics, explanations where they are made, each of several instance types,
/// and the requests to the other production variants, by which a shift of traffic shows.
pub(super) fn of_variant(
    endpoint: &EndpointDescription,
    whose: &Whose,
    variant: &Variant,
    latency: Statistic,
) -> Vec<Query> {
    let own =
        |metric, statistic, depth| Query { part: None, metric, statistic, depth, dimensions: whose.dimensions(metric) };
    let statistics = statistics(whose.hosting, latency, variant.may_have_gpus());
    let mut queries: Vec<Query> =
        statistics.into_iter().map(|(metric, statistic, depth)| own(metric, statistic, depth)).collect();
    if !whose.has_instances() {
        return queries;
    }
    if endpoint.has_explainer {
        queries.push(own(Metric::ExplanationsPerInstance, Statistic::Sum, Depth::Day));
    }
    if variant.is_mixed() {
        queries.extend(variant.instance_types().flat_map(|kind| of_type(whose, kind, latency)));
    }
    // A shadow takes nothing from the others: it gets copies.
    if endpoint.variants.iter().any(|variant| variant.name == whose.variant_name) {
        let others = endpoint.variants.iter().filter(|variant| variant.name != whose.variant_name);
        queries.extend(others.map(|variant| Query {
            part: Some(Part::Variant(variant.name.clone())),
            metric: Metric::Invocations,
            statistic: Statistic::Sum,
            depth: Depth::Day,
            dimensions: Whose { variant_name: variant.name.clone(), ..whose.clone() }.dimensions(Metric::Invocations),
        }));
    }
    queries
}

/// All instances of one type, by the dimension that instance pools add.
fn of_type(whose: &Whose, kind: &InstanceType, latency: Statistic) -> Vec<Query> {
    let busy = if kind.gpus() == Some(0) { Metric::CPUUtilization } else { Metric::GPUUtilization };
    let read = [(Metric::ModelLatency, latency), (Metric::Invocations, Statistic::Sum), (busy, Statistic::Average)];
    let query = |(metric, statistic)| {
        let mut dimensions = whose.dimensions(metric);
        dimensions.push(Dimension::builder().name("InstanceType").value(&kind.0).build());
        Query { part: Some(Part::InstanceType(kind.clone())), metric, statistic, depth: Depth::Hour, dimensions }
    };
    read.map(query).into()
}

/// An instance that published within the last three hours.
pub(super) struct Instance {
    id: String,
    dimensions: Vec<Dimension>,
}

/// The instances that publish metrics of their own.
pub(super) async fn instances(aws: &Aws, whose: &Whose) -> Result<Vec<Instance>, CallError> {
    let dimensions = whose
        .dimensions(Metric::Invocations)
        .into_iter()
        .map(|dimension| DimensionFilter::builder().set_name(dimension.name).set_value(dimension.value).build());
    let by_instance = DimensionFilter::builder().name("InstanceId").build();
    let mut call = aws
        .cloudwatch
        .list_metrics()
        .namespace(Metric::Invocations.namespace())
        .metric_name(Metric::Invocations.name())
        .recently_active(RecentlyActive::Pt3H);
    for dimension in dimensions.chain([by_instance]) {
        call = call.dimensions(dimension);
    }
    let output = call.send().await.map_err(|error| CallError::new(LIST_METRICS, error))?;
    let mut instances: Vec<Instance> = Vec::new();
    for metric in output.metrics() {
        let named = metric.dimensions().iter().find(|dimension| dimension.name() == Some("InstanceId"));
        let Some(id) = named.and_then(Dimension::value) else { continue };
        let dimensions = metric.dimensions().to_vec();
        match instances.iter_mut().find(|known| known.id == id) {
            // Of several sets the widest: it is the whole instance.
            Some(known) if dimensions.len() < known.dimensions.len() => known.dimensions = dimensions,
            Some(_) => {}
            None => instances.push(Instance { id: id.to_owned(), dimensions }),
        }
    }
    instances.truncate(MOST_INSTANCES);
    Ok(instances)
}

/// What the fourth round reads: each instance of the last hour, each container of the last day.
pub(super) fn within(
    whose: &Whose,
    latency: Statistic,
    instances: &[Instance],
    containers: Option<&Containers>,
) -> Vec<Query> {
    let of_instances = instances.iter().flat_map(|instance| {
        let part = Part::Instance(instance.id.clone());
        [
            (Metric::ModelLatency, latency),
            (Metric::Invocations, Statistic::Sum),
            (Metric::CPUUtilization, Statistic::Average),
        ]
        .map(|(metric, statistic)| Query {
            part: Some(part.clone()),
            metric,
            statistic,
            depth: Depth::Hour,
            dimensions: instance.dimensions.clone(),
        })
    });
    let of_containers = containers.into_iter().flat_map(|containers| &containers.names).flat_map(|name| {
        let mut dimensions = whose.dimensions(Metric::ContainerLatency);
        dimensions.push(Dimension::builder().name("ContainerName").value(name).build());
        [(Metric::ContainerLatency, Statistic::Average), (Metric::Invocations, Statistic::Sum)].map(
            |(metric, statistic)| Query {
                part: Some(Part::Container(name.clone())),
                metric,
                statistic,
                depth: Depth::Day,
                dimensions: dimensions.clone(),
            },
        )
    });
    of_instances.chain(of_containers).collect()
}
