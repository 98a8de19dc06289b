//! What a policy's alarms have to go by.

use super::policy::Reading;
use std::collections::VecDeque;

/// Minutes that are kept: more than any alarm looks at, the publication included.
const KEPT: usize = 64;

/// One value a minute; none where there was no datapoint.
#[derive(Debug, Clone, Default)]
pub(super) struct Datapoints {
    /// The minute of the newest.
    newest: i64,
    /// The oldest first.
    values: VecDeque<Option<Reading>>,
}

impl Datapoints {
    /// Puts the value of a minute; minutes come one after the other.
    pub fn put(&mut self, minute: i64, value: Option<Reading>) {
        if self.values.len() == KEPT {
            self.values.pop_front();
        }
        self.values.push_back(value);
        self.newest = minute;
    }

    /// The value of a minute.
    pub fn at(&self, minute: i64) -> Option<Reading> {
        let back = usize::try_from(self.newest - minute).ok()?;
        let index = self.values.len().checked_sub(back + 1)?;
        self.values[index]
    }

    /// Whether all of the last `count` minutes before `end` have a datapoint that breaches. A missing one does not.
    pub fn all(&self, end: i64, count: i64, breaches: impl Fn(Reading) -> bool) -> bool {
        (end - count..end).all(|minute| self.at(minute).is_some_and(&breaches))
    }

    /// How many of the last `count` minutes before `end` have a datapoint that breaches.
    pub fn count(&self, end: i64, count: i64, breaches: impl Fn(Reading) -> bool) -> usize {
        (end - count..end).filter(|minute| self.at(*minute).is_some_and(&breaches)).count()
    }
}
