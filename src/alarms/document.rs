//! A proposal in words: for the terminal and as Markdown, rendered as reports are.

use super::words::{days, minutes_in_words, times, would_have_fired};
use super::{Proposal, Replayed};
use crate::model::{ObjectiveSource, PutMetricAlarm};
use crate::report::document::{Document, Item, Mark, Section};
use std::fmt::Write as _;

/// The words of a proposal.
#[must_use]
pub fn document(proposal: &Proposal) -> Document {
    let subject = proposal.subject();
    let at = proposal.at.strftime("%Y-%m-%d %H:%M UTC");
    let Some(alarm) = &proposal.put_metric_alarm else {
        return Document {
            headline: format!("{subject}: no alarm is proposed, too little is known"),
            lines: vec![at.to_string()],
            sections: vec![section("What is missing", Mark::Fact, proposal.missing.clone())],
        };
    };
    let description = alarm.alarm_description.trim_end_matches(" (Endpoint Advisor)");
    let sections = [
        section("The alarm", Mark::Fact, settings(alarm)),
        section("Why", Mark::Fact, proposal.reasoning.clone()),
        section("On its own past", Mark::Fact, past(proposal)),
        section("Warnings", Mark::Warning, proposal.warnings.clone()),
        section("Next", Mark::Step, next(proposal)),
    ];
    Document {
        headline: description.to_owned(),
        lines: vec![format!("alarm {}, as of {at}", alarm.alarm_name)],
        sections: sections.into_iter().filter(|section| !section.items.is_empty()).collect(),
    }
}

fn section(title: &'static str, mark: Mark, texts: Vec<String>) -> Section {
    Section { title: Some(title), items: texts.into_iter().map(|text| Item { mark, text }).collect() }
}

/// In CloudWatch's own words.
fn settings(alarm: &PutMetricAlarm) -> Vec<String> {
    let unit = if alarm.metric_name == "ModelLatency" { "microseconds" } else { "seconds" };
    let dimensions: Vec<String> =
        alarm.dimensions.iter().map(|dimension| format!("{} {}", dimension.name, dimension.value)).collect();
    let few = alarm.evaluate_low_sample_count_percentile.as_ref();
    let few = few.map(|few| format!(", EvaluateLowSampleCountPercentile {few}")).unwrap_or_default();
    vec![
        format!("{} {} of {}", alarm.metric_name, alarm.statistic.name(), dimensions.join(", ")),
        format!("{}, Threshold {} ({unit})", alarm.comparison_operator, alarm.threshold),
        format!(
            "Period {}, EvaluationPeriods {}, DatapointsToAlarm {}",
            alarm.period.0, alarm.evaluation_periods, alarm.datapoints_to_alarm
        ),
        format!("TreatMissingData {}{few}", alarm.treat_missing_data),
    ]
}

fn past(proposal: &Proposal) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some((least, most)) = proposal.minutes_to_alarm {
        facts.push(format!(
            "an incident is in ALARM {least} to {most} minutes after its first slow minute, the one to three included that the metric takes \
             to arrive"
        ));
    }
    let Some(Replayed { days: judged, times_fired, times_fired_briefly, minutes_in_alarm, is_at_most, latest }) =
        &proposal.history
    else {
        return facts;
    };
    let at_most = if *is_at_most { " at most" } else { "" };
    let mut fired = format!("in {} it {}", days(*judged), would_have_fired(*times_fired));
    if *times_fired > 0 {
        let _infallible = write!(fired, "{at_most} and been on for {}", minutes_in_words(*minutes_in_alarm));
    }
    if *times_fired_briefly > 0 {
        let _infallible = write!(fired, "; {} for less than ten minutes", times(*times_fired_briefly));
    }
    facts.push(fired);
    if *is_at_most {
        facts.push("a percentile of five minutes is not known from those of single minutes: it was taken to be the highest of them".to_owned());
    }
    facts.extend(latest.iter().map(|firing| {
        let still = if firing.is_on { ", and still on" } else { "" };
        format!("{} for {}{still}", firing.at.strftime("%Y-%m-%d %H:%M UTC"), minutes_in_words(firing.minutes))
    }));
    facts
}

fn next(proposal: &Proposal) -> Vec<String> {
    let endpoint = &proposal.endpoint_name;
    let part = match (&proposal.inference_component_name, &proposal.variant_name) {
        (Some(component), _) => format!(" --component {component}"),
        (None, Some(variant)) => format!(" --variant {variant}"),
        (None, None) => String::new(),
    };
    let by_hand = proposal.objective.filter(|objective| objective.source == ObjectiveSource::Event);
    let objective = by_hand
        .map(|objective| {
            format!(" --latency-slo-ms {} --slo-statistic {}", objective.latency_slo_ms.0, objective.slo_statistic)
        })
        .unwrap_or_default();
    let command = format!("endpoint-advisor alarms {endpoint}{part}{objective}");
    vec![
        format!("Put it; what it would change is shown first: {command} --apply"),
        format!("Or keep it with your templates: {command} --as cloudformation"),
    ]
}
