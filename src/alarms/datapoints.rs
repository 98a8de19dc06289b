//! How many datapoints out of how many: fast, and not for single slow minutes.

use super::evaluation::{Firing, MissingData, OutOf, Rule};
use super::statistic::{Chosen, MINUTE};
use super::threshold::times_allowed;
use super::words::{days, in_words, listed, times, would_have_fired};

/// What is used where there is no past to choose by.
const USUAL: OutOf = OutOf { datapoints: super::DATAPOINTS_TO_ALARM, periods: super::EVALUATION_PERIODS };
/// The fastest first. Never one of one: CloudWatch may look at a minute before all of its requests are counted.
const MINUTES: [OutOf; 4] = [
    OutOf { datapoints: 2, periods: 3 },
    OutOf { datapoints: 3, periods: 5 },
    USUAL,
    OutOf { datapoints: 5, periods: 5 },
];
/// The same of five minutes each, in which a late request is one of few that are not counted yet.
const FIVE_MINUTES: [OutOf; 3] =
    [OutOf { datapoints: 1, periods: 1 }, OutOf { datapoints: 2, periods: 2 }, OutOf { datapoints: 3, periods: 3 }];
/// An alarm that is over before anybody has looked was no use to them.
pub(super) const BRIEF_MINUTES: u32 = 10;

/// The fastest that does not fire for single slow minutes; where all do, the one that does so least. With what it would have
/// done, and why.
pub(super) fn fastest(threshold: f64, missing: MissingData, chosen: &Chosen) -> (OutOf, Vec<Firing>, String) {
    let candidates: &[OutOf] = if chosen.timeline.period == MINUTE { &MINUTES } else { &FIVE_MINUTES };
    let allowed = times_allowed(chosen.timeline.days());
    let period = chosen.timeline.period;
    let mut too_often: Vec<(OutOf, Vec<Firing>)> = Vec::new();
    for out_of in candidates.iter().copied() {
        let firings = Rule { threshold, out_of, missing }.replay(&chosen.timeline);
        if briefly(&firings) > allowed {
            too_often.push((out_of, firings));
            continue;
        }
        let why = match too_often.first() {
            None => format!(
                "{}: the fastest, and in {} it {} for less than {BRIEF_MINUTES} minutes",
                in_words(out_of, period),
                days(chosen.timeline.days()),
                would_have_fired(briefly(&firings))
            ),
            Some((first, of_first)) => format!(
                "{}: in {} {} {} for less than {BRIEF_MINUTES} minutes, this {}",
                in_words(out_of, period),
                days(chosen.timeline.days()),
                in_words(*first, period),
                would_have_fired(briefly(of_first)),
                times(briefly(&firings))
            ),
        };
        return (out_of, firings, why);
    }
    let least = too_often.into_iter().min_by_key(|(_, firings)| briefly(firings));
    let (out_of, firings) = least.unwrap_or((USUAL, Vec::new()));
    let why = format!(
        "{}: {} are no better; it {} for less than {BRIEF_MINUTES} minutes in {}",
        in_words(out_of, period),
        listed(candidates.iter().filter(|other| **other != out_of)),
        would_have_fired(briefly(&firings)),
        days(chosen.timeline.days())
    );
    (out_of, firings, why)
}

/// How many of them were over before anybody could look.
pub(super) fn briefly(firings: &[Firing]) -> usize {
    firings.iter().filter(|firing| !firing.is_on && firing.minutes < BRIEF_MINUTES).count()
}

/// By what thresholds are compared before the datapoints are chosen.
pub(super) fn usual(chosen: &Chosen) -> OutOf {
    if chosen.timeline.period == MINUTE { USUAL } else { FIVE_MINUTES[0] }
}
