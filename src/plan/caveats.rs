//! What a plan supposes of the instances and containers that it scales.

use crate::model::Observation;

/// What may make it wrong, in words.
pub(super) fn caveats(observation: &Observation) -> Vec<String> {
    let mut caveats = Vec::new();
    if observation.variant.is_mixed() {
        caveats.push(
            "instances of several types serve: the target fits their present mix, and the next instance may carry more or \
             less"
                .to_owned(),
        );
    }
    if observation.mixes_containers() {
        caveats.push(
            "requests to several containers count alike: where traffic moves to one that takes more work for each, this \
             policy does not see it"
                .to_owned(),
        );
    }
    caveats
}
