//! How good capacities and policies are: hundreds of simulated histories whose capacity is known, and two weeks of traffic
//! to simulated endpoints, of which the advisor sees the first and every policy is judged on the second, request by
//! request.
//!
//! `make bench-decisions`, or `cargo bench --no-default-features --bench policies -- --help`. The result depends on the
//! seeds alone, not on the number of threads.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: it prints, and stops where it is surprised"
)]

#[path = "policies/advised.rs"]
mod advised;
#[path = "policies/baselines.rs"]
mod baselines;
#[path = "policies/capacity.rs"]
mod capacity;
#[path = "policies/draws.rs"]
mod draws;
#[path = "policies/fluid.rs"]
mod fluid;
#[path = "policies/footprint.rs"]
mod footprint;
#[path = "policies/goals.rs"]
mod goals;
#[path = "policies/headroom.rs"]
mod headroom;
#[path = "policies/judge.rs"]
mod judge;
#[path = "shared/observed.rs"]
mod observed;
#[path = "policies/oracle.rs"]
mod oracle;
#[path = "shared/parallel.rs"]
mod parallel;
#[path = "policies/requests.rs"]
mod requests;
#[path = "policies/results.rs"]
mod results;
#[path = "shared/set.rs"]
mod set;
#[path = "policies/standing.rs"]
mod standing;
#[path = "policies/statistics.rs"]
mod statistics;
#[path = "policies/table.rs"]
mod table;
#[path = "policies/traces.rs"]
mod traces;
#[path = "policies/trial.rs"]
mod trial;
#[path = "policies/week_one.rs"]
mod week_one;

use clap::Parser;
use parallel::in_parallel;
use set::Set;
use simulator::production::Kind;
use simulator::suite;
use std::path::PathBuf;
use std::process::ExitCode;
use traces::Trace;
use trial::{Draw, Extent, Trial};

