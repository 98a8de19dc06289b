//! `doctor`: lints scaling set-ups, one endpoint's or the whole Region's.

use crate::args::{CheckupFormat, Doctor};
use crate::observe::{is_file, request_for, saved};
use crate::print::{Progress, json, print};
use crate::{AWS_ERROR, Tool, ToolError};
use endpoint_advisor::aws::{Aws, CallError, chain};
use endpoint_advisor::doctor::{Checkup, NotExamined, examine, examine_account, markdown, text};
use endpoint_advisor::model::{Account, EndpointName, InvalidName, Observation, Subject};
use endpoint_advisor::observe::{Request, account, each};
use futures::StreamExt as _;
use std::pin::pin;
use std::process::ExitCode;

/// Examines what is named, or every endpoint, and prints what is wrong.
pub async fn run(tool: &Tool, arguments: Doctor) -> Result<ExitCode, ToolError> {
    let Doctor { what, format, exit_code, at_least, days } = arguments;
    let mut checkup = Checkup::default();
    let mut names = Vec::new();
    for what in &what {
        if is_file(what) {
            let observations: Vec<Observation> = saved(what, "a saved observation")?;
            checkup.add(examine(&observations, None, &tool.settings));
        } else {
            let bad = |error: InvalidName| ToolError::BadInput(error.to_string(), None);
            names.push(EndpointName::parse(what).map_err(bad)?);
        }
    }
    if !names.is_empty() || what.is_empty() {
        checkup.add(of_region(tool, names, what.is_empty(), days).await);
    }
    let checkup = checkup.sorted().at_least(at_least.into());
    print(&match format {
        CheckupFormat::Text => text::render(&checkup),
        CheckupFormat::Markdown => markdown::render(&checkup),
        CheckupFormat::Json => json(&checkup)?,
    });
    let none_was_read = checkup.endpoints == 0 && !checkup.not_examined.is_empty();
    Ok(match checkup.findings.is_empty() {
        _ if none_was_read => ExitCode::from(AWS_ERROR),
        false if exit_code => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// These endpoints of the Region, or all. Scalable targets of endpoints that are gone belong to nobody in particular: they are
/// looked at where everything is.
async fn of_region(tool: &Tool, names: Vec<EndpointName>, all: bool, days: Option<u32>) -> Checkup {
    let aws = tool.aws().await;
    let progress = Progress::on("listing endpoints, scalable targets and alarms");
    let account = account(&aws).await;
    let mut checkup = Checkup::default();
    let names = match &account.endpoints {
        _ if !all => names,
        Some(every) => {
            checkup.add(examine_account(&account));
            every.clone()
        }
        None => {
            let why = account.warnings.join(" ");
            checkup.not_examined.push(NotExamined { subject: "every endpoint of the Region".to_owned(), why });
            Vec::new()
        }
    };
    progress.of(names.len());
    let requests = names.into_iter().map(|name| request_for(tool, Subject::Endpoint(name), days)).collect();
    checkup.add(examined(&aws, requests, &account, tool, &progress).await);
    checkup
}

/// One endpoint after the other, as each is read.
async fn examined(aws: &Aws, requests: Vec<Request>, account: &Account, tool: &Tool, progress: &Progress) -> Checkup {
    let mut checkup = Checkup::default();
    let mut read = pin!(each(aws, requests));
    while let Some((subject, observed)) = read.next().await {
        progress.step();
        match observed {
            Ok(observations) => {
                checkup.add(examine(&with_alarms(observations, account), Some(account), &tool.settings))
            }
            Err(error) => checkup.not_examined.push(not_examined(&subject, &error)),
        }
    }
    checkup
}

fn not_examined(subject: &Subject, error: &CallError) -> NotExamined {
    let subject = match subject {
        Subject::Endpoint(name) | Subject::Variant(name, _) => name.to_string(),
        Subject::InferenceComponent(name) => name.to_string(),
    };
    NotExamined { subject, why: chain(error) }
}

/// Each with the alarms on it, where alarms could be listed.
fn with_alarms(mut observations: Vec<Observation>, account: &Account) -> Vec<Observation> {
    for observation in &mut observations {
        observation.alarms = account.alarms.as_ref().map(|all| observation.alarms_among(all));
    }
    observations
}
