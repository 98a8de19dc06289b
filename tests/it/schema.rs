//! What others may rely on when they read or write our JSON: `docs/schemas`.

use crate::endpoint::{observed, settings};
use endpoint_advisor::advise::explain;
use endpoint_advisor::model::{Observation, Report};
use jsonschema::Validator;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas").join(name)
}

fn validator(name: &str) -> Validator {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(published(name)).unwrap()).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

static REPORT: LazyLock<Validator> = LazyLock::new(|| validator("report.schema.json"));
static OBSERVATION: LazyLock<Validator> = LazyLock::new(|| validator("observation.schema.json"));

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Holds an observation and its report against the published schemas.
pub fn hold(observation: &Observation, report: &Report) {
    let none: Vec<String> = Vec::new();
    assert_eq!(faults(&OBSERVATION, &serde_json::to_value(observation).unwrap()), none);
    assert_eq!(faults(&REPORT, &serde_json::to_value(report).unwrap()), none);
}

/// Rust's links between items lead nowhere in a schema: what they name stays, the path goes.
fn without_paths(schema: &mut Schema) {
    let Some(Value::String(description)) = schema.get_mut("description") else { return };
    let mut pieces = description.split("[`");
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("`]").unwrap();
        let rest = if rest.starts_with('(') { rest.split_once(')').unwrap().1 } else { rest };
        plain.push_str(&format!("`{name}`{rest}"));
    }
    *description = plain;
}

/// A report is described as it is written: what is always there is required. An observation as it is read: what may be
/// left out is not.
#[test]
fn the_published_schemas_are_those_of_the_code() {
    let settings = || SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_paths));
    let written = settings().for_serialize().into_generator().into_root_schema_for::<Report>();
    let read = settings().for_deserialize().into_generator().into_root_schema_for::<Observation>();
    for (name, schema) in [("report.schema.json", written), ("observation.schema.json", read)] {
        let text = serde_json::to_string_pretty(&schema).unwrap();
        expect_test::expect_file![published(name)].assert_eq(&format!("{text}\n"));
    }
}

#[test]
fn a_report_that_breaks_a_promise_is_refused() {
    let observation = observed("overload");
    let report = serde_json::to_value(explain(&observation, &settings(&[]))).unwrap();
    let broken = |path: &str, value: Value| {
        let mut report = report.clone();
        *report.pointer_mut(path).unwrap() = value;
        faults(&REPORT, &report)
    };
    assert_eq!(broken("/version", json!("1")), Vec::<String>::new());
    for (path, value) in [
        ("/version", json!("2")),
        ("/at", json!("yesterday")),
        ("/hosting", json!("on the moon")),
        ("/diagnosis/verdict", json!("slow")),
        ("/diagnosis/confidence", json!("0.9")),
        ("/capacity/bound", json!(null)),
        ("/plan/action", json!("maybe")),
        ("/plan/register_scalable_target/MinCapacity", json!(-1)),
        ("/plan/put_scaling_policies/0/PolicyType", json!(7)),
        ("/outcome/status", json!("done")),
    ] {
        assert!(!broken(path, value).is_empty(), "{path}");
    }
    for (path, field) in [("", "id"), ("", "capacity"), ("/plan", "digest"), ("/diagnosis", "evidence")] {
        let mut report = report.clone();
        report.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        assert!(!faults(&REPORT, &report).is_empty(), "{path}/{field}");
    }
}

#[test]
fn an_observation_by_hand_may_leave_out_what_later_versions_added() {
    let mut observation = serde_json::to_value(observed("overload")).unwrap();
    observation.as_object_mut().unwrap().remove("parts");
    assert_eq!(faults(&OBSERVATION, &observation), Vec::<String>::new());
    serde_json::from_value::<Observation>(observation.clone()).unwrap();
    observation["metrics"][0]["statistic"] = json!("p200x");
    assert!(!faults(&OBSERVATION, &observation).is_empty());
    assert!(serde_json::from_value::<Observation>(observation).is_err());
}
