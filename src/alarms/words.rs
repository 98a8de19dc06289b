//! The sentences of a proposal, each with its numbers.

use super::Replayed;
use super::datapoints::BRIEF_MINUTES;
use super::evaluation::{MissingData, OutOf};
use super::statistic::{Chosen, MINUTE, percent, share};
use super::threshold::{FromHistory, Normal, times_allowed};
use super::watched::Watched;
use crate::model::Thousands;

/// The sentences about one choice.
pub(super) struct Words<'a> {
    pub watched: Watched,
    pub chosen: &'a Chosen,
    pub normal: Normal,
}

impl Words<'_> {
    fn normal(&self) -> String {
        let Normal { median, high } = self.normal;
        format!(
            "{} half of the time and within {} in 19 of 20 minutes",
            self.watched.words(median),
            self.watched.words(high)
        )
    }

    pub(super) fn stated(&self, threshold: f64, source: &str) -> String {
        format!("threshold {}, as {source}; normal is {}", self.watched.words(threshold), self.normal())
    }

    pub(super) fn sized(&self, found: &FromHistory) -> String {
        let days = days(self.chosen.timeline.days());
        let highest = self.watched.words(found.highest);
        let fired = match found.incidents {
            0 => format!("it {} in {days}", would_have_fired(found.times_fired)),
            incidents => format!(
                "it {} in {days}, and {} at {highest} too: {}",
                would_have_fired(found.times_fired),
                times(incidents),
                if incidents == 1 { "that was an incident" } else { "those were incidents" }
            ),
        };
        let threshold = self.watched.words(found.threshold);
        format!(
            "threshold {threshold}: normal is {}; {threshold} is the lowest round number a quarter or more above that, and at most twice as \
             much, that would rarely be crossed for long enough (once a week or less): {fired}",
            self.normal()
        )
    }

    pub(super) fn missing(&self, missing: MissingData) -> String {
        let (gaps, all) = (self.chosen.timeline.missing(), self.chosen.timeline.datapoints.len());
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let (gaps, all) = (Thousands(gaps as f64), Thousands(all as f64));
        let periods = periods(self.chosen.timeline.period);
        let why = match (missing, self.watched) {
            (MissingData::Missing, _) => {
                format!("all {all} {periods} had requests, so silence would be news, and shows as INSUFFICIENT_DATA")
            }
            (MissingData::NotBreaching, Watched::Latency) => {
                format!("{gaps} of {all} {periods} had no request; no latency is not slow, and ends an alarm")
            }
            (MissingData::NotBreaching, Watched::Age) => {
                format!("an empty queue is not late, and ends an alarm ({gaps} of {all} {periods} had no datapoint)")
            }
        };
        format!("TreatMissingData {}: {why}", missing.name())
    }

    /// An objective that normal values cross.
    pub(super) fn too_low(&self, threshold: f64, instead: f64, history: &Replayed) -> Option<String> {
        let values = self.chosen.timeline.values();
        let (over, all) = values.fold((0, 0), |(over, all), value| (over + usize::from(value > threshold), all + 1));
        let instead = self.watched.words(instead);
        (threshold <= self.normal.high).then(|| {
            let at_most = if history.is_at_most { " at most" } else { "" };
            let fired = match history.times_fired {
                0 => "though never for long enough to fire".to_owned(),
                _ => format!(
                    "and the alarm{at_most} {} in {} and been on for {}",
                    would_have_fired(history.times_fired),
                    days(history.days),
                    minutes_in_words(history.minutes_in_alarm)
                ),
            };
            format!(
                "{} of the {} are above {}, so that is normal here, {fired}. Make the endpoint faster, or state {instead} or more",
                percent(share(over, all)),
                periods(self.chosen.timeline.period),
                self.watched.words(threshold),
            )
        })
    }

    /// An alarm that people would learn to ignore.
    pub(super) fn too_brief(&self, history: &Replayed) -> Option<String> {
        (history.times_fired_briefly > times_allowed(self.chosen.timeline.days())).then(|| {
            format!(
                "it {} for less than {BRIEF_MINUTES} minutes, and no other choice helps: such slow stretches are usual here. Find out what \
                 they are, or state a higher objective",
                would_have_fired(history.times_fired_briefly)
            )
        })
    }
}

pub(super) fn minutes(period: usize) -> u32 {
    u32::try_from(period).unwrap_or(1)
}

/// `2 of 3 minutes`, `2 of 2 five-minute periods`.
pub(super) fn in_words(OutOf { datapoints, periods: all }: OutOf, period: usize) -> String {
    format!("{datapoints} of {all} {}", periods(period))
}

/// What a datapoint is of.
pub(super) fn periods(period: usize) -> &'static str {
    if period == MINUTE { "minutes" } else { "five-minute periods" }
}

/// How long the metric has to be above the threshold.
pub(super) fn lasting(out_of: OutOf, period: usize) -> String {
    if out_of.periods == 1 { "over five minutes".to_owned() } else { format!("in {}", in_words(out_of, period)) }
}

pub(super) fn listed<'a>(candidates: impl Iterator<Item = &'a OutOf>) -> String {
    let words: Vec<String> =
        candidates.map(|OutOf { datapoints, periods }| format!("{datapoints} of {periods}")).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => words.concat(),
    }
}

pub(super) fn would_have_fired(count: usize) -> String {
    match count {
        0 => "would never have fired".to_owned(),
        fired => format!("would have fired {}", times(fired)),
    }
}

pub(super) fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

pub(super) fn days(days: f64) -> String {
    let rounded = format!("{days:.1}").replace(".0", "");
    format!("{rounded} day{}", if rounded == "1" { "" } else { "s" })
}

pub(super) fn minutes_in_words(minutes: u32) -> String {
    format!("{} minute{}", Thousands(f64::from(minutes)), if minutes == 1 { "" } else { "s" })
}
