//! Requests queue inside the container while the hardware idles.

use super::dice::Dice;
use super::load::grows;
use super::script::Script;
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Discipline;

pub(super) const FAMILIES: &[Family] = &[
    limit("few_workers", "traffic grows on a container whose workers are fewer than a third of the cores", few_workers),
    limit("lock", "a lock appears: one worker works, the others wait for it, at the same traffic", lock),
];

const fn limit(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "container_concurrency_limit", is_overload: false, script }
}

/// Utilisation is what tells this from overload: less than a third at saturation here (with what an idle instance shows), at
/// least [`super::site::BUSY`] at capacity there.
fn few_workers(dice: &mut Dice, set: Set) -> Option<Script> {
    let few: fn(&mut Dice) -> Discipline = |dice| Discipline::Fifo { workers: dice.pick(&[1, 1, 2, 2, 3, 4]) };
    let site = Site::draw(
        dice,
        set,
        &Wish { level: (0.35, 0.75), discipline: Some(few), utilization: (0.08, 0.25), gpu: false, ..Wish::default() },
    );
    let (level, minutes) = (site.level, dice.uniform(3.0..30.0));
    let longest = minutes as i64 + 25;
    Some(Script { longest, worse: (1.08, 8), ..Script::new(dice, site) }.with(
        "container_concurrency_limit",
        None,
        grows(level, 1.25, minutes),
    ))
}

/// The one worker is busy most of the time, but not hopelessly: where it is, nobody can tell a lock from a dependency.
fn lock(dice: &mut Dice, set: Set) -> Option<Script> {
    let several: fn(&mut Dice) -> Discipline = |dice| Discipline::Fifo { workers: dice.whole(3..=8) };
    let site = Site::draw(
        dice,
        set,
        &Wish {
            level: (0.12, 0.45),
            discipline: Some(several),
            accepts: |site| {
                let Discipline::Fifo { workers } = site.endpoint.discipline else { return false };
                // Before the capacity is known: it is about 0.85 of saturation.
                (0.75..1.05).contains(&(0.85 * site.level * workers as f64))
            },
            ..Wish::default()
        },
    );
    let of_one_worker = site.level * site.capacity * site.endpoint.service.mean() / 60.0;
    if !(0.78..0.97).contains(&of_one_worker) {
        return None;
    }
    Some(Script { worse: (1.04, 5), ..Script::new(dice, site) }.with(
        "container_concurrency_limit",
        None,
        |now, conditions| {
            conditions.workers = Some(1);
            conditions.arrivals_per_minute *= now.severity;
        },
    ))
}
