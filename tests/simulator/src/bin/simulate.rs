//! Prints a simulated endpoint's minutes as JSON lines, oldest first; of an asynchronous one, its metrics, one a line.

use clap::Parser;
use serde_json::json;
use simulator::queue::Family;
use simulator::suite::{SERVERLESS_FAMILIES, Set, serverless_incident};
use simulator::{SCENARIOS, Scenario, simulate};
use std::io::{BufWriter, Result, StdoutLock, Write as _};
use std::process::ExitCode;

/// Prints a simulated endpoint's minutes as JSON lines, oldest first.
#[derive(Parser)]
struct Cli {
    /// Which trouble; `--list` names them.
    #[arg(required_unless_present_any = ["list", "queue", "serverless"])]
    scenario: Option<String>,
    /// A day of an asynchronous endpoint in this trouble instead: the instances at the end, then its metrics.
    #[arg(long, conflicts_with_all = ["scenario", "serverless"])]
    queue: Option<String>,
    /// A day of a serverless variant in this trouble instead: how it was built, then its minutes.
    #[arg(long, conflicts_with = "scenario")]
    serverless: Option<String>,
    /// Days of history.
    #[arg(long, default_value_t = 3)]
    days: i64,
    /// The same seed gives the same minutes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Names the scenarios.
    #[arg(long)]
    list: bool,
}

type Out = BufWriter<StdoutLock<'static>>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let printed = match (&cli.queue, &cli.serverless, &cli.scenario) {
        _ if cli.list => Some(list(&mut out)),
        (Some(trouble), ..) => queue(&mut out, trouble, cli.seed),
        (_, Some(trouble), _) => serverless(&mut out, trouble, cli.seed),
        (.., scenario) => scenario.as_deref().and_then(|name| minutes(&mut out, name, cli.days, cli.seed)),
    };
    match printed.map(|printed| printed.and_then(|()| out.flush())) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::FAILURE,
        None => {
            eprintln!("simulate: no such trouble; --list names the scenarios");
            ExitCode::from(2)
        }
    }
}

fn list(out: &mut Out) -> Result<()> {
    SCENARIOS.iter().try_for_each(|scenario| writeln!(out, "{:30} {}", scenario.name, scenario.about))
}

/// None where there is no such scenario.
fn minutes(out: &mut Out, name: &str, days: i64, seed: u64) -> Option<Result<()>> {
    let scenario = Scenario::named(name)?;
    let mut minutes = simulate(scenario, days * 1_440, seed).into_iter();
    Some(minutes.try_for_each(|minute| writeln!(out, "{}", json!(minute))))
}

/// None where there is no such trouble.
fn queue(out: &mut Out, trouble: &str, seed: u64) -> Option<Result<()>> {
    let incident = Family::named(trouble)?.incident(seed);
    let head = std::iter::once(json!({"instances": incident.instances, "slots": incident.slots}));
    let metrics = incident.published.iter().map(
        |published| json!({"metric": published.metric, "statistic": published.statistic, "values": published.values}),
    );
    Some(head.chain(metrics).try_for_each(|line| writeln!(out, "{line}")))
}

/// None where there is no such trouble.
fn serverless(out: &mut Out, trouble: &str, seed: u64) -> Option<Result<()>> {
    let family = SERVERLESS_FAMILIES.iter().find(|family| family.name == trouble)?;
    let incident = serverless_incident(family, Set::Development, seed);
    let head = std::iter::once(json!({
        "max_concurrency": incident.endpoint.max_concurrency, "memory_size_in_mb": incident.endpoint.memory_size_in_mb,
        "provisioned": incident.provisioned, "objective_ms": incident.objective_ms.round(),
    }));
    let minutes = incident.minutes.iter().map(|minute| json!(minute));
    Some(head.chain(minutes).try_for_each(|line| writeln!(out, "{line}")))
}
