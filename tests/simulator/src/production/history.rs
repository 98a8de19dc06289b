//! Histories from which the capacity of one instance is to be told.

use super::{Variant, seed};
use crate::suite::Set;
use crate::suite::dice::Dice;
use crate::suite::site::{Site, Wish};
use crate::{
    ClosedLoop, Conditions, Degradation, Minute, Policy, Published, ScalingMetric, SetUp, TargetTracking, capacity,
    published,
};
use std::f64::consts::TAU;

const DAY: f64 = 1_440.0;
const NOISE_KEPT: f64 = 0.95;
/// Hours of history, and how often.
const HOURS: [(i64, f64); 7] = [(4, 0.14), (8, 0.12), (12, 0.1), (24, 0.24), (72, 0.2), (168, 0.12), (336, 0.08)];
/// Requests of a whole history at most, so that hundreds of them can be simulated.
const MOST_REQUESTS: f64 = 1.2e6;
const LEAST_RATE: f64 = 30.0;
const MOST_RATE: f64 = 1_200.0;
/// Mean work of a request, seconds.
const WORK: (f64, f64) = (0.03, 2.5);

/// Something that makes a history harder to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trait {
    /// Requests became lighter or heavier at a deployment, the last one still being known.
    ChangedByDeployment,
    /// Requests became lighter or heavier at a moment that nothing tells.
    Changed,
    /// Requests become lighter or heavier, a little every day.
    Drifts,
    /// What a request takes follows the time of day.
    FollowsTheDay,
    /// Instances come and go.
    Autoscaled,
    /// Everything waited for something else for a while, whatever the load.
    HadAnIncident,
    /// A metric is missing.
    LacksAMetric,
}

impl Trait {
    /// As `follows_the_day`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangedByDeployment => "changed_by_deployment",
            Self::Changed => "changed",
            Self::Drifts => "drifts",
            Self::FollowsTheDay => "follows_the_day",
            Self::Autoscaled => "autoscaled",
            Self::HadAnIncident => "had_an_incident",
            Self::LacksAMetric => "lacks_a_metric",
        }
    }
}

/// What CloudWatch would show of a variant, and what one instance carries now.
#[derive(Debug, Clone)]
pub struct History {
    /// The variant; its capacity is the present one, at its busy times and with as many instances as it has then.
    pub variant: Variant,
    /// Hours of history.
    pub hours: i64,
    /// The busiest minute's load, in units of capacity.
    pub peak: f64,
    /// What makes it harder to read.
    pub traits: Vec<Trait>,
    /// Instances in service at the end.
    pub instances: usize,
    /// Minutes since the endpoint's configuration was created.
    pub minutes_since_deployment: i64,
    /// What CloudWatch would answer: one value a minute.
    pub series: Vec<Published>,
}

/// How the work of a request changes over a history.
#[derive(Debug, Clone, Default)]
struct Work {
    /// From which minute on, and what factor.
    changes: Vec<(i64, f64)>,
    /// By how much it has changed at the end, as a share.
    drift: f64,
    /// By how much it differs over the day, and when in the day it is highest.
    day: (f64, f64),
}

impl Work {
    fn at(&self, minute: i64, minutes: i64) -> f64 {
        let changed = self.changes.iter().rev().find(|(from, _)| *from <= minute).map_or(1.0, |(_, factor)| *factor);
        // In the end all factors are 1, but for the day's.
        let left = 1.0 - minute as f64 / minutes as f64;
        let day = 1.0 + self.day.0 * (TAU * (minute as f64 / DAY - self.day.1)).cos();
        changed * (1.0 - self.drift * left) * day
    }
}

