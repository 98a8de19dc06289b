//! `undo`: takes back what was written.

use crate::args::{Undo, Writing};
use crate::observe::subject;
use crate::print::{is_confirmed, print};
use crate::{AWS_ERROR, Tool, ToolError};
use endpoint_advisor::advise::{WayBack, take_back, way_back};
use endpoint_advisor::model::OutcomeStatus;
use endpoint_advisor::report::restoration;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Shows the way back, asks, and goes it.
pub async fn run(tool: &Tool, arguments: Undo) -> Result<ExitCode, ToolError> {
    let Undo { endpoint, writing: Writing { variant, component, yes, override_tags } } = arguments;
    let subject = subject(&endpoint, variant.as_deref(), component.as_deref())?;
    let aws = tool.aws().await;
    let WayBack { endpoint_name: endpoint, tags, parts } = way_back(&aws, &subject).await?;
    obeys_mode(&tags, override_tags)?;
    let mut ways = Vec::new();
    let mut reasons = Vec::new();
    for part in &parts {
        match &part.restoration {
            Ok(way) => {
                print(&format!("{endpoint}/{}", part.name));
                let instances = restoration::instances(way, part.running);
                for line in restoration::lines(way).into_iter().chain(instances) {
                    print(&format!("  {line}"));
                }
                ways.push(part);
            }
            Err(reason) => reasons.push(format!("{endpoint}/{}: {reason}", part.name)),
        }
    }
    if ways.is_empty() {
        let words =
            if reasons.is_empty() { "there is no such variant or component".to_owned() } else { reasons.join("; ") };
        return Err(ToolError::BadInput(format!("nothing to undo: {words}"), None));
    }
    if !yes && !is_confirmed()? {
        print("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for part in ways {
        let outcome = take_back(&aws, part).await?;
        print(&format!("{endpoint}/{}: {}", part.name, outcome.words()));
        if outcome.status != OutcomeStatus::RolledBack {
            code = ExitCode::from(AWS_ERROR);
        }
    }
    Ok(code)
}

/// An endpoint's tag may forbid writing to people too.
pub fn obeys_mode(tags: &BTreeMap<String, String>, override_tags: bool) -> Result<(), ToolError> {
    match tags.get("endpoint-advisor:mode").map(String::as_str) {
        Some(mode @ ("off" | "recommend")) if !override_tags => {
            let words =
                format!("the endpoint is tagged endpoint-advisor:mode={mode}; say --override-tags to write anyway");
            Err(ToolError::BadInput(words, None))
        }
        _ => Ok(()),
    }
}
