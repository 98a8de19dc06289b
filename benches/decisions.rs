//! How good the verdicts are: thousands of simulated incidents whose cause is known, and what the advisor says of each.
//!
//! `make bench-verdicts`, or `cargo bench --no-default-features --bench decisions -- --help`. The result depends on the
//! seeds alone, not on the number of threads.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: it prints, and stops where it is surprised"
)]

#[path = "decisions/baselines.rs"]
mod baselines;
#[path = "decisions/case.rs"]
mod case;
#[path = "decisions/family.rs"]
mod family;
#[path = "decisions/goals.rs"]
mod goals;
#[path = "decisions/observation.rs"]
mod observation;
#[path = "shared/observed.rs"]
mod observed;
#[path = "shared/parallel.rs"]
mod parallel;
#[path = "decisions/results.rs"]
mod results;
#[path = "decisions/score.rs"]
mod score;
#[path = "shared/set.rs"]
mod set;
#[path = "decisions/sizing.rs"]
mod sizing;
#[path = "decisions/table.rs"]
mod table;

use case::Case;
use clap::Parser;
use family::{AnyFamily, Kind, Labelled};
use parallel::in_parallel;
use set::Set;
use simulator::suite;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How good the verdicts are, on simulated incidents whose cause is known.
#[derive(Parser)]
struct Cli {
    /// Which incidents; nobody looks at the hold-out one by one.
    #[arg(long, value_enum, default_value_t = Set::HoldOut)]
    set: Set,
    /// Incidents of each family.
    #[arg(long, default_value_t = 60)]
    replicates: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only families whose name contains this; may be given several times.
    #[arg(long)]
    family: Vec<String>,
    /// Also print the reports on the first so many wrong verdicts of each family.
    #[arg(long, default_value_t = 0)]
    show: usize,
    /// One to three incidents of each family, whole: whether everything runs.
    #[arg(long)]
    smoke: bool,
    /// Leave out what judges with parts of the metrics missing.
    #[arg(long)]
    whole_only: bool,
    /// Write the results here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write every observation, with what is right, into this directory.
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Fail where a goal is missed.
    #[arg(long)]
    check: bool,
    /// Name the families.
    #[arg(long)]
    list: bool,
    /// Threads; as many as there are cores where not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[expect(clippy::disallowed_methods, reason = "it says how long it took")]
fn main() -> ExitCode {
    let begin = std::time::Instant::now();
    let cli = Cli::parse();
    let families: Vec<AnyFamily> = AnyFamily::all()
        .filter(|family| cli.family.is_empty() || cli.family.iter().any(|part| family.name().contains(part.as_str())))
        .collect();
    if cli.list {
        for family in families {
            let (verdict, about) = family.about();
            println!("{:34} {verdict:28} {about}", family.name());
        }
        return ExitCode::SUCCESS;
    }
    let replicates = |family: &AnyFamily| match (cli.smoke, family.kind()) {
        (false, _) => cli.replicates,
        (true, Kind::Instances) => 3,
        (true, Kind::Components) => 1,
        (true, _) => 2,
    };
    let jobs: Vec<(AnyFamily, u64)> = families
        .iter()
        .flat_map(|family| (cli.first..cli.first + replicates(family)).map(|replicate| (*family, replicate)))
        .collect();
    if jobs.is_empty() {
        eprintln!("decisions: no such family; --list names them");
        return ExitCode::from(2);
    }
    let set = cli.set.into();
    let cases = in_parallel(cli.threads, &jobs, |(family, replicate)| {
        if let Some(directory) = &cli.dump {
            dump(directory, *family, set, *replicate);
        }
        Case::of(*family, set, *replicate, cli.whole_only || cli.smoke)
    });
    show(&cases, set, cli.show);
    let results = results::Results::of(&cases);
    table::print(&results);
    let missed = goals::missed(&results);
    for goal in &missed {
        println!("missed: {goal}");
    }
    println!("{} incidents in {:.0} s", cases.len(), begin.elapsed().as_secs_f64());
    if let Some(path) = &cli.json {
        std::fs::write(path, serde_json::to_string_pretty(&results).unwrap()).expect("the results can be written");
    }
    // A few incidents of a family say little, but a change that breaks a cause, or scales where it must not, shows.
    let is_broken = cli.smoke && goals::is_broken(&results);
    if is_broken {
        eprintln!("decisions: far worse than they were");
    }
    if is_broken || cli.check && !missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints what the advisor said of the first wrong ones of each family.
fn show(cases: &[Case], set: suite::Set, at_most: usize) {
    let settings = endpoint_advisor::config::Settings::read(|_| None);
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases.iter().filter(|case| !case.is_right()) {
        let count = shown.entry(&case.family).or_default();
        *count += 1;
        if *count <= at_most {
            let family = AnyFamily::all().find(|family| family.name() == case.family).unwrap();
            let observation = family.incident(set, case.replicate).observation;
            let report = endpoint_advisor::advise::explain(&observation, &settings);
            println!("═══ {} {}: {:?}\n", case.family, case.replicate, case.truth);
            println!("{}\n", endpoint_advisor::report::text::render(&report));
        }
    }
}

fn dump(directory: &Path, family: AnyFamily, set: suite::Set, replicate: u64) {
    let Labelled { truth, observation, .. } = family.incident(set, replicate);
    let file = directory.join(format!("{}-{replicate}.json", family.name()));
    let value = serde_json::json!({
        "family": family.name(),
        "replicate": replicate,
        "truth": {
            "verdict": truth.verdict,
            "also_right": truth.also_right,
            "sub_cause": truth.sub_cause,
            "is_overload": truth.is_overload,
            "blocked_by": truth.blocked_by,
            "trouble_minutes": truth.trouble_minutes,
            "severity": truth.severity,
            "capacity": truth.capacity,
            "physics": truth.physics,
        },
        "observation": observation,
    });
    std::fs::create_dir_all(directory).expect("the directory can be made");
    std::fs::write(file, value.to_string()).expect("the observation can be written");
}
