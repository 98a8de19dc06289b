//! Each request takes more work.

use super::dice::Dice;
use super::load::grows;
use super::path::Day;
use super::script::{Now, Script};
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Conditions;

pub(super) const FAMILIES: &[Family] = &[
    slow("bad_deploy", "a deployment makes requests 1.5 to 2.2 times the work", bad_deploy),
    slow("bad_deploy_rising", "the same while traffic rises, to no more than was seen before", bad_deploy_rising),
    slow("silent_slow_code", "requests become 1.5 to 2.2 times the work, with no deployment", silent),
    slow("leak", "requests become 2.2 times the work, over two hours", leak),
    slow("stalls", "6 % of requests stall, busily", stalls),
    slow("saturating_slow_code", "requests become twice the work on an endpoint too busy for that", saturating),
    slow("always_slow", "a request takes longer than the objective, whatever the load", always_slow),
    Family {
        name: "heavier_payload",
        about: "payloads grow: more work and more overhead per request",
        verdict: "heavier_requests",
        is_overload: false,
        script: heavier,
    },
    Family {
        name: "heavier_payload_more_load",
        about: "payloads grow, and there are a fifth more of them",
        verdict: "heavier_requests",
        is_overload: false,
        script: heavier_and_more,
    },
];

const fn slow(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "slow_model", is_overload: false, script }
}

/// A factor that is `factor` at a severity of 1, and further from 1 at a higher one.
pub(super) fn raised(factor: f64, severity: f64) -> f64 {
    1.0 + (factor - 1.0) * severity
}

fn bad_deploy(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let factor = dice.uniform(1.5..2.2);
    Some(Script {
        deployed: -dice.minutes(3..=12),
        ..Script::new(dice, site).with("slow_model", Some("after_deployment"), move |now, conditions| {
            conditions.work_factor *= raised(factor, now.severity);
        })
    })
}

fn bad_deploy_rising(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.3, 0.6), hours: (6, 336), ..Wish::default() });
    let (level, minutes) = (site.level, site.minutes());
    let factor = dice.uniform(1.5..2.2);
    let day = Day::past_peak(dice);
    let script = Script::on(dice, site, day);
    let target = (level * dice.uniform(1.05..1.35)).min(0.97 * script.path.seen(minutes));
    if target < 1.05 * level {
        return None;
    }
    let grows = grows(level, target, 5.0);
    Some(Script {
        deployed: -dice.minutes(3..=12),
        ..script.with("slow_model", Some("after_deployment"), move |now, conditions| {
            conditions.work_factor *= raised(factor, now.severity);
            grows(Now { severity: 1.0, ..now }, conditions);
        })
    })
}

fn silent(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let factor = dice.uniform(1.5..2.2);
    let minutes = dice.pick(&[1.0, 1.0, 10.0]);
    Some(Script {
        longest: 35,
        ..Script::new(dice, site).with("slow_model", None, move |now, conditions| {
            conditions.work_factor *= 1.0 + (raised(factor, now.severity) - 1.0) * now.progress(minutes);
        })
    })
}

fn leak(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let memory = if dice.chance(0.6) { dice.uniform(0.1..0.3) } else { 0.0 };
    Some(Script {
        longest: 150,
        ..Script::new(dice, site).with("slow_model", Some("leak"), move |now, conditions| {
            conditions.work_factor *= 1.0 + (raised(2.2, now.severity) - 1.0) * now.progress(120.0);
            conditions.memory = (conditions.memory + memory * now.progress(120.0)).min(0.85);
        })
    })
}

fn stalls(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.25, 0.6), ..Wish::default() });
    Some(Script {
        ..Script::new(dice, site).with("slow_model", Some("stalls"), |now, conditions| {
            conditions.stall_share = 0.06;
            conditions.stall_factor = 20.0 * now.severity;
        })
    })
}

fn saturating(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.66, 0.75), ..Wish::default() });
    let is_deployed = dice.chance(0.5);
    let script = Script::new(dice, site);
    Some(Script {
        deployed: if is_deployed { -dice.minutes(3..=12) } else { script.deployed },
        ..script.with("slow_model", is_deployed.then_some("after_deployment"), |now, conditions| {
            conditions.work_factor *= raised(2.0, now.severity);
        })
    })
}

fn always_slow(dice: &mut Dice, set: Set) -> Option<Script> {
    let mut site = Site::draw(dice, set, &Wish { level: (0.25, 0.65), ..Wish::default() });
    site.objective_us = (site.unloaded_us * dice.uniform(0.35..0.75) / 1e3).round().max(1.0) * 1e3;
    Some(Script {
        tolerated: 1.0,
        may_have_fired: true,
        ..Script::new(dice, site).with("slow_model", Some("always_slow"), |_, _| {})
    })
}

fn heavier(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    Some(payloads(dice, site, 1.0))
}

fn heavier_and_more(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.25, 0.62), ..Wish::default() });
    Some(payloads(dice, site, 1.2))
}

fn payloads(dice: &mut Dice, site: Site, traffic: f64) -> Script {
    let effect = grow_payloads(dice);
    Script::new(dice, site).with("heavier_requests", None, move |now, conditions| {
        effect(now, conditions);
        conditions.arrivals_per_minute *= 1.0 + (traffic - 1.0) * now.progress(5.0);
    })
}

/// Work x1.6 to 2.2; the overhead grows by 60 to 100 % of that, since part of it does not depend on the payload.
pub(super) fn grow_payloads(dice: &mut Dice) -> impl Fn(Now, &mut Conditions) + use<> {
    let factor = dice.uniform(1.6..2.2);
    let share = dice.uniform(0.6..1.0);
    let minutes = dice.pick(&[1.0, 5.0]);
    move |now, conditions| {
        let more = (raised(factor, now.severity) - 1.0) * now.progress(minutes);
        conditions.work_factor *= 1.0 + more;
        conditions.overhead_seconds *= 1.0 + share * more;
    }
}
