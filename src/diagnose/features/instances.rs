//! How many instances serve, whether new ones came, and whether they share the work evenly.

use super::fact;
use crate::diagnose::check::{Check, NOT_EXCLUDED};
use crate::diagnose::windows::Windows;
use crate::model::{Fact, MinuteRow, Utilization};
use crate::statistics::{median, quantile};

/// New instances are warm after this long.
const WARM_MINUTES: i64 = 12;
/// An instance that came so lately may still be cold.
const YOUNG_MINUTES: i64 = 8;
/// The onset and the count are known to a minute or two.
const TOLERANCE_MINUTES: i64 = 3;
/// Instances that came this long before it began (with the tolerance) were warm by then, or would have been slow at once.
pub(in crate::diagnose) const LONGEST_LEAD_MINUTES: i64 = 6;
/// What an idle or lightly used instance shows differs by more than it says.
const LEAST_MEAN: f64 = 0.05;
/// Instances that differ so many times as much as they usually do at most are not alike.
const UNEVEN: f64 = 1.25;
/// Long requests that fall on one instance or another make them differ this much.
const CLEARLY_UNEVEN: f64 = 2.0;
/// With such a difference the mean over instances describes none of them.
const FAR_APART: f64 = 2.5;
/// Below this spread instances differ by noise.
const LEAST_SPREAD: f64 = 0.08;

/// The instances of the variant.
pub(in crate::diagnose) struct Instances {
    /// Effective instances now: `Invocations` / `InvocationsPerInstance`.
    pub count: Option<f64>,
    /// Against the hour before the incident.
    pub ratio: Option<f64>,
    /// Minutes since the number last rose, where that was less than a quarter of an hour ago.
    pub minutes_since_added: Option<i64>,
    /// Minutes from there to the onset; negative where they came after it, and so cannot be what began it.
    pub lead_minutes: Option<i64>,
    /// Difference of the busiest and the least busy instance, over the mean, against the widest usual.
    pub spread_ratio: Option<f64>,
}

impl Instances {
    pub(super) fn measure(windows: &Windows) -> Self {
        let count = windows.now(MinuteRow::instances);
        let added = minutes_since_added(windows);
        let age = windows.end.since(windows.onset) + 1;
        Self {
            count,
            ratio: windows.change(MinuteRow::instances),
            minutes_since_added: added,
            lead_minutes: added.map(|added| added + TOLERANCE_MINUTES - age),
            spread_ratio: [resource_cpu, resource_gpu]
                .into_iter()
                .filter_map(|resource| spread_ratio(windows, resource))
                .max_by(f64::total_cmp)
                .filter(|_| count.is_none_or(|count| count > 1.5)),
        }
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.count.is_some_and(|count| count > 1.5)
    }

    /// `the busiest and the least busy instance differ 3.1 times as much as usual`.
    pub fn spread_in_words(&self) -> String {
        match self.spread_ratio {
            _ if !self.are_several() => "there is one instance".to_owned(),
            Some(ratio) => format!("the busiest and the least busy instance differ {ratio:.2} times as much as usual"),
            None => "the Minimum and Maximum of utilisation over instances have no datapoints".to_owned(),
        }
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let Some(ratio) = self.spread_ratio else { return Vec::new() };
        vec![fact("utilization_spread", Some(ratio), Some(1.0), "ratio", self.spread_in_words())]
    }

    /// One instance stands out.
    pub fn are_uneven(&self) -> Check {
        Check::above("utilization_spread", self.spread_ratio, UNEVEN, 0.3, self.spread_in_words())
    }

    /// Instances differ so much that little else can be said of their mean.
    pub fn are_far_apart(&self) -> Check {
        Check::above("utilization_spread", self.spread_ratio, FAR_APART, 0.5, self.spread_in_words())
    }

    /// Instances do not differ so much that little else can be said of their mean.
    pub fn are_not_far_apart(&self) -> Check {
        let text = self.spread_in_words();
        Check::below("utilization_spread", self.spread_ratio, FAR_APART, 0.5, text).or_if_missing(2.0)
    }

