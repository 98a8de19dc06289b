//! The tool: enter and leave the pipeline at any stage.

use clap::{Args, Parser, Subcommand, ValueEnum};
use endpoint_advisor::advise::{WayBack, compare, explain, replayed, take_back, way_back};
use endpoint_advisor::aws::{Aws, CallError, chain};
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{
    Comparison, EndpointName, InferenceComponentName, InstanceCount, InvocationsPerInstance, LatencyObjective,
    Milliseconds, NotCompared, ObjectiveSource, Observation, OutcomeStatus, Report, Statistic, Subject, TriggerKind,
    TriggerSummary, VariantName,
};
use endpoint_advisor::observe::{ObjectiveFrom, Request, observe};
use endpoint_advisor::replay::Setup;
use endpoint_advisor::report::html::{self, Page};
use endpoint_advisor::report::{comparison, comparison_html, comparison_markdown, markdown, restoration, text};
use jiff::Timestamp;
use serde::Serialize;
use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Finds out why a SageMaker endpoint is slow, and what scaling would help.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Named profile, as for the AWS CLI.
    #[arg(long, global = true)]
    profile: Option<String>,
    /// Region, as for the AWS CLI.
    #[arg(long, global = true)]
    region: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Read everything about an endpoint from AWS and print it as JSON: a bug report, a test, a what-if.
    Observe(Observed),
    /// Say why an endpoint is slow and what to do, from AWS or from a saved observation. Never writes to AWS.
    Explain {
        #[command(flatten)]
        observed: Observed,
        /// How to print the report.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Exit with 1 where something is wrong or scaling is advised.
        #[arg(long)]
        exit_code: bool,
    },
    /// Compare scaling set-ups on the endpoint's own history: what is there, what is advised, and what you ask for. Never
    /// writes to AWS.
    Replay {
        #[command(flatten)]
        observed: Observed,
        /// A target of invocations per instance and minute to try; may be repeated.
        #[arg(long)]
        target: Vec<f64>,
        /// MinCapacity of the targets; where absent: as it stands, else 1.
        #[arg(long)]
        min: Option<u32>,
        /// MaxCapacity of the targets; where absent: as it stands, else the most allowed.
        #[arg(long)]
        max: Option<u32>,
        /// A set-up to try, as JSON with `min_capacity`, `max_capacity`, `policies` and `scheduled_actions`; may be repeated.
        #[arg(long)]
        policy: Vec<PathBuf>,
        /// How to print the comparison.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Exit with 1 where another set-up than the present one is advised.
        #[arg(long)]
        exit_code: bool,
    },
    /// Take back what Endpoint Advisor wrote, by what the tags of the scalable target remember. Shows what changes and asks.
    Undo {
        /// Name of the endpoint.
        endpoint: String,
        /// Only this production variant.
        #[arg(long, conflicts_with = "component")]
        variant: Option<String>,
        /// Only this inference component.
        #[arg(long)]
        component: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Also where the endpoint is tagged endpoint-advisor:mode=off or recommend.
        #[arg(long)]
        override_tags: bool,
    },
}

