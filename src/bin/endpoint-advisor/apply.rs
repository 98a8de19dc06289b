//! `apply`: writes a plan.

use crate::args::{Apply, Observed, Writing};
use crate::observe::{from_aws, is_file, saved};
use crate::print::{is_confirmed, print};
use crate::undo::obeys_mode;
use crate::{AWS_ERROR, Tool, ToolError};
use endpoint_advisor::act;
use endpoint_advisor::advise::{explain, refusal};
use endpoint_advisor::model::{OutcomeStatus, Report};
use endpoint_advisor::observe::endpoint_tags;
use endpoint_advisor::report::document::headline;
use endpoint_advisor::report::text;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Shows what changes, asks, and writes it.
pub async fn run(tool: &Tool, arguments: Apply) -> Result<ExitCode, ToolError> {
    let Apply { what, writing: Writing { variant, component, yes, override_tags } } = arguments;
    let reports: Vec<Report> = if is_file(&what) {
        let reports: Vec<Report> = saved(&what, "a saved report")?;
        let is_asked = |report: &Report| {
            let has = |asked: &Option<String>, name: Option<&str>| asked.is_none() || asked.as_deref() == name;
            has(&variant, report.variant_name.as_ref().map(|name| name.as_str()))
                && has(&component, report.inference_component_name.as_ref().map(|name| name.as_str()))
        };
        reports.into_iter().filter(is_asked).collect()
    } else {
        let observations = from_aws(tool, &Observed::of(what, variant, component)).await?;
        observations.iter().map(|observation| explain(observation, &tool.settings)).collect()
    };
    if reports.is_empty() {
        return Err(ToolError::BadInput("nothing to apply: there is no such variant or component".to_owned(), None));
    }
    let aws = tool.aws().await;
    let mut tags = BTreeMap::new();
    for report in &reports {
        if !tags.contains_key(&report.endpoint_name) {
            let of_endpoint = endpoint_tags(&aws, &report.endpoint_name).await?;
            obeys_mode(&of_endpoint, override_tags)?;
            tags.insert(&report.endpoint_name, of_endpoint);
        }
    }
    let mut planned = Vec::new();
    let mut reasons = Vec::new();
    for report in &reports {
        let of_endpoint = tags.get(&report.endpoint_name).cloned().unwrap_or_default();
        match refusal(report, &tool.settings, &of_endpoint) {
            None => planned.push(report),
            Some(outcome) => reasons.push(format!("{}: {}", report.subject(), outcome.words())),
        }
    }
    if planned.is_empty() {
        return Err(ToolError::BadInput(format!("nothing to apply: {}", reasons.join("; ")), None));
    }
    for reason in &reasons {
        print(reason);
    }
    for report in &planned {
        print(&format!("{}, as of {}", headline(report), report.at));
        for line in text::difference(&report.plan) {
            print(&format!("  {line}"));
        }
    }
    if !yes && !is_confirmed()? {
        print("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for report in &planned {
        let outcome = act::apply(&aws, &report.plan).await?;
        print(&format!("{}: {}: {}", report.subject(), outcome.status, outcome.words()));
        if !matches!(outcome.status, OutcomeStatus::Applied | OutcomeStatus::Unchanged) {
            code = ExitCode::from(AWS_ERROR);
        }
    }
    print("Nothing follows this up by itself. To see whether it helped, and to take it back:");
    for asked in planned.iter().map(|report| report.asked_of_the_tool()) {
        print(&format!("  endpoint-advisor explain {asked}\n  endpoint-advisor undo {asked}"));
    }
    Ok(code)
}
