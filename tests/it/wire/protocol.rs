//! Every order of an incident: what several invocations, a crash and a lost answer may do to each other, breadth first.
//!
//! `advise` itself runs, and stops at each request that another process may notice. At most two run at once. Reads that are sent at
//! once are one step. Time passes only while no process lives, and a process that waits for another goes on when there is something
//! new.
//!
//! The laws (`laws.rs`): two never write at once; what is written was claimed before; a change is made once, and not again after it was
//! taken back; people hear of what was written and of what was taken back; nothing is written onto what somebody else set; nothing is
//! left half done; an open incident is looked at again.
//!
//! Not promised: where a process was cut off or not answered, two may finish what it left (its schedule wakes one after five
//! minutes, the queue another after six), one of them after the claim is gone. Then Min goes back for a moment, and the same change is
//! made at most twice.

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
use world::Broken;

/// Instances that are planned for the overload.
const PLANNED: u32 = 4;
/// The range that somebody else sets.
const THEIRS: (i64, i64) = (2, 9);

static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| crate::endpoint::observed_for("overload", 1));

fn processes() -> Processes {
    Processes::new([settings_with("apply"), vec![("ADVISOR_HISTORY_DAYS", "1")]].concat())
}

/// Goes through a scene; it has to be one of so many states at least, so that nothing is left out unnoticed.
fn go_through(name: &'static str, at_least: usize, left: Left, then: Seen) -> search::Found {
    let mut processes = processes();
    let found = explore(&Scene { left, then, broken: None }, &mut processes);
    let found = found.unwrap_or_else(|broke| panic!("{name}: {}\n{}", broke.law, broke.way));
    let size = format!(
        "{} states, {} at rest, {} transitions, {} steps deep, {} points of processes, {} runs",
        found.states,
        found.quiet,
        found.transitions,
        found.deepest,
        processes.nodes.len(),
        processes.runs,
    );
    assert!(found.states >= at_least, "{name}: {size}; told: {:?}", found.told);
    found
}

#[test]
fn two_alarms_at_once_write_once() {
    go_through("two alarms at once", 450, Left { alarms: 2, ..NOTHING }, Seen::Overloaded);
}

#[test]
fn what_somebody_else_changes_at_any_moment_stays() {
    go_through("somebody else", 70, Left { alarms: 1, foreign: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn what_did_not_help_is_taken_back_once() {
    let found = go_through("roll-back", 1300, Left { alarms: 1, wake_ups: 1, crashes: 1, ..NOTHING }, Seen::Slow);
    assert!(found.told.contains("rolled_back"));
}

#[test]
fn what_somebody_else_changed_before_it_is_taken_back_stays() {
    let left = Left { alarms: 1, wake_ups: 1, foreign: 1, ..NOTHING };
    let found = go_through("roll-back beside somebody else", 200, left, Seen::Slow);
    assert!(["rolled_back", "stale"].iter().all(|status| found.told.contains(*status)), "{:?}", found.told);
}

#[test]
fn an_alarm_that_is_ok_again_while_its_schedule_wakes_somebody_leaves_nothing_half_done() {
    let left = Left { alarms: 1, wake_ups: 1, oks: 1, ..NOTHING };
    let found = go_through("an OK beside a wake-up", 350, left, Seen::Helped);
    assert!(found.told.contains("verified"), "{:?}", found.told);
}

#[test]
fn whoever_loses_patience_with_another_finishes_the_same() {
    go_through("lost patience", 2500, Left { alarms: 2, impatience: 1, ..NOTHING }, Seen::Overloaded);
}

#[test]
fn an_alarm_that_comes_again_later_joins() {
    go_through("alarms with a pause", 950, Left { alarms: 2, pauses: 1, ..NOTHING }, Seen::Overloaded);
}

#[test]
fn a_wake_up_that_comes_twice_at_once_leaves_nothing_half_done() {
    go_through("a wake-up twice", 120, Left { alarms: 1, wake_ups: 1, duplicates: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn a_crash_anywhere_is_made_up_for_by_the_next() {
    go_through("a crash anywhere", 1300, Left { alarms: 1, crashes: 1, wake_ups: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn an_answer_that_is_lost_anywhere_is_made_up_for() {
    go_through("a lost answer", 700, Left { alarms: 1, lost: 1, wake_ups: 1, ..NOTHING }, Seen::Helped);
}

#[test]
fn the_laws_notice_what_is_broken() {
    let two = Left { alarms: 2, ..NOTHING };
    for (broken, left, law) in
        [(Broken::Lock, two, "two never write at once"), (Broken::Claim, two, "two never write at once")]
    {
        let broke =
            explore(&Scene { left, then: Seen::Helped, broken: Some(broken) }, &mut processes()).expect_err(law);
        assert_eq!(broke.law, law, "{broken:?}\n{}", broke.way);
    }
}
