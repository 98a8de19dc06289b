//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use endpoint_advisor::doctor::Severity;
use endpoint_advisor::model::Statistic;
use jiff::Timestamp;
use std::path::PathBuf;

/// Finds out why a SageMaker endpoint is slow, and what scaling would help.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Named profile, as for the AWS CLI.
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Region, as for the AWS CLI.
    #[arg(long, global = true)]
    pub region: Option<String>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Read everything about an endpoint from AWS and print it as JSON: a bug report, a test, a what-if.
    Observe {
        #[command(flatten)]
        observed: Observed,
        /// Put other names and account ids in place of yours, so that the file can be shared.
        #[arg(long)]
        redact: bool,
    },
    /// Say why an endpoint is slow and what to do, from AWS or from a saved observation. Never writes to AWS.
    Explain(Explain),
    /// Compare scaling set-ups on the endpoint's own history: what is there, what is advised, and what you ask for. Never
    /// writes to AWS.
    Replay(Replay),
    /// Propose a good latency alarm for each variant or component, sized from its own history and replayed on it. Only with
    /// --apply does it write: the alarm, and nothing else.
    Alarms(Alarms),
    /// Write a plan to Application Auto Scaling: the one of a saved report, or what is right for an endpoint now. Shows what
    /// changes and asks.
    Apply(Apply),
    /// Take back what Endpoint Advisor wrote, by what the tags of the scalable target remember. Shows what changes and asks.
    Undo(Undo),
    /// Examine scaling set-ups and alarms by numbered rules (docs/rules.md), whether or not anything is slow: these endpoints, or
    /// every one of the Region. Never writes to AWS.
    Doctor(Doctor),
    /// Check a deployment: send it an alarm that cannot lead to a change, and wait for the report. Whoever is subscribed gets that
    /// report too.
    Smoke(Smoke),
    /// Print the plan of a saved report as CloudFormation, Terraform or commands of the AWS CLI.
    Export(Export),
    /// Print a script that completes commands and options in a shell, as `source <(endpoint-advisor completions bash)`.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

#[derive(Args)]
pub struct Explain {
    #[command(flatten)]
    pub observed: Observed,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Exit with 1 where something is wrong or scaling is advised.
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Args)]
pub struct Replay {
    #[command(flatten)]
    pub observed: Observed,
    /// A target to try: invocations per instance (or copy) and minute; of an asynchronous endpoint the backlog per instance; of
    /// a serverless variant the share of its provisioned concurrency in use, as 0.7. May be repeated.
    #[arg(long)]
    pub target: Vec<f64>,
    /// MinCapacity of the targets; where absent: as it stands, else 1.
    #[arg(long)]
    pub min: Option<u32>,
    /// MaxCapacity of the targets; where absent: as it stands, else the most allowed.
    #[arg(long)]
    pub max: Option<u32>,
    /// A set-up to try, as JSON with `min_capacity`, `max_capacity`, `policies` and `scheduled_actions`; may be repeated.
    #[arg(long)]
    pub policy: Vec<PathBuf>,
    /// How to print the comparison.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Exit with 1 where another set-up than the present one is advised.
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Args)]
pub struct Doctor {
    /// Names of endpoints, or files with saved observations, or `-`; every endpoint of the Region where there is none.
    pub what: Vec<String>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = CheckupFormat::Text)]
    pub format: CheckupFormat,
    /// Exit with 1 where anything is found.
    #[arg(long)]
    pub exit_code: bool,
    /// Only what matters at least so much.
    #[arg(long, value_enum, default_value_t = Least::Low)]
    pub at_least: Least,
    /// Days of history to read, 1 to 15.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=15))]
    pub days: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckupFormat {
    /// For people: by endpoint, the worst first.
    Text,
    /// The whole of it.
    Json,
    /// For an issue or a wiki.
    Markdown,
}

/// How much a finding matters at least.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Least {
    /// Scaling or an alarm do not do what they are there for.
    High,
    /// They will not in a case that comes.
    Medium,
    /// Everything.
    Low,
}

impl From<Least> for Severity {
    fn from(least: Least) -> Self {
        match least {
            Least::High => Self::High,
            Least::Medium => Self::Medium,
            Least::Low => Self::Low,
        }
    }
}

