//! The built tool on saved observations.

use super::{SOUND, but};
use crate::cli::{stderr, stdout, tool};
use endpoint_advisor::doctor::Checkup;
use endpoint_advisor::model::{InstanceCount, Observation};

fn saved(name: &str, observations: &[&Observation]) -> String {
    let path = std::env::temp_dir().join(format!("endpoint-advisor-doctor-{name}-{}.json", std::process::id()));
    std::fs::write(&path, serde_json::to_string(observations).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Its count is lost at the next deployment.
fn grown() -> Observation {
    but(|observation| {
        observation.endpoint_name = "payments".parse().unwrap();
        observation.variant.initial_instance_count = Some(InstanceCount(1));
        observation.alarms = None;
    })
}

#[test]
fn saved_observations_are_examined_offline() {
    let file = saved("both", &[&SOUND, &grown()]);
    let text = tool(&["doctor", &file]);
    assert_eq!(text.status.code(), Some(0), "{}", stderr(&text));
    assert!(stdout(&text).starts_with("payments\n  EA010 medium  payments/AllTraffic: "), "{}", stdout(&text));
    assert!(stdout(&text).ends_with("2 endpoints: 0 high, 1 medium, 0 low\n"), "{}", stdout(&text));
    let json = tool(&["doctor", &file, "--format", "json"]);
    let checkup: Checkup = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!((checkup.endpoints, checkup.findings.len()), (2, 1));
    let markdown = tool(&["doctor", &file, "--format", "markdown"]);
    assert!(stdout(&markdown).contains("\n- **EA010 medium** payments/AllTraffic"), "{}", stdout(&markdown));
}

#[test]
fn it_exits_with_1_for_findings_only_where_asked_and_only_for_those_that_are_asked_for() {
    let file = saved("grown", &[&grown()]);
    let code = |arguments: &[&str]| tool(&[&["doctor", &file], arguments].concat()).status.code();
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--exit-code"]), Some(1));
    assert_eq!(code(&["--exit-code", "--at-least", "medium"]), Some(1));
    assert_eq!(code(&["--exit-code", "--at-least", "high"]), Some(0));
    let sound = saved("sound", &[&SOUND]);
    assert_eq!(tool(&["doctor", &sound, "--exit-code"]).status.code(), Some(0));
}

#[test]
fn bad_input_is_told_apart_from_an_aws_that_does_not_answer() {
    let junk = saved("junk", &[]);
    std::fs::write(&junk, "{\"version\":\"1\"}").unwrap();
    for (arguments, code, said) in [
        (["doctor", "no such endpoint!"], 2, "not a SageMaker name"),
        (["doctor", "missing.json"], 2, "cannot be read"),
        (["doctor", junk.as_str()], 2, "is not a saved observation"),
        (["doctor", "--at-least=urgent"], 2, "urgent"),
    ] {
        let output = tool(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    for arguments in [&["doctor", "orders"] as &[&str], &["doctor"]] {
        let output = tool(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", stdout(&output));
        assert!(stdout(&output).contains("Could not be examined"), "{}", stdout(&output));
    }
    // What can be read is examined all the same.
    let file = saved("beside", &[&grown()]);
    let output = tool(&["doctor", &file, "orders"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("EA010") && stdout(&output).contains("- orders: "), "{}", stdout(&output));
}
