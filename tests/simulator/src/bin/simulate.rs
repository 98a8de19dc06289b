//! Prints a simulated endpoint's minutes as JSON lines, oldest first; of an asynchronous one, its metrics, one a line.

use clap::Parser;
use serde_json::json;
use simulator::queue::Family;
use simulator::{SCENARIOS, Scenario, simulate};
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

/// Prints a simulated endpoint's minutes as JSON lines, oldest first.
#[derive(Parser)]
struct Cli {
    /// Which trouble; `--list` names them.
    #[arg(required_unless_present_any = ["list", "queue"])]
    scenario: Option<String>,
    /// A day of an asynchronous endpoint in this trouble instead: the instances at the end, then its metrics.
    #[arg(long, conflicts_with = "scenario")]
    queue: Option<String>,
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

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::new(std::io::stdout().lock());
    if cli.list {
        for scenario in &SCENARIOS {
            let _ = writeln!(out, "{:30} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(name) = cli.queue.as_deref() {
        let Some(incident) = Family::named(name).map(|family| family.incident(cli.seed)) else {
            eprintln!("simulate: no such trouble of a queue");
            return ExitCode::from(2);
        };
        let _ = writeln!(out, "{}", json!({"instances": incident.instances, "slots": incident.slots}));
        for published in &incident.published {
            let (metric, statistic, values) = (published.metric, published.statistic, &published.values);
            let _ = writeln!(out, "{}", json!({"metric": metric, "statistic": statistic, "values": values}));
        }
        return ExitCode::SUCCESS;
    }
    let Some(scenario) = cli.scenario.as_deref().and_then(Scenario::named) else {
        eprintln!("simulate: no such scenario; --list names them");
        return ExitCode::from(2);
    };
    for minute in simulate(scenario, cli.days * 1_440, cli.seed) {
        if serde_json::to_writer(&mut out, &minute).is_err() || writeln!(out).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
