//! Scheduled actions: other bounds at a time.

/// Minutes of a day and of a week.
const DAY: i64 = 1_440;
const WEEK: i64 = 7 * DAY;

/// Other bounds at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduledAction {
    /// When.
    pub when: When,
    /// `MinCapacity`, where it changes.
    pub min: Option<usize>,
    /// `MaxCapacity`, where it changes.
    pub max: Option<usize>,
}

/// A time, in minutes from a Monday 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once, at the beginning of this minute.
    Once(i64),
    /// At this minute of the day, on these days of the week, Monday first.
    Weekly {
        /// 0 to 1,439.
        minute_of_day: i64,
        /// Monday first.
        days: [bool; 7],
    },
}

impl When {
    /// Reads `cron(minute hour day-of-month month day-of-week year)`, of which minute, hour and day of the week may be more
    /// than `*` or `?`: numbers, ranges, lists and steps. None where it is something else.
    #[must_use]
    pub fn cron(schedule: &str) -> Option<Vec<Self>> {
        let fields: Vec<&str> = schedule.strip_prefix("cron(")?.strip_suffix(')')?.split_whitespace().collect();
        let [minutes, hours, "*" | "?", "*", weekdays, "*"] = fields[..] else { return None };
        let number = |text: &str| text.parse().ok();
        let (minutes, hours) = (values(minutes, 0, 59, number)?, values(hours, 0, 23, number)?);
        let mut days = [false; 7];
        for day in values(weekdays, 1, 7, weekday)? {
            // Cron counts from Sunday, which is 1.
            days[((day + 5) % 7) as usize] = true;
        }
        let all = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute));
        Some(all.map(|minute_of_day| Self::Weekly { minute_of_day, days }).collect())
    }

    /// Whether it is that time at the beginning of a minute.
    #[must_use]
    pub fn is(self, minute: i64) -> bool {
        match self {
            Self::Once(at) => at == minute,
            Self::Weekly { minute_of_day, days } => {
                let day = minute.rem_euclid(WEEK) / DAY;
                minute.rem_euclid(DAY) == minute_of_day && days[day as usize]
            }
        }
    }
}

/// A day of the week by its name or number, Sunday being 1.
fn weekday(text: &str) -> Option<i64> {
    const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let named = DAYS.iter().position(|day| text.eq_ignore_ascii_case(day)).map(|day| day as i64 + 1);
    named.or_else(|| text.parse().ok())
}

/// The values of one field between `first` and `last`.
fn values(field: &str, first: i64, last: i64, parse: impl Fn(&str) -> Option<i64>) -> Option<Vec<i64>> {
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok()?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (parse(from)?, parse(to)?),
            None if matches!(range, "*" | "?") => (first, last),
            // A step from one value on goes to the last.
            None => (parse(range)?, if step.is_some() { last } else { parse(range)? }),
        };
        let step = step.unwrap_or(1);
        if step < 1 || from < first || to > last || from > last {
            return None;
        }
        // A range may go over the end, as from Friday to Monday.
        let count = last - first + 1;
        let end = if to < from { to + count } else { to };
        all.extend((from..=end).step_by(step as usize).map(|value| (value - first) % count + first));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes_of_week(schedule: &str) -> Vec<i64> {
        let times = When::cron(schedule).unwrap();
        (0..WEEK).filter(|minute| times.iter().any(|when| when.is(*minute))).collect()
    }

    #[test]
    fn schedules_are_read_as_application_auto_scaling_reads_them() {
        let every_day = |minute: i64| (0..7).map(|day| day * DAY + minute).collect::<Vec<_>>();
        assert_eq!(minutes_of_week("cron(30 8 * * ? *)"), every_day(510));
        assert_eq!(minutes_of_week("cron(30 8 ? * * *)"), every_day(510));
        assert_eq!(minutes_of_week("cron(0 18 ? * MON-FRI *)"), every_day(1_080)[..5]);
        assert_eq!(minutes_of_week("cron(0 18 ? * 2-6 *)"), every_day(1_080)[..5]);
        assert_eq!(minutes_of_week("cron(0 0 ? * SAT,SUN *)"), every_day(0)[5..]);
        assert_eq!(minutes_of_week("cron(0 0 ? * FRI-MON *)"), [0, 4 * DAY, 5 * DAY, 6 * DAY]);
        assert_eq!(minutes_of_week("cron(*/20 1,3 * * ? *)")[..7], [60, 80, 100, 180, 200, 220, DAY + 60]);
        assert_eq!(minutes_of_week("cron(50/5 23 ? * SUN *)"), [6 * DAY + 1_430, 6 * DAY + 1_435]);
        assert_eq!(minutes_of_week("cron(0 * * * ? *)").len(), 7 * 24);
    }

    #[test]
    fn other_schedules_are_not_taken_for_something_else() {
        for schedule in [
            "rate(5 minutes)",
            "at(2026-10-05T09:00:00)",
            "cron(0 8 1 * ? *)",
            "cron(0 8 * 6 ? *)",
            "cron(0 8 * * ? 2027)",
            "cron(0 24 * * ? *)",
            "cron(x 8 * * ? *)",
            "cron(0/0 8 * * ? *)",
            "cron(0 8 * * ?)",
            "0 8 * * ? *",
        ] {
            assert_eq!(When::cron(schedule), None, "{schedule}");
        }
    }

    #[test]
    fn once_is_once() {
        assert!(When::Once(500).is(500) && !When::Once(500).is(500 + WEEK));
    }
}
