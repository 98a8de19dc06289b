//! The container is not slow.

use super::dice::Dice;
use super::script::{Judged, Script};
use super::site::{Site, Wish};
use super::{Family, Set};

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "overhead",
        about: "an objective's worth of time is lost outside the container",
        verdict: "overhead",
        is_overload: false,
        script: overhead,
    },
    Family {
        name: "threshold_too_tight",
        about: "the objective lies within what is normal for the endpoint",
        verdict: "objective_too_tight",
        is_overload: false,
        script: too_tight,
    },
];

fn overhead(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let more = dice.uniform(0.8..1.5) * site.objective_seconds();
    let judged = Judged::After(dice.minutes(6..=15));
    Some(Script {
        judged,
        requires: |_| true,
        ..Script::new(dice, site).with("overhead", None, move |_, conditions| conditions.overhead_seconds += more)
    })
}

/// Objectives of 1.02 to 1.12 times the unloaded latency, on an endpoint whose usual load is what it takes within that. At
/// most half of its minutes are over the objective: where more are, the model is always too slow.
fn too_tight(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.75, 1.05), objective: (1.02, 1.12), ..Wish::default() });
    Some(Script {
        tolerated: 0.5,
        may_have_fired: true,
        longest: 180,
        requires: |_| true,
        ..Script::new(dice, site).with("objective_too_tight", None, |_, _| {})
    })
}
