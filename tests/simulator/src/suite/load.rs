//! More load per instance than an instance sustains.

use super::dice::Dice;
use super::incident::Scaling;
use super::path::Day;
use super::script::{Now, Script, activity};
use super::site::{BUSY, Site, Wish};
use super::{Family, Set};
use crate::Conditions;

pub(super) const FAMILIES: &[Family] = &[
    growth("slow_ramp", "traffic grows beyond what the instances sustain, over half an hour", slow_ramp),
    growth("fast_ramp", "traffic grows beyond what the instances sustain, within five minutes", fast_ramp),
    growth("step", "traffic jumps to 1.3 times what the instances sustain", step),
    growth("daily_peak", "today's peak is higher than what the instances sustain", daily_peak),
    growth("overload_again", "the same peak overloaded the endpoint before", overload_again),
    growth("capacity_loss", "a third to two thirds of the instances go away, traffic stays", capacity_loss),
    growth("at_max", "traffic grows, and the variant is at its MaxCapacity", at_max),
    growth("scaling_failed", "traffic grows, and the scale-out failed", scaling_failed),
    growth("scaling_lag", "traffic grows, and the instances are on their way", scaling_lag),
];

const fn growth(name: &'static str, about: &'static str, script: fn(&mut Dice, Set) -> Option<Script>) -> Family {
    Family { name, about, verdict: "overload", is_overload: true, script }
}

/// Traffic so many times as high as usual, which was `level`, to come to `target` (more where it has to be worse).
pub(super) fn grows(level: f64, target: f64, minutes: f64) -> impl Fn(Now, &mut Conditions) {
    move |now, conditions| {
        conditions.arrivals_per_minute *= 1.0 + (target * now.severity / level - 1.0) * now.progress(minutes);
    }
}

fn overloaded(dice: &mut Dice, set: Set, level: (f64, f64), target: f64, minutes: f64) -> Script {
    let site = Site::draw(dice, set, &Wish { level, busy: BUSY, ..Wish::default() });
    let level = site.level;
    Script {
        longest: minutes as i64 + 25,
        worse: (1.08, 8),
        is_overload: Some(true),
        ..Script::new(dice, site).with("overload", Some("traffic_growth"), grows(level, target, minutes))
    }
}

fn slow_ramp(dice: &mut Dice, set: Set) -> Option<Script> {
    Some(overloaded(dice, set, (0.35, 0.75), 1.25, 30.0))
}

fn fast_ramp(dice: &mut Dice, set: Set) -> Option<Script> {
    Some(overloaded(dice, set, (0.35, 0.75), 1.25, 5.0))
}

fn step(dice: &mut Dice, set: Set) -> Option<Script> {
    Some(overloaded(dice, set, (0.43, 0.75), 1.3, 1.0))
}

fn daily_peak(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { level: (0.45, 0.7), busy: BUSY, ..Wish::default() });
    let level = site.level;
    let day = Day::before_peak(dice);
    Some(Script {
        longest: 120,
        worse: (1.06, 8),
        is_overload: Some(true),
        ..Script::on(dice, site, day).with("overload", Some("traffic_growth"), move |now, conditions| {
            // Without a corner at either end.
            let progress = now.progress(90.0);
            let smooth = progress * progress * (3.0 - 2.0 * progress);
            conditions.arrivals_per_minute *= 1.0 + (1.12 * now.severity / level - 1.0) * smooth;
        })
    })
}

fn overload_again(dice: &mut Dice, set: Set) -> Option<Script> {
    let script = overloaded(dice, set, (0.4, 0.7), 1.25, 15.0);
    let (level, hours) = (script.site.level, script.site.hours);
    // A day ago, or what the history has room for; for the length of a lunch.
    let ago = if hours > 30 { 1_440 } else { (hours * 60 * 2 / 3).min(1_000) };
    let lasted = dice.minutes(25..=60).min(ago - 30);
    let height = dice.uniform(1.2..1.35);
    Some(Script {
        always: Box::new(move |now, conditions| {
            if (-ago..lasted - ago).contains(&now.minute) {
                conditions.arrivals_per_minute *= height / level;
            }
        }),
        tolerated: 0.35,
        ..script
    })
}

