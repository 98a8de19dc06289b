//! `observe`, and where every command has its observations from.

use crate::args::Observed;
use crate::print::{Waiting, one_or_all, print};
use crate::{Tool, ToolError, now};
use endpoint_advisor::aws::chain;
use endpoint_advisor::model::{
    EndpointName, InferenceComponentName, InvalidName, LatencyObjective, Milliseconds, ObjectiveSource, Observation,
    Subject, TriggerKind, TriggerSummary, VariantName,
};
use endpoint_advisor::observe::{ObjectiveFrom, Request, every_alarm, observe};
use endpoint_advisor::redact::redact as redacted;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// Reads everything about an endpoint and prints it.
pub async fn run(tool: &Tool, observed: &Observed, redact: bool) -> Result<ExitCode, ToolError> {
    let mut observations = from_aws(tool, observed).await?;
    // Whoever reads it elsewhere cannot ask for them.
    let alarms = every_alarm(&tool.aws().await).await;
    for observation in &mut observations {
        match &alarms {
            Ok(all) => observation.alarms = Some(observation.alarms_among(all)),
            Err(error) => observation.warnings.push(format!("{}.", chain(error))),
        }
    }
    if redact {
        let failed =
            |error: serde_json::Error| ToolError::BadInput("cannot be redacted".to_owned(), Some(error.into()));
        observations = observations.iter().map(redacted).collect::<Result<_, _>>().map_err(failed)?;
    }
    print(&one_or_all(&observations)?);
    Ok(ExitCode::SUCCESS)
}

/// Reads a saved observation, or every variant asked for from AWS.
pub async fn from_file_or_aws(tool: &Tool, observed: &Observed) -> Result<Vec<Observation>, ToolError> {
    let name = &observed.endpoint;
    if is_file(name) {
        return saved(name, "a saved observation");
    }
    from_aws(tool, observed).await
}

/// Whether an argument is a file and not the name of an endpoint, which has no dot.
pub fn is_file(name: &str) -> bool {
    name == "-" || name.ends_with(".json") || Path::new(name).is_file()
}

/// Reads every variant asked for from AWS.
pub async fn from_aws(tool: &Tool, observed: &Observed) -> Result<Vec<Observation>, ToolError> {
    let request = request(tool, observed)?;
    let aws = tool.aws().await;
    let _waiting = Waiting::on(format!("reading {} from AWS", observed.endpoint));
    Ok(observe(&aws, &request).await?)
}

/// What the arguments ask to be read.
pub fn request(tool: &Tool, observed: &Observed) -> Result<Request, ToolError> {
    let subject = subject(&observed.endpoint, observed.variant.as_deref(), observed.component.as_deref())?;
    let now = now();
    let objective = objective(observed)?;
    Ok(Request {
        subject,
        described: None,
        at: observed.at.unwrap_or(now).min(now),
        now,
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective,
        objective_from: if objective.is_some() { ObjectiveFrom::Nowhere } else { ObjectiveFrom::AlarmsOfVariant },
        history_days: observed.days.unwrap_or(tool.settings.history_days),
        has_hourly_limit: tool.settings.defaults.max_hourly_usd.is_some(),
    })
}

/// The objective that the arguments state.
pub fn objective(observed: &Observed) -> Result<Option<LatencyObjective>, ToolError> {
    let objective = observed.latency_slo_ms.map(|ms| LatencyObjective {
        latency_slo_ms: Milliseconds(ms),
        slo_statistic: observed.slo_statistic,
        source: ObjectiveSource::Event,
    });
    if objective.is_some_and(|objective| !(objective.latency_slo_ms.0 > 0.0 && objective.latency_slo_ms.0 <= 60_000.0))
    {
        return Err(ToolError::BadInput("--latency-slo-ms is above 0 and at most 60000".to_owned(), None));
    }
    Ok(objective)
}

/// What the doctor reads of a subject: as it is now, with the price that a saving is told in.
pub fn request_for(tool: &Tool, subject: Subject, days: Option<u32>) -> Request {
    let now = now();
    Request {
        subject,
        described: None,
        at: now,
        now,
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective: None,
        objective_from: ObjectiveFrom::AlarmsOfVariant,
        history_days: days.unwrap_or(tool.settings.history_days),
        has_hourly_limit: true,
    }
}

/// Whom the arguments name. A component knows its endpoint by itself.
pub fn subject(endpoint: &str, variant: Option<&str>, component: Option<&str>) -> Result<Subject, ToolError> {
    let bad = |error: InvalidName| ToolError::BadInput(error.to_string(), None);
    let endpoint = EndpointName::parse(endpoint).map_err(bad)?;
    Ok(match (variant, component) {
        (_, Some(component)) => Subject::InferenceComponent(InferenceComponentName::parse(component).map_err(bad)?),
        (Some(variant), None) => Subject::Variant(endpoint, VariantName::parse(variant).map_err(bad)?),
        (None, None) => Subject::Endpoint(endpoint),
    })
}

/// Reads one saved value, or a list of them.
pub fn saved<T: DeserializeOwned>(path: &str, what: &str) -> Result<Vec<T>, ToolError> {
    let bad = |said: &str, error: Box<dyn Error>| ToolError::BadInput(format!("`{path}` {said}"), Some(error));
    let text = if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| bad("cannot be read", error.into()))?;
    let is_list = text.trim_start().starts_with('[');
    let parsed = if is_list { serde_json::from_str(&text) } else { serde_json::from_str(&text).map(|one| vec![one]) };
    parsed.map_err(|error| bad(&format!("is not {what}"), error.into()))
}
