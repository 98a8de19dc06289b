//! `replay`: scaling set-ups on the endpoint's own history.

use crate::args::{Format, Replay};
use crate::observe::from_file_or_aws;
use crate::print::{json, one_or_all, print};
use crate::{Tool, ToolError};
use endpoint_advisor::advise::compare;
use endpoint_advisor::model::{Comparison, InstanceCount, NotCompared, Observation};
use endpoint_advisor::plan::asked;
use endpoint_advisor::replay::Setup;
use endpoint_advisor::report::{comparison, comparison_html, comparison_markdown};
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compares what is there, what is advised and what was asked for, and prints it.
pub async fn run(tool: &Tool, arguments: Replay) -> Result<ExitCode, ToolError> {
    let Replay { observed, target, min, max, policy, format, exit_code } = arguments;
    let settings = &tool.settings;
    let mut comparisons = Vec::new();
    let mut not_compared = Vec::new();
    for observation in from_file_or_aws(tool, &observed).await? {
        let most = settings.for_endpoint(observation.tags.as_ref()).max_instances;
        let setups = setups(&observation, &target, (min, max), &policy, most)?;
        // One variant that cannot be compared does not keep the others from it.
        match compare(&observation, settings, &setups) {
            Ok(comparison) => comparisons.push(comparison),
            Err(error) => not_compared.push(NotCompared {
                endpoint_name: observation.endpoint_name.clone(),
                part_name: Some(observation.part_name().to_owned()).filter(|name| name != "-"),
                why: error.to_string(),
            }),
        }
    }
    if comparisons.is_empty() {
        let all: Vec<String> = not_compared.iter().map(ToString::to_string).collect();
        return Err(ToolError::BadInput(all.join("; "), None));
    }
    print(&compared(&comparisons, &not_compared, format)?);
    let is_advised = comparisons.iter().any(Comparison::advises_a_change);
    Ok(if exit_code && is_advised { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Comparisons as they are printed. What could not be compared is said beside them, in JSON on standard error.
fn compared(comparisons: &[Comparison], not_compared: &[NotCompared], format: Format) -> Result<String, ToolError> {
    let left_out = not_compared.iter().map(ToString::to_string);
    match format {
        Format::Text => Ok(comparisons.iter().map(comparison::render).chain(left_out).collect::<Vec<_>>().join("\n")),
        Format::Markdown => {
            Ok(comparisons.iter().map(comparison_markdown::render).chain(left_out).collect::<Vec<_>>().join("\n"))
        }
        Format::Html => Ok(comparison_html::render(comparisons, not_compared)),
        Format::Json if not_compared.is_empty() => one_or_all(comparisons),
        // Still a list where one of several is left.
        Format::Json => {
            for line in left_out {
                let _ = writeln!(std::io::stderr(), "endpoint-advisor: {line}");
            }
            json(comparisons)
        }
    }
}

/// The set-ups that were asked for.
fn setups(
    observation: &Observation,
    targets: &[f64],
    (min, max): (Option<u32>, Option<u32>),
    files: &[PathBuf],
    most: InstanceCount,
) -> Result<Vec<Setup>, ToolError> {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Err(ToolError::BadInput(format!("--min {min} is above --max {max}"), None));
    }
    let present = observation.scaling.as_ref().and_then(|scaling| scaling.target.as_ref());
    let min = min.map(InstanceCount).or(present.map(|target| target.min_capacity)).unwrap_or(InstanceCount(1));
    // Beyond MaxConcurrency no provisioned concurrency can be set.
    let most = observation.variant.serverless.map_or(most, |variant| most.min(InstanceCount(variant.max_concurrency)));
    let max = max.map(InstanceCount).or(present.map(|target| target.max_capacity)).unwrap_or(most).max(min);
    let mut setups = Vec::new();
    for target in targets {
        let setup = asked(observation, *target, min, max);
        setups.push(setup.map_err(|error| ToolError::BadInput(format!("--target {target}: {error}"), None))?);
    }
    for file in files {
        let shown = file.display();
        let bad = |what: &str, error: Box<dyn Error>| ToolError::BadInput(format!("`{shown}` {what}"), Some(error));
        let text = std::fs::read_to_string(file).map_err(|error| bad("cannot be read", error.into()))?;
        let mut setup: Setup =
            serde_json::from_str(&text).map_err(|error| bad("is not a scaling set-up", error.into()))?;
        if setup.name.is_empty() {
            setup.name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        }
        setups.push(setup);
    }
    Ok(setups)
}
