//! `export`: the plan for another tool.

use crate::ToolError;
use crate::args::{Export, ExportTool};
use crate::observe::saved;
use crate::print::print;
use endpoint_advisor::export::{Export as Exported, cli, cloudformation, terraform};
use endpoint_advisor::model::Report;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints the file on standard output, and what to know about it on standard error.
pub fn run(Export { report, tool, present }: &Export) -> Result<ExitCode, ToolError> {
    if *present && *tool != ExportTool::Cloudformation {
        let words = "--present is for CloudFormation: Terraform has import blocks, and commands need no import";
        return Err(ToolError::BadInput(words.to_owned(), None));
    }
    let reports: Vec<Report> = saved(report, "a saved report")?;
    let exported = match tool {
        ExportTool::Cloudformation => cloudformation(&reports, *present),
        ExportTool::Terraform => terraform(&reports),
        ExportTool::Cli => cli(&reports),
    };
    let exported = exported.map_err(|nothing| ToolError::BadInput(nothing.to_string(), None))?;
    show(&exported);
    Ok(ExitCode::SUCCESS)
}

/// The file on standard output, its notes on standard error.
pub fn show(exported: &Exported) {
    for note in &exported.notes {
        let _ = writeln!(std::io::stderr(), "endpoint-advisor: {note}");
    }
    print(&exported.text);
}
