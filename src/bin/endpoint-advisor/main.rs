//! The tool: enter and leave the pipeline at any stage.

mod alarms;
mod apply;
mod args;
mod doctor;
mod explain;
mod export;
mod observe;
mod print;
mod replay;
mod smoke;
mod undo;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
use endpoint_advisor::aws::{Aws, CallError, Pace, chain};
use endpoint_advisor::config::Settings;
use jiff::Timestamp;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

/// Usage or bad input.
const BAD_INPUT: u8 = 2;
/// AWS did not answer as it should.
const AWS_ERROR: u8 = 3;

#[derive(Debug, thiserror::Error)]
enum ToolError {
    #[error("{0}")]
    BadInput(String, #[source] Option<Box<dyn Error>>),
    #[error("AWS could not be read")]
    Aws(#[from] CallError),
}

/// Reads one variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a binary is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "a binary is where the clock is read")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "endpoint-advisor: {}", chain(&error));
            ExitCode::from(match error {
                ToolError::BadInput(..) => BAD_INPUT,
                ToolError::Aws(_) => AWS_ERROR,
            })
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, ToolError> {
    let tool = Tool { settings: Settings::read(variable), profile: cli.profile, region: cli.region };
    match cli.command {
        Command::Observe { observed, redact } => observe::run(&tool, &observed, redact).await,
        Command::Explain(arguments) => explain::run(&tool, arguments).await,
        Command::Replay(arguments) => replay::run(&tool, arguments).await,
        Command::Doctor(arguments) => doctor::run(&tool, arguments).await,
        Command::Alarms(arguments) => alarms::run(&tool, arguments).await,
        Command::Apply(arguments) => apply::run(&tool, arguments).await,
        Command::Undo(arguments) => undo::run(&tool, arguments).await,
        Command::Smoke(arguments) => smoke::run(&tool, arguments).await,
        Command::Export(arguments) => export::run(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "endpoint-advisor", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What every command goes by.
struct Tool {
    settings: Settings,
    profile: Option<String>,
    region: Option<String>,
}

impl Tool {
    async fn aws(&self) -> Aws {
        endpoint_advisor::aws::load(self.profile.clone(), self.region.clone(), Pace::Alone).await
    }
}
