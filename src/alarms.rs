//! Observation → [`Proposal`]: a good alarm for a variant or component, sized from its own past.
//!
//! Pure. Each choice carries its reason with the numbers that it was made on, and the alarm is replayed over the past as CloudWatch
//! would have evaluated it. `docs/how-it-proposes-alarms.md` explains the method. An alarm that a proposal made is proposed
//! again: its threshold is then the stated objective.

mod difference;
mod document;
mod evaluation;
mod statistic;
mod threshold;
mod timeline;
mod watched;

pub use difference::{Standing, StandingAlarm};
pub use document::document;
pub use evaluation::Firing;
pub use statistic::PERCENTILES;

use crate::model::{
    AlarmStatistic, EndpointName, InferenceComponentName, LatencyObjective, ObjectiveSource, Observation,
    PutMetricAlarm, Seconds, Statistic, Thousands, VariantName,
};
use evaluation::{MissingData, OutOf, Rule};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statistic::{Chosen, MINUTE, choose};
use threshold::{Normal, from_history, times_allowed};
use watched::Watched;

/// What the rule in `template.yaml` listens to.
pub const NAME_PREFIX: &str = "endpoint-latency-";
/// What is used where there is no past to choose by, as in `infra/endpoint-alarms.yaml`: minutes, three of three.
pub const PERIOD: Seconds = Seconds(60);
/// See [`PERIOD`].
pub const DATAPOINTS_TO_ALARM: u32 = 3;
/// See [`PERIOD`].
pub const EVALUATION_PERIODS: u32 = 3;
/// Latency at the objective keeps it.
pub const COMPARISON_OPERATOR: &str = "GreaterThanThreshold";
/// A percentile of few requests is one slow request.
pub const LOW_SAMPLES: &str = "ignore";

const USUAL: OutOf = OutOf { datapoints: DATAPOINTS_TO_ALARM, periods: EVALUATION_PERIODS };
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
const BRIEF_MINUTES: u32 = 10;
/// How long SageMaker's metrics take to arrive: field reports.
const DELAY_MINUTES: (u32, u32) = (1, 3);
/// Firings that are told one by one.
const LATEST: usize = 5;

/// An alarm that is proposed, or why none is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The endpoint's name.
    pub endpoint_name: EndpointName,
    /// The variant's name; none for an inference component.
    pub variant_name: Option<VariantName>,
    /// The component's name; none for a variant.
    pub inference_component_name: Option<InferenceComponentName>,
    /// The end of the past that it was sized from.
    pub at: Timestamp,
    /// The request, as CloudWatch takes it; none where too little is known.
    pub put_metric_alarm: Option<PutMetricAlarm>,
    /// The objective that it keeps to, where one was stated.
    pub objective: Option<LatencyObjective>,
    /// Why, one sentence for each choice.
    pub reasoning: Vec<String>,
    /// Minutes from the first slow one to `ALARM`, at least and at most.
    pub minutes_to_alarm: Option<(u32, u32)>,
    /// What it would have done in the past.
    pub history: Option<Replayed>,
    /// What to know before it is used.
    pub warnings: Vec<String>,
    /// What has to be known before an alarm can be proposed; empty where one is.
    pub missing: Vec<String>,
}

/// What an alarm would have done in the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Days that were judged.
    pub days: f64,
    /// How often it would have fired; at most, where `is_at_most`.
    pub times_fired: usize,
    /// So many of them for less than ten minutes.
    pub times_fired_briefly: usize,
    /// Minutes in `ALARM`.
    pub minutes_in_alarm: u32,
    /// Whether all of this are upper bounds.
    pub is_at_most: bool,
    /// The last of them, newest first.
    pub latest: Vec<Firing>,
}

