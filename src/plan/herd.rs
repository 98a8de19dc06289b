//! Herds: single minutes with many times the requests of those around them, and whether they come by the clock.

use super::schedule::Floor;
use crate::model::{History, InstanceCount, InvocationsPerMinute, Minute};
use crate::statistics::{median, quantile};
use std::collections::BTreeMap;

/// A minute with so many times the requests of those around it is a herd, as for the verdict.
const TIMES: f64 = 2.0;
/// Minutes on either side that are usual.
const AROUND: i64 = 15;
/// Longer than this it is no herd, but load that rose.
const LONGEST: i64 = 4;
/// The last herd is the one that the verdict is about.
const RECENT: i64 = 15;
/// Nine in ten herds are no larger.
const LARGE: f64 = 0.9;
/// Periods of crontabs, in minutes.
const PERIODS: [i64; 8] = [5, 10, 15, 20, 30, 60, 720, 1_440];
/// Fewer herds than this are no custom; of those that are due, so many come, and of those that come, so many are due.
const LEAST_HERDS: usize = 3;
const REGULAR: f64 = 0.8;
/// Minutes after a herd until `MinCapacity` may go back.
const WORKED_OFF: i64 = 3;
/// Application Auto Scaling takes instances away after so many minutes below the target.
const SCALE_IN_MINUTES: i64 = 15;
/// A schedule that keeps instances for more than this share of the time is not worth its changes.
const MOST_UP: f64 = 0.8;

/// Herds of the same endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Herds {
    /// Requests of a large one.
    pub requests: InvocationsPerMinute,
    /// Requests of the minutes around the last one.
    pub usual: InvocationsPerMinute,
    /// Requests that one instance served in a minute of it, at most.
    pub served: f64,
    /// How many came.
    pub count: usize,
    /// By which clock.
    pub clock: Option<Clock>,
}

/// Every `period` minutes, `phase` minutes after a whole period of the day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub period: i64,
    pub phase: i64,
}

impl Herds {
    /// The herds up to the last minutes; none where the last ones had none.
    pub fn of(history: &History, last: Minute) -> Option<Self> {
        let arrived: BTreeMap<Minute, f64> =
            history.0.iter().filter_map(|(minute, row)| Some((*minute, row.invocations?.0))).collect();
        let usual = |minute: Minute| {
            median(arrived.range(minute.plus(-AROUND)..=minute.plus(AROUND)).map(|(_, count)| *count))
                .filter(|usual| *usual > 0.0)
        };
        let mut runs: Vec<Vec<(Minute, f64, f64)>> = Vec::new();
        for (minute, count) in &arrived {
            let Some(usual) = usual(*minute).filter(|usual| *count > TIMES * usual) else { continue };
            let high = (*minute, *count, usual);
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|(before, ..)| minute.since(*before) == 1) => run.push(high),
                _ => runs.push(vec![high]),
            }
        }
        runs.retain(|run| i64::try_from(run.len()).is_ok_and(|minutes| minutes <= LONGEST));
        let begins: Vec<Minute> = runs.iter().filter_map(|run| Some(run.first()?.0)).collect();
        let (_, _, usual) = *runs.last()?.first()?;
        let latest = begins.last().filter(|latest| last.since(**latest) < RECENT)?;
        let clock = arrived.keys().next().and_then(|first| clock(&begins, *first, last));
        // What an instance could not serve in the minute came in it, and is counted when it is answered.
        let requests = |run: &Vec<(Minute, f64, f64)>| {
            run.iter().map(|(_, count, usual)| count - usual).sum::<f64>()
                + run.first().map_or(0.0, |(_, _, usual)| *usual)
        };
        // What is refused is counted, and not served.
        let served = begins.iter().filter_map(|begin| {
            let row = history.0.get(begin)?;
            Some(row.load?.0 * (1.0 - row.failures().unwrap_or(0.0) / row.invocations?.0))
        });
        Some(Self {
            requests: InvocationsPerMinute(match clock {
                Some(_) => quantile(runs.iter().map(requests), LARGE)?,
                None => requests(runs.iter().find(|run| run.first().is_some_and(|(begin, ..)| begin == latest))?),
            }),
            usual: InvocationsPerMinute(usual),
            served: quantile(served, 1.0)?,
            count: begins.len(),
            clock,
        })
    }
}

