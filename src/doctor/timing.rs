//! Rules about time: cooldowns, and schedules that are over.

use super::commands::{put_policy, scaling};
use super::patient::Patient;
use super::rule::{Found, Reading};
use super::words::{adds, duration, named, policy as the_policy};
use crate::model::{ScalableDimension, ScalingPolicy, ScheduledAction, Seconds};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// What Application Auto Scaling takes for SageMaker where none is set.
pub(super) const DEFAULT_COOLDOWN: Seconds = Seconds(300);
/// No time zone is further behind UTC. What is over there is over everywhere.
const FURTHEST_BEHIND: SignedDuration = SignedDuration::from_hours(12);

/// `ScaleInCooldown` of target tracking: what it took away is not back when it may take the next. (A short `ScaleOutCooldown`
/// does no harm there: a larger scale-out is carried out during it anyway, and SageMaker refuses another while instances
/// start.) Steps add their number again with each alarm that is left, so that theirs has to outlast the start.
pub(super) fn short_cooldowns(patient: &Patient<'_>) -> Vec<Found> {
    // That they were not read does not mean that there is none to tell.
    if patient.lacks(Reading::Activities) {
        return Vec::new();
    }
    let boot = &patient.boot;
    // What is usual is so of instances: copies and units come faster, where there is room.
    if !boot.is_measured && patient.observation.dimension() != ScalableDimension::InstanceCount {
        return Vec::new();
    }
    // Where only the usual time is known, the shortest that is usual.
    let (minutes, how) = if boot.is_measured {
        (boot.slow_minutes(), "19 in 20 of its own scale-outs were done within")
    } else {
        (boot.quantile(0.0), "its own scale-outs do not tell, and such instances take at least")
    };
    let least = minutes * 60.0;
    let takes = format!("{how} {}", duration(least));
    let short = |cooldown: Option<Seconds>| {
        let cooldown = cooldown.unwrap_or(DEFAULT_COOLDOWN);
        (f64::from(cooldown.0) < least).then_some(cooldown)
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes; `as` saturates")]
    let enough = Seconds((minutes.ceil() * 60.0) as u32);
    let found = |policy: &ScalingPolicy, what: &str, cooldown: Seconds, command: Option<String>| {
        Found::new(
            format!("{what} of {} is {} seconds; {takes}.", the_policy(policy), cooldown.0),
            format!("Set it to {} seconds.", enough.0),
        )
        .with(command)
    };
    let mut all = Vec::new();
    for policy in patient.policies() {
        if let Some(tracking) = policy.target_tracking.as_ref().filter(|tracking| !tracking.disable_scale_in)
            && let Some(cooldown) = short(tracking.scale_in_cooldown)
        {
            let command = put_policy(patient, policy, |policy| {
                policy.target_tracking.iter_mut().for_each(|tracking| tracking.scale_in_cooldown = Some(enough));
            });
            all.push(found(policy, "ScaleInCooldown", cooldown, command));
        }
        if let Some(steps) = policy.step_scaling.as_ref().filter(|steps| adds(steps))
            && let Some(cooldown) = short(steps.cooldown)
        {
            let command = put_policy(patient, policy, |policy| {
                policy.step_scaling.iter_mut().for_each(|steps| steps.cooldown = Some(enough));
            });
            all.push(found(policy, "Cooldown", cooldown, command));
        }
    }
    all
}

/// Schedules that will never come again.
pub(super) fn past_schedules(patient: &Patient<'_>) -> Vec<Found> {
    let now = patient.observation.at;
    let found = |action: &ScheduledAction| {
        let name = named(&action.name);
        let evidence = match (once(&action.schedule), action.end_time) {
            (Some(at), _) if is_over(at, action.timezone.as_deref(), now) => {
                let zone = action.timezone.as_deref().map_or("UTC".to_owned(), named);
                format!("The scheduled action {name} was for {} {zone}, once.", at.strftime("%Y-%m-%d %H:%M"))
            }
            (_, Some(end)) if end <= now => {
                format!("The EndTime of the scheduled action {name} was {}.", end.strftime("%Y-%m-%d %H:%M UTC"))
            }
            _ => return None,
        };
        let key = patient.key()?;
        let command = scaling("delete-scheduled-action", &key, json!({ "ScheduledActionName": action.name }));
        Some(Found::new(evidence, "Delete it.").with([command]))
    };
    patient.scheduled_actions().iter().filter_map(found).collect()
}

/// The time of `at(yyyy-mm-ddThh:mm:ss)`.
fn once(schedule: &str) -> Option<DateTime> {
    schedule.trim().strip_prefix("at(")?.strip_suffix(')')?.trim().parse().ok()
}

/// Whether that time is over; where the zone is another than UTC, whether it is so everywhere.
fn is_over(at: DateTime, timezone: Option<&str>, now: Timestamp) -> bool {
    let Ok(in_utc) = Offset::UTC.to_timestamp(at) else { return false };
    let is_utc = matches!(timezone, None | Some("UTC" | "Etc/UTC" | "GMT" | "Etc/GMT"));
    let latest = if is_utc { Ok(in_utc) } else { in_utc.checked_add(FURTHEST_BEHIND) };
    latest.is_ok_and(|latest| latest < now)
}
