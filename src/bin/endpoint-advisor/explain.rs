//! `explain`: why an endpoint is slow, and what to do.

use crate::args::{Explain, Format};
use crate::observe::from_file_or_aws;
use crate::print::{one_or_all, print, terminal_columns};
use crate::{Tool, ToolError};
use endpoint_advisor::advise::{explain, replayed};
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{Comparison, Observation, Report, Severity};
use endpoint_advisor::report::html::{self, Page};
use endpoint_advisor::report::{markdown, overview, terminal, text};
use std::process::ExitCode;

/// Advises on each observation and prints the reports.
pub async fn run(tool: &Tool, Explain { observed, format, exit_code }: Explain) -> Result<ExitCode, ToolError> {
    let settings = &tool.settings;
    let observations = from_file_or_aws(tool, &observed).await?;
    let reports: Vec<Report> = observations.iter().map(|observation| explain(observation, settings)).collect();
    match terminal_columns().filter(|_| format == Format::Text) {
        Some(columns) => {
            print(&overview::render(&reports, terminal::render));
            for (observation, report) in observations.iter().zip(&reports) {
                if observations.len() > 1 {
                    print(&report.subject());
                }
                print(&terminal::charts(observation, columns));
            }
        }
        None => print(&explained(&observations, &reports, settings, format)?),
    }
    let is_fine = reports.iter().all(|report| report.severity() == Severity::Info);
    Ok(if exit_code && !is_fine { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reports as they are printed.
fn explained(
    observations: &[Observation],
    reports: &[Report],
    settings: &Settings,
    format: Format,
) -> Result<String, ToolError> {
    match format {
        Format::Text => Ok(overview::render(reports, text::render)),
        Format::Markdown => Ok(overview::render(reports, markdown::render)),
        Format::Json => one_or_all(reports),
        Format::Html => {
            let sorted = overview::worst_first(reports.iter().zip(observations));
            let replays: Vec<Option<Comparison>> =
                sorted.iter().map(|(report, observation)| replayed(observation, settings, &report.plan)).collect();
            let pages: Vec<Page<'_>> = sorted
                .into_iter()
                .zip(&replays)
                .map(|((report, observation), replay)| Page { report, observation, replay: replay.as_ref() })
                .collect();
            Ok(html::render(&pages))
        }
    }
}