#[derive(Args)]
struct Observed {
    /// Name of the endpoint; for `explain` and `replay` also a file with a saved observation, or `-`.
    endpoint: String,
    /// Only this production variant.
    #[arg(long, conflicts_with = "component")]
    variant: Option<String>,
    /// Only this inference component.
    #[arg(long)]
    component: Option<String>,
    /// End of the observed window, as 2026-10-05T09:14:00Z; now where absent.
    #[arg(long)]
    at: Option<Timestamp>,
    /// Days of history to read, 1 to 15.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=15))]
    days: Option<u32>,
    /// Latency objective in milliseconds; where absent: the endpoint's tag, else its strictest ModelLatency alarm.
    #[arg(long)]
    latency_slo_ms: Option<f64>,
    /// Statistic of the objective.
    #[arg(long, default_value = "p90", requires = "latency_slo_ms")]
    slo_statistic: Statistic,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// The whole of it.
    Json,
    /// One file for a browser, with charts.
    Html,
    /// For an issue or a wiki.
    Markdown,
}

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
    let settings = Settings::read(variable);
    match cli.command {
        Command::Observe(ref observed) => {
            let observations = from_aws(&cli, observed, &settings).await?;
            print(&one_or_all(&observations)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Explain { ref observed, format, exit_code } => {
            let observations = from_file_or_aws(&cli, observed, &settings).await?;
            let reports: Vec<Report> = observations.iter().map(|observation| explain(observation, &settings)).collect();
            print(&explained(&observations, &reports, &settings, format)?);
            let is_fine = reports.iter().all(|report| report.severity() == endpoint_advisor::model::Severity::Info);
            Ok(if exit_code && !is_fine { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::Replay { ref observed, ref target, min, max, ref policy, format, exit_code } => {
            let mut comparisons = Vec::new();
            let mut not_compared = Vec::new();
            for observation in from_file_or_aws(&cli, observed, &settings).await? {
                let most = settings.for_endpoint(observation.tags.as_ref()).max_instances;
                let setups = setups(&observation, target, (min, max), policy, most)?;
                // One variant that cannot be compared does not keep the others from it.
                match compare(&observation, &settings, &setups) {
                    Ok(comparison) => comparisons.push(comparison),
                    Err(error) => not_compared.push(NotCompared {
                        endpoint_name: observation.endpoint_name.clone(),
                        part_name: Some(observation.part_name().to_owned()).filter(|name| name != "-"),
                        why: error.to_string(),
                    }),
                }
            }
            if comparisons.is_empty() {
                let all: Vec<String> = not_compared.iter().map(ToString::to_string).collect();
                return Err(ToolError::BadInput(all.join("; "), None));
            }
            print(&compared(&comparisons, &not_compared, format)?);
            let is_advised = comparisons.iter().any(Comparison::advises_a_change);
            Ok(if exit_code && is_advised { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::Undo { ref endpoint, ref variant, ref component, yes, override_tags } => {
            let subject = subject(endpoint, variant.as_deref(), component.as_deref())?;
            take_back_all(&cli, &subject, yes, override_tags).await
        }
    }
}

/// Reports as they are printed.
fn explained(
    observations: &[Observation],
    reports: &[Report],
    settings: &Settings,
    format: Format,
) -> Result<String, ToolError> {
    let joined = |render: fn(&Report) -> String| reports.iter().map(render).collect::<Vec<_>>().join("\n");
    match format {
        Format::Text => Ok(joined(text::render)),
        Format::Markdown => Ok(joined(markdown::render)),
        Format::Json => one_or_all(reports),
        Format::Html => {
            let pairs = || observations.iter().zip(reports);
            let replays: Vec<Option<Comparison>> =
                pairs().map(|(observation, report)| replayed(observation, settings, &report.plan)).collect();
            let pages: Vec<Page<'_>> = pairs()
                .zip(&replays)
                .map(|((observation, report), replay)| Page { report, observation, replay: replay.as_ref() })
                .collect();
            Ok(html::render(&pages))
        }
    }
}

/// Comparisons as they are printed. What could not be compared is said beside them, in JSON on standard error.
fn compared(comparisons: &[Comparison], not_compared: &[NotCompared], format: Format) -> Result<String, ToolError> {
    let left_out = not_compared.iter().map(ToString::to_string);
    match format {
        Format::Text => Ok(comparisons.iter().map(comparison::render).chain(left_out).collect::<Vec<_>>().join("\n")),
        Format::Markdown => {
            Ok(comparisons.iter().map(comparison_markdown::render).chain(left_out).collect::<Vec<_>>().join("\n"))
        }
        Format::Html => Ok(comparison_html::render(comparisons, not_compared)),
        Format::Json if not_compared.is_empty() => one_or_all(comparisons),
        // Still a list where one of several is left.
        Format::Json => {
            for line in left_out {
                let _ = writeln!(std::io::stderr(), "endpoint-advisor: {line}");
            }
            json(comparisons)
        }
    }
}

/// Shows the way back, asks, and goes it.
async fn take_back_all(cli: &Cli, subject: &Subject, yes: bool, override_tags: bool) -> Result<ExitCode, ToolError> {
    let aws = endpoint_advisor::aws::load(cli.profile.clone(), cli.region.clone()).await;
    let WayBack { endpoint_name: endpoint, tags, parts } = way_back(&aws, subject).await?;
    let mode = tags.get("endpoint-advisor:mode").map(String::as_str);
    if let Some(mode @ ("off" | "recommend")) = mode
        && !override_tags
    {
        let words = format!("the endpoint is tagged endpoint-advisor:mode={mode}; say --override-tags to write anyway");
        return Err(ToolError::BadInput(words, None));
    }
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
        let words = if reasons.is_empty() { "there is no such variant".to_owned() } else { reasons.join("; ") };
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

/// Asks on the terminal; where there is none, nobody can agree.
fn is_confirmed() -> Result<bool, ToolError> {
    if !std::io::stdin().is_terminal() {
        return Err(ToolError::BadInput("nobody is there to ask: say --yes".to_owned(), None));
    }
    let _ = write!(std::io::stderr(), "Do this? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| ToolError::BadInput("the answer cannot be read".to_owned(), Some(error.into())))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Reads a saved observation, or every variant asked for from AWS.
async fn from_file_or_aws(cli: &Cli, observed: &Observed, settings: &Settings) -> Result<Vec<Observation>, ToolError> {
    let name = &observed.endpoint;
    if name == "-" || name.ends_with(".json") || Path::new(name).is_file() {
        return saved(name);
    }
    from_aws(cli, observed, settings).await
}

/// The set-ups that were asked for.
fn setups(
    observation: &Observation,
    targets: &[f64],
    (min, max): (Option<u32>, Option<u32>),
    files: &[PathBuf],
    most: InstanceCount,
) -> Result<Vec<Setup>, ToolError> {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Err(ToolError::BadInput(format!("--min {min} is above --max {max}"), None));
    }
    let present = observation.scaling.as_ref().and_then(|scaling| scaling.target.as_ref());
    let min = min.map(InstanceCount).or(present.map(|target| target.min_capacity)).unwrap_or(InstanceCount(1));
    let max = max.map(InstanceCount).or(present.map(|target| target.max_capacity)).unwrap_or(most).max(min);
    let mut setups = Vec::new();
    for target in targets {
        if !(target.is_finite() && *target > 0.0) {
            return Err(ToolError::BadInput("--target is above 0".to_owned(), None));
        }
        setups.push(Setup::tracking(InvocationsPerInstance(*target), min, max));
    }
    for file in files {
        let shown = file.display();
        let bad = |what: &str, error: Box<dyn Error>| ToolError::BadInput(format!("`{shown}` {what}"), Some(error));
        let text = std::fs::read_to_string(file).map_err(|error| bad("cannot be read", error.into()))?;
        let mut setup: Setup =
            serde_json::from_str(&text).map_err(|error| bad("is not a scaling set-up", error.into()))?;
        if setup.name.is_empty() {
            setup.name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        }
        setups.push(setup);
    }
    Ok(setups)
}

/// Whom the arguments name. A component knows its endpoint by itself.
fn subject(endpoint: &str, variant: Option<&str>, component: Option<&str>) -> Result<Subject, ToolError> {
    let bad = |error: endpoint_advisor::model::InvalidName| ToolError::BadInput(error.to_string(), None);
    let endpoint = EndpointName::parse(endpoint).map_err(bad)?;
    Ok(match (variant, component) {
        (_, Some(component)) => Subject::InferenceComponent(InferenceComponentName::parse(component).map_err(bad)?),
        (Some(variant), None) => Subject::Variant(endpoint, VariantName::parse(variant).map_err(bad)?),
        (None, None) => Subject::Endpoint(endpoint),
    })
}

/// Reads every variant asked for from AWS.
async fn from_aws(cli: &Cli, observed: &Observed, settings: &Settings) -> Result<Vec<Observation>, ToolError> {
    let subject = subject(&observed.endpoint, observed.variant.as_deref(), observed.component.as_deref())?;
    let now = now();
    let objective = observed.latency_slo_ms.map(|ms| LatencyObjective {
        latency_slo_ms: Milliseconds(ms),
        slo_statistic: observed.slo_statistic,
        source: ObjectiveSource::Event,
    });
    if objective.is_some_and(|objective| !(objective.latency_slo_ms.0 > 0.0 && objective.latency_slo_ms.0 <= 60_000.0))
    {
        return Err(ToolError::BadInput("--latency-slo-ms is above 0 and at most 60000".to_owned(), None));
    }
    let aws: Aws = endpoint_advisor::aws::load(cli.profile.clone(), cli.region.clone()).await;
    let request = Request {
        subject,
        at: observed.at.unwrap_or(now).min(now),
        now,
        trigger: TriggerSummary { kind: TriggerKind::Manual, alarm_name: None, state: None, changed_at: None },
        objective,
        objective_from: if objective.is_some() { ObjectiveFrom::Nowhere } else { ObjectiveFrom::AlarmsOfVariant },
        history_days: observed.days.unwrap_or(settings.history_days),
        has_hourly_limit: settings.defaults.max_hourly_usd.is_some(),
    };
    Ok(observe(&aws, &request).await?)
}

/// Reads one saved observation, or a list of them.
fn saved(path: &str) -> Result<Vec<Observation>, ToolError> {
    let bad = |what: &str, error: Box<dyn Error>| ToolError::BadInput(format!("`{path}` {what}"), Some(error));
    let text = if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| bad("cannot be read", error.into()))?;
    let is_list = text.trim_start().starts_with('[');
    let parsed = if is_list { serde_json::from_str(&text) } else { serde_json::from_str(&text).map(|one| vec![one]) };
    parsed.map_err(|error| bad("is not a saved observation", error.into()))
}

/// As JSON: the one value itself, so that it can be handed on; a list where there are several variants.
fn one_or_all<T: Serialize>(values: &[T]) -> Result<String, ToolError> {
    match values {
        [one] => json(one),
        several => json(several),
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, ToolError> {
    serde_json::to_string_pretty(value)
        .map_err(|error| ToolError::BadInput("the result cannot be written as JSON".to_owned(), Some(error.into())))
}

/// Standard output, where a closed pipe is the reader's good right.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
