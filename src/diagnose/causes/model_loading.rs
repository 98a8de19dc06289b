//! A multi-model endpoint loads and unloads models while requests wait for them.

use crate::diagnose::check::Judgement;
use crate::diagnose::features::Features;
use crate::model::Verdict;

pub(super) fn judge(features: &Features) -> Judgement {
    let Features { loading, latency, .. } = features;
    let instance = features.instance_type.as_deref().unwrap_or("the present instance type");
    let more = match loading.instances_at_least(features.instances.count) {
        Some(least) => format!(
            "Or more instances, over which SageMaker spreads the models: {least} or more; the more some models are \
             preferred, the more it takes. Set them as MinCapacity, not by a policy: memory stays full whatever the load."
        ),
        None => "Or more instances, over which SageMaker spreads the models.".to_owned(),
    };
    Judgement {
        verdict: Verdict::ModelLoading,
        sub_cause: None,
        summary: format!("{}.", loading.in_words()),
        next_steps: vec![
            format!("Give the models more memory: instances with more of it than {instance} (the r family)."),
            more,
            "Move the models that are asked for most to an endpoint of their own, so that they are not unloaded for \
             rare ones."
                .to_owned(),
            "Make the artefacts smaller: download and loading take their size.".to_owned(),
        ],
        checks: vec![loading.has_risen(), latency.is_elevated(), latency.is_slower_at_load()],
    }
}
