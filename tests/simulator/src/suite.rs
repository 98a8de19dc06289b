//! Labelled incidents: families of causes, drawn at random within their bounds, each with the right answer.
//!
//! An incident is one simulated endpoint with hours to weeks of history, one trouble (or two, or none), made worse until
//! the latency alarm fires, seen as CloudWatch would show it three minutes later. The same family, set and replicate give
//! the same incident.

mod bursts;
mod components;
mod concurrency;
pub(crate) mod dice;
mod errors;
mod incident;
mod instances;
mod load;
mod memory;
mod mixed;
mod models;
mod outside;
pub(crate) mod path;
mod play;
mod quiet;
mod retries;
mod script;
mod serverless;
pub(crate) mod site;
mod waiting;
mod work;

pub use components::{COMPONENT_FAMILIES, ComponentFamily, ComponentIncident, component_incident};
pub use incident::{Activity, Incident, Scaling, Truth};
pub use serverless::{SERVERLESS_FAMILIES, ServerlessFamily, ServerlessIncident, serverless_incident};

use dice::Dice;
use script::Script;
use std::sync::LazyLock;

/// What an incident may be used for. No seed serves two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Rules are written on these.
    Development,
    /// Rules are corrected on these.
    Validation,
    /// Nobody looks at these; they tell how good the rules are.
    HoldOut,
}

/// Incidents with the same cause.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// As `slow_ramp`.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// The right verdict (of mixed incidents, the usual one: each says its own).
    pub verdict: &'static str,
    /// Whether it is overload or a burst: scaling out helps.
    pub is_overload: bool,
    /// None where the draw does not suit.
    script: fn(&mut Dice, Set) -> Option<Script>,
}

/// Every family.
#[must_use]
pub fn families() -> &'static [Family] {
    &FAMILIES
}

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    [
        load::FAMILIES,
        retries::FAMILIES,
        bursts::FAMILIES,
        work::FAMILIES,
        waiting::FAMILIES,
        concurrency::FAMILIES,
        memory::FAMILIES,
        instances::FAMILIES,
        models::FAMILIES,
        errors::FAMILIES,
        outside::FAMILIES,
        quiet::FAMILIES,
        mixed::FAMILIES,
    ]
    .concat()
});

/// The incident `replicate` of a family in a set.
///
/// # Panics
/// Where a family cannot be drawn at all.
#[must_use]
pub fn generate(family: &'static Family, set: Set, replicate: u64) -> Incident {
    (0..ATTEMPTS)
        .find_map(|attempt| {
            let mut dice = Dice::new(seed(family.name, set, replicate, attempt));
            let script = (family.script)(&mut dice, set)?;
            play::play(family, set, replicate, &script, &mut dice)
        })
        .unwrap_or_else(|| panic!("{}: no alarm in {ATTEMPTS} attempts", family.name))
}

/// How often a family is drawn again before it counts as impossible.
const ATTEMPTS: u64 = 200;

/// FNV-1a of all four; the last two bits are the set, so that no seed is in two of them.
pub(crate) fn seed(name: &str, set: Set, replicate: u64, attempt: u64) -> u64 {
    let numbers = [replicate.to_le_bytes(), attempt.to_le_bytes()].concat();
    let hash = name
        .bytes()
        .chain(numbers)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash << 2) | set as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SETS: [Set; 3] = [Set::Development, Set::Validation, Set::HoldOut];

    #[test]
    fn the_same_seed_gives_the_same_incident() {
        for family in families().iter().step_by(12) {
            let incident = |replicate| format!("{:?}", generate(family, Set::Validation, replicate));
            assert_eq!(incident(1), incident(1), "{}", family.name);
            assert_ne!(incident(1), incident(2), "{}", family.name);
        }
    }

    #[test]
    fn no_seed_serves_two_sets() {
        let seeds = |set| -> BTreeSet<u64> {
            let of =
                |family: &Family| (0..100).map(|replicate| seed(family.name, set, replicate, 0)).collect::<Vec<_>>();
            families().iter().flat_map(of).collect()
        };
        let all: BTreeSet<u64> = SETS.into_iter().flat_map(seeds).collect();
        assert_eq!(all.len(), 3 * 100 * families().len());
        for (set, bits) in SETS.into_iter().zip(0..) {
            assert!(seeds(set).iter().all(|seed| seed & 3 == bits));
        }
    }

    #[test]
    fn every_family_has_a_name_of_its_own_and_can_be_drawn() {
        let names: BTreeSet<&str> = families().iter().map(|family| family.name).collect();
        assert_eq!(names.len(), families().len());
        for family in families() {
            let incident = generate(family, Set::Development, 0);
            let minutes = usize::try_from(incident.history_hours * 60).unwrap();
            assert!(incident.series.iter().all(|series| series.values.len() == minutes), "{}", family.name);
            assert!(incident.truth.trouble_minutes > 0 && incident.instances > 0, "{}", family.name);
        }
    }

    #[test]
    fn overload_is_more_load_than_an_instance_carries() {
        for name in ["slow_ramp", "step", "daily_peak", "at_max"] {
            let family = families().iter().find(|family| family.name == name).unwrap();
            for replicate in 0..5 {
                let incident = generate(family, Set::Development, replicate);
                let load = |series: &&crate::Published| series.metric == "InvocationsPerInstance";
                let values = &incident.series.iter().find(load).unwrap().values;
                let last: Vec<f64> = values[values.len() - 8..].iter().flatten().copied().collect();
                let most = last.iter().copied().fold(0.0, f64::max);
                assert!(most > 0.9 * incident.truth.capacity.unwrap(), "{name} {replicate}: {last:?}");
            }
        }
    }
}
