//! Every order of an incident: what several invocations, a crash and a lost answer may do to each other, breadth first.
//!
//! `advise` itself runs, and stops at each request that another process may notice. Reads that are sent at once are one step. Time
//! passes only while no process lives, and a process that waits for another goes on when there is something new.
//!
//! Not promised: where a process was cut off or not answered, two may finish what it left (its schedule wakes one after five
//! minutes, the queue another after six). Then Min goes back for a moment, and the same change is made at most twice.

mod laws;
mod process;
mod search;
mod seen;
mod world;

use super::incidents::settings_with;
use super::*;
use process::Processes;
use search::{Left, NOTHING, Scene, explore};
use seen::{NAMES, Seen};
use std::time::Instant;
use world::Broken;

/// Instances that are planned for the overload.
const PLANNED: u32 = 5;
/// The range that somebody else sets.
const THEIRS: (i64, i64) = (2, 9);

static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| crate::endpoint::observed_for("overload", 1));

fn processes() -> Processes {
    Processes::new([settings_with("apply"), vec![("ADVISOR_HISTORY_DAYS", "1")]].concat())
}

fn go_through(name: &'static str, left: Left, then: Seen) -> search::Found {
    let mut processes = processes();
    let started = Instant::now();
    let found = explore(&Scene { left, then, broken: None }, &mut processes);
    let found = found.unwrap_or_else(|broke| panic!("{name}: {}\n{}", broke.law, broke.way));
    println!(
        "{name}: {} states, {} at rest, {} transitions, {} steps deep, {} points of processes, {} runs, {:.1} s; told: {:?}",
        found.states,
        found.quiet,
        found.transitions,
        found.deepest,
        processes.nodes.len(),
        processes.runs,
        started.elapsed().as_secs_f64(),
        found.told,
    );
    found
}

#[test]
fn a_crash_anywhere_is_made_up_for_by_the_next() {
    go_through("a crash anywhere", Left { alarms: 1, crashes: 1, wake_ups: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn an_answer_that_is_lost_anywhere_is_made_up_for() {
    go_through("a lost answer", Left { alarms: 1, lost: 1, wake_ups: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn the_laws_notice_what_is_broken() {
    let two = Left { alarms: 2, ..NOTHING };
    for (broken, left, law) in
        [(Broken::Lock, two, "two never write at once"), (Broken::Claim, two, "two never write at once")]
    {
        let broke =
            explore(&Scene { left, then: Seen::Helped, broken: Some(broken) }, &mut processes()).expect_err(law);
        println!("{broken:?}: {} after {} steps", broke.law, broke.way.lines().count());
        assert_eq!(broke.law, law, "{broken:?}\n{}", broke.way);
    }
}
