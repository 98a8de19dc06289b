//! `MinCapacity` by the hour, where days are alike.

use crate::model::{InstanceCount, InvocationsPerInstance, InvocationsPerMinute, Scaling, ScheduledAction};
use crate::replay::Traffic;
use crate::statistics::quantile;

/// The hour of the day has to explain this much of the load's variance.
const LEAST_EXPLAINED: f64 = 0.5;
/// Fewer days show no custom.
const LEAST_DAYS: f64 = 3.0;
/// Minutes of a mean.
const SLOT: usize = 10;
/// The floor carries the load of nine hours in ten.
const FLOOR_QUANTILE: f64 = 0.9;
/// Instances are asked for in time, rounded up to this many minutes.
const LEAD_MINUTES: f64 = 5.0;
const HOURS: usize = 24;

/// A floor by the clock: at `minute`, `MinCapacity` becomes `min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Floor {
    /// Minutes after midnight UTC.
    pub minute: i64,
    pub min: InstanceCount,
    /// In every hour; `minute` is then one of the hour.
    pub is_hourly: bool,
}

/// What a person has to know of scheduled actions that would lower what the plan raises.
pub(super) fn that_would_lower(scaling: &Scaling, min: InstanceCount, max: InstanceCount) -> Vec<String> {
    if scaling.target.as_ref().is_some_and(|target| target.is_schedule_suspended) {
        return Vec::new();
    }
    let lowers = |action: &&ScheduledAction| {
        action.min_capacity.is_some_and(|count| count < min) || action.max_capacity.is_some_and(|count| count < max)
    };
    let told = |action: &ScheduledAction| {
        format!(
            "Scheduled action `{}` ({}) sets the range below this plan's when its time comes: suspend it until the incident is \
             over.",
            action.name, action.schedule
        )
    };
    scaling.scheduled_actions.iter().flatten().filter(lowers).map(told).collect()
}

/// The floors that carry the usual day, at least `least` and at most `most`; none where the days are not alike, or the
/// same floor would do all day.
pub(super) fn floors(
    traffic: &Traffic,
    sustained: InvocationsPerInstance,
    boot_minutes: f64,
    least: InstanceCount,
    most: InstanceCount,
) -> Option<Vec<Floor>> {
    if traffic.days() < LEAST_DAYS || !repeats(traffic) {
        return None;
    }
    let mut by_hour: Vec<Vec<f64>> = vec![Vec::new(); HOURS];
    for (minute, offered) in of_day(traffic) {
        if let Some(loads) = usize::try_from(minute / 60).ok().and_then(|hour| by_hour.get_mut(hour)) {
            loads.push(offered);
        }
    }
    let floors: Vec<InstanceCount> = by_hour
        .into_iter()
        .map(|loads| {
            let load = quantile(loads, FLOOR_QUANTILE)?;
            Some(sustained.instances_for(InvocationsPerMinute(load))?.max(least).min(most))
        })
        .collect::<Option<_>>()?;
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a boot")]
    let lead = (LEAD_MINUTES * (boot_minutes / LEAD_MINUTES).ceil()).clamp(5.0, 55.0) as i64;
    let mut changes = Vec::new();
    let mut before = *floors.last()?;
    for (hour, floor) in (0_i64..).zip(&floors) {
        if *floor != before {
            // More in time; fewer when the hour begins.
            let minute = if *floor > before { (hour * 60 - lead).rem_euclid(1_440) } else { hour * 60 };
            changes.push(Floor { minute, min: *floor, is_hourly: false });
        }
        before = *floor;
    }
    (!changes.is_empty()).then_some(changes)
}

/// The floor that holds at a minute of the day; none without floors.
pub(super) fn floor_at(floors: &[Floor], minute: i64) -> Option<InstanceCount> {
    let before = floors.iter().filter(|floor| floor.minute <= minute).max_by_key(|floor| floor.minute);
    before.or_else(|| floors.iter().max_by_key(|floor| floor.minute)).map(|floor| floor.min)
}

/// Minute of the day and load, for every minute known.
fn of_day(traffic: &Traffic) -> impl Iterator<Item = (i64, f64)> + '_ {
    let minutes = (0..).map(|index| traffic.first.plus(index).0.rem_euclid(1_440));
    minutes.zip(traffic.usual()).filter(|(_, offered)| offered.is_finite())
}