/// How good capacities and policies are, on simulated endpoints of which everything is known.
#[derive(Parser)]
struct Cli {
    /// Which endpoints; nobody looks at the hold-out one by one.
    #[arg(long, value_enum, default_value_t = Set::HoldOut)]
    set: Set,
    /// Histories of which the capacity is to be told.
    #[arg(long, default_value_t = 400)]
    histories: u64,
    /// Endpoints for each kind of traffic. Twelve have every need with every delay once.
    #[arg(long, default_value_t = 6)]
    replicates: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only traffic whose name contains this; may be given several times.
    #[arg(long)]
    traffic: Vec<String>,
    /// A folder with real traffic.
    #[arg(long)]
    traces: Option<PathBuf>,
    /// A few of each, whatever else is asked for: whether everything runs.
    #[arg(long)]
    smoke: bool,
    /// Leave out shorter histories and most of what others do.
    #[arg(long)]
    short: bool,
    /// Endpoints with bursts, for which headroom is to be sized.
    #[arg(long, default_value_t = 400)]
    bursty: u64,
    /// Only these.
    #[arg(long)]
    headroom: bool,
    /// Only what one advice on two weeks takes: seconds and memory.
    #[arg(long)]
    memory: bool,
    /// Of this observation, given by the former.
    #[arg(long, hide = true)]
    advise: Option<PathBuf>,
    /// Write the results here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Fail where a goal is missed.
    #[arg(long)]
    check: bool,
    /// Threads; as many as there are cores where not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Mean instances needed, and minutes until new ones serve.
const NEEDS: [usize; 3] = [2, 5, 15];
const DELAYS: [f64; 4] = [3.0, 6.0, 10.0, 15.0];

#[expect(clippy::disallowed_methods, reason = "it says how long it took")]
fn main() -> ExitCode {
    let begin = std::time::Instant::now();
    let cli = Cli::parse();
    let traces = match cli.traces.as_deref().map(traces::read).transpose() {
        Ok(traces) => traces.unwrap_or_default(),
        Err(error) => {
            eprintln!("policies: {error}");
            return ExitCode::from(2);
        }
    };
    let set = suite::Set::from(cli.set);
    if let Some(path) = &cli.advise {
        footprint::advise(path);
        return ExitCode::SUCCESS;
    }
    if cli.memory {
        footprint::print(set);
        return ExitCode::SUCCESS;
    }
    let numbers = |count: u64| -> Vec<u64> { (cli.first..cli.first + count).collect() };
    let bursty = numbers(if cli.smoke { 24 } else { cli.bursty });
    let bursty = in_parallel(cli.threads, &bursty, |replicate| headroom::Sized::of(set, *replicate));
    let headroom_took = begin.elapsed().as_secs_f64();
    let replicates = numbers(if cli.headroom {
        0
    } else if cli.smoke {
        30
    } else {
        cli.histories
    });
    let told = in_parallel(cli.threads, &replicates, |replicate| capacity::Told::of(set, *replicate));
    let capacity_took = begin.elapsed().as_secs_f64() - headroom_took;
    let draws = if cli.headroom { Vec::new() } else { draws(&cli, set, &traces) };
    let extent = if cli.smoke || cli.short { Extent::Short } else { Extent::Whole };
    let trials = in_parallel(cli.threads, &draws, |(draw, shape)| {
        Trial::of(&Draw { shape: shape.as_deref(), name: draw.name.clone(), ..*draw }, extent)
    });
    let requests: u64 = trials.iter().map(|trial| trial.requests).sum();
    let results = results::Results::of(told, trials, bursty);
    table::print(&results);
    let missed = goals::missed(&results);
    for goal in &missed {
        println!("missed: {goal}");
    }
    println!(
        "{} endpoints with bursts in {headroom_took:.0} s; {} histories in {capacity_took:.0} s; {} endpoints and {:.0} million \
         requests in {:.0} s",
        results.bursty.len(),
        results.histories.len(),
        results.trials.len(),
        requests as f64 / 1e6,
        begin.elapsed().as_secs_f64() - capacity_took - headroom_took
    );
    if let Some(path) = &cli.json {
        let written = std::fs::write(path, serde_json::to_string_pretty(&results).unwrap());
        if let Err(error) = written {
            eprintln!("policies: {}: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    // A few endpoints say little, but a change that breaks capacities or policies shows.
    let is_broken = cli.smoke && goals::is_broken(&results);
    if is_broken {
        eprintln!("policies: far worse than they were");
    }
    let is_not_understood = results.policies.as_ref().is_some_and(|policies| !policies.problems.is_empty());
    if is_broken || is_not_understood || cli.check && !missed.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What is to be tried, with real traffic where it has any. The largest come first, so that all cores have work to the end.
fn draws(cli: &Cli, set: suite::Set, traces: &[Trace]) -> Vec<(Draw<'static>, Option<Vec<f64>>)> {
    let is_asked = |name: &str| cli.traffic.is_empty() || cli.traffic.iter().any(|part| name.contains(part.as_str()));
    let kinds = Kind::ALL.iter().map(|kind| (kind.name().to_owned(), Some(*kind), None));
    let traced = traces.iter().map(|trace| (trace.name.clone(), None, Some(trace)));
    let mut draws = Vec::new();
    for (index, (name, kind, trace)) in kinds.chain(traced).filter(|(name, _, _)| is_asked(name)).enumerate() {
        // Every other kind, the smallest need, once.
        let replicates = if cli.smoke { u64::from(index % 2 == 0) } else { cli.replicates };
        for replicate in cli.first..cli.first + replicates {
            // Twelve in a row have every need with every delay; kinds begin at different ones.
            let turn = replicate as usize + index;
            let need = if cli.smoke { NEEDS[0] } else { NEEDS[turn % 3] };
            let draw = Draw {
                name: name.clone(),
                kind,
                shape: None,
                need,
                provisioning_minutes: DELAYS[turn % 4],
                set,
                replicate,
            };
            draws.push((draw, trace.map(|trace| trace.shape(set, replicate))));
        }
    }
    draws.sort_by_key(|(draw, _)| std::cmp::Reverse(draw.need));
    draws
}
