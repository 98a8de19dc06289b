//! The built tool: standard output, standard error, exit codes.

use crate::asynchronous::observed as queue;
use crate::components::of_component;
use crate::convergence::applied;
use crate::endpoint::{observed, settings};
use crate::serverless::{family, serverless};
use endpoint_advisor::advise::compare;
use endpoint_advisor::alarms::Proposal;
use endpoint_advisor::model::{Comparison, Metric, Observation, Report, VariantName};
use std::process::{Command, Output};

pub fn tool(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_endpoint-advisor"))
        .args(arguments)
        .env_clear()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        // A port where nobody listens: a call to AWS is an error, never a wait.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .output()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A saved observation of the scenario.
fn saved(scenario: &str) -> String {
    let path = std::env::temp_dir().join(format!("endpoint-advisor-{scenario}-{}.json", std::process::id()));
    std::fs::write(&path, serde_json::to_string(&observed(scenario)).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn explains_a_saved_observation_offline() {
    let file = saved("slow-model");
    let text = tool(&["explain", &file]);
    assert!(text.status.success(), "{}", stderr(&text));
    assert!(stdout(&text).starts_with("orders/AllTraffic is slow because of the model or its code\n"));
    let json = tool(&["explain", &file, "--format", "json"]);
    let report: Report = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(report.diagnosis.verdict.name(), "slow_model");
    let html = stdout(&tool(&["explain", &file, "--format", "html"]));
    assert!(html.starts_with("<!doctype html>") && html.matches("<svg ").count() >= 4, "{html}");
    let markdown = stdout(&tool(&["explain", &file, "--format", "markdown"]));
    assert!(markdown.starts_with("## orders/AllTraffic is slow because of the model or its code\n"));
}

#[test]
fn compares_set_ups_on_a_saved_observation() {
    let file = saved("overload");
    let policy = std::env::temp_dir().join(format!("endpoint-advisor-mine-{}.json", std::process::id()));
    std::fs::write(&policy, "{\"min_capacity\":4,\"max_capacity\":4}").unwrap();
    let policy = policy.to_str().unwrap();
    let options = ["--target", "600", "--target", "900", "--min", "2", "--max", "6", "--policy", policy];
    let asked = |format: &'static str| {
        let arguments = [&["replay", &file, "--format", format], options.as_slice()].concat();
        let output = tool(&arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let comparison: Comparison = serde_json::from_str(&asked("json")).unwrap();
    let names: Vec<&str> = comparison.rows.iter().map(|row| row.name.as_str()).collect();
    let mine = std::path::Path::new(policy).file_stem().unwrap().to_str().unwrap();
    assert_eq!(names, ["as it was", "as advised", "target 600, 2 to 6", "target 900, 2 to 6", mine]);
    let cost = |row: usize| comparison.rows[row].relative_cost.unwrap();
    assert!((cost(0) - 1.0).abs() < 1e-9 && cost(1) <= cost(4), "four instances always cost more than what is advised");
    let text = asked("text");
    assert!(
        text.starts_with("orders/AllTraffic: 2 days from 2026-10-03") && text.contains("target 900, 2 to 6"),
        "{text}"
    );
    let html = asked("html");
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg") && !html.contains("<script"));
}

#[test]
fn a_comparison_as_markdown_is_a_table_with_commands_to_paste() {
    let output = tool(&["replay", &saved("overload"), "--target", "900", "--format", "markdown"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("## orders/AllTraffic\n\n2 days from 2026-10-03"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 5, "{text}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 7), "{text}");
    assert!(text.contains("\n```sh\naws application-autoscaling register-scalable-target"), "{text}");
}

#[test]
fn a_variant_that_cannot_be_compared_does_not_keep_the_others_from_it() {
    let overload = observed("overload");
    let mut unknown = observed("overload");
    unknown.variant_name = Some(VariantName::parse("Canary").unwrap());
    unknown.metrics.0.retain(|series| series.metric == Metric::Invocations);
    let file = |name: &str, observations: &[&Observation]| {
        let path = std::env::temp_dir().join(format!("endpoint-advisor-{name}-{}.json", std::process::id()));
        std::fs::write(&path, serde_json::to_string(observations).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let both = file("both", &[&unknown, &overload]);
    let said = "orders/Canary is not compared: how latency depends on load did not show";
    for format in ["text", "markdown", "html"] {
        let output = tool(&["replay", &both, "--format", format]);
        assert!(output.status.success() && stdout(&output).contains(said), "{}", stdout(&output));
        assert!(stdout(&output).contains("orders/AllTraffic"));
    }
    let output = tool(&["replay", &both, "--format", "json"]);
    let compared: Vec<Comparison> = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((output.status.code(), compared.len()), (Some(0), 1));
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    let neither = tool(&["replay", &file("neither", &[&unknown])]);
    assert_eq!(neither.status.code(), Some(2));
    assert!(stderr(&neither).contains(said) && stdout(&neither).is_empty());
}

#[test]
fn a_target_means_what_a_policy_of_that_way_of_hosting_follows() {
    let file = |name: &str, observation: &Observation| {
        let path = std::env::temp_dir().join(format!("endpoint-advisor-{name}-{}.json", std::process::id()));
        std::fs::write(&path, serde_json::to_string(observation).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let spilling = file("spilling", &serverless(family("serverless_spillover"), 0));
    for (saved, target, name, said) in [
        (
            file("queue", &queue("growth", 3)),
            "20",
            "target 20, 1 to 10",
            "the oldest request has waited more than 30 min",
        ),
        (spilling.clone(), "0.6", "target 0.60, 1 to 10", "beyond provisioned concurrency"),
        (file("component", &of_component(observed("overload"))), "700", "target 700, 1 to 10", "copy-hours"),
    ] {
        for format in ["text", "markdown", "html", "json"] {
            let output = tool(&["replay", &saved, "--target", target, "--format", format]);
            assert!(output.status.success(), "{}", stderr(&output));
            let text = stdout(&output);
            assert!(text.contains(name) && !text.contains("not replayed"), "{text}");
            assert!(format == "json" || text.contains(said), "{text}");
        }
    }
    let output = tool(&["replay", &spilling, "--target", "70"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--target 70: a target of provisioned concurrency is the share"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_replay_exits_with_1_where_a_change_is_advised_only_where_asked() {
    let before = observed("overload");
    let write = |name: &str, observation: &Observation| {
        let path = std::env::temp_dir().join(format!("endpoint-advisor-{name}-{}.json", std::process::id()));
        std::fs::write(&path, serde_json::to_string(observation).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = write("change", &before);
    assert_eq!(tool(&["replay", &file]).status.code(), Some(0));
    assert_eq!(tool(&["replay", &file, "--exit-code"]).status.code(), Some(1));
    let advised = compare(&before, &settings(&[]), &[]).unwrap().advised.unwrap();
    let settled = write("settled", &applied(&before, &advised));
    assert_eq!(tool(&["replay", &settled, "--exit-code"]).status.code(), Some(0));
}

#[test]
fn exits_with_1_for_findings_only_where_asked() {
    let file = saved("overload");
    assert_eq!(tool(&["explain", &file]).status.code(), Some(0));
    assert_eq!(tool(&["explain", &file, "--exit-code"]).status.code(), Some(1));
    assert_eq!(tool(&["explain", &saved("blip"), "--exit-code"]).status.code(), Some(0));
}

#[test]
fn bad_input_exits_with_2_and_says_what_is_wrong() {
    let junk = std::env::temp_dir().join(format!("endpoint-advisor-junk-{}.json", std::process::id()));
    std::fs::write(&junk, "{\"version\":\"1\"}").unwrap();
    let observation = saved("healthy");
    for (arguments, said) in [
        (vec!["explain", "no such endpoint!"], "not a SageMaker name"),
        (vec!["explain", "missing.json"], "cannot be read"),
        (vec!["explain", junk.to_str().unwrap()], "is not a saved observation"),
        (vec!["observe", "orders", "--days", "16"], "16"),
        (vec!["observe", "orders", "--at", "yesterday"], "yesterday"),
        (vec!["explain", "orders", "--latency-slo-ms", "0"], "60000"),
        (vec!["replay", "missing.json"], "cannot be read"),
        (vec!["replay", "orders", "--target", "many"], "many"),
        (vec!["replay", &observation, "--min", "5", "--max", "2"], "--min 5 is above --max 2"),
        (vec!["fly"], "fly"),
    ] {
        let output = tool(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn an_aws_that_does_not_answer_exits_with_3() {
    let output = tool(&["explain", "orders"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("sagemaker:DescribeEndpoint"), "{}", stderr(&output));
}

#[test]
fn each_command_has_help() {
    for command in ["observe", "explain", "replay"] {
        let output = tool(&[command, "--help"]);
        assert!(output.status.success() && stdout(&output).contains("--variant"));
    }
}

#[test]
fn an_alarm_is_proposed_from_a_saved_observation() {
    let file = saved("healthy");
    let text = tool(&["alarms", &file]);
    assert!(text.status.success(), "{}", stderr(&text));
    assert!(stdout(&text).starts_with("p90 ModelLatency of orders/AllTraffic above 500 ms in 2 of 3 minutes\n"));
    let json = tool(&["alarms", &file, "--format", "json", "--latency-slo-ms", "800", "--slo-statistic", "p99"]);
    let proposal: Proposal = serde_json::from_str(&stdout(&json)).unwrap();
    let alarm = proposal.put_metric_alarm.unwrap();
    assert_eq!((alarm.threshold, alarm.statistic.name()), (800_000.0, "p99"));
    assert!(proposal.reasoning.iter().any(|why| why.contains("as you stated")));
    let markdown = stdout(&tool(&["alarms", &file, "--format", "markdown"]));
    assert!(markdown.starts_with("## p90 ModelLatency of orders/AllTraffic"), "{markdown}");
    for (format, begins) in [("cloudformation", "{\n"), ("terraform", "# orders/AllTraffic"), ("cli", "#!/bin/sh\n")] {
        let exported = tool(&["alarms", &file, "--as", format]);
        assert!(exported.status.success(), "{}", stderr(&exported));
        assert!(stdout(&exported).starts_with(begins) && stderr(&exported).starts_with("endpoint-advisor: "));
    }
}

#[test]
fn an_alarm_is_never_put_by_accident() {
    let file = saved("healthy");
    // Nobody listens where AWS should be: only --apply asks.
    assert_eq!(tool(&["alarms", &file, "--apply", "--yes"]).status.code(), Some(3));
    for (arguments, said) in [
        (vec!["alarms", &file, "--yes"], "--apply"),
        (vec!["alarms", &file, "--apply", "--as", "cli"], "cannot be used with"),
        (vec!["alarms", &file, "--variant", "Canary"], "no such variant"),
        (vec!["alarms", &file, "--format", "html"], "invalid value 'html'"),
        (vec!["alarms", &file, "--latency-slo-ms", "0"], "above 0"),
        (vec!["alarms", &file, "--apply", "--yes", "--region", "eu-west-1"], "is of Region us-east-1"),
    ] {
        let output = tool(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