impl Proposal {
    /// `orders/AllTraffic`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}/{}", self.endpoint_name, self.part_name())
    }

    fn part_name(&self) -> &str {
        let component = self.inference_component_name.as_ref().map(InferenceComponentName::as_str);
        component.or(self.variant_name.as_ref().map(VariantName::as_str)).unwrap_or("-")
    }

    /// Nothing yet, about this subject.
    fn about(observation: &Observation) -> Self {
        Self {
            endpoint_name: observation.endpoint_name.clone(),
            variant_name: observation.variant_name.clone(),
            inference_component_name: observation.inference_component_name.clone(),
            at: observation.at,
            put_metric_alarm: None,
            objective: observation.objective.filter(|_| !observation.is_asynchronous()),
            reasoning: Vec::new(),
            minutes_to_alarm: None,
            history: None,
            warnings: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// The name of the alarm of a variant or component.
#[must_use]
pub fn name_for(observation: &Observation) -> String {
    format!("{NAME_PREFIX}{}-{}", observation.endpoint_name, observation.part_name())
}

/// Proposes an alarm, or says what is missing.
#[must_use]
pub fn propose(observation: &Observation) -> Proposal {
    let watched = Watched::of(observation);
    let declined = |missing| Proposal { missing, ..Proposal::about(observation) };
    let Some(dimensions) = observation.dimensions(watched.metric()) else {
        return declined(vec!["the name of a variant or component".to_owned()]);
    };
    let chosen = match choose(observation, watched) {
        Ok(chosen) => chosen,
        Err(missing) => return declined(missing),
    };
    let Some(normal) = Normal::of(&chosen.timeline) else {
        return declined(vec![format!("{}: nothing was measured", watched.metric())]);
    };
    let missing = missing_data(watched, &chosen);
    let usual = if chosen.timeline.period == MINUTE { USUAL } else { FIVE_MINUTES[0] };
    let (from_history, would_fire) = from_history(watched, &chosen.timeline, normal, usual, missing);
    let stated = stated(observation, watched);
    let threshold = stated.unwrap_or(from_history);
    let candidates: &[OutOf] = if chosen.timeline.period == MINUTE { &MINUTES } else { &FIVE_MINUTES };
    let (out_of, firings, why_out_of) = fastest(candidates, threshold, missing, &chosen);
    let words = Words { watched, chosen: &chosen, normal };
    let history = replayed(&chosen, &firings);
    let mut reasoning = vec![chosen.why.clone()];
    reasoning.push(match stated {
        Some(threshold) => words.stated(threshold, &source(observation, watched)),
        None => words.from_history(from_history, would_fire.len()),
    });
    reasoning.extend([why_out_of, words.missing(missing)]);
    reasoning.extend(chosen.few.as_ref().map(|few| format!("few requests {LOW_SAMPLES}: {few}")));
    let mut warnings = chosen.warnings.clone();
    warnings.extend(words.too_low(threshold, from_history, &history));
    warnings.extend(words.too_brief(&history, out_of));
    let of_period = out_of.datapoints * minutes(chosen.timeline.period);
    Proposal {
        put_metric_alarm: Some(PutMetricAlarm {
            alarm_name: name_for(observation),
            alarm_description: format!(
                "{} {} of {}/{} above {} in {} (Endpoint Advisor)",
                chosen.statistic,
                watched.metric(),
                observation.endpoint_name,
                observation.part_name(),
                watched.words(threshold),
                in_words(out_of, chosen.timeline.period)
            ),
            namespace: watched.metric().namespace().to_owned(),
            metric_name: watched.metric().name().to_owned(),
            dimensions,
            statistic: AlarmStatistic::of(&chosen.statistic.to_string()),
            period: Seconds(60 * minutes(chosen.timeline.period)),
            evaluation_periods: out_of.periods,
            datapoints_to_alarm: out_of.datapoints,
            threshold,
            comparison_operator: COMPARISON_OPERATOR.to_owned(),
            treat_missing_data: missing.name().to_owned(),
            evaluate_low_sample_count_percentile: matches!(chosen.statistic, Statistic::Percentile(_))
                .then(|| LOW_SAMPLES.to_owned()),
        }),
        reasoning,
        minutes_to_alarm: Some((of_period + DELAY_MINUTES.0, of_period + DELAY_MINUTES.1)),
        history: Some(history),
        warnings,
        ..Proposal::about(observation)
    }
}

/// The stated objective in the metric's unit.
fn stated(observation: &Observation, watched: Watched) -> Option<f64> {
    match watched {
        // A threshold that was read as milliseconds comes back as the microseconds that it was.
        Watched::Latency => observation.objective.map(|objective| objective.latency_slo_ms.to_microseconds().0.round()),
        Watched::Age => observation.age_objective.map(|age| f64::from(age.0)),
    }
}

/// Who stated it.
fn source(observation: &Observation, watched: Watched) -> String {
    match (watched, observation.objective.map(|objective| objective.source)) {
        (Watched::Latency, Some(ObjectiveSource::Tag)) => "the endpoint's tag endpoint-advisor:slo-ms",
        (Watched::Latency, Some(ObjectiveSource::Event)) => "you",
        _ => "an alarm that stands",
    }
    .to_owned()
}

/// Minutes without requests are no latency; where there was none, silence would be news.
fn missing_data(watched: Watched, chosen: &Chosen) -> MissingData {
    match watched {
        Watched::Latency if chosen.timeline.missing() == 0 => MissingData::Missing,
        Watched::Latency | Watched::Age => MissingData::NotBreaching,
    }
}

/// The fastest that does not fire for single slow minutes; where all do, the one that does so least. With what it would have
/// done, and why.
fn fastest(
    candidates: &[OutOf],
    threshold: f64,
    missing: MissingData,
    chosen: &Chosen,
) -> (OutOf, Vec<Firing>, String) {
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
                "{}: the fastest; it would have fired for less than {BRIEF_MINUTES} minutes {} in {}",
                in_words(out_of, period),
                times(briefly(&firings)),
                days(chosen.timeline.days())
            ),
            Some((first, of_first)) => format!(
                "{}: {} would have fired for less than {BRIEF_MINUTES} minutes {} in {}, this one {}",
                in_words(out_of, period),
                in_words(*first, period),
                times(briefly(of_first)),
                days(chosen.timeline.days()),
                times(briefly(&firings))
            ),
        };
        return (out_of, firings, why);
    }
    let least = too_often.into_iter().min_by_key(|(_, firings)| briefly(firings));
    let (out_of, firings) = least.unwrap_or((USUAL, Vec::new()));
    let why = format!(
        "{}: of {} it fires least for single slow minutes, {} in {}",
        in_words(out_of, period),
        listed(candidates),
        times(briefly(&firings)),
        days(chosen.timeline.days())
    );
    (out_of, firings, why)
}