/// Whether the hour of the day explains most of the load.
fn repeats(traffic: &Traffic) -> bool {
    let mut slots: Vec<(usize, f64)> = Vec::new();
    let minutes: Vec<(i64, f64)> = of_day(traffic).collect();
    for slot in minutes.chunks(SLOT) {
        let Some((minute, _)) = slot.first() else { continue };
        #[expect(clippy::cast_precision_loss, reason = "ten minutes")]
        let mean = slot.iter().map(|(_, offered)| offered).sum::<f64>() / slot.len() as f64;
        slots.push((usize::try_from(minute / 60).unwrap_or_default().min(HOURS - 1), mean));
    }
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / f64::max(count, 1.0)
    };
    let overall = mean(&mut slots.iter().map(|(_, load)| *load));
    let hourly: Vec<f64> =
        (0..HOURS).map(|hour| mean(&mut slots.iter().filter(|(of, _)| *of == hour).map(|(_, load)| *load))).collect();
    let (left, all) = slots.iter().fold((0.0, 0.0), |(left, all), (hour, load)| {
        let usual = hourly.get(*hour).copied().unwrap_or(overall);
        (left + (load - usual).powi(2), all + (load - overall).powi(2))
    });
    all > 0.0 && left <= (1.0 - LEAST_EXPLAINED) * all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Minute, ScalableTarget};

    /// A week that is busy from 8 to 18 h.
    fn traffic(busy: f64) -> Traffic {
        let offered: Vec<f64> =
            (0..7 * 1_440).map(|minute| if (480..1_080).contains(&(minute % 1_440)) { busy } else { 300.0 }).collect();
        let unknown = vec![f64::NAN; offered.len()];
        Traffic { first: Minute(0), offered, instances: unknown.clone(), missed: unknown, work: None }
    }

    #[test]
    fn instances_come_before_the_busy_hours_and_leave_with_them() {
        let of = |busy| floors(&traffic(busy), InvocationsPerInstance(400.0), 7.0, InstanceCount(1), InstanceCount(9));
        assert_eq!(
            of(1_500.0).unwrap(),
            [(470, 4), (1_080, 1)].map(|(minute, min)| Floor { minute, min: InstanceCount(min), is_hourly: false })
        );
        assert_eq!(of(300.0), None);
    }

    #[test]
    fn a_schedule_that_lowers_either_end_of_the_range_is_told_unless_it_is_suspended() {
        let told = |min: Option<u32>, max: Option<u32>, is_schedule_suspended| {
            let action = ScheduledAction {
                name: "evening".to_owned(),
                schedule: "cron(0 20 * * ? *)".to_owned(),
                timezone: None,
                min_capacity: min.map(InstanceCount),
                max_capacity: max.map(InstanceCount),
                end_time: None,
            };
            let target = ScalableTarget { is_schedule_suspended, ..ScalableTarget::default() };
            let scaling = Scaling { target: Some(target), scheduled_actions: Some(vec![action]), ..Scaling::default() };
            !that_would_lower(&scaling, InstanceCount(3), InstanceCount(8)).is_empty()
        };
        assert!(told(Some(2), None, false) && told(None, Some(7), false) && told(Some(2), Some(9), false));
        assert!(told(Some(4), Some(7), false));
        assert!(!told(Some(3), Some(8), false), "it sets what the plan sets");
        assert!(!told(None, None, false));
        assert!(!told(Some(2), Some(7), true), "it does not come");
    }

    #[test]
    fn a_floor_holds_from_its_minute_to_the_next_one_over_midnight_too() {
        let floor = |minute, min| Floor { minute, min: InstanceCount(min), is_hourly: false };
        let floors = [floor(470, 4), floor(1_080, 1)];
        let at = |minute| floor_at(&floors, minute).map(|min| min.0);
        assert_eq!([0, 469, 470, 1_079, 1_080, 1_439].map(at), [1, 1, 4, 4, 1, 1].map(Some));
        assert_eq!(floor_at(&[], 470), None);
    }

    #[test]
    fn days_are_alike_where_the_hour_explains_half_of_what_varies() {
        // By the hour ±100 around the mean; each ten minutes besides, by turns, ±`scatter`: what is explained is the share
        // of 100² in both squares.
        let is_alike = |scatter: f64| {
            let load = |minute: i64| {
                let hour = if (minute / 60) % 2 == 0 { 100.0 } else { -100.0 };
                let slot = if (minute / 10) % 2 == 0 { scatter } else { -scatter };
                1_000.0 + hour + slot
            };
            let offered: Vec<f64> = (0..4 * 1_440).map(load).collect();
            let unknown = vec![f64::NAN; offered.len()];
            repeats(&Traffic { first: Minute(0), offered, instances: unknown.clone(), missed: unknown, work: None })
        };
        assert!(is_alike(0.0) && is_alike(98.0));
        assert!(!is_alike(102.0) && !is_alike(900.0));
        let flat = vec![1_000.0; 4 * 1_440];
        let unknown = vec![f64::NAN; flat.len()];
        let flat = Traffic { first: Minute(0), offered: flat, instances: unknown.clone(), missed: unknown, work: None };
        assert!(!repeats(&flat), "where nothing varies there is nothing to explain");
    }
}
