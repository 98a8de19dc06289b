//! `alarms`: a good latency alarm for each variant or component.

use crate::args::{Alarms, ExportTool, Observed, ProposalFormat};
use crate::export::show;
use crate::observe::{is_file, objective, request, saved};
use crate::print::{Waiting, is_confirmed, one_or_all, print};
use crate::{AWS_ERROR, Tool, ToolError};
use endpoint_advisor::act::{put_alarm, standing_alarm};
use endpoint_advisor::alarms::{PERCENTILES, Proposal, Standing, document, propose};
use endpoint_advisor::export::alarms::{cli, cloudformation, terraform};
use endpoint_advisor::model::{ObjectiveSource, Observation, OutcomeStatus, Statistic};
use endpoint_advisor::observe::{add_latency, observe};
use endpoint_advisor::report::{markdown, text};
use std::process::ExitCode;

/// Proposes, and prints, exports or puts what is proposed.
pub async fn run(tool: &Tool, arguments: Alarms) -> Result<ExitCode, ToolError> {
    let Alarms { observed, format, tool: file, apply, yes } = arguments;
    let observations = if is_file(&observed.endpoint) { from_file(&observed)? } else { read(tool, &observed).await? };
    if observations.is_empty() {
        return Err(ToolError::BadInput("there is no such variant or component".to_owned(), None));
    }
    let proposals: Vec<Proposal> = observations.iter().map(propose).collect();
    if let Some(file) = file {
        let exported = match file {
            ExportTool::Cloudformation => cloudformation(&proposals),
            ExportTool::Terraform => terraform(&proposals),
            ExportTool::Cli => cli(&proposals),
        };
        show(&exported.map_err(|nothing| ToolError::BadInput(nothing.to_string(), None))?);
        return Ok(ExitCode::SUCCESS);
    }
    if apply {
        return put(tool, &observations, &proposals, yes).await;
    }
    let documents = proposals.iter().map(document);
    let words: Vec<String> = match format {
        ProposalFormat::Text => documents.map(|document| text::words(&document)).collect(),
        ProposalFormat::Markdown => documents.map(|document| markdown::words(&document)).collect(),
        ProposalFormat::Json => vec![one_or_all(&proposals)?],
    };
    print(&words.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Saved observations of what was asked for, with the objective that was stated; a tag is stronger, as everywhere.
fn from_file(observed: &Observed) -> Result<Vec<Observation>, ToolError> {
    let mut observations: Vec<Observation> = saved(&observed.endpoint, "a saved observation")?;
    let has = |asked: &Option<String>, name: Option<&str>| asked.is_none() || asked.as_deref() == name;
    observations.retain(|observation| {
        has(&observed.variant, observation.variant_name.as_ref().map(|name| name.as_str()))
            && has(&observed.component, observation.inference_component_name.as_ref().map(|name| name.as_str()))
    });
    if let Some(stated) = objective(observed)? {
        let is_tagged = |observation: &Observation| {
            observation.objective.is_some_and(|objective| objective.source == ObjectiveSource::Tag)
        };
        let untagged = observations.iter_mut().filter(|observation| !is_tagged(observation));
        untagged.for_each(|observation| observation.objective = Some(stated));
    }
    Ok(observations)
}

/// Reads every variant asked for, with all the statistics that an alarm may be on.
async fn read(tool: &Tool, observed: &Observed) -> Result<Vec<Observation>, ToolError> {
    let request = request(tool, observed)?;
    let aws = tool.aws().await;
    let _waiting = Waiting::on(format!("reading {} from AWS", observed.endpoint));
    let mut observations = observe(&aws, &request).await?;
    for observation in observations.iter_mut().filter(|observation| !observation.is_asynchronous()) {
        let read = observation.objective.map_or(Statistic::P90, |objective| objective.slo_statistic);
        let statistics = PERCENTILES.into_iter().chain([Statistic::Average]).filter(|statistic| *statistic != read);
        add_latency(&aws, &request, &statistics.collect::<Vec<_>>(), observation).await;
    }
    Ok(observations)
}

/// Shows what changes, asks, and puts the alarms.
async fn put(
    tool: &Tool,
    observations: &[Observation],
    proposals: &[Proposal],
    yes: bool,
) -> Result<ExitCode, ToolError> {
    let bad = |words: String| Err(ToolError::BadInput(words, None));
    let aws = tool.aws().await;
    if let Some(other) =
        observations.iter().map(|observation| observation.endpoint.region()).find(|r| *r != aws.region())
    {
        return bad(format!("the observation is of Region {other}, and the tool writes to {}", aws.region()));
    }
    let mut asked = Vec::new();
    let mut reasons = Vec::new();
    for proposal in proposals {
        let subject = proposal.subject();
        let Some(alarm) = &proposal.put_metric_alarm else {
            reasons.push(format!("{subject}: missing is {}", proposal.missing.join(", ")));
            continue;
        };
        let standing = standing_alarm(&aws, &alarm.alarm_name).await?;
        if standing == Standing::Composite {
            reasons.push(format!("{subject}: a composite alarm has the name {}, and is left alone", alarm.alarm_name));
            continue;
        }
        asked.push((subject, proposal, alarm, standing));
    }
    if asked.is_empty() {
        return bad(format!("no alarm to put: {}", reasons.join("; ")));
    }
    reasons.iter().for_each(|reason| print(reason));
    for (subject, proposal, alarm, standing) in &asked {
        let difference = standing.difference(alarm);
        let what = match (standing, difference.is_empty()) {
            (_, true) => "unchanged: it stands like this",
            (Standing::Metric(_), false) => "changes, and keeps what it does when it fires",
            (_, false) => "is new",
        };
        print(&format!("{subject}: alarm {} {what}", alarm.alarm_name));
        difference.iter().for_each(|line| print(&format!("  {line}")));
        proposal.warnings.iter().for_each(|warning| print(&format!("  ! {warning}")));
    }
    asked.retain(|(_, _, alarm, standing)| !standing.difference(alarm).is_empty());
    if asked.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && !is_confirmed()? {
        print("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut is_put = true;
    for (subject, _, alarm, standing) in asked {
        let outcome = put_alarm(&aws, alarm, &standing).await?;
        print(&format!("{subject}: {}: {}", outcome.status, outcome.words()));
        is_put &= matches!(outcome.status, OutcomeStatus::Applied | OutcomeStatus::Unchanged);
    }
    Ok(if is_put { ExitCode::SUCCESS } else { ExitCode::from(AWS_ERROR) })
}
