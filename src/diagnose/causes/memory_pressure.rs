//! Memory is exhausted: the container swaps, collects garbage, or is killed and starts again.

use super::slow_model::is_gradual;
use crate::diagnose::check::Judgement;
use crate::diagnose::features::{Features, slow_or_failing};
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let memory = &features.memory;
    let instance = features.instance_type.as_deref().unwrap_or("the present instance type");
    Judgement {
        verdict: Verdict::MemoryPressure,
        sub_cause: None,
        summary: format!("{}, and {}.", memory.in_words(), features.latency.in_words()),
        next_steps: vec![
            format!(
                "Look for `MemoryError`, `OutOfMemory` or restarts in the log group /aws/sagemaker/Endpoints/{} since \
                 {}.",
                features.endpoint_name, features.latency.onset
            ),
            format!("Run fewer workers, or an instance with more memory than {instance}; if memory climbs again, find \
                 the leak."),
            "An update to the same endpoint configuration restarts the containers and buys time.".to_owned(),
        ],
        checks: vec![
            // What climbs for an hour together with the work of each request is a leak, until nothing is left.
            if is_gradual(features) { memory.is_exhausted().or(features.work.is_flat().and(memory.is_full())) } else { memory.is_full() },
            slow_or_failing(features),
            features.loading.is_rare(),
        ],
    }
}