fn briefly(firings: &[Firing]) -> usize {
    firings.iter().filter(|firing| !firing.is_on && firing.minutes < BRIEF_MINUTES).count()
}

fn replayed(chosen: &Chosen, firings: &[Firing]) -> Replayed {
    Replayed {
        days: (100.0 * chosen.timeline.days()).round() / 100.0,
        times_fired: firings.len(),
        times_fired_briefly: briefly(firings),
        minutes_in_alarm: firings.iter().map(|firing| firing.minutes).sum(),
        is_at_most: chosen.is_at_most,
        latest: firings.iter().rev().take(LATEST).copied().collect(),
    }
}

/// The sentences about one choice.
struct Words<'a> {
    watched: Watched,
    chosen: &'a Chosen,
    normal: Normal,
}

impl Words<'_> {
    fn normal(&self) -> String {
        let Normal { median, high } = self.normal;
        format!("{} half of the time and within {} in 19 of 20", self.watched.words(median), self.watched.words(high))
    }

    fn stated(&self, threshold: f64, source: &str) -> String {
        format!("above {}, as {source} stated; it is {}", self.watched.words(threshold), self.normal())
    }

    fn from_history(&self, threshold: f64, would_fire: usize) -> String {
        let times_normal = threshold / self.normal.high.max(f64::MIN_POSITIVE);
        let days = days(self.chosen.timeline.days());
        let fired = if would_fire <= times_allowed(self.chosen.timeline.days()) {
            format!("crossed for long enough {} in {days}", times(would_fire))
        } else {
            format!(
                "no more than twice normal, though that was crossed {} in {days}: an endpoint so slow is worth a look",
                times(would_fire)
            )
        };
        let times_normal = if times_normal < 100.0 { format!("{times_normal:.1} times that, ") } else { String::new() };
        format!("above {}: it is {}; {times_normal}{fired}", self.watched.words(threshold), self.normal())
    }

    fn missing(&self, missing: MissingData) -> String {
        let (gaps, all) = (self.chosen.timeline.missing(), self.chosen.timeline.datapoints.len());
        #[expect(clippy::cast_precision_loss, reason = "minutes of at most 15 days")]
        let (gaps, all) = (Thousands(gaps as f64), Thousands(all as f64));
        match (missing, self.watched) {
            (MissingData::Missing, _) => {
                "missing data missing: every minute had requests, so silence would be news and shows as INSUFFICIENT_DATA".to_owned()
            }
            (MissingData::NotBreaching, Watched::Latency) => format!(
                "missing data notBreaching: {gaps} of {all} minutes had no request; no latency is not slow, and ends an alarm"
            ),
            (MissingData::NotBreaching, Watched::Age) => format!(
                "missing data notBreaching: {gaps} of {all} minutes had no datapoint; an empty queue is not late, and ends an alarm"
            ),
        }
    }

    /// An objective that normal values cross.
    fn too_low(&self, threshold: f64, instead: f64, history: &Replayed) -> Option<String> {
        (threshold <= self.normal.high).then(|| {
            let at_most = if history.is_at_most { "at most " } else { "" };
            format!(
                "normal crosses {}: it would have fired {at_most}{} and been in ALARM for {} in {}. The endpoint has to become faster, or the \
                 objective {} or more",
                self.watched.words(threshold),
                times(history.times_fired),
                minutes_in_words(history.minutes_in_alarm),
                days(history.days),
                self.watched.words(instead)
            )
        })
    }

    /// An alarm that people would learn to ignore.
    fn too_brief(&self, history: &Replayed, out_of: OutOf) -> Option<String> {
        (history.times_fired_briefly > times_allowed(self.chosen.timeline.days())).then(|| {
            format!(
                "even in {} it would have fired for less than {BRIEF_MINUTES} minutes {}: single slow minutes are usual here. Find out what \
                 they are, or state a higher objective",
                in_words(out_of, self.chosen.timeline.period),
                times(history.times_fired_briefly)
            )
        })
    }
}

fn minutes(period: usize) -> u32 {
    u32::try_from(period).unwrap_or(1)
}

/// `2 of 3 minutes`, `2 of 2 times five minutes`.
fn in_words(OutOf { datapoints, periods }: OutOf, period: usize) -> String {
    match (period, periods) {
        (MINUTE, _) => format!("{datapoints} of {periods} minutes"),
        (_, 1) => "five minutes".to_owned(),
        _ => format!("{datapoints} of {periods} times five minutes"),
    }
}

fn listed(candidates: &[OutOf]) -> String {
    let words: Vec<String> =
        candidates.iter().map(|OutOf { datapoints, periods }| format!("{datapoints} of {periods}")).collect();
    words.join(", ")
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

fn days(days: f64) -> String {
    let rounded = format!("{days:.1}").replace(".0", "");
    format!("{rounded} day{}", if rounded == "1" { "" } else { "s" })
}

fn minutes_in_words(minutes: u32) -> String {
    format!("{} minute{}", Thousands(f64::from(minutes)), if minutes == 1 { "" } else { "s" })
}
