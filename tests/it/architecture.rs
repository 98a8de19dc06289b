//! The invariants of `src/lib.rs` that the sources themselves can show.

use std::fs;
use std::path::{Path, PathBuf};

/// Stages and values that reckon only with what they are given.
const PURE: [&str; 17] = [
    "alarms",
    "trigger",
    "diagnose",
    "capacity",
    "plan",
    "replay",
    "decide",
    "follow_up",
    "undo",
    "report",
    "doctor",
    "fleet",
    "export",
    "redact",
    "model",
    "config",
    "statistics",
];

/// Stages that never know of each other; `advise` alone knows the order.
const STAGES: [&str; 10] =
    ["trigger", "observe", "diagnose", "capacity", "plan", "decide", "act", "notify", "report", "follow_up"];

/// Every source file of a module, without its tests at the foot.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join(format!("{module}.rs"))];
    let folder = root.join(module);
    if folder.is_dir() {
        files.extend(self::files(&folder));
    }
    let without_tests = |text: String| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    files.into_iter().map(|file| (file.clone(), without_tests(fs::read_to_string(&file).unwrap()))).collect()
}

#[test]
fn the_core_is_pure() {
    for module in PURE {
        for (file, text) in sources(module) {
            for banned in [
                "async ",
                ".await",
                "aws_sdk_",
                "aws_smithy",
                "tokio",
                "std::env",
                "std::fs",
                "::now()",
                "rand::",
                "tracing::",
                "println!",
            ] {
                assert!(!text.contains(banned), "{} uses `{banned}`", file.display());
            }
        }
    }
}

#[test]
fn stages_do_not_know_each_other() {
    for stage in STAGES {
        for (file, text) in sources(stage) {
            for other in STAGES.iter().filter(|other| **other != stage) {
                let grouped = text.split("use crate::{").skip(1).filter_map(|rest| rest.split(';').next());
                let is_grouped = |group: &str| group.split([',', '{', '}', ':', ' ', '\n']).any(|word| word == *other);
                let used = text.contains(&format!("crate::{other}::"))
                    || text.contains(&format!("crate::{other};"))
                    || grouped.into_iter().any(is_grouped);
                // Rendering has one home; the notifier only carries it away.
                let is_allowed = (stage, *other) == ("notify", "report");
                assert!(!used || is_allowed, "{} knows `{other}`", file.display());
            }
        }
    }
}

/// The calls that change something, each with its only home.
const HOMES: [(&str, &str); 20] = [
    (".register_scalable_target()", "act/requests.rs"),
    (".put_scaling_policy()", "act/requests.rs"),
    (".put_scheduled_action()", "act/requests.rs"),
    (".tag_resource()", "act/requests.rs"),
    (".deregister_scalable_target()", "act/requests.rs"),
    (".delete_scaling_policy()", "act/requests.rs"),
    (".delete_scheduled_action()", "act/requests.rs"),
    (".untag_resource()", "act/requests.rs"),
    (".put_metric_alarm()", "act/requests.rs"),
    (".delete_alarms()", "act/requests.rs"),
    (".create_schedule()", "aws/scheduler.rs"),
    (".update_schedule()", "aws/scheduler.rs"),
    (".delete_schedule()", "aws/scheduler.rs"),
    (".publish()", "notify.rs"),
    (".create_queue()", "bin/endpoint-advisor/smoke.rs"),
    (".set_queue_attributes()", "bin/endpoint-advisor/smoke.rs"),
    (".delete_queue()", "bin/endpoint-advisor/smoke.rs"),
    (".send_message()", "bin/endpoint-advisor/smoke.rs"),
    (".subscribe()", "bin/endpoint-advisor/smoke.rs"),
    (".unsubscribe()", "bin/endpoint-advisor/smoke.rs"),
];

#[test]
fn each_kind_of_write_has_one_home() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&root) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        for (call, owner) in HOMES {
            assert!(!text.contains(call) || name == owner, "{name} calls {call}");
        }
        // Whatever else an SDK can change has no home here.
        for verb in ["create", "delete", "deregister", "put", "register", "set_alarm", "untag", "update"] {
            for rest in text.split(&format!(".{verb}_")).skip(1) {
                let method: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let call = format!(".{verb}_{method}()");
                let is_call = rest[method.len()..].starts_with("()");
                assert!(!is_call || HOMES.iter().any(|(known, _)| *known == call), "{name} calls {call}");
            }
        }
    }
}

#[test]
fn each_promise_names_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: String = files(&root.join("tests"))
        .into_iter()
        .chain(files(&root.join("src")))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs" || extension == "py"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let readme = readme.split("## What it promises").nth(1).unwrap().split("\n## ").next().unwrap();
    let semantics = fs::read_to_string(root.join("docs/semantics.md")).unwrap();
    let semantics = semantics.split("## What is not promised").next().unwrap();
    let security = fs::read_to_string(root.join("docs/security.md")).unwrap();
    for (page, at_least) in [(readme, 9), (semantics, 40), (&security, 15)] {
        let promises: Vec<&str> = page.split("\n- ").skip(1).collect();
        assert!(promises.len() >= at_least, "{} promises", promises.len());
        promises.into_iter().for_each(|promise| names_a_test(promise, &tests));
    }
}

fn names_a_test(promise: &str, tests: &str) {
    // Not everything in a list is a promise that a test could hold.
    if promise.starts_with("One kind of call") {
        return;
    }
    let promise = promise.split("\n\n").next().unwrap();
    let names: Vec<&str> = promise
        .split('`')
        .filter(|word| word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(!names.is_empty(), "{promise}");
    for name in names {
        let is_test = tests.contains(&format!("fn {name}(")) || tests.contains(&format!("def {name}("));
        assert!(is_test, "no test is called {name}");
    }
}

#[test]
fn files_hold_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&root) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines", file.display());
    }
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
