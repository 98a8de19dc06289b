//! The role in `template.yaml` against the calls in the sources: nothing more, nothing less.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Checked by Application Auto Scaling on behalf of its caller, never called by us. (So are `PutMetricAlarm` and
/// `DeleteAlarms`, for the alarms of a target tracking policy; those of a step policy we put ourselves.)
const CHECKED_ON_OUR_BEHALF: [&str; 2] =
    ["sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:UpdateInferenceComponentRuntimeConfig"];

/// Every `service:Action` in a text, for the services that we call.
fn actions(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '-'));
    words
        .filter(|word| {
            word.split_once(':').is_some_and(|(service, action)| {
                ["sagemaker", "cloudwatch", "application-autoscaling", "pricing", "sns"].contains(&service)
                    && action.starts_with(|c: char| c.is_ascii_uppercase())
                    && action.chars().all(|c| c.is_ascii_alphanumeric())
            })
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_role_allows_what_the_code_calls_and_nothing_more() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut called = BTreeSet::new();
    for file in crate::architecture::files(&root.join("src")) {
        if ["aws", "observe", "act", "notify"]
            .iter()
            .any(|module| file.display().to_string().contains(&format!("src/{module}")))
        {
            let text = fs::read_to_string(&file).unwrap();
            called.extend(actions(text.split("#[cfg(test)]").next().unwrap()));
        }
    }
    let template = fs::read_to_string(root.join("template.yaml")).unwrap();
    let mut allowed = actions(&template);
    for action in CHECKED_ON_OUR_BEHALF {
        assert!(allowed.remove(action), "{action} is checked by Application Auto Scaling");
    }
    assert_eq!(called, allowed);
}
