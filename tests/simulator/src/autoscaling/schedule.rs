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
