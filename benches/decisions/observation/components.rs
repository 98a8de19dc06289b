//! Inference components.

use super::{alarm, scaling};
use crate::family::Labelled;
use crate::observed::{Seen, minutes_ago};
use endpoint_advisor::model::{
    InferenceComponent, InferenceComponentName, InstanceCount, ManagedInstanceScaling, Needs, Neighbour,
};
use simulator::suite::ComponentIncident;

/// Memory of a copy: enough, and never what is short.
const MEMORY_IN_MB: u32 = 4_096;

/// What the advisor would have read of this incident, and what is right.
pub fn of_component(component: ComponentIncident) -> Labelled {
    let incident = component.incident;
    let seen = Seen {
        trigger: alarm("orders-latency", incident.minutes_since_alarm),
        hosting: incident.hosting,
        instance_type: component.instance_type,
        routing: incident.routing,
        instances: component.instances,
        desired: component.instances,
        scaling: scaling(&incident, "SageMakerInferenceComponentInvocationsPerCopy"),
        objective_ms: incident.objective_ms,
        statistic: incident.statistic,
        minutes_since_deployment: incident.minutes_since_deployment,
        scaled_at: None,
        series: &incident.series,
    };
    let mut observation = seen.observation();
    let (cores, accelerators) = component.needs;
    let needs = Needs {
        cpu_cores: Some(f64::from(cores)),
        accelerators: Some(f64::from(accelerators)).filter(|count| *count > 0.0),
        min_memory_in_mb: Some(MEMORY_IN_MB),
    };
    observation.inference_component_name = Some(InferenceComponentName::parse("orders-ranker").unwrap());
    observation.variant.managed_instance_scaling = component.managed.map(|(min, max)| ManagedInstanceScaling {
        is_enabled: true,
        min_instance_count: Some(InstanceCount(min)),
        max_instance_count: Some(InstanceCount(max)),
    });
    observation.component = Some(InferenceComponent {
        status: "InService".to_owned(),
        current_copy_count: Some(InstanceCount(incident.instances)),
        desired_copy_count: Some(InstanceCount(incident.desired)),
        cpu_cores: needs.cpu_cores,
        accelerators: needs.accelerators,
        min_memory_in_mb: needs.min_memory_in_mb,
        variant_name: observation.variant_name.take(),
        last_modified_at: Some(minutes_ago(component.asked_minutes_ago)),
        neighbours: Some(vec![Neighbour {
            name: InferenceComponentName::parse("orders-embedder").unwrap(),
            copies: Some(InstanceCount(component.neighbours)),
            needs,
        }]),
        ..InferenceComponent::default()
    });
    Labelled { hours: incident.history_hours, truth: incident.truth, observation }
}