#[derive(Args)]
pub struct Alarms {
    #[command(flatten)]
    pub observed: Observed,
    /// How to print the proposal.
    #[arg(long, value_enum, default_value_t = ProposalFormat::Text)]
    pub format: ProposalFormat,
    /// As a file for another tool instead.
    #[arg(long = "as", value_enum, conflicts_with_all = ["format", "apply"])]
    pub tool: Option<ExportTool>,
    /// Put the alarm. Shows what changes about one that stands, and asks; what that one does when it fires, it keeps doing.
    #[arg(long, conflicts_with = "format")]
    pub apply: bool,
    /// Do not ask.
    #[arg(long, requires = "apply")]
    pub yes: bool,
}

#[derive(Args)]
pub struct Apply {
    /// Name of the endpoint, or a file with a saved report (`explain --format json`), or `-`.
    pub what: String,
    #[command(flatten)]
    pub writing: Writing,
}

#[derive(Args)]
pub struct Undo {
    /// Name of the endpoint.
    pub endpoint: String,
    #[command(flatten)]
    pub writing: Writing,
}

/// What the commands that write scaling ask for.
#[derive(Args)]
pub struct Writing {
    /// Only this production variant.
    #[arg(long, conflicts_with = "component")]
    pub variant: Option<String>,
    /// Only this inference component.
    #[arg(long)]
    pub component: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Also where the endpoint is tagged endpoint-advisor:mode=off or recommend.
    #[arg(long)]
    pub override_tags: bool,
}

#[derive(Args)]
pub struct Smoke {
    /// Name of the stack, or of the Terraform module.
    #[arg(long)]
    pub stack: String,
    /// Endpoint that the alarm is about; where absent: the first that is InService.
    #[arg(long)]
    pub endpoint: Option<String>,
    /// Production variant; where absent: the endpoint's first.
    #[arg(long, requires = "endpoint")]
    pub variant: Option<String>,
    /// Topic of the reports, where the deployment uses one that was there before.
    #[arg(long)]
    pub topic: Option<String>,
    /// How many seconds to wait for the report.
    #[arg(long, default_value_t = 120)]
    pub seconds: u32,
    /// Exit with 1 where the report has warnings, or an alarm of the deployment itself is on.
    #[arg(long)]
    pub exit_code: bool,
}

#[derive(Args)]
pub struct Export {
    /// A file with a saved report (`explain --format json`), or `-`.
    pub report: String,
    /// For which tool.
    #[arg(long = "as", value_enum)]
    pub tool: ExportTool,
    /// The set-up as it stands instead of the planned one: what CloudFormation imports before it can change it.
    #[arg(long)]
    pub present: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportTool {
    /// A template in JSON.
    Cloudformation,
    /// Resources of the provider `aws`; a plan has import blocks for what stands.
    Terraform,
    /// A shell script.
    Cli,
}

#[derive(Args)]
pub struct Observed {
    /// Name of the endpoint; for `explain`, `replay` and `alarms` also a file with a saved observation, or `-`.
    pub endpoint: String,
    /// Only this production variant.
    #[arg(long, conflicts_with = "component")]
    pub variant: Option<String>,
    /// Only this inference component.
    #[arg(long)]
    pub component: Option<String>,
    /// End of the observed window, as 2026-10-05T09:14:00Z; now where absent.
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// Days of history to read, 1 to 15.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=15))]
    pub days: Option<u32>,
    /// Latency objective in milliseconds; where absent: the endpoint's tag, else its strictest ModelLatency alarm.
    #[arg(long)]
    pub latency_slo_ms: Option<f64>,
    /// Statistic of the objective.
    #[arg(long, default_value = "p90", requires = "latency_slo_ms")]
    pub slo_statistic: Statistic,
}

impl Observed {
    /// An endpoint as it is now.
    pub fn of(endpoint: String, variant: Option<String>, component: Option<String>) -> Self {
        let (at, days, latency_slo_ms) = (None, None, None);
        Self { endpoint, variant, component, at, days, latency_slo_ms, slo_statistic: Statistic::P90 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// The whole of it.
    Json,
    /// One file for a browser, with charts.
    Html,
    /// For an issue or a wiki.
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProposalFormat {
    /// For people.
    Text,
    /// The whole of it; `aws cloudwatch put-metric-alarm --cli-input-json` takes its `put_metric_alarm`.
    Json,
    /// For an issue or a wiki.
    Markdown,
}