/// One that is drawn by its number in a set.
#[must_use]
pub fn history(set: Set, replicate: u64) -> History {
    let mut dice = Dice::new(seed("history", set, replicate));
    let hours = dice.weighted(&HOURS);
    let minutes = hours * 60;
    let peak = dice.uniform(0.2..1.2);
    let most_rate = (MOST_REQUESTS / minutes as f64).min(MOST_RATE);
    let wish = Wish {
        level: (peak, peak + 1e-9),
        rates: Some((LEAST_RATE, most_rate.max(1.5 * LEAST_RATE))),
        work: Some(WORK),
        hours: (hours, hours),
        ..Wish::default()
    };
    let mut site = Site::of_hours(&mut dice, set, &wish, hours);
    let mut traits = Vec::new();
    let work = draw_work(&mut dice, minutes, &mut traits);
    let path = path(&mut dice, minutes);
    site.usual.work_factor = at_busy_times(&path, &work);
    // The instances that are probed are those that serve: the same seed makes them as fast.
    let seed = dice.seed();
    let truth = |site: &Site| capacity(site.endpoint, &site.usual, site.objective_us, site.quantile, seed);
    site.capacity = truth(&site);
    let incident = incident(&mut dice, minutes, &mut traits);
    let set_up = set_up(&mut dice, &site, &mut traits);
    if traits.contains(&Trait::Autoscaled) {
        // Those that come and go are all alike, else nothing would be true of them.
        site.endpoint.speed_spread = 0.0;
    }
    let deployed = if traits.contains(&Trait::ChangedByDeployment) {
        work.changes.last().map_or(minutes, |(from, _)| minutes - from)
    } else {
        dice.minutes(minutes / 4..=60 * 1_440)
    };
    let full = peak * site.capacity * site.instances as f64;
    let mut played = ClosedLoop::new(site.endpoint, set_up, site.instances, dice.uniform(3.0..12.0), seed);
    let seen: Vec<Minute> = (0..minutes)
        .map(|minute| {
            let waits = incident.is_some_and(|(begin, end)| (begin..end).contains(&minute));
            played.step(
                minute,
                &Conditions {
                    arrivals_per_minute: path[minute as usize] * full,
                    work_factor: work.at(minute, minutes),
                    wait_seconds: if waits { 0.7 * site.objective_us / 1e6 } else { 0.0 },
                    ..site.usual
                },
            )
        })
        .collect();
    let instances = seen.last().map_or(site.instances, |minute| minute.instances);
    // Where the least busy instance gets a request, one of many carries more than one of few.
    site.usual.instances = at_highest_load(&seen);
    let drawn = site.capacity;
    site.capacity = truth(&site);
    let peak = peak * drawn / site.capacity.max(1.0);
    let variant = Variant::of(&site, None);
    let mut series = published(&seen);
    degrade(&mut dice, &variant, &mut traits).apply(&mut series, dice.seed());
    History { variant, hours, peak, traits, instances, minutes_since_deployment: deployed, series }
}

fn draw_work(dice: &mut Dice, minutes: i64, traits: &mut Vec<Trait>) -> Work {
    let mut work = Work::default();
    match dice.weighted(&[(0, 0.5), (1, 0.15), (2, 0.15), (3, 0.08), (4, 0.12)]) {
        kind @ (1 | 2) => {
            traits.push(if kind == 1 { Trait::ChangedByDeployment } else { Trait::Changed });
            let mut factor = 1.0;
            let count = dice.whole(1..=if minutes < 24 * 60 { 1 } else { 3 });
            // The last regime has had at least two hours, or a third of a short history.
            let mut end = minutes - (minutes / 3).min(dice.minutes(120..=600));
            for index in 0..count {
                work.changes.insert(0, (end, factor));
                let step = dice.uniform(1.1..1.45);
                factor *= if dice.chance(0.5) { step } else { 1.0 / step };
                end = (end - dice.minutes(minutes / 8..=minutes / 3)).max(1);
                if index + 1 == count || end <= 1 {
                    work.changes.insert(0, (0, factor));
                    break;
                }
            }
        }
        3 => {
            traits.push(Trait::Drifts);
            work.drift = dice.uniform(-0.2..0.2);
        }
        4 => {
            traits.push(Trait::FollowsTheDay);
            work.day = (dice.uniform(0.05..0.2), dice.uniform(0.0..1.0));
        }
        _ => {}
    }
    work
}

/// Load in units of its peak. Short histories show a part of a day.
fn path(dice: &mut Dice, minutes: i64) -> Vec<f64> {
    let swing = dice.uniform(0.15..0.7);
    // A short history ends anywhere in the day, its peak may be outside.
    let phase = dice.uniform(0.0..1.0);
    let weekend = if dice.chance(0.4) { dice.uniform(0.5..0.9) } else { 1.0 };
    let spread = dice.uniform(0.03..0.07);
    let mut noise = 0.0;
    let levels: Vec<f64> = (0..minutes)
        .map(|minute| {
            noise = NOISE_KEPT * noise + spread * (1.0 - NOISE_KEPT * NOISE_KEPT).sqrt() * dice.normal();
            let time = minute as f64 / DAY;
            let week = if time % 7.0 >= 5.0 { weekend } else { 1.0 };
            (1.0 + swing * (TAU * (time - phase)).cos()) * week * (1.0 + noise).max(0.5)
        })
        .collect();
    // The usual busiest minutes, not the single one that noise made the busiest.
    let mut sorted = levels.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let peak = sorted[(sorted.len() as f64 * 0.995) as usize];
    levels.into_iter().map(|level| level / peak).collect()
}

