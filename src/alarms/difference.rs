//! An alarm that stands, and what a proposal changes about it. `PutMetricAlarm` replaces a whole alarm: what is not said again is gone.

use crate::model::{AlarmActions, PutMetricAlarm};
use serde_json::{Map, Value};

/// What stands under the name of a proposed alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// An alarm on a metric, or on metric math.
    Metric(StandingAlarm),
    /// A composite alarm: it is somebody's own, and is left alone.
    Composite,
}

/// An alarm as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingAlarm {
    /// In the spelling of `PutMetricAlarm`, without its actions.
    pub settings: Map<String, Value>,
    /// What it does, which it keeps.
    pub actions: AlarmActions,
}

impl Standing {
    /// What the alarm that stands does, and the proposed one is to do.
    #[must_use]
    pub fn actions(&self) -> AlarmActions {
        match self {
            Self::Metric(alarm) => alarm.actions.clone(),
            Self::Nothing | Self::Composite => AlarmActions::default(),
        }
    }

    /// One line for each setting that the request changes, before → after; empty where it changes nothing.
    #[must_use]
    pub fn difference(&self, request: &PutMetricAlarm) -> Vec<String> {
        let nothing = Map::new();
        let standing = match self {
            Self::Metric(alarm) => &alarm.settings,
            Self::Nothing | Self::Composite => &nothing,
        };
        let is_new = !matches!(self, Self::Metric(_));
        let asked = serde_json::to_value(request).ok();
        let asked = asked.as_ref().and_then(Value::as_object).unwrap_or(&nothing);
        let gone = standing.keys().filter(|name| !asked.contains_key(*name));
        let names = asked.keys().chain(gone);
        names
            .filter_map(|name| {
                let before = standing.get(name).cloned().or_else(|| default(name, standing).filter(|_| !is_new));
                let after = asked.get(name).cloned().or_else(|| default(name, asked));
                let is_same = match (&before, &after) {
                    (Some(before), Some(after)) => comparable(before) == comparable(after),
                    (before, after) => before == after,
                };
                let words = |value: Option<Value>| value.map_or("absent".to_owned(), |value| in_words(&value));
                (!is_same).then(|| format!("{name}: {} -> {}", words(before), words(after)))
            })
            .collect()
    }
}

/// What CloudWatch takes for a setting that is not said.
fn default(name: &str, settings: &Map<String, Value>) -> Option<Value> {
    match name {
        "TreatMissingData" => Some(Value::from("missing")),
        "DatapointsToAlarm" => settings.get("EvaluationPeriods").cloned(),
        "EvaluateLowSampleCountPercentile" if settings.contains_key("ExtendedStatistic") => {
            Some(Value::from("evaluate"))
        }
        _ => None,
    }
}

/// Numbers by their value, lists in no order.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(comparable).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        Value::Array(items) => {
            let dimension =
                |item: &Value| Some(format!("{}={}", item.get("Name")?.as_str()?, item.get("Value")?.as_str()?));
            let words: Vec<String> =
                items.iter().map(|item| dimension(item).unwrap_or_else(|| item.to_string())).collect();
            words.join(" ")
        }
        other => other.to_string(),
    }
}
