//! How much one instance carries, and whether it has carried as much before.

use super::fact;
use super::latency::whole;
use crate::diagnose::check::Check;
use crate::diagnose::windows::{Windows, load_of, positive, share};
use crate::model::{Fact, MinuteRow, Thousands};
use crate::statistics::{median, quantile};

/// Three per cent above the usual peak is beyond what was seen, not noise of one busy minute (the peak is a 99th
/// percentile).
const BEYOND_SEEN: f64 = 1.03;
/// Eight minutes at this load, four in five of them within limits, show that load alone is not the cause.
const SEEN_MINUTES: usize = 8;
const SEEN_SHARE: f64 = 0.8;
/// A minute with so many times the load of the minutes around it is a burst of its own.
const SPIKE: f64 = 2.0;

/// Load per instance, in invocations per minute.
pub(in crate::diagnose) struct Load {
    pub now: f64,
    /// The highest that was usual in normal minutes: their 99th percentile.
    pub usual_peak: f64,
    /// Earlier minutes that carried this load or more, and the share of them that kept latency.
    pub minutes_at_load: usize,
    pub met_share_at_load: f64,
    /// Requests to the variant against the hour before the incident.
    pub traffic_ratio: Option<f64>,
    /// Whether requests became more only after latency had risen: callers ask again.
    pub is_after_latency: bool,
    /// The largest minute since shortly before the onset over the usual minute around it, where it stands alone.
    pub spike: Option<f64>,
}

impl Load {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let now = windows.load;
        let at_load: Vec<&MinuteRow> = windows
            .earlier
            .iter()
            .map(|(_, row)| *row)
            .filter(|row| row.has_few_errors() && load_of(row).is_some_and(|seen| seen >= 0.97 * now))
            .collect();
        let met = at_load.iter().filter(|row| row.latency.is_some_and(|latency| !windows.slow.is_bad(latency))).count();
        Some(Self {
            now,
            usual_peak: positive(quantile(windows.normal.iter().filter_map(|row| load_of(row)), 0.99)?)?,
            minutes_at_load: at_load.len(),
            met_share_at_load: share(met, at_load.len()),
            traffic_ratio: windows.change(|row| row.invocations.map(|invocations| invocations.0)),
            is_after_latency: is_after_latency(windows),
            spike: spike(windows),
        })
    }

    /// How far this load is above what was usual in normal minutes.
    pub fn ratio(&self) -> f64 {
        self.now / self.usual_peak
    }

    /// `load per instance is 1.80 times its usual peak (1,800 against 1,000 per minute)`.
    pub fn in_words(&self) -> String {
        format!(
            "load per instance is {:.2} times its usual peak ({} against {} per minute)",
            self.ratio(),
            Thousands(self.now),
            Thousands(self.usual_peak)
        )
    }

    /// `138 earlier minutes carried this load, 97 % of them within limits`.
    pub fn seen_in_words(&self) -> String {
        match self.minutes_at_load {
            0 => "no earlier minute carried this load".to_owned(),
            count => format!(
                "{} earlier minutes carried this load, {:.0} % of them within limits",
                whole(count),
                100.0 * self.met_share_at_load
            ),
        }
    }

    /// `a single minute had 5.1 times the load of those around it`.
    pub fn spike_in_words(&self) -> String {
        match self.spike {
            Some(ratio) => format!("a single minute had {ratio:.1} times the load of those around it"),
            None => "no single minute stands out".to_owned(),
        }
    }

    /// No minute stands out.
    pub fn has_no_spike(&self) -> Check {
        Check::below("load_spike", Some(self.spike.unwrap_or(1.0)), SPIKE, 1.0, self.spike_in_words())
    }

    /// The load was never usual.
    pub fn is_beyond_usual(&self) -> Check {
        Check::above("load_ratio", Some(self.ratio()), BEYOND_SEEN, 0.08, self.in_words())
    }

    /// The load was never carried within limits.
    pub fn was_never_met(&self) -> Check {
        let share = if self.minutes_at_load < SEEN_MINUTES { 0.0 } else { self.met_share_at_load };
        Check::below("met_share_at_load", Some(share), SEEN_SHARE, 0.5, self.seen_in_words()).share(1.0)
    }

    /// The load was carried within limits before, so it alone does not explain the incident.
    pub fn was_carried(&self) -> Check {
        let usual = Check::below("load_ratio", Some(self.ratio()), BEYOND_SEEN, 0.04, self.in_words());
        if self.minutes_at_load < SEEN_MINUTES {
            return usual;
        }
        let met = Some(self.met_share_at_load);
        usual.or(Check::above("met_share_at_load", met, SEEN_SHARE, 0.15, self.seen_in_words()).share(1.0))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let seen = Some(self.met_share_at_load).filter(|_| self.minutes_at_load > 0);
        vec![
            fact("load_ratio", Some(self.ratio()), Some(1.0), "ratio", self.in_words()),
            fact("met_share_at_load", seen, None, "share", self.seen_in_words()),
        ]
    }
}

/// Whether requests became more only after latency had risen: callers ask again because answers are late.
fn is_after_latency(windows: &Windows) -> bool {
    let requests = |row: &MinuteRow| row.invocations.map(|invocations| invocations.0);
    let before = windows.history.between(windows.onset.plus(-33), windows.onset.plus(-4));
    let before: Vec<f64> = before.filter_map(|(_, row)| requests(row)).collect();
    let (Some(usual), Some(busy)) = (median(before.iter().copied()), quantile(before, 0.95)) else { return false };
    let risen = busy.max(1.1 * usual);
    let is_risen = |row: &MinuteRow| requests(row).is_some_and(|now| now > risen);
    let first = windows.history.between(windows.onset.plus(-10), windows.end).find(|(_, row)| is_risen(row));
    first.is_some_and(|(minute, _)| minute.since(windows.onset) >= 2)
}

/// One or two minutes far above those around them.
fn spike(windows: &Windows) -> Option<f64> {
    let rows: Vec<f64> = windows
        .history
        .between(windows.onset.plus(-20).min(windows.end.plus(-20)), windows.end)
        .filter_map(|(_, row)| load_of(row))
        .collect();
    let usual = positive(median(rows.iter().copied())?)?;
    let recent = windows.history.between(windows.onset.plus(-3), windows.end).filter_map(|(_, row)| load_of(row));
    let largest = quantile(recent, 1.0)?;
    let high = rows.iter().filter(|load| **load > 0.5 * (largest + usual)).count();
    (largest > SPIKE * usual && high <= 2).then_some(largest / usual)
}
