//! An observation with other names in place of its own, so that it can be shared. Pure.
//!
//! Metrics, times, instance types and settings stay as they are: the verdict and the numbers of the plan come out the same.
//! Names of endpoints, variants, components, models, containers, instances, alarms, policies and schedules, account ids, roles, buckets,
//! images and tags go.

use crate::model::{CloudWatchAlarm, Observation, Part};
use serde_json::Value;
use std::collections::BTreeMap;

/// The account in AWS's own examples.
const ACCOUNT: &str = "111122223333";

/// Fields whose values are AWS's words, not somebody's names.
const WORDS_OF_AWS: [&str; 13] = [
    "version",
    "kind",
    "state",
    "hosting",
    "metric",
    "statistic",
    "unit",
    "instance_type",
    "status",
    "status_code",
    "policy_type",
    "routing_strategy",
    "mode",
];

/// Variants are called this where nobody chose a name.
const USUAL_VARIANT: &str = "AllTraffic";

/// The same observation under other names.
///
/// # Errors
/// Where the result cannot be read back, which would be a mistake here.
pub fn redact(observation: &Observation) -> Result<Observation, serde_json::Error> {
    let names = Names::of(observation);
    let mut value = serde_json::to_value(without_descriptions(observation))?;
    names.replace(&mut value);
    serde_json::from_value(value)
}

/// What stands for each name. Longer names first: one may hold another.
struct Names(Vec<(String, String)>);

impl Names {
    fn of(observation: &Observation) -> Self {
        let mut names = BTreeMap::new();
        let mut name = |name: &str, kind: &str, number: usize| {
            if !name.is_empty() && name != USUAL_VARIANT {
                names.entry(name.to_owned()).or_insert_with(|| format!("{kind}-{number}"));
            }
        };
        name(observation.endpoint_name.as_str(), "endpoint", 1);
        let of_endpoint = observation.endpoint.weights.iter().map(|weight| &weight.variant_name);
        let component = observation.component.as_ref();
        let of_component = component.and_then(|component| component.variant_name.as_ref());
        let variants = observation.variant_name.iter().chain(of_component).chain(of_endpoint);
        let variants = variants.chain(&observation.endpoint.shadow_variants);
        for (variant, number) in variants.zip(1..) {
            name(variant.as_str(), "variant", number);
        }
        let neighbours = component.and_then(|component| component.neighbours.as_ref()).into_iter().flatten();
        let components = observation.inference_component_name.iter().chain(neighbours.map(|other| &other.name));
        for (component, number) in components.zip(1..) {
            name(component.as_str(), "component", number);
        }
        if let Some(model) = &observation.variant.model_name {
            name(model, "model", 1);
        }
        let containers = observation.variant.containers.iter().flat_map(|containers| &containers.names);
        for (container, number) in containers.zip(1..) {
            name(container, "container", number);
        }
        for (part, number) in observation.parts.iter().zip(1..) {
            match &part.part {
                Part::Instance(id) => name(id, "instance", number),
                Part::Container(container) => name(container, "container", number),
                Part::Variant(variant) => name(variant.as_str(), "variant", number),
                Part::InstanceType(_) => {}
            }
        }
        if let Some(config) = &observation.endpoint.endpoint_config_name {
            name(config, "endpoint-config", 1);
        }
        if let Some(alarm) = &observation.trigger.alarm_name {
            name(alarm, "alarm", 1);
        }
        for (number, alarm) in (1..).zip(observation.alarms.iter().flatten()) {
            alarm_names(alarm, number, &mut name);
        }
        if let Some(scaling) = &observation.scaling {
            for (policy, number) in scaling.policies.iter().filter(|policy| !policy.is_ours()).zip(1..) {
                name(&policy.policy_name, "policy", number);
            }
            let actions = scaling.scheduled_actions.iter().flatten().filter(|action| !action.is_ours());
            for (action, number) in actions.zip(1..) {
                name(&action.name, "action", number);
            }
        }
        let mut names: Vec<(String, String)> = names.into_iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self(names)
    }

    fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.replaced(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.replace(value)),
            Value::Object(fields) => {
                if let Some(Value::Object(tags)) = fields.get_mut("tags") {
                    tags.retain(|key, _| key.starts_with("endpoint-advisor:"));
                }
                let fields = fields.iter_mut().filter(|(name, _)| !WORDS_OF_AWS.contains(&name.as_str()));
                fields.for_each(|(_, value)| self.replace(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn replaced(&self, text: &str) -> String {
        let renamed = self.0.iter().fold(text.to_owned(), |text, (name, other)| whole(&text, name, other));
        let words = renamed.split_inclusive(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        words.map(|word| without_account(&without_path(word))).collect()
    }
}

/// The same without what people wrote about their alarms.
fn without_descriptions(observation: &Observation) -> Observation {
    let mut plain = observation.clone();
    plain.alarms.iter_mut().flatten().for_each(|alarm| alarm.description = None);
    plain
}

/// The names in an alarm: its own, what it tells, and metrics that are not of AWS.
fn alarm_names(alarm: &CloudWatchAlarm, number: usize, name: &mut impl FnMut(&str, &str, usize)) {
    if !alarm.is_of_target_tracking() {
        name(&alarm.alarm_name, "alarm", number);
    }
    let actions = alarm.alarm_actions.iter().chain(&alarm.ok_actions).chain(&alarm.insufficient_data_actions);
    for (action, number) in actions.filter(|action| !action.contains(":scalingPolicy:")).zip(1..) {
        name(action.rsplit(':').next().unwrap_or_default(), "target", number);
    }
    for (metric, number) in alarm.metrics.iter().filter(|metric| !metric.is_of_sagemaker()).zip(1..) {
        for (value, kind) in [(&metric.namespace, "namespace"), (&metric.metric_name, "metric")] {
            name(value, kind, number);
        }
        metric.dimensions.iter().for_each(|dimension| name(&dimension.value, "dimension", number));
    }
}

/// Replaces a name where it stands by itself; a hyphen, a slash or a colon may follow.
fn whole(text: &str, name: &str, other: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        let is_inside = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        out.push_str(before);
        out.push_str(if is_inside { name } else { other });
        rest = after;
    }
    out + rest
}

/// Roles, buckets and images name people, teams and products. What is around such a word stays: quotes, brackets, a stop.
fn without_path(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_identity = [":iam:", ":sts:", "://", ".dkr.ecr."].iter().any(|part| bare.contains(part));
    if is_identity { word.replace(bare, "redacted") } else { word.to_owned() }
}

/// Puts the account of AWS's examples in place of every run of exactly twelve digits.
fn without_account(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_digit() => digits.push(c),
            other => {
                out.push_str(if digits.len() == ACCOUNT.len() { ACCOUNT } else { &digits });
                digits.clear();
                out.extend(other);
            }
        }
    }
    out
}
