//! Inference components: which a variant holds, what each needs, and what takes room beside it.

use super::sagemaker::{EndpointConfig, count, positive, timestamp};
use super::whose::Whose;
use super::{Request, Wanted, kept, setup};
use crate::aws::{Aws, CallError};
use crate::model::{
    EndpointName, Hosting, InferenceComponent, InferenceComponentName, ListedComponent, Needs, Neighbour, VariantName,
};
use aws_sdk_sagemaker::types::InferenceComponentComputeResourceRequirements;
use futures::future::{join, join_all};
use futures::stream::{StreamExt, iter};

/// The most that one page of `ListInferenceComponents` holds.
const PAGE: i32 = 100;
/// A variant may hold hundreds of components; more calls at once would be throttled.
const AT_ONCE: usize = 8;

/// `DescribeInferenceComponent`.
#[derive(Debug, Clone)]
pub struct ComponentDescription {
    /// The endpoint that hosts it.
    pub endpoint_name: EndpointName,
    /// The variant that hosts it; none where AWS does not say.
    pub variant_name: Option<VariantName>,
    /// What is known of it; its neighbours are not.
    pub component: InferenceComponent,
}

pub(super) async fn describe(aws: &Aws, name: &InferenceComponentName) -> Result<ComponentDescription, CallError> {
    const ACTION: &str = "sagemaker:DescribeInferenceComponent";
    let output = aws.sagemaker.describe_inference_component().inference_component_name(name.as_str()).send().await;
    let output = output.map_err(|error| CallError::new(ACTION, error))?;
    let endpoint = EndpointName::parse(output.endpoint_name().unwrap_or_default());
    let variant_name = output.variant_name().and_then(|variant| VariantName::parse(variant).ok());
    let runtime = output.runtime_config();
    // Where instances of several types serve, there is one for each; they rarely differ in what a copy needs.
    let specification = output.specification().or_else(|| output.specifications().first());
    let needs = specification.and_then(|specification| specification.compute_resource_requirements());
    let Needs { cpu_cores, accelerators, min_memory_in_mb } = needs.map(self::needs).unwrap_or_default();
    Ok(ComponentDescription {
        endpoint_name: endpoint.map_err(|error| CallError::unexpected(ACTION, error))?,
        variant_name: variant_name.clone(),
        component: InferenceComponent {
            status: output.inference_component_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            failure_reason: output.failure_reason().map(str::to_owned),
            current_copy_count: runtime.and_then(|runtime| count(runtime.current_copy_count())),
            desired_copy_count: runtime.and_then(|runtime| count(runtime.desired_copy_count())),
            cpu_cores,
            accelerators,
            min_memory_in_mb,
            variant_name,
            last_modified_at: timestamp(output.last_modified_time()),
            neighbours: None,
        },
    })
}

fn needs(needs: &InferenceComponentComputeResourceRequirements) -> Needs {
    Needs {
        cpu_cores: needs.number_of_cpu_cores_required().map(f64::from),
        accelerators: needs.number_of_accelerator_devices_required().map(f64::from),
        min_memory_in_mb: positive(needs.min_memory_required_in_mb()),
    }
}

/// The names of the components that a variant holds.
pub(super) async fn list(
    aws: &Aws,
    endpoint_name: &EndpointName,
    variant_name: &VariantName,
) -> Result<Vec<InferenceComponentName>, CallError> {
    let request = aws.sagemaker.list_inference_components().endpoint_name_equals(endpoint_name.as_str());
    let request = request.variant_name_equals(variant_name.as_str()).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(component) = pages.next().await {
        let component = component.map_err(|error| CallError::new("sagemaker:ListInferenceComponents", error))?;
        let name = component.inference_component_name().and_then(|name| InferenceComponentName::parse(name).ok());
        names.extend(name);
    }
    Ok(names)
}

