//! How the tool is asked about a variant or an inference component, and about nothing beside it.

use super::{EndpointName, Incident, InferenceComponentName, Observation, Report, VariantName};

/// What comes after `endpoint-advisor undo`, say: `orders --variant AllTraffic`.
fn asked(endpoint: &EndpointName, variant: Option<&VariantName>, component: Option<&InferenceComponentName>) -> String {
    match (component, variant) {
        (Some(component), _) => format!("{endpoint} --component {component}"),
        (None, Some(variant)) => format!("{endpoint} --variant {variant}"),
        (None, None) => endpoint.to_string(),
    }
}

impl Observation {
    /// How the tool is asked about it: `orders --variant AllTraffic`.
    #[must_use]
    pub fn asked_of_the_tool(&self) -> String {
        asked(&self.endpoint_name, self.variant_name.as_ref(), self.inference_component_name.as_ref())
    }
}

impl Report {
    /// How the tool is asked about it: `orders --variant AllTraffic`.
    #[must_use]
    pub fn asked_of_the_tool(&self) -> String {
        asked(&self.endpoint_name, self.variant_name.as_ref(), self.inference_component_name.as_ref())
    }
}

impl Incident {
    /// How the tool is asked about it: `orders --variant AllTraffic`.
    #[must_use]
    pub fn asked_of_the_tool(&self) -> String {
        asked(&self.endpoint_name, self.variant_name.as_ref(), self.inference_component_name.as_ref())
    }
}
