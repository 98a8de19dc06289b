//! How the variant is served, where that is not one type of instance with one container and all of the traffic.

use crate::model::{Endpoint, Fact, InvocationMode, Observation, Variant, VariantName};

/// Facts about what serves, and beside what.
pub(super) fn facts(observation: &Observation) -> Vec<Fact> {
    let Observation { endpoint, variant, .. } = observation;
    let facts = [
        observation.variant_name.as_ref().and_then(|name| weight(endpoint, name)),
        shadows(observation),
        pools(variant),
        containers(variant),
        endpoint.has_explainer.then(|| {
            told("explainer", "SageMaker Clarify explains requests, which takes further calls of the model".to_owned())
        }),
        // "Model monitor FAQs" in the SageMaker guide: capture happens beside the requests.
        endpoint.captures_data.then(|| {
            told("data_capture", "requests are captured, which AWS documents not to slow them down".to_owned())
        }),
    ];
    facts.into_iter().flatten().collect()
}

fn told(signal: &str, text: String) -> Fact {
    Fact { signal: signal.to_owned(), observed: None, expected: None, unit: String::new(), text }
}

/// The traffic weight, beside other variants.
fn weight(endpoint: &Endpoint, name: &VariantName) -> Option<Fact> {
    let weights = &endpoint.weights;
    let own = weights.iter().find(|weight| weight.variant_name == *name).filter(|_| weights.len() > 1)?;
    let share = |own: f64, sum: f64| (sum > 0.0).then(|| own / sum);
    let current = share(own.current_weight, weights.iter().map(|weight| weight.current_weight).sum());
    let desired = share(own.desired_weight, weights.iter().map(|weight| weight.desired_weight).sum());
    let percent = |share: Option<f64>| share.map_or("none".to_owned(), |share| format!("{:.0} %", 100.0 * share));
    let is_shifting = weights.iter().any(|weight| (weight.current_weight - weight.desired_weight).abs() > 1e-6);
    let shift = if is_shifting { format!("; a shift to {} is under way", percent(desired)) } else { String::new() };
    let text = format!(
        "its weight is {} of {}, {} of the requests that name no variant{shift}",
        rounded(own.current_weight),
        rounded(weights.iter().map(|weight| weight.current_weight).sum()),
        percent(current)
    );
    Some(Fact {
        signal: "traffic_weight".to_owned(),
        observed: current,
        expected: desired,
        unit: "share".to_owned(),
        text,
    })
}

/// Weights are single precision.
fn rounded(weight: f64) -> f64 {
    (1_000.0 * weight).round() / 1_000.0
}

/// A shadow, or shadows beside it.
fn shadows(observation: &Observation) -> Option<Fact> {
    if observation.is_shadow() {
        let text = "it is a shadow variant: it gets copies of requests, and nobody waits for its answers";
        return Some(told("shadow_variant", text.to_owned()));
    }
    let names: Vec<&str> = observation.endpoint.shadow_variants.iter().map(VariantName::as_str).collect();
    let text = format!("shadow variant {} gets copies of requests on instances of its own", names.join(", "));
    (!names.is_empty()).then(|| told("shadow_variant", text))
}

/// Instances by type.
fn pools(variant: &Variant) -> Option<Fact> {
    let pools: Vec<String> = variant
        .instance_pools
        .iter()
        .map(|pool| match pool.current_instance_count {
            Some(count) => format!("{count} of {}", pool.instance_type.0),
            None => format!("an unknown number of {}", pool.instance_type.0),
        })
        .collect();
    if pools.is_empty() {
        return None;
    }
    let cores: Vec<_> = variant.instance_types().map(|kind| kind.vcpus()).collect();
    let differ = cores.windows(2).any(|pair| pair.first() != pair.last());
    let mix = match (variant.is_mixed() && differ, variant.vcpus()) {
        (true, Some(vcpus)) => format!("; utilisation is of their mean, {vcpus:.1} vCPUs"),
        (true, None) => "; how many vCPUs they have in the mean is not known".to_owned(),
        (false, _) => String::new(),
    };
    Some(told("instance_pools", format!("instances by type: {}{mix}", pools.join(", "))))
}

/// The containers of the model.
fn containers(variant: &Variant) -> Option<Fact> {
    let containers = variant.containers.as_ref()?;
    let names = if containers.names.is_empty() { "without names".to_owned() } else { containers.names.join(", ") };
    let text = match containers.mode {
        InvocationMode::Serial => format!("a pipeline of containers ({names}): each request meets all of them"),
        InvocationMode::Direct => format!("several containers ({names}): each request goes to one of them"),
    };
    Some(told("containers", text))
}
