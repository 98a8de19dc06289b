//! The role in `template.yaml` against the calls in the sources: nothing more, nothing less.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each client of `aws.rs`, and the service as IAM calls it.
const CLIENTS: [(&str, &str); 6] = [
    ("auto_scaling", "application-autoscaling"),
    ("cloudwatch", "cloudwatch"),
    ("pricing", "pricing"),
    ("sagemaker", "sagemaker"),
    ("scheduler", "scheduler"),
    ("sns", "sns"),
];

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
                CLIENTS.iter().any(|(_, known)| *known == service)
                    && action.starts_with(|c: char| c.is_ascii_uppercase())
                    && action.chars().all(|c| c.is_ascii_alphanumeric())
            })
        })
        .map(str::to_owned)
        .collect()
}

/// Every operation that a text calls of a client, as IAM names it: `aws.sns.publish()` is `sns:Publish`. (`UntagResource` and
/// the like have the same name in IAM as in the API, for all that we call.)
fn calls(text: &str) -> BTreeSet<String> {
    let text: String = text.split_whitespace().collect();
    let mut found = BTreeSet::new();
    for (client, service) in CLIENTS {
        for rest in text.split(&format!("aws.{client}.")).skip(1) {
            let method = rest.split('(').next().unwrap();
            let action: String = method.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            found.insert(format!("{service}:{action}"));
        }
    }
    found
}

/// The sources of the function, without their tests. The tool reads and writes with the rights of whoever runs it.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = crate::architecture::files(&root);
    assert!(files.len() > 100);
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        (file, text.split("#[cfg(test)]").next().unwrap().to_owned())
    };
    files.into_iter().filter(|file| !file.to_string_lossy().contains("/bin/endpoint-advisor")).map(read).collect()
}

fn template() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml")).unwrap()
}

fn changes(action: &str) -> bool {
    !["Describe", "Get", "List"].iter().any(|verb| action.split(':').nth(1).unwrap().starts_with(verb))
}

#[test]
fn every_call_has_its_action_beside_it_in_the_same_file() {
    let mut called = BTreeSet::new();
    for (file, text) in sources() {
        let calls = calls(&text);
        assert!(calls.is_subset(&actions(&text)), "{}: {calls:?}", file.display());
        called.extend(calls);
    }
    assert!(called.len() > 30, "{called:?}");
}

#[test]
fn the_role_allows_what_the_code_calls_and_nothing_more() {
    let called: BTreeSet<String> = sources().iter().flat_map(|(_, text)| calls(text)).collect();
    let mut allowed = actions(&template());
    for action in CHECKED_ON_OUR_BEHALF {
        assert!(allowed.remove(action), "{action} is checked by Application Auto Scaling");
    }
    assert_eq!(called, allowed);
}

#[test]
fn what_changes_scaling_stands_in_the_policy_of_apply_mode_alone() {
    let template = template();
    let (either, apply) = template.split_once("\n  ApplyPolicy:\n").unwrap();
    let apply = apply.split("\n  # ").next().unwrap();
    assert!(apply.starts_with("    Type: AWS::IAM::Policy\n    Condition: MayApply\n"));
    let of_either: BTreeSet<String> = actions(either).into_iter().filter(|action| changes(action)).collect();
    let allowed = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule", "sns:Publish"];
    assert_eq!(of_either.iter().map(String::as_str).collect::<Vec<_>>(), allowed);
    assert!(actions(apply).iter().filter(|action| changes(action)).count() > 10);
}
