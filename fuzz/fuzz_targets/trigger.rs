//! An event, and the values of settings and tags.

#![no_main]

use endpoint_advisor::config::{Settings, tagged_objective};
use endpoint_advisor::model::Statistic;
use endpoint_advisor::trigger::parse;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const TAGS: [&str; 7] =
    ["mode", "objective", "min-instances", "max-instances", "max-hourly-usd", "slo-ms", "slo-statistic"];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = serde_json::from_slice(bytes) {
        let _ = parse(event);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let settings = Settings::read(|_| Some(text.to_owned()));
    let tags: BTreeMap<String, String> =
        TAGS.iter().map(|tag| (format!("endpoint-advisor:{tag}"), text.to_owned())).collect();
    let guardrails = settings.for_endpoint(Some(&tags));
    assert!(guardrails.mode <= settings.defaults.mode, "a tag never widens the mode");
    let _ = tagged_objective(&tags, Statistic::P90);
});
