//! What a person can do about a serverless variant, with exact commands.

use super::features::Features;
use crate::model::{InstanceCount, MOST_CONCURRENCY, ServerlessUpdateConfig, UpdateServerless};

/// The largest `MemorySizeInMB`.
const MOST_MEMORY_IN_MB: u32 = 6_144;
const MEMORY_STEP_IN_MB: u32 = 1_024;

/// Raising `MaxConcurrency`: to twice what it is, or to what the last minutes had at once and a third, if that is more.
pub(super) fn raise_max_concurrency(features: &Features) -> Vec<String> {
    let Some(max) = features.max_concurrency() else { return Vec::new() };
    if max >= MOST_CONCURRENCY {
        return vec![format!(
            "{MOST_CONCURRENCY} is the most that one variant may have: spread the requests over several endpoints, or move \
             to instances."
        )];
    }
    let needed = features.most.and_then(|most| most.times(1.3).units());
    let raised = needed.unwrap_or(max).max(InstanceCount(max.0.saturating_mul(2))).min(MOST_CONCURRENCY);
    let config = ServerlessUpdateConfig { max_concurrency: Some(raised), ..ServerlessUpdateConfig::default() };
    let update =
        features.variant_name.as_ref().map(|variant| UpdateServerless::of(&features.endpoint_name, variant, config));
    let command = update.map_or_else(String::new, |update| format!(": {}", update.command()));
    vec![
        format!("Raise MaxConcurrency from {max} to {raised} (it costs nothing by itself){command}"),
        "Until then, let callers back off and ask again: what is refused was not processed.".to_owned(),
    ]
}

/// A larger memory size, with what it brings.
pub(super) fn more_memory(features: &Features) -> Option<String> {
    let serverless = features.serverless?;
    let size = serverless.memory_size_in_mb;
    let larger = size.saturating_mul(2).min(MOST_MEMORY_IN_MB) / MEMORY_STEP_IN_MB * MEMORY_STEP_IN_MB;
    if larger <= size {
        return None;
    }
    let words = format!("Give it {larger} MB of memory instead of {size}; more memory comes with more vCPUs");
    let (Some(variant), Some(model), false) =
        (&features.variant_name, &features.model_name, features.has_other_variants)
    else {
        return Some(format!("{words}, in a new endpoint configuration and UpdateEndpoint."));
    };
    let provisioned = serverless.provisioned_concurrency;
    let provisioned = provisioned.map(|units| format!(",\"ProvisionedConcurrency\":{units}")).unwrap_or_default();
    let endpoint = &features.endpoint_name;
    let name = new_config_name(features, larger);
    Some(format!(
        "{words}: aws sagemaker create-endpoint-config --endpoint-config-name {name} --production-variants \
         '[{{\"VariantName\":\"{variant}\",\"ModelName\":\"{model}\",\"ServerlessConfig\":{{\"MemorySizeInMB\":{larger},\
         \"MaxConcurrency\":{}{provisioned}}}}}]' && aws sagemaker update-endpoint --endpoint-name {endpoint} \
         --endpoint-config-name {name}",
        serverless.max_concurrency
    ))
}

/// `orders-4096mb`, within the 63 characters that a name may have.
fn new_config_name(features: &Features, memory_size_in_mb: u32) -> String {
    let present = features.config_name.as_deref().unwrap_or(features.endpoint_name.as_str());
    let present: String = present.chars().take(50).collect();
    format!("{}-{memory_size_in_mb}mb", present.trim_end_matches('-'))
}

/// Keeping it warm by requests.
pub(super) fn keep_warm() -> String {
    "Keep one container warm: a scheduled request every minute or two, with a typical payload. Each costs as much as a \
     request, and keeps no second container."
        .to_owned()
}

/// Shortening what cannot be avoided.
pub(super) fn start_faster() -> String {
    "Make the start shorter: a smaller image and model artefact, no downloads at start, and imports only where they are \
     needed."
        .to_owned()
}

/// Where its container writes.
pub(super) fn read_the_log(features: &Features, what: &str) -> String {
    format!(
        "Read the container's log since {} (log group /aws/sagemaker/Endpoints/{}): {what}",
        features.since, features.endpoint_name
    )
}
