//! Every order of an incident.

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
fn two_alarms_at_once_write_once() {
    go_through("two alarms at once", Left { alarms: 2, ..NOTHING }, Seen::Overloaded);
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
fn what_somebody_else_changes_at_any_moment_stays() {
    let left = Left { alarms: 1, foreign: 1, wake_ups: 1, ..NOTHING };
    go_through("roll-back beside somebody else", left, Seen::Slow);
}

#[test]
fn what_did_not_help_is_taken_back_once() {
    let left = Left { alarms: 1, wake_ups: 2, ..NOTHING };
    go_through("roll-back", left, Seen::Slow);
}

#[test]
fn what_helped_is_relaxed_once() {
    let left = Left { alarms: 1, wake_ups: 3, oks: 1, ..NOTHING };
    go_through("verified and relaxed", left, Seen::Quiet);
}

#[test]
fn the_laws_notice_what_is_broken() {
    let two = Left { alarms: 2, ..NOTHING };
    let later = Left { alarms: 1, wake_ups: 1, ..NOTHING };
    for (broken, left, law) in [
        (Broken::Lock, two, "two never write at once"),
        (Broken::Claim, two, "two never write at once"),
        (Broken::Look, Left { alarms: 1, foreign: 1, ..NOTHING }, "nothing is written onto what somebody else set"),
        (Broken::ForgetsMessages, later, "people hear of what was written"),
        (Broken::WakeUp, later, "an incident that is open is looked at again"),
    ] {
        let broke = explore(&Scene { left, then: Seen::Slow, broken: Some(broken) }, &mut processes()).expect_err(law);
        println!("{broken:?}: {} after {} steps", broke.law, broke.way.lines().count());
        assert_eq!(broke.law, law, "{broken:?}\n{}", broke.way);
    }
}
