//! `doctor`: lints scaling set-ups, one endpoint's or the whole Region's.

use crate::args::{CheckupFormat, Doctor};
use crate::observe::{is_file, request_for, saved};
use crate::print::{Progress, json, print};
use crate::{AWS_ERROR, Tool, ToolError, now};
use endpoint_advisor::advise::{BATCH, FirstPass, Seen, unread, with_alarms};
use endpoint_advisor::doctor::{Checkup, NotExamined, examine, examine_account, markdown, text};
use endpoint_advisor::fleet::{self, Headroom};
use endpoint_advisor::model::{EndpointName, InvalidName, Observation, Subject};
use endpoint_advisor::observe::{account, beside_endpoints, each};
use futures::StreamExt as _;
use serde::Serialize;
use std::pin::pin;
use std::process::ExitCode;

/// Who runs out of room first: more than these nobody asks about.
const MOST_HEADROOM: usize = 20;

/// Examines what is named, or every endpoint, and prints what is wrong.
pub async fn run(tool: &Tool, arguments: Doctor) -> Result<ExitCode, ToolError> {
    let Doctor { what, format, exit_code, at_least, days } = arguments;
    let mut examined = Examined::default();
    let mut names = Vec::new();
    for what in &what {
        if is_file(what) {
            let observations: Vec<Observation> = saved(what, "a saved observation")?;
            examined.checkup.add(examine(&observations, None, &tool.settings));
        } else {
            let bad = |error: InvalidName| ToolError::BadInput(error.to_string(), None);
            names.push(EndpointName::parse(what).map_err(bad)?);
        }
    }
    match what.is_empty() {
        true => of_region(tool, days, &mut examined).await,
        false if !names.is_empty() => named(tool, names, days, &mut examined).await,
        false => {}
    }
    let Examined { checkup, mut headroom, spent } = examined;
    let checkup = checkup.sorted().at_least(at_least.into());
    headroom.sort_by(Headroom::sooner);
    headroom.truncate(MOST_HEADROOM);
    print(&match format {
        CheckupFormat::Text => text::render(&checkup) + &fleet::text::rooms(&headroom) + &spent.unwrap_or_default(),
        CheckupFormat::Markdown => markdown::render(&checkup) + &fleet::markdown::rooms(&headroom),
        CheckupFormat::Json => json(&Printed { checkup: &checkup, headroom: &headroom })?,
    });
    let none_was_read = checkup.endpoints == 0 && !checkup.not_examined.is_empty();
    Ok(match checkup.findings.is_empty() {
        _ if none_was_read => ExitCode::from(AWS_ERROR),
        false if exit_code => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// What was found.
#[derive(Default)]
struct Examined {
    checkup: Checkup,
    headroom: Vec<Headroom>,
    /// What a look at the whole Region took, in words.
    spent: Option<String>,
}

/// The same for programs.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    checkup: &'a Checkup,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    headroom: &'a [Headroom],
}

/// Every endpoint of the Region: a first pass over all, and minutes of those that deserve it. Scalable targets of endpoints that
/// are gone belong to nobody in particular: they are looked at here.
async fn of_region(tool: &Tool, days: Option<u32>, examined: &mut Examined) {
    let aws = tool.aws().await;
    let progress = Progress::on("listing endpoints, scalable targets and alarms");
    let account = account(&aws).await;
    let Some(names) = &account.endpoints else {
        let why = account.warnings.join(" ");
        let subject = "every endpoint of the Region".to_owned();
        examined.checkup.not_examined.push(NotExamined { subject, why });
        return;
    };
    examined.checkup.add(examine_account(&account));
    progress.of(names.len());
    let pass = FirstPass {
        aws: &aws,
        settings: &tool.settings,
        now: now(),
        history_days: days.unwrap_or(tool.settings.history_days),
        has_time: &|| true,
    };
    let mut in_depth = 0;
    for names in names.chunks(BATCH) {
        let mut seen = |seen: Seen| {
            progress.step();
            in_depth += seen.in_depth;
            examined.checkup.add(seen.checkup);
            examined.headroom.extend(seen.headroom);
        };
        pass.over(names, &account, &mut seen).await;
    }
    let asked = aws.asked();
    examined.spent = Some(fleet::text::spent(asked.total(), asked.metrics, in_depth));
}

/// These endpoints in depth, one after the other, as each is read.
async fn named(tool: &Tool, names: Vec<EndpointName>, days: Option<u32>, examined: &mut Examined) {
    let aws = tool.aws().await;
    let progress = Progress::on("listing scalable targets and alarms");
    let account = beside_endpoints(&aws, &|| true).await;
    progress.of(names.len());
    let requests = names.into_iter().map(|name| request_for(tool, Subject::Endpoint(name), days)).collect();
    let mut read = pin!(each(&aws, requests));
    while let Some((subject, observed)) = read.next().await {
        progress.step();
        examined.checkup.add(match observed {
            Ok(observations) => examine(&with_alarms(observations, &account), Some(&account), &tool.settings),
            Err(error) => unread(&subject, &error),
        });
    }
}