/// The clock by which these come; none where they do not, or by no usual one.
fn clock(begins: &[Minute], first: Minute, last: Minute) -> Option<Clock> {
    let (from, until) = (begins.first()?, begins.last()?);
    let is_one = |clock: &Clock| {
        let is_due = |minute: Minute| {
            let off = (minute.0 - clock.phase).rem_euclid(clock.period);
            off <= 1 || off == clock.period - 1
        };
        let due = last.since(first).min(until.since(*from)) / clock.period + 1;
        let came = begins.iter().filter(|begin| is_due(**begin)).count();
        #[expect(clippy::cast_precision_loss, reason = "herds of two weeks")]
        let (due, came, all) = (due as f64, came as f64, begins.len() as f64);
        came >= REGULAR * due && came >= REGULAR * all
    };
    if begins.len() < LEAST_HERDS {
        return None;
    }
    PERIODS.into_iter().map(|period| Clock { period, phase: until.0.rem_euclid(period) }).find(is_one)
}

impl Clock {
    /// `every hour at minute 0`.
    pub fn in_words(self) -> String {
        let (hour, minute) = (self.phase / 60, self.phase % 60);
        match self.period {
            1_440 => format!("every day at {hour:02}:{minute:02} UTC"),
            720 => format!("twice a day, at {hour:02}:{minute:02} and {:02}:{minute:02} UTC", hour + 12),
            60 => format!("every hour at minute {minute}"),
            period => format!("every {period} minutes"),
        }
    }

    /// How often in a day.
    pub fn times_a_day(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most a day of minutes")]
        let period = self.period as f64;
        1_440.0 / period
    }

