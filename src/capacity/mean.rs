//! Where instances, or requests, are of several kinds, a capacity is a mean over them.
//!
//! Source: "Autoscale multi-container endpoints" in the SageMaker guide: scaling on `InvocationsPerInstance` supposes that
//! the models in all containers take about as much CPU and time for a request.

use crate::model::{Capacity, Grade, Observation};

/// The capacity, with what it is a mean of, and trusted no further than that.
pub(super) fn told(observation: &Observation, capacity: Capacity) -> Capacity {
    let mut over = Vec::new();
    if observation.variant.is_mixed() {
        over.push("a mean over instances of several types, as they were mixed");
    }
    if observation.mixes_containers() {
        over.push("a mean over requests to several containers, as they were mixed");
    }
    if over.is_empty() {
        return capacity;
    }
    Capacity {
        grade: capacity.grade.min(Grade::Medium),
        method: format!("{}; {}", capacity.method, over.join("; ")),
        ..capacity
    }
}
