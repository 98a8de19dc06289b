//! Requests fail.

use super::dice::Dice;
use super::script::{Judged, Script};
use super::site::{Site, Wish};
use super::{Family, Set};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "client_errors",
        about: "a third of the requests are refused at once",
        verdict: "client_errors",
        is_overload: false,
        script: client_errors,
    },
    failing("failing_fast", "15 to 60 % of the requests fail, as fast as others succeed", failing_fast),
    failing("failing_slowly", "15 to 60 % of the requests fail, and every request waits for it", failing_slowly),
    failing("hung", "some requests never return; SageMaker gives up on them after a minute", hung),
];

const fn failing(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "model_errors", is_overload: false, script }
}

/// Latency need not rise: somebody asks, or an alarm on errors fired.
fn asked(dice: &mut Dice) -> Judged {
    Judged::After(dice.minutes(6..=15))
}

fn client_errors(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let share = dice.uniform(0.2..0.4);
    let judged = asked(dice);
    Some(Script {
        judged,
        requires: |_| true,
        ..Script::new(dice, site).with("client_errors", None, move |_, conditions| conditions.error_4xx_share = share)
    })
}

fn failing_fast(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let share = dice.uniform(0.15..0.6);
    let judged = asked(dice);
    Some(Script {
        judged,
        requires: |_| true,
        ..Script::new(dice, site).with("model_errors", None, move |_, conditions| conditions.error_5xx_share = share)
    })
}

fn failing_slowly(dice: &mut Dice, set: Set) -> Option<Script> {
    let site =
        Site::draw(dice, set, &Wish { level: (0.12, 0.6), accepts: super::waiting::may_wait, ..Wish::default() });
    let share = dice.uniform(0.15..0.6);
    let objectives = dice.uniform(0.5..1.0);
    if !super::waiting::has_spare_workers(&site, objectives * site.objective_seconds()) {
        return None;
    }
    let effect = super::waiting::wait(objectives, &site, 1.0);
    Some(Script::new(dice, site).with("model_errors", None, move |now, conditions| {
        conditions.error_5xx_share = share;
        effect(now, conditions);
    }))
}

/// A hung request keeps its worker for two minutes; it does not take many until nobody is served. By the time it is
/// judged, the first have been given up. Who reads from that that the container waits is as right.
fn hung(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.25, 0.7), ..Wish::default() });
    let share = dice.uniform(0.2..0.6);
    let judged = Judged::After(dice.minutes(6..=12));
    Some(Script {
        judged,
        also_right: vec!["slow_dependency"],
        ..Script::new(dice, site).with("model_errors", None, move |_, conditions| {
            conditions.wait_seconds = 120.0;
            conditions.wait_share = share;
        })
    })
}