fn capacity_loss(dice: &mut Dice, set: Set) -> Option<Script> {
    let site = Site::draw(dice, set, &Wish { instances: (2, 6), level: (0.55, 0.76), busy: BUSY, ..Wish::default() });
    let all = site.instances;
    let left = (1..all).rev().find(|left| site.level * all as f64 / *left as f64 >= 1.15)?;
    if left * 3 < all {
        return None;
    }
    // Half of the time somebody scaled in; else instances failed and are being replaced.
    let is_scaled_in = dice.chance(0.5);
    let scaled_in = activity("Successful", format!("Successfully set desired instance count to {left}."), left, -3);
    let script = Script::new(dice, site);
    let scaling = script.scaling.clone().map(|scaling| Scaling {
        min: scaling.min.min(left as u32),
        activity: is_scaled_in.then_some(scaled_in),
        ..scaling
    });
    Some(Script {
        scaling,
        desired: (!is_scaled_in).then_some(all),
        blocked_by: if is_scaled_in { Vec::new() } else { vec!["scaling_in_progress"] },
        worse: (1.05, 4),
        is_overload: Some(true),
        ..script.with("overload", Some("capacity_loss"), move |now, conditions| {
            conditions.instances = left;
            conditions.arrivals_per_minute *= now.severity;
        })
    })
}

/// Growth on an endpoint whose scaling is in the way.
fn blocked(
    dice: &mut Dice,
    set: Set,
    target: f64,
    blocked_by: Vec<&'static str>,
    scaling: impl Fn(&mut Dice, &Site) -> Scaling,
) -> Script {
    let minutes = dice.uniform(3.0..30.0);
    let script = overloaded(dice, set, (0.35, 0.75), target, minutes);
    let scaling = Some(scaling(dice, &script.site));
    Script { scaling, blocked_by, ..script }
}

fn at_max(dice: &mut Dice, set: Set) -> Option<Script> {
    Some(blocked(dice, set, 1.25, vec!["at_max_capacity"], |dice, site| Scaling {
        min: dice.whole(1..=site.instances) as u32,
        max: site.instances as u32,
        target: (site.capacity * dice.uniform(0.6..1.0)).round(),
        activity: None,
    }))
}

fn scaling_failed(dice: &mut Dice, set: Set) -> Option<Script> {
    let is_quota = dice.chance(0.5);
    let blocked_by = if is_quota { "quota" } else { "insufficient_capacity" };
    Some(blocked(dice, set, 1.2, vec![blocked_by], |dice, site| {
        let (count, wanted) = (site.instances, site.instances + dice.whole(1..=3));
        let reason = if is_quota {
            format!(
                "The account-level service limit '{} for endpoint usage' is {count} Instances, with current \
                 utilization of {count} Instances and a request delta of {} Instances. Please use AWS Service Quotas \
                 to request an increase for this quota.",
                site.instance_type,
                wanted - count
            )
        } else {
            "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please \
             retry using a different ML instance type or after some time."
                .to_owned()
        };
        Scaling {
            min: dice.whole(1..=count) as u32,
            max: (wanted + 2) as u32,
            target: (site.capacity * dice.uniform(0.6..1.0)).round(),
            activity: Some(activity(
                "Failed",
                format!("Failed to set desired instance count to {wanted}. Reason: {reason}"),
                wanted,
                dice.minutes(1..=3),
            )),
        }
    }))
}

fn scaling_lag(dice: &mut Dice, set: Set) -> Option<Script> {
    let more = dice.whole(1..=3);
    let script = blocked(dice, set, 1.3, vec!["scaling_in_progress"], |dice, site| Scaling {
        min: dice.whole(1..=site.instances) as u32,
        max: (site.instances + 5) as u32,
        target: (site.capacity * dice.uniform(0.6..1.0)).round(),
        activity: Some(activity(
            "InProgress",
            format!(
                "Successfully set desired instance count to {}. Waiting for change to be fulfilled by sagemaker.",
                site.instances + more
            ),
            site.instances + more,
            dice.minutes(1..=3),
        )),
    });
    Some(Script { desired: Some(script.site.instances + more), ..script })
}
