//! One instance, or a few, is unlike the rest.

use super::dice::Dice;
use super::incident::Scaling;
use super::script::{Now, Script, activity};
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::{Cold, Conditions, Routing};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "sick_instance",
        about: "one of three to six instances becomes three to eight times as slow; requests are spread at random",
        verdict: "uneven_load",
        is_overload: false,
        script: sick_at_random,
    },
    Family {
        name: "sick_instance_least_outstanding",
        about: "one of two to four instances becomes as slow; requests go where the fewest are",
        verdict: "uneven_load",
        is_overload: false,
        script: sick_least_outstanding,
    },
    Family {
        name: "cold_start",
        about: "half as many instances again come into service, six times as slow for two and a half minutes",
        verdict: "cold_start",
        is_overload: false,
        script: cold_start,
    },
];

/// One instance so many times as slow; whether its utilisation shows it is drawn.
pub(super) fn sick(dice: &mut Dice) -> impl Fn(Now, &mut Conditions) + use<> {
    let factor = dice.uniform(3.0..8.0);
    let is_busy = dice.chance(0.6);
    move |now, conditions| {
        conditions.sick_instances = 1;
        conditions.sick_factor = super::work::raised(factor, now.severity);
        conditions.sick_is_busy = is_busy;
    }
}

fn sick_at_random(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { instances: (3, 6), routing: Some(Routing::Random), ..Wish::default() });
    let effect = sick(dice);
    Some(Script::new(dice, site).with("uneven_load", None, effect))
}

fn sick_least_outstanding(dice: &mut Dice, set: Set) -> Option<Script> {
    let routing = Some(Routing::LeastOutstandingRequests);
    let site = Site::draw(dice, set, &Wish { instances: (2, 4), routing, ..Wish::default() });
    let effect = sick(dice);
    Some(Script { worse: (1.4, 6), ..Script::new(dice, site).with("uneven_load", None, effect) })
}

/// The new instances come one after the other, as they do, and each is warm two and a half minutes after it came.
fn cold_start(dice: &mut Dice, set: Set) -> Option<Script> {
    let mut site = Site::draw(dice, set, &Wish { instances: (2, 6), level: (0.4, 0.75), ..Wish::default() });
    site.endpoint.cold = Some(Cold { factor: dice.uniform(5.0..8.0), seconds: dice.uniform(140.0..180.0) });
    let before = site.instances;
    let more = before.div_ceil(2);
    let gap = dice.minutes(1..=2);
    let script = Script::new(dice, site);
    let wanted = before + more;
    let scaling = Scaling {
        min: 1,
        max: (wanted + 2) as u32,
        target: (script.site.capacity * dice.uniform(0.5..0.7)).round(),
        activity: Some(activity(
            "Successful",
            format!("Successfully set desired instance count to {wanted}. Change successfully fulfilled by sagemaker."),
            wanted,
            -dice.minutes(4..=8),
        )),
    };
    Some(Script {
        scaling: Some(scaling),
        desired: Some(wanted),
        longest: 12,
        worse: (1.1, 0),
        ..script.with("cold_start", None, move |now, conditions| {
            let come = (now.minute / gap + 1).min(more as i64) as usize;
            conditions.instances = before + come;
        })
    })
}
