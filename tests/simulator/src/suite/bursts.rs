//! Overload inside single minutes.

use super::dice::Dice;
use super::path::Day;
use super::script::{Judged, Script};
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Burst;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "bursts",
        about: "requests begin to come in bursts of 12 to 20 seconds, no more of them in a minute than before",
        verdict: "burst",
        is_overload: true,
        script: bursts,
    },
    Family {
        name: "thundering_herd",
        about: "every hour, a third of its requests come in one minute",
        verdict: "burst",
        is_overload: true,
        script: thundering_herd,
    },
];

fn bursts(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.4, 0.75), ..Wish::default() });
    let seconds = dice.uniform(12.0..20.0);
    let factor = dice.uniform(3.0..5.0);
    Some(Script {
        worse: (1.15, 7),
        is_overload: Some(true),
        ..Script::new(dice, site).with("burst", None, move |now, conditions| {
            conditions.burst = Some(Burst { seconds, factor: factor * now.severity });
        })
    })
}

/// The minute itself is over when it is judged, and so may be the queue that it left: to call it over is right too. It is
/// also more load than an instance sustains, if only for a minute: to call it overload is right too, and so is either
/// answer to "scale out?".
fn thundering_herd(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.05, 0.11), rates: Some((15.0, 120.0)), ..Wish::default() });
    // 30 % of an hour's requests in one of its minutes: 25 times as many as in each of the others.
    let factor = 0.3 / 0.7 * 59.0;
    let judged = dice.minutes(3..=4);
    Some(Script {
        always: Box::new(move |now, conditions| {
            if now.minute.rem_euclid(60) == 0 {
                conditions.arrivals_per_minute *= factor;
            }
        }),
        judged: Judged::After(judged),
        tolerated: 0.2,
        requires: |over| over.contains(&true),
        also_right: vec!["overload", "transient"],
        is_overload: None,
        ..Script::on(dice, site, Day::flat()).with("burst", None, |_, _| {})
    })
}
