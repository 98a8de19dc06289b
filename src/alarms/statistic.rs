//! Which statistic, over which period: one that the requests of an endpoint fill.
//!
//! CloudWatch calls a percentile's samples too few below 10/(1 − p): 100 requests for p90, 1,000 for p99. A p99 of 60 requests is
//! the slowest of them, and an alarm on it is an alarm on single requests.

use super::timeline::Timeline;
use super::watched::Watched;
use super::words::periods;
use crate::model::{A_DAY_HOURS, LatencyObjective, Metric, ObjectiveSource, Observation, Series, Statistic, Thousands};

/// Statistics that an alarm may be on where nobody stated one, the strictest first.
pub const PERCENTILES: [Statistic; 4] = [Statistic::P99, Statistic::Percentile(9_500), Statistic::P90, Statistic::P50];
/// "Nearly all" minutes with requests: in an endpoint that keeps it, a quiet hour a day is left over.
const NEARLY_ALL: f64 = 0.95;
/// A stated percentile is kept while it can be judged in this share of the minutes with requests: the quiet ones are then told as
/// not judged, and the busy ones, where an incident hurts, are judged within minutes.
const MOST: f64 = 0.5;
/// A minute is the finest period; five give five times the samples, and take five times as long.
pub(super) const MINUTE: usize = 1;
pub(super) const FIVE_MINUTES: usize = 5;
/// Fewer datapoints than an hour has are no normal.
const LEAST_DATAPOINTS: usize = 60;

/// A statistic, what it was, and why this one.
pub(super) struct Chosen {
    pub statistic: Statistic,
    pub timeline: Timeline,
    pub why: String,
    /// Whether the values are upper bounds.
    pub is_at_most: bool,
    /// How much of the minutes it leaves out; none where no percentile.
    pub few: Option<String>,
    /// What should be known about it.
    pub warnings: Vec<String>,
}

/// Chooses, or says what is missing.
pub(super) fn choose(observation: &Observation, watched: Watched) -> Result<Chosen, Vec<String>> {
    let chosen = match watched {
        Watched::Age => age(observation),
        Watched::Latency => latency(observation),
    }?;
    let (days, datapoints) = (chosen.timeline.days(), chosen.timeline.values().count());
    if 24.0 * days < A_DAY_HOURS {
        let hours = Thousands((24.0 * days * 10.0).round() / 10.0);
        let words = format!("a day of {} {}: {hours} hours were read", chosen.statistic, watched.metric());
        return Err(vec![words]);
    }
    if datapoints < LEAST_DATAPOINTS {
        let words = format!("an hour of datapoints: {} has {datapoints} in {days:.1} days", watched.metric());
        return Err(vec![words]);
    }
    Ok(chosen)
}

fn age(observation: &Observation) -> Result<Chosen, Vec<String>> {
    let metric = Metric::ApproximateAgeOfOldestRequest;
    let series = observation.metrics.series(metric, Statistic::Maximum);
    let timeline = series.and_then(|series| Timeline::of(observation, series, None, MINUTE));
    let timeline = timeline.ok_or_else(|| vec![format!("{metric}: nothing was measured")])?;
    let why = format!(
        "Maximum {metric} of the endpoint: requests wait in its queue before the model has them, and ModelLatency does not know"
    );
    let ignored = observation.objective.filter(|objective| objective.source != ObjectiveSource::Alarm);
    let warnings = ignored.map(|objective| {
        format!("the objective of {objective} is of ModelLatency; how long requests of an asynchronous endpoint may wait it does not say")
    });
    let warnings = warnings.into_iter().collect();
    Ok(Chosen { statistic: Statistic::Maximum, timeline, why, is_at_most: false, few: None, warnings })
}

fn latency(observation: &Observation) -> Result<Chosen, Vec<String>> {
    let requests = Requests::of(observation)?;
    match observation.objective {
        Some(objective) => stated(&requests, &objective),
        None => unstated(&requests),
    }
}

fn stated(requests: &Requests<'_>, objective: &LatencyObjective) -> Result<Chosen, Vec<String>> {
    let statistic = objective.slo_statistic;
    let as_stated = format!("{statistic}, the objective's");
    if !matches!(statistic, Statistic::Percentile(_) | Statistic::Average) {
        return requests.chosen(statistic, MINUTE, as_stated);
    }
    let by_minute = requests.share_with_enough(statistic, MINUTE);
    let needs = needs(statistic);
    if by_minute >= MOST {
        let why = format!("{as_stated}: {} of the minutes with requests had {needs}", percent(by_minute));
        return requests.chosen(statistic, MINUTE, why);
    }
    let by_five = requests.share_with_enough(statistic, FIVE_MINUTES);
    if by_five >= MOST || statistic == Statistic::Average {
        let why = format!(
            "{as_stated}, over five minutes: {} of the minutes with requests had {needs}, and {} of the five-minute periods",
            percent(by_minute),
            percent(by_five)
        );
        return requests.chosen(statistic, FIVE_MINUTES, why);
    }
    let why = format!(
        "Average over five minutes instead of the objective's {statistic}: {} of the five-minute periods with requests had {needs}; a \
         {statistic} of fewer hangs on single requests, a mean less so",
        percent(by_five)
    );
    let mut chosen = requests.chosen(Statistic::Average, FIVE_MINUTES, why)?;
    chosen.warnings.push(format!(
        "so few requests come that {statistic} says nothing; a mean above the objective comes later than one slow request. State the \
         objective as an Average, or accept it"
    ));
    Ok(chosen)
}