/// All components of the Region.
pub(super) async fn list_all(aws: &Aws) -> Result<Vec<ListedComponent>, CallError> {
    let mut pages = aws.sagemaker.list_inference_components().max_results(PAGE).into_paginator().items().send();
    let mut components = Vec::new();
    while let Some(component) = pages.next().await {
        let component = component.map_err(|error| CallError::new("sagemaker:ListInferenceComponents", error))?;
        let name = component.inference_component_name().and_then(|name| InferenceComponentName::parse(name).ok());
        let endpoint_name = component.endpoint_name().and_then(|name| EndpointName::parse(name).ok());
        components.extend(name.zip(endpoint_name).map(|(name, endpoint_name)| ListedComponent { name, endpoint_name }));
    }
    Ok(components)
}

/// Puts the components of a variant in its place, where its configuration names no model: each is advised by itself.
pub(super) async fn expanded(
    aws: &Aws,
    request: &Request,
    config: Option<&EndpointConfig>,
    wanted: Vec<Wanted>,
    warnings: &mut Vec<String>,
) -> Vec<Wanted> {
    let (holding, mut others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|wanted| holds(&wanted.whose, config));
    if holding.is_empty() {
        return others;
    }
    aws.round();
    let lists = holding.iter().map(|Wanted { whose, .. }| list(aws, &whose.endpoint_name, &whose.variant_name));
    let lists = join_all(lists).await;
    for (variant, names) in holding.into_iter().zip(lists) {
        let names = kept(names, warnings).unwrap_or_default();
        if names.is_empty() {
            let name = &variant.whose.variant_name;
            warnings.push(format!("Variant `{name}` is made for inference components, and none of them is known."));
            others.push(variant);
            continue;
        }
        if variant.setup.scaling.as_ref().is_ok_and(|scaling| scaling.target.is_some()) {
            warnings.push(format!(
                "The instances of variant `{}` are a scalable target too: that fights over them with SageMaker, which adds \
                 them where copies need room.",
                variant.whose.variant_name
            ));
        }
        aws.round();
        others.extend(each(aws, request, &variant.whose, names, warnings).await);
    }
    others
}

fn holds(whose: &Whose, config: Option<&EndpointConfig>) -> bool {
    let holds = config.is_some_and(|config| config.holds_components(&whose.variant_name));
    whose.hosting == Hosting::RealTime && whose.component.is_none() && holds
}

/// The components of one variant, with their neighbours and their scaling.
async fn each(
    aws: &Aws,
    request: &Request,
    variant: &Whose,
    names: Vec<InferenceComponentName>,
    warnings: &mut Vec<String>,
) -> Vec<Wanted> {
    let read = |name: InferenceComponentName| async {
        let whose = Whose { component: Some(name.clone()), hosting: Hosting::InferenceComponent, ..variant.clone() };
        let (described, setup) = join(describe(aws, &name), setup(aws, request, &whose)).await;
        (whose, name, described, setup)
    };
    let read: Vec<_> = iter(names.into_iter().map(read)).buffered(AT_ONCE).collect().await;
    let described: Vec<_> = read
        .into_iter()
        .filter_map(|(whose, name, described, setup)| Some((whose, name, kept(described, warnings)?.component, setup)))
        .collect();
    let all: Vec<Neighbour> = described.iter().map(|(_, name, component, _)| neighbour(name, component)).collect();
    let with_others = |(whose, name, component, setup): (_, InferenceComponentName, _, _)| {
        let neighbours = Some(all.iter().filter(|other| other.name != name).cloned().collect());
        Wanted { whose, component: Some(InferenceComponent { neighbours, ..component }), setup }
    };
    described.into_iter().map(with_others).collect()
}

/// What takes room beside a component; an error where some of it could not be read.
pub(super) async fn neighbours(
    aws: &Aws,
    name: &InferenceComponentName,
    all: Result<Vec<InferenceComponentName>, CallError>,
) -> Result<Vec<Neighbour>, CallError> {
    let others = all?.into_iter().filter(|other| other != name);
    let read = |other: InferenceComponentName| async move {
        describe(aws, &other).await.map(|described| neighbour(&other, &described.component))
    };
    let read: Vec<_> = iter(others.map(read)).buffered(AT_ONCE).collect().await;
    read.into_iter().collect()
}

fn neighbour(name: &InferenceComponentName, component: &InferenceComponent) -> Neighbour {
    Neighbour { name: name.clone(), copies: component.desired_copy_count, needs: component.needs() }
}
