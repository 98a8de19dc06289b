//! Nothing is the matter, any more, or nobody could know.

use super::dice::Dice;
use super::load::grows;
use super::script::{Effect, Judged, Script};
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Cold;

pub(super) const FAMILIES: &[Family] = &[
    fine("quiet", "a healthy endpoint, and somebody asks at any time", quiet),
    fine("blip", "three to six slow minutes that are over", blip),
    Family {
        name: "infrequent_traffic",
        about: "a request every one to ten minutes, each after the instance went to sleep",
        verdict: "infrequent_traffic",
        is_overload: false,
        script: infrequent,
    },
    Family {
        name: "hardly_any_data",
        about: "a few requests a minute, and a fifth of the datapoints missing",
        verdict: "insufficient_data",
        is_overload: false,
        script: hardly_any_data,
    },
];

const fn fine(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "transient", is_overload: false, script }
}

/// Latency is normal and within the objective: that it is over, that the objective is too tight, or that there is not
/// enough to say, are all answers that do no harm.
fn quiet(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    Some(Script {
        judged: Judged::After(5),
        requires: |_| true,
        also_right: vec!["objective_too_tight", "insufficient_data"],
        ..Script::new(dice, site).with("transient", None, |_, _| {})
    })
}

fn blip(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.25, 0.6), ..Wish::default() });
    let lasts = dice.minutes(3..=6);
    let over_for = dice.minutes(5..=9);
    let effect: Effect = match dice.whole(0..=2) {
        0 => Box::new(super::waiting::wait(dice.uniform(1.0..1.5), &site, 1.0)),
        1 => Box::new(grows(site.level, 1.3, 1.0)),
        _ => Box::new(|now, conditions| conditions.work_factor *= super::work::raised(2.2, now.severity)),
    };
    let script = Script::new(dice, site);
    Some(Script {
        judged: Judged::After(lasts + over_for),
        requires: |over| {
            let was_alarming = over.windows(3).any(|three| three.iter().all(|is_over| *is_over));
            was_alarming && over.iter().rev().take(5).all(|is_over| !is_over)
        },
        ..script.with("transient", None, move |now, conditions| {
            if now.minute < lasts {
                effect(now, conditions);
            }
        })
    })
}

/// Requests are so rare that every one, or nearly, finds the instance asleep and takes several times as long.
fn infrequent(dice: &mut Dice, set: Set) -> Option<Script> {
    let mut site = Site::draw(
        dice,
        set,
        &Wish { instances: (1, 2), level: (0.002, 0.1), rates: Some((0.1, 0.7)), ..Wish::default() },
    );
    site.endpoint.cold = Some(Cold { factor: dice.uniform(3.0..8.0), seconds: 20.0 });
    site.endpoint.cold_after_idle_seconds = Some(dice.uniform(20.0..40.0));
    Some(Script {
        tolerated: 1.0,
        may_have_fired: true,
        longest: 200,
        requires: |_| true,
        ..Script::new(dice, site).with("infrequent_traffic", None, |_, _| {})
    })
}

/// Somebody asks about an endpoint of which nobody can say much.
fn hardly_any_data(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(
        dice,
        set,
        &Wish { instances: (1, 2), level: (0.005, 0.3), rates: Some((2.5, 4.5)), ..Wish::default() },
    );
    Some(Script {
        judged: Judged::After(5),
        requires: |_| true,
        tolerated: 1.0,
        may_have_fired: true,
        missing: 0.2,
        ..Script::new(dice, site).with("insufficient_data", None, |_, _| {})
    })
}