fn unstated(requests: &Requests<'_>) -> Result<Chosen, Vec<String>> {
    let mut not_chosen = Vec::new();
    for statistic in PERCENTILES {
        let share = requests.share_with_enough(statistic, MINUTE);
        let needed = Thousands(statistic.samples_needed());
        if share < NEARLY_ALL {
            not_chosen.push(format!("{statistic} needs {needed}, and {} had", percent(share)));
        } else if requests.series(statistic).is_none() {
            not_chosen.push(format!("{statistic} needs {needed}, and {} had, but it was not read", percent(share)));
        } else {
            let why = format!(
                "{statistic}, the highest percentile that the requests fill: {} of the minutes with requests had {}",
                percent(share),
                needs(statistic)
            );
            let why = if not_chosen.is_empty() { why } else { format!("{why} ({})", not_chosen.join("; ")) };
            return requests.chosen(statistic, MINUTE, why);
        }
    }
    let why = format!(
        "Average over five minutes: too few requests come for a percentile of a minute ({}); of so few it hangs on single ones, a mean less so",
        not_chosen.join("; ")
    );
    requests.chosen(Statistic::Average, FIVE_MINUTES, why)
}

/// Requests, minute by minute, and what was read of their latency.
struct Requests<'a> {
    observation: &'a Observation,
    counts: &'a Series,
}

impl<'a> Requests<'a> {
    fn of(observation: &'a Observation) -> Result<Self, Vec<String>> {
        let metrics = &observation.metrics;
        let has_latency = metrics.0.iter().any(|series| {
            series.metric == Metric::ModelLatency && metrics.series(series.metric, series.statistic).is_some()
        });
        let counts = metrics.series(Metric::ModelLatency, Statistic::SampleCount);
        let counts = counts.or_else(|| metrics.series(Metric::Invocations, Statistic::Sum));
        match (has_latency, counts) {
            (true, Some(counts)) => Ok(Self { observation, counts }),
            (true, None) => Err(vec!["Invocations: how many requests each minute had was not measured".to_owned()]),
            (false, _) => Err(vec!["ModelLatency: nothing was measured".to_owned()]),
        }
    }

    fn series(&self, statistic: Statistic) -> Option<&'a Series> {
        self.observation.metrics.series(Metric::ModelLatency, statistic)
    }

    /// Of the periods with requests, the share that has enough for this statistic.
    fn share_with_enough(&self, statistic: Statistic, period: usize) -> f64 {
        let last = self.observation.last_minute();
        let mut periods = std::collections::BTreeMap::<i64, f64>::new();
        for (minute, count) in self.counts.points().filter(|(minute, count)| *minute <= last && *count > 0.0) {
            let length = i64::try_from(period).unwrap_or(1);
            *periods.entry(minute.0.div_euclid(length)).or_default() += count;
        }
        let enough = periods.values().filter(|count| **count >= statistic.samples_needed()).count();
        share(enough, periods.len())
    }

    fn chosen(&self, statistic: Statistic, period: usize, why: String) -> Result<Chosen, Vec<String>> {
        let series = self.series(statistic);
        let timeline = series.and_then(|series| Timeline::of(self.observation, series, Some(self.counts), period));
        let timeline = timeline.ok_or_else(|| {
            let name = &self.observation.endpoint_name;
            let objective = self.observation.objective.map(|objective| {
                format!(" --latency-slo-ms {} --slo-statistic {}", objective.latency_slo_ms.0, objective.slo_statistic)
            });
            let objective = objective.unwrap_or_default();
            vec![format!(
                "{statistic} of ModelLatency: it was not read. Read it: endpoint-advisor alarms {name}{objective}"
            )]
        })?;
        let is_percentile = matches!(statistic, Statistic::Percentile(_));
        let few = is_percentile.then(|| {
            let (with_few, all) = (timeline.with_few(), timeline.datapoints.iter().flatten().count());
            let few = percent(share(with_few, all));
            let leave = if with_few == 0 { "" } else { ", and leave the alarm as it is" };
            format!(
                "a {statistic} of fewer than {} requests hangs on single ones; {few} of the {} had so few{leave}",
                Thousands(statistic.samples_needed()),
                periods(period)
            )
        });
        let is_at_most = is_percentile && period > MINUTE;
        Ok(Chosen { statistic, timeline, why, is_at_most, few, warnings: Vec::new() })
    }
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
    let share = part as f64 / whole.max(1) as f64;
    share
}

/// Percent, never rounded to all or nothing.
pub(super) fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => "none".to_owned(),
        all if all >= 100.0 => "all".to_owned(),
        most if most > 99.0 => format!("{:.1} %", (most * 10.0).floor() / 10.0),
        few if few < 1.0 => "less than 1 %".to_owned(),
        some => format!("{some:.0} %"),
    }
}

/// `the 100 requests that p90 needs`.
fn needs(statistic: Statistic) -> String {
    format!("the {} requests that {statistic} needs", Thousands(statistic.samples_needed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let words = [0.0, 0.004, 0.01, 0.5, 0.99, 0.991, 0.9996, 1.0].map(percent);
        assert_eq!(words, ["none", "less than 1 %", "1 %", "50 %", "99 %", "99.1 %", "99.9 %", "all"]);
    }
}
