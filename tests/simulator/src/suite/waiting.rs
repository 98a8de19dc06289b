//! Requests take longer without taking more work: the container waits for something.

use super::dice::Dice;
use super::script::{Now, Script};
use super::site::{Site, Wish};
use super::{Family, Set};
use crate::{Conditions, Discipline};

pub(super) const FAMILIES: &[Family] = &[
    waits("dependency_all", "every request waits about an objective longer for something else", dependency_all),
    waits("dependency_some", "a fifth to almost half of the requests wait longer than the objective", dependency_some),
    waits("workers_exhausted", "requests wait up to half a minute, until no worker is free", workers_exhausted),
    waits("host_throttled", "the host gives the endpoint half to two thirds of its time", host_throttled),
];

const fn waits(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "slow_dependency", is_overload: false, script }
}

/// Share of what could be served at most, from which workers count as exhausted.
const SPARE: f64 = 0.75;

/// Whether the endpoint still serves everybody where each request waits so long.
pub(super) fn has_spare_workers(site: &Site, mean_wait: f64) -> bool {
    site.level * site.capacity < SPARE * site.served_at_most(mean_wait)
}

/// The same before the capacity is measured: it is about 0.8 of saturation.
pub(super) fn may_wait(site: &Site) -> bool {
    0.8 * site.level * site.served_at_most(0.0) < SPARE * site.served_at_most(0.8 * site.objective_seconds())
}

/// A wait of so many objectives for every request. It is a wait and nothing else: no endpoint that runs out of workers
/// by it.
pub(super) fn wait(objectives: f64, site: &Site, share: f64) -> impl Fn(Now, &mut Conditions) + use<> {
    let seconds = objectives * site.objective_seconds();
    move |now, conditions| {
        conditions.wait_seconds = seconds * now.severity;
        conditions.wait_share = share;
    }
}

/// Endpoints that have workers to spare: those with workers that wait themselves have little load.
fn roomy() -> Wish {
    Wish { level: (0.12, 0.45), objective: (1.6, 2.6), accepts: may_wait, ..Wish::default() }
}

fn dependency_all(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &roomy());
    let objectives = dice.uniform(0.7..1.2);
    if !has_spare_workers(&site, objectives * site.objective_seconds()) {
        return None;
    }
    let effect = wait(objectives, &site, 1.0);
    Some(Script::new(dice, site).with("slow_dependency", Some("all_requests"), effect))
}

fn dependency_some(dice: &mut Dice, set: Set) -> Option<Script> {
    // Where a request waits for others that wait, all of them wait: batches, and few workers.
    let several: fn(&mut Dice) -> Discipline = |dice| {
        if dice.chance(0.5) {
            Discipline::Fifo { workers: dice.whole(4..=8) }
        } else {
            Discipline::ProcessorSharing { cores: dice.whole(1..=8) }
        }
    };
    let site = Site::draw(dice, set, &Wish { discipline: Some(several), ..roomy() });
    let (objectives, share) = (1.2, dice.uniform(0.2..0.45));
    if !has_spare_workers(&site, objectives * share * site.objective_seconds()) {
        return None;
    }
    let effect = wait(objectives, &site, share);
    Some(Script::new(dice, site).with("slow_dependency", Some("some_requests"), effect))
}

/// Once the queue is a minute long, SageMaker answers instead of the container: then errors dominate as well, and to say
/// so is as right (here and where the host is throttled).
fn workers_exhausted(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.3, 0.7), ..Wish::default() });
    if matches!(site.endpoint.discipline, Discipline::ProcessorSharing { .. }) {
        return None;
    }
    let seconds = dice.log_uniform(5.0..30.0);
    // As many requests wait as leave so much of the traffic unserved.
    let served = dice.uniform(0.5..0.97) * site.level * site.capacity;
    let share = (0..=200).map(|step| f64::from(step) / 200.0).find(|share| match site.endpoint.discipline {
        // A batch waits for its slowest request.
        Discipline::Batching { largest, .. } => {
            site.served_at_most(seconds * (1.0 - (1.0 - share).powf(largest as f64))) <= served
        }
        _ => site.served_at_most(seconds * share) <= served,
    })?;
    Some(Script {
        is_errors_as_right: true,
        ..Script::new(dice, site).with("slow_dependency", Some("workers_exhausted"), move |now, conditions| {
            conditions.wait_seconds = seconds;
            conditions.wait_share = (share * now.severity).min(1.0);
        })
    })
}

fn host_throttled(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish::default());
    let steal = dice.uniform(1.6..2.2);
    let script = Script::new(dice, site).with("slow_dependency", Some("host"), move |now, conditions| {
        conditions.steal = super::work::raised(steal, now.severity);
    });
    Some(Script { is_errors_as_right: true, ..script })
}
