//! `undo`: takes back what was written.

use crate::args::Undo;
use crate::print::{is_confirmed, print};
use crate::{AWS_ERROR, Tool, ToolError};
use endpoint_advisor::advise::{WayBack, take_back, way_back};
use endpoint_advisor::model::{EndpointName, InvalidName, OutcomeStatus, VariantName};
use endpoint_advisor::report::restoration;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Shows the way back, asks, and goes it.
pub async fn run(tool: &Tool, Undo { endpoint, variant, yes, override_tags }: Undo) -> Result<ExitCode, ToolError> {
    let bad = |error: InvalidName| ToolError::BadInput(error.to_string(), None);
    let endpoint = EndpointName::parse(&endpoint).map_err(bad)?;
    let variant = variant.as_deref().map(VariantName::parse).transpose().map_err(bad)?;
    let aws = tool.aws().await;
    let WayBack { tags, variants } = way_back(&aws, &endpoint, variant.as_ref()).await?;
    obeys_mode(&tags, override_tags)?;
    let mut ways = Vec::new();
    let mut reasons = Vec::new();
    for variant in &variants {
        match &variant.restoration {
            Ok(way) => {
                print(&format!("{endpoint}/{}", variant.name));
                let instances = restoration::instances(way, variant.running);
                for line in restoration::lines(way).into_iter().chain(instances) {
                    print(&format!("  {line}"));
                }
                ways.push(variant);
            }
            Err(reason) => reasons.push(format!("{endpoint}/{}: {reason}", variant.name)),
        }
    }
    if ways.is_empty() {
        let words = if reasons.is_empty() { "there is no such variant".to_owned() } else { reasons.join("; ") };
        return Err(ToolError::BadInput(format!("nothing to undo: {words}"), None));
    }
    if !yes && !is_confirmed()? {
        print("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for variant in ways {
        let outcome = take_back(&aws, variant).await?;
        print(&format!("{endpoint}/{}: {}", variant.name, outcome.words()));
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