    /// Instances differ more than stalls on any of them make them differ.
    pub fn are_clearly_uneven(&self) -> Check {
        Check::above("utilization_spread", self.spread_ratio, CLEARLY_UNEVEN, 0.3, self.spread_in_words())
    }

    /// Instances differ no more than stalls on any of them make them differ.
    pub fn are_not_clearly_uneven(&self) -> Check {
        let text = self.spread_in_words();
        Check::below("utilization_spread", self.spread_ratio, CLEARLY_UNEVEN, 0.3, text).or_if_missing(2.0)
    }

    /// Instances differ about as much as they usually do at most.
    pub fn are_alike(&self) -> Check {
        let check = Check::below("utilization_spread", self.spread_ratio, 1.25, 0.25, self.spread_in_words());
        check.or_if_missing(if self.are_several() { NOT_EXCLUDED } else { 2.0 })
    }

    /// No instance stands out.
    pub fn are_even(&self) -> Check {
        let check = Check::below("utilization_spread", self.spread_ratio, UNEVEN, 0.25, self.spread_in_words());
        check.or_if_missing(if self.are_several() { NOT_EXCLUDED } else { 2.0 })
    }

    /// No instance came lately, before or after it began.
    pub fn are_old(&self) -> Check {
        let text = match self.minutes_since_added {
            Some(minutes) => format!("instances came into service {minutes} minutes ago"),
            None => "no instance is new".to_owned(),
        };
        let is_new = self.minutes_since_added.is_some_and(|minutes| minutes <= YOUNG_MINUTES);
        Check::below("new_instances", Some(if is_new { 1.0 } else { 0.0 }), 0.5, 0.4, text).share(0.0)
    }

    /// No instance came shortly before it began.
    pub fn are_warm(&self) -> Check {
        let is_new = self.lead_minutes.is_some_and(|lead| (0..=LONGEST_LEAD_MINUTES).contains(&lead));
        let text = match self.minutes_since_added {
            Some(minutes) if is_new => format!("instances came into service {minutes} minutes ago"),
            Some(minutes) => format!("instances came into service {minutes} minutes ago, after it had begun"),
            None => "no instance is new".to_owned(),
        };
        Check::below("new_instances", Some(if is_new { 1.0 } else { 0.0 }), 0.5, 0.4, text).share(0.0)
    }
}

fn resource_cpu(row: &MinuteRow) -> Utilization {
    row.cpu
}

fn resource_gpu(row: &MinuteRow) -> Utilization {
    row.gpu
}

/// How unevenly the incident's minutes were shared, against the widest (95th percentile) of matched minutes.
fn spread_ratio(windows: &Windows, resource: fn(&MinuteRow) -> Utilization) -> Option<f64> {
    let spread = |row: &MinuteRow| {
        let used = resource(row);
        let mean = used.average.filter(|mean| *mean >= LEAST_MEAN)?;
        Some((used.maximum? - used.minimum?) / mean)
    };
    // A third of the minutes may be better by chance; where one instance is ill, the others are worse.
    let now = quantile(windows.incident.iter().filter_map(|row| spread(row)), 0.3)?;
    let usual = quantile(windows.matched.iter().filter_map(|row| spread(row)), 0.95)?;
    Some(now / usual.max(LEAST_SPREAD))
}

/// Minutes since the number of instances last rose by half an instance or more, and stayed.
fn minutes_since_added(windows: &Windows) -> Option<i64> {
    let first = windows.end.plus(-WARM_MINUTES - 8);
    let counts: Vec<(i64, f64)> = windows
        .history
        .between(first, windows.end)
        .filter_map(|(minute, row)| Some((windows.end.since(minute), row.instances()?)))
        .collect();
    let around = |from: i64, to: i64| {
        median(counts.iter().filter(|(age, _)| (to..=from).contains(age)).map(|(_, count)| *count))
    };
    // Ages count back from the end: a rise at `age` has fewer instances in the minutes before (greater ages).
    (0..=WARM_MINUTES)
        .rev()
        .find(|age| {
            let (Some(before), Some(after)) = (around(age + 3, age + 1), around(*age, (age - 2).max(0))) else {
                return false;
            };
            after > before + 0.4
        })
        .map(|age| age + 1)
}
