//! Two things at once: traffic rises by a fifth to three fifths, and something else goes wrong.
//!
//! The cause is the one without which latency would be within the objective; where either would do, both answers are
//! right; where neither alone would, it is the one that takes more of the latency with it.

use super::dice::Dice;
use super::script::{Now, Script};
use super::site::{BUSY, Site, Wish};
use super::{Family, Set};
use crate::Conditions;

pub(super) const FAMILIES: &[Family] = &[
    two("load_and_bad_deploy", "traffic rises, and a deployment makes requests heavier", "slow_model", bad_deploy),
    two("load_and_payload", "traffic rises, and payloads grow", "heavier_requests", payload),
    two("load_and_dependency", "traffic rises, and a dependency becomes slow", "slow_dependency", dependency),
    two("load_and_sick_instance", "traffic rises, and one instance becomes slow", "uneven_load", sick),
];

const fn two(
    name: &'static str,
    about: &'static str,
    verdict: &'static str,
    script: fn(&mut Dice, Set) -> Option<Script>,
) -> Family {
    Family { name, about, verdict, is_overload: false, script }
}

/// Which of the two is the greater: half of the time traffic is high already and rises a lot, and the other trouble is a
/// third of what it is alone.
struct Shares {
    level: (f64, f64),
    more: f64,
    /// What the other trouble's severity is multiplied with.
    other: f64,
}

impl Shares {
    fn draw(dice: &mut Dice) -> Self {
        if dice.chance(0.5) {
            Self { level: (0.6, 0.76), more: dice.uniform(0.35..0.6), other: 0.35 }
        } else {
            Self { level: (0.25, 0.75), more: dice.uniform(0.2..0.6), other: 1.0 }
        }
    }

    fn wish(&self) -> Wish {
        Wish { level: self.level, busy: BUSY, ..Wish::default() }
    }

    /// Traffic rises, and so does the other trouble.
    fn script(
        self,
        dice: &mut Dice,
        site: Site,
        verdict: &'static str,
        sub_cause: Option<&'static str>,
        effect: impl Fn(Now, &mut Conditions) + 'static,
    ) -> Script {
        let minutes = dice.uniform(1.0..15.0);
        Script { longest: 35, ..Script::new(dice, site) }
            .with("overload", Some("traffic_growth"), move |now, conditions| {
                conditions.arrivals_per_minute *= 1.0 + self.more * now.progress(minutes);
            })
            .with(verdict, sub_cause, move |now, conditions| {
                effect(Now { severity: self.other * now.severity, ..now }, conditions);
            })
    }
}

fn bad_deploy(dice: &mut Dice, set: Set) -> Option<Script> {
    let shares = Shares::draw(dice);
    let site = Site::draw(dice, set, &shares.wish());
    let factor = dice.uniform(1.5..2.2);
    let deployed = -dice.minutes(3..=12);
    let script = shares.script(dice, site, "slow_model", Some("after_deployment"), move |now, conditions| {
        conditions.work_factor *= super::work::raised(factor, now.severity);
    });
    Some(Script { deployed, ..script })
}

fn payload(dice: &mut Dice, set: Set) -> Option<Script> {
    let shares = Shares::draw(dice);
    let site = Site::draw(dice, set, &shares.wish());
    let effect = super::work::grow_payloads(dice);
    Some(shares.script(dice, site, "heavier_requests", None, effect))
}

fn dependency(dice: &mut Dice, set: Set) -> Option<Script> {
    let shares = Shares::draw(dice);
    let accepts = if shares.other < 1.0 { |_: &Site| true } else { super::waiting::may_wait };
    let site = Site::draw(dice, set, &Wish { accepts, ..shares.wish() });
    let objectives = dice.uniform(0.7..1.2);
    if !super::waiting::has_spare_workers(&site, shares.other * objectives * site.objective_seconds()) {
        return None;
    }
    let effect = super::waiting::wait(objectives, &site, 1.0);
    Some(shares.script(dice, site, "slow_dependency", None, effect))
}

fn sick(dice: &mut Dice, set: Set) -> Option<Script> {
    let shares = Shares::draw(dice);
    let site = Site::draw(dice, set, &Wish { instances: (3, 6), ..shares.wish() });
    let effect = super::instances::sick(dice);
    Some(shares.script(dice, site, "uneven_load", None, effect))
}