/// The work factor of the busiest tenth of the last day's minutes, as things are at the end.
fn at_busy_times(path: &[f64], work: &Work) -> f64 {
    let last_day = path.len().saturating_sub(1_440)..path.len();
    let present = Work { changes: Vec::new(), drift: 0.0, day: work.day };
    let mut minutes: Vec<(f64, f64)> =
        last_day.map(|minute| (path[minute], present.at(minute as i64, path.len() as i64))).collect();
    minutes.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
    minutes.truncate((minutes.len() / 10).max(1));
    minutes.iter().map(|(_, factor)| factor).sum::<f64>() / minutes.len() as f64
}

/// Instances in the minutes with the highest load on each, a tenth of all: the median.
fn at_highest_load(seen: &[Minute]) -> usize {
    let mut minutes: Vec<(f64, usize)> =
        seen.iter().map(|minute| (minute.invocations as f64 / minute.instances as f64, minute.instances)).collect();
    minutes.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
    minutes.truncate((minutes.len() / 10).max(1));
    let mut instances: Vec<usize> = minutes.into_iter().map(|(_, instances)| instances).collect();
    instances.sort_unstable();
    instances[instances.len() / 2]
}

/// From when until when something else was slow.
fn incident(dice: &mut Dice, minutes: i64, traits: &mut Vec<Trait>) -> Option<(i64, i64)> {
    if !dice.chance(0.1) || minutes < 12 * 60 {
        return None;
    }
    traits.push(Trait::HadAnIncident);
    let begin = dice.minutes(60..=minutes - 240);
    Some((begin, begin + dice.minutes(15..=90)))
}

/// A fixed fleet, or a policy that keeps the load per instance near the peak's.
fn set_up(dice: &mut Dice, site: &Site, traits: &mut Vec<Trait>) -> SetUp {
    let instances = site.instances;
    if instances < 2 || !dice.chance(0.35) {
        return SetUp::fixed(instances);
    }
    traits.push(Trait::Autoscaled);
    let tracking = TargetTracking {
        metric: ScalingMetric::InvocationsPerInstance,
        target: site.capacity * dice.uniform(0.5..1.1),
        scale_out_cooldown_seconds: 300.0,
        scale_in_cooldown_seconds: 300.0,
        is_scale_in_disabled: false,
    };
    SetUp {
        min: 1,
        max: instances + dice.whole(0..=4),
        policies: vec![Policy::TargetTracking(tracking)],
        scheduled: Vec::new(),
    }
}

fn degrade(dice: &mut Dice, variant: &Variant, traits: &mut Vec<Trait>) -> Degradation {
    let mut without = Vec::new();
    if variant.endpoint.gpus > 0 && dice.chance(0.1) {
        without.extend(["GPUUtilization", "GPUMemoryUtilization"]);
    }
    if dice.chance(0.08) {
        without.push("ConcurrentRequestsPerModel");
    }
    if dice.chance(0.05) {
        without.push("CPUUtilization");
    }
    if dice.chance(0.05) {
        without.extend(["ModelLatency p50", "ModelLatency Minimum"]);
    }
    if !without.is_empty() {
        traits.push(Trait::LacksAMetric);
    }
    let missing_share = if dice.chance(0.5) { dice.uniform(0.0..0.03) } else { 0.0 };
    Degradation { lag_minutes: 2, missing_share, utilization_noise: 0.02, without }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_history() {
        let of = |replicate| format!("{:?}", history(Set::Development, replicate));
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }

    #[test]
    fn work_ends_as_it_is_now() {
        let mut dice = Dice::new(1);
        for _ in 0..200 {
            let mut traits = Vec::new();
            let work = Work { day: (0.0, 0.0), ..draw_work(&mut dice, 3 * 1_440, &mut traits) };
            assert!((work.at(3 * 1_440 - 1, 3 * 1_440) - 1.0).abs() < 1e-3, "{work:?}");
            if traits.contains(&Trait::Changed) {
                assert!(work.changes.iter().any(|(_, factor)| (factor - 1.0).abs() > 0.05), "{work:?}");
            }
        }
    }

    #[test]
    fn the_busiest_minutes_are_as_busy_as_drawn() {
        for replicate in 0..6 {
            let history = history(Set::Development, replicate);
            let minutes = usize::try_from(history.hours * 60).unwrap();
            assert!(history.series.iter().all(|series| series.values.len() == minutes));
            if history.traits.contains(&Trait::Autoscaled) {
                continue;
            }
            let load = history.series.iter().find(|series| series.metric == "InvocationsPerInstance").unwrap();
            let mut loads: Vec<f64> = load.values.iter().flatten().copied().collect();
            loads.sort_unstable_by(f64::total_cmp);
            let busy = loads[loads.len() * 98 / 100] / history.variant.capacity;
            assert!((0.7..1.6).contains(&(busy / history.peak)), "{busy} instead of {}", history.peak);
        }
    }
}
