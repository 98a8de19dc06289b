//! A multi-model endpoint loads and unloads models.

use super::dice::Dice;
use super::script::Script;
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::Cache;

pub(super) const FAMILIES: &[Family] = &[Family {
    name: "cache_thrash",
    about: "more models are asked for than the instances hold",
    verdict: "model_loading",
    is_overload: false,
    script: cache_thrash,
}];

fn cache_thrash(dice: &mut Dice, set: Set) -> Option<Script> {
    let mut site = Site::draw(dice, set, &Wish { level: (0.25, 0.6), ..Wish::default() });
    let held = dice.whole(8..=40);
    site.endpoint.cache =
        Some(Cache { capacity: held, load_seconds: 1.5 * site.objective_seconds(), zipf: dice.uniform(0.6..1.1) });
    // Some see a model go now and then already.
    site.usual.models = held + if held > 24 { dice.whole(0..=1) } else { 0 };
    let more = dice.uniform(1.4..4.0);
    Some(Script {
        hosting: "multi_model",
        tolerated: 0.05,
        ..Script::new(dice, site).with("model_loading", None, move |now, conditions| {
            conditions.models = (held as f64 * super::work::raised(more, now.severity)) as usize;
        })
    })
}
