//! Whose metrics, alarms and scaling are read: a variant's, or an inference component's.

use crate::model::{
    EndpointName, Hosting, InferenceComponentName, Metric, Observation, ScalableKey, Subject, VariantName,
};
use aws_sdk_cloudwatch::types::Dimension;

/// A variant or an inference component, with what is known of it before its model is described.
#[derive(Debug, Clone)]
pub(super) struct Whose {
    pub endpoint_name: EndpointName,
    pub variant_name: VariantName,
    pub component: Option<InferenceComponentName>,
    /// Real-time stands for every way with a model on instances: which one it is, the model says.
    pub hosting: Hosting,
}

impl Whose {
    /// Whose metrics an observation holds; none where it names neither variant nor component.
    pub fn of(observation: &Observation) -> Option<Self> {
        let of_component = || observation.component.as_ref()?.variant_name.clone();
        Some(Self {
            endpoint_name: observation.endpoint_name.clone(),
            variant_name: observation.variant_name.clone().or_else(of_component)?,
            component: observation.inference_component_name.clone(),
            hosting: observation.hosting,
        })
    }

    /// By what name Application Auto Scaling knows it.
    pub fn key(&self) -> ScalableKey {
        match (&self.component, self.hosting) {
            (Some(component), _) => ScalableKey::of_component(component),
            (None, Hosting::Serverless) => {
                ScalableKey::of_provisioned_concurrency(&self.endpoint_name, &self.variant_name)
            }
            (None, _) => ScalableKey::of_variant(&self.endpoint_name, &self.variant_name),
        }
    }

    /// Whether instances of its own serve it, invoked synchronously.
    pub fn has_instances(&self) -> bool {
        self.component.is_none() && self.hosting == Hosting::RealTime
    }

    /// What an alarm on it watches.
    pub fn subject(&self) -> Subject {
        match &self.component {
            Some(component) => Subject::InferenceComponent(component.clone()),
            None => Subject::Variant(self.endpoint_name.clone(), self.variant_name.clone()),
        }
    }

    /// The dimensions under which SageMaker publishes a metric of it.
    pub fn dimensions(&self, metric: Metric) -> Vec<Dimension> {
        let endpoint = ("EndpointName", self.endpoint_name.as_str());
        let dimensions = match &self.component {
            Some(component) if !metric.is_of_instances() => vec![("InferenceComponentName", component.as_str())],
            None if metric.is_of_endpoint() => vec![endpoint],
            _ => vec![endpoint, ("VariantName", self.variant_name.as_str())],
        };
        dimensions.into_iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect()
    }
}
