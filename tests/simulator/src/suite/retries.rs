//! Overload that clients make themselves, by asking again.

use super::dice::Dice;
use super::script::{Judged, Script};
use super::site::{BUSY, Site, Wish};
use super::{Family, Set};
use crate::Retries;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "retry_storm",
        about: "after a brief outage, 15 % more traffic and clients that ask again",
        verdict: "overload",
        is_overload: true,
        script: retry_storm,
    },
    Family {
        name: "retry_loop",
        about: "a brief rush is over, but clients that ask again keep the endpoint overloaded",
        verdict: "overload",
        is_overload: true,
        script: retry_loop,
    },
];

/// An endpoint whose clients ask again after half as long again as the objective.
fn impatient(dice: &mut Dice, set: Set) -> Site {
    let mut site = Site::draw(dice, set, &Wish { level: (0.62, 0.76), busy: BUSY, ..Wish::default() });
    let timeout_seconds = 1.5 * site.objective_seconds();
    site.endpoint.retries = Some(Retries { timeout_seconds, probability: 0.8, at_most: 2 });
    site
}

fn retry_storm(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = impatient(dice, set);
    let outage = dice.minutes(2..=3);
    let wait = site.objective_seconds() * dice.uniform(3.0..6.0);
    Some(Script {
        judged: Judged::AfterAlarm(outage + 3),
        worse: (1.04, 8),
        is_overload: Some(true),
        ..Script::new(dice, site).with("overload", Some("retry_storm"), move |now, conditions| {
            if now.minute < outage {
                conditions.wait_seconds = wait;
            } else {
                conditions.arrivals_per_minute *= 1.15 * now.severity;
            }
        })
    })
}

fn retry_loop(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = impatient(dice, set);
    let level = site.level;
    let rush = dice.minutes(2..=4);
    Some(Script {
        judged: Judged::AfterAlarm(rush + 3),
        worse: (1.05, 8),
        is_overload: Some(true),
        ..Script::new(dice, site).with("overload", Some("retry_storm"), move |now, conditions| {
            conditions.arrivals_per_minute *=
                if now.minute < rush { 1.8 * now.severity / level } else { 0.8 * now.severity.min(1.15) / level };
        })
    })
}