    /// `MinCapacity` up in time and down again, and for which share of the time the instances are there; none where scaling in
    /// between saves hardly anything.
    pub fn floors(self, boot_minutes: f64, low: InstanceCount, high: InstanceCount) -> Option<(Vec<Floor>, f64)> {
        if self.period < 60 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "minutes of a boot")]
        let lead = (5.0 * (boot_minutes / 5.0).ceil()) as i64 + 5;
        #[expect(clippy::cast_precision_loss, reason = "at most a day of minutes")]
        let up = (lead + WORKED_OFF + SCALE_IN_MINUTES) as f64 / self.period as f64;
        if up > MOST_UP {
            return None;
        }
        let is_hourly = self.period == 60;
        let day = if is_hourly { 60 } else { 1_440 };
        let floor = |minute: i64, min| Floor { minute: minute.rem_euclid(day), min, is_hourly };
        let herds = if is_hourly { 1 } else { 1_440 / self.period };
        let at = |index: i64| self.phase + index * self.period;
        let floors = (0..herds).flat_map(|index| [floor(at(index) - lead, high), floor(at(index) + WORKED_OFF, low)]);
        Some((floors.collect(), up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InvocationsPerInstance, MinuteRow};

    /// Two instances with 60 requests a minute, and 1,500 in the minutes that `is_herd` says.
    fn history(minutes: i64, is_herd: impl Fn(i64) -> bool) -> History {
        let row = |minute: i64| {
            let count = if is_herd(minute) { 1_500.0 } else { 60.0 };
            MinuteRow {
                invocations: Some(InvocationsPerMinute(count)),
                load: Some(InvocationsPerInstance(count / 2.0)),
                ..MinuteRow::default()
            }
        };
        History((0..minutes).map(|minute| (Minute(minute), row(minute))).collect())
    }

    fn herds(minutes: i64, is_herd: impl Fn(i64) -> bool) -> Option<Herds> {
        Herds::of(&history(minutes, is_herd), Minute(minutes - 1))
    }

    #[test]
    fn herds_by_the_clock_are_told() {
        let clock =
            |minutes: i64, period: i64, phase: i64| herds(minutes, |minute| minute % period == phase).unwrap().clock;
        for (minutes, period, phase) in [(6 * 60 + 5, 60, 0), (600, 60, 52), (603, 30, 2), (4 * 1_440, 1_440, 1_434)] {
            assert_eq!(clock(minutes, period, phase), Some(Clock { period, phase }));
        }
        let hourly = herds(605, |minute| minute % 60 == 0).unwrap();
        assert_eq!((hourly.requests.0, hourly.usual.0, hourly.served, hourly.count), (1_500.0, 60.0, 750.0, 11));
    }

    #[test]
    fn herds_that_come_as_they_please_have_no_clock() {
        let any = [17, 131, 204, 397, 596];
        assert_eq!(herds(600, |minute| any.contains(&minute)).unwrap().clock, None);
        assert_eq!(herds(600, |minute| minute == 596).unwrap().clock, None);
        assert_eq!(herds(600, |minute| minute == 100), None, "it is long over");
        assert_eq!(herds(600, |minute| minute > 580), None, "load that rose is no herd");
    }

    #[test]
    fn what_is_answered_a_minute_later_came_with_the_herd() {
        let minutes = history(605, |minute| [0, 1].contains(&(minute % 60)));
        let herds = Herds::of(&minutes, Minute(604)).unwrap();
        assert!((herds.requests.0 - 2_940.0).abs() < 1e-9, "{herds:?}");
    }

    #[test]
    fn a_schedule_comes_in_time_and_goes_again() {
        let floor = |minute, min, is_hourly| Floor { minute, min: InstanceCount(min), is_hourly };
        let of = |period, phase, boot| Clock { period, phase }.floors(boot, InstanceCount(1), InstanceCount(8));
        let (hourly, up) = of(60, 0, 6.0).unwrap();
        assert_eq!(hourly, [floor(45, 8, true), floor(3, 1, true)]);
        assert!((up - 33.0 / 60.0).abs() < 1e-9);
        assert_eq!(of(1_440, 5, 6.0).unwrap().0, [floor(1_430, 8, false), floor(8, 1, false)]);
        let twice = [floor(15, 8, false), floor(33, 1, false), floor(735, 8, false), floor(753, 1, false)];
        assert_eq!(of(720, 30, 6.0).unwrap().0, twice);
        assert_eq!(of(30, 0, 6.0), None, "between two of them nothing can be scaled in");
        assert_eq!(of(60, 0, 30.0), None, "nor where instances take so long");
    }

    #[test]
    fn a_minute_with_more_than_twice_the_usual_is_a_herd_and_what_was_refused_in_it_was_not_served() {
        let with = |count: f64, refused: f64| {
            let mut history = history(605, |_| false);
            for hour in 0..10 {
                let row = history.0.get_mut(&Minute(50 + 60 * hour)).unwrap();
                row.invocations = Some(InvocationsPerMinute(count));
                row.load = Some(InvocationsPerInstance(count / 2.0));
                row.errors_5xx = Some(refused);
            }
            Herds::of(&history, Minute(604))
        };
        assert_eq!(with(120.0, 0.0), None);
        assert_eq!(with(121.0, 0.0).unwrap().requests, InvocationsPerMinute(121.0));
        assert!((with(1_000.0, 100.0).unwrap().served - 450.0).abs() < 1e-9);
    }

    #[test]
    fn a_clock_in_words() {
        let words = |period, phase| Clock { period, phase }.in_words();
        assert_eq!(words(1_440, 9 * 60 + 35), "every day at 09:35 UTC");
        assert_eq!(words(720, 65), "twice a day, at 01:05 and 13:05 UTC");
        assert_eq!(words(60, 7), "every hour at minute 7");
        assert_eq!(words(30, 7), "every 30 minutes");
    }

    #[test]
    fn a_spike_where_nothing_usually_comes_is_no_herd() {
        let mut history = history(605, |_| false);
        for (minute, row) in &mut history.0 {
            row.invocations = Some(InvocationsPerMinute(if minute.0 == 590 { 500.0 } else { 0.0 }));
        }
        assert_eq!(Herds::of(&history, Minute(604)), None);
    }
}
