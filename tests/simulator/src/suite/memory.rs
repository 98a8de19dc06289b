//! Memory is exhausted.

use super::dice::Dice;
use super::script::Script;
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Conditions;

pub(super) const FAMILIES: &[Family] = &[
    short("swapping", "memory fills up; then everything is slower, and no core is busier for it", swapping),
    short("collecting", "memory fills up; then requests stall while the collector looks for some", collecting),
    short("killed", "memory fills up; then processes are killed, and their requests fail", killed),
];

const fn short(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "memory_pressure", is_overload: false, script }
}

/// From this share of memory in use on, it hurts.
const FULL: f64 = 0.95;

/// Memory climbs from what is usual to nearly all of it; `hurts` is what happens when it is full, given how bad it is.
fn fills(dice: &mut Dice, set: Set, hurts: impl Fn(f64, &mut Conditions) + 'static) -> Script {
    let site = Site::draw(dice, set, &Wish::default());
    let minutes = dice.log_uniform(20.0..120.0);
    let most = dice.uniform(0.965..0.995);
    let usual = site.usual.memory;
    Script { longest: minutes as i64 + 25, ..Script::new(dice, site) }.with(
        "memory_pressure",
        None,
        move |now, conditions| {
            conditions.memory = usual + (most - usual) * now.progress(minutes);
            if conditions.memory >= FULL {
                hurts(now.severity, conditions);
            }
        },
    )
}

fn swapping(dice: &mut Dice, set: Set) -> Option<Script> {
    let steal = dice.uniform(1.6..3.0);
    Some(fills(dice, set, move |severity, conditions| conditions.steal = super::work::raised(steal, severity)))
}

fn collecting(dice: &mut Dice, set: Set) -> Option<Script> {
    let (share, factor) = (dice.uniform(0.06..0.2), dice.uniform(5.0..15.0));
    Some(fills(dice, set, move |severity, conditions| {
        conditions.stall_share = share;
        conditions.stall_factor = factor * severity;
    }))
}

/// Some requests fail, most of the others are slow: a worker that starts again leaves its work to the rest. That errors
/// are many is as right to say.
fn killed(dice: &mut Dice, set: Set) -> Option<Script> {
    let (errors, steal) = (dice.uniform(0.05..0.3), dice.uniform(1.4..2.0));
    let script = fills(dice, set, move |severity, conditions| {
        conditions.error_5xx_share = errors;
        conditions.steal = super::work::raised(steal, severity);
    });
    Some(Script { is_errors_as_right: true, ..script })
}
