//! Observation → [`Proposal`]: a good alarm for a variant or component, sized from its own past.
//!
//! Pure. Each choice carries its reason with the numbers that it was made on, and the alarm is replayed over the past as CloudWatch
//! would have evaluated it. `docs/how-it-proposes-alarms.md` explains the method. An alarm that a proposal made is proposed
//! again: its threshold is then the stated objective.

mod datapoints;
mod difference;
mod document;
mod evaluation;
mod statistic;
mod threshold;
mod timeline;
mod watched;
mod words;

pub use difference::{Standing, StandingAlarm};
pub use document::document;
pub use evaluation::Firing;
pub use statistic::PERCENTILES;

use crate::model::{
    AlarmStatistic, EndpointName, InferenceComponentName, LatencyObjective, ObjectiveSource, Observation,
    PutMetricAlarm, Seconds, Statistic, VariantName,
};
use datapoints::{briefly, fastest, usual};
use evaluation::MissingData;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use statistic::{Chosen, choose};
use threshold::{Normal, from_history};
use watched::Watched;
use words::{Words, lasting, minutes};

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

/// How long SageMaker's metrics take to arrive: field reports.
const DELAY_MINUTES: (u32, u32) = (1, 3);
/// Version of a proposal's JSON.
const VERSION: &str = "1";
/// Firings that are told one by one.
const LATEST: usize = 5;

/// An alarm that is proposed, or why none is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Version of this format: `1`.
    pub version: String,
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
            version: VERSION.to_owned(),
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
    let from_history = from_history(watched, &chosen.timeline, normal, usual(&chosen), missing);
    let stated = stated(observation, watched);
    let threshold = stated.unwrap_or(from_history.threshold);
    let (out_of, firings, why_out_of) = fastest(threshold, missing, &chosen);
    let words = Words { watched, chosen: &chosen, normal };
    let history = replayed(&chosen, &firings);
    let mut reasoning = vec![format!("statistic {}", chosen.why)];
    reasoning.push(match stated {
        Some(threshold) => words.stated(threshold, source(observation, watched)),
        None => words.sized(&from_history),
    });
    reasoning.extend([why_out_of, words.missing(missing)]);
    reasoning.extend(chosen.few.as_ref().map(|few| format!("EvaluateLowSampleCountPercentile {LOW_SAMPLES}: {few}")));
    let mut warnings = chosen.warnings.clone();
    let too_low = words.too_low(threshold, from_history.threshold, &history);
    warnings.extend(too_low.or_else(|| words.too_brief(&history)));
    let of_period = out_of.datapoints * minutes(chosen.timeline.period);
    Proposal {
        put_metric_alarm: Some(PutMetricAlarm {
            alarm_name: name_for(observation),
            alarm_description: format!(
                "{} {} of {}/{} above {} {} (Endpoint Advisor)",
                chosen.statistic,
                watched.metric(),
                observation.endpoint_name,
                observation.part_name(),
                watched.words(threshold),
                lasting(out_of, chosen.timeline.period)
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
fn source(observation: &Observation, watched: Watched) -> &'static str {
    match (watched, observation.objective.map(|objective| objective.source)) {
        (Watched::Latency, Some(ObjectiveSource::Tag)) => "the endpoint's tag endpoint-advisor:slo-ms states",
        (Watched::Latency, Some(ObjectiveSource::Event)) => "you stated",
        _ => "an alarm that stands has it",
    }
}

/// Minutes without requests are no latency; where there was none, silence would be news.
fn missing_data(watched: Watched, chosen: &Chosen) -> MissingData {
    match watched {
        Watched::Latency if chosen.timeline.missing() == 0 => MissingData::Missing,
        Watched::Latency | Watched::Age => MissingData::NotBreaching,
    }
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
