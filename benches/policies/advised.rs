//! What the advisor would set up, and what it promises.

use crate::requests;
use crate::standing::Standing;
use endpoint_advisor::config::{Guardrails, Settings};
use endpoint_advisor::model::{Bound, Observation, Series};
use endpoint_advisor::{capacity, plan};
use serde_json::Value;
use simulator::SetUp;
use std::collections::BTreeMap;

/// What a minute over the objective is worth, in minutes of the fleet, and the advisor's setting for it.
pub const KAPPAS: [(f64, &str); 3] = [(5.0, "cost"), (20.0, "balanced"), (100.0, "availability")];

/// The advisor's answer.
pub struct Advice {
    /// None where it leaves what stands.
    pub set_up: Option<SetUp>,
    /// Why it does.
    pub hold_reason: Option<String>,
    pub forecast: Option<Forecast>,
    /// Of one instance, per minute, and whether that is only the least.
    pub capacity: Option<f64>,
    pub is_at_least: bool,
}

/// What a plan promises for a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    pub violation_minutes: f64,
    /// The range in which four of five weeks should be; none where it does not say.
    pub range: Option<(f64, f64)>,
    pub instance_hours: f64,
}

/// Asks the advisor what it would set up where nothing is the matter but the policy.
///
/// # Errors
/// Where a request of the plan is not understood.
pub fn advise(observation: &Observation, standing: &Standing, objective: &str) -> Result<Advice, String> {
    let guardrails = guardrails(objective);
    let capacity = capacity::capacity(observation);
    let plan = plan::tune(observation, capacity.as_ref(), &guardrails);
    let plan = serde_json::to_value(&plan).unwrap();
    let set_up = requests::set_up(&plan, standing)?;
    Ok(Advice {
        hold_reason: plan["hold_reason"].as_str().map(str::to_owned),
        forecast: forecast(&plan["forecast"], set_up.is_some()),
        is_at_least: capacity.as_ref().is_some_and(|capacity| capacity.bound == Bound::AtLeast),
        capacity: capacity.map(|capacity| capacity.invocations_per_instance_per_minute.0),
        set_up,
    })
}

/// Limits that hinder nothing, with one of the advisor's objectives.
pub fn guardrails(objective: &str) -> Guardrails {
    let settings = Settings::read(|name| {
        let value = match name {
            "ADVISOR_OBJECTIVE" => objective,
            "ADVISOR_MAX_INSTANCES" => "400",
            "ADVISOR_EXISTING_TARGETS" => "raise",
            _ => return None,
        };
        Some(value.to_owned())
    });
    settings.for_endpoint(Some(&BTreeMap::new()))
}

/// The same with only the last hours of history.
pub fn shortened(observation: &Observation, hours: i64) -> Observation {
    let mut seen = observation.clone();
    let minutes = hours * 60;
    let first = seen.last_minute().plus(1 - minutes);
    for series in &mut seen.metrics.0 {
        let values = (0..minutes).map(|minute| series.at(first.plus(minute))).collect();
        *series = Series::new(series.metric, series.statistic, first, values);
    }
    if let Some(activities) = seen.scaling.as_mut().and_then(|scaling| scaling.activities.as_mut()) {
        activities.retain(|activity| activity.started_at >= first.start());
    }
    seen
}

/// Reads the forecast of the plan that was made, scaled to a week; of what stands where the plan holds.
fn forecast(forecast: &Value, is_planned: bool) -> Option<Forecast> {
    let of = &forecast[if is_planned { "planned" } else { "current" }];
    let weeks = forecast["days"].as_f64().filter(|days| *days > 0.0)? / 7.0;
    let minutes = &of["slo_violation_minutes"];
    let range = ["slo_violation_minutes_range", "slo_violation_minutes_p10_p90", "range"]
        .iter()
        .find_map(|name| pair(&of[*name]))
        .or_else(|| {
            let end = |names: [&str; 3]| names.iter().find_map(|name| of[*name].as_f64());
            let low = ["slo_violation_minutes_low", "slo_violation_minutes_p10", "violation_minutes_low"];
            let high = ["slo_violation_minutes_high", "slo_violation_minutes_p90", "violation_minutes_high"];
            Some((end(low)?, end(high)?))
        });
    Some(Forecast {
        violation_minutes: minutes.as_f64()? / weeks,
        range: range.map(|(low, high)| (low / weeks, high / weeks)),
        instance_hours: of["instance_hours"].as_f64()? / weeks,
    })
}

/// `[1, 2]`, or an object with two ends.
fn pair(value: &Value) -> Option<(f64, f64)> {
    let end = |names: [&str; 2]| names.iter().find_map(|name| value[*name].as_f64());
    match value {
        Value::Array(ends) => Some((ends.first()?.as_f64()?, ends.get(1)?.as_f64()?)),
        _ => Some((end(["low", "p10"])?, end(["high", "p90"])?)),
    }
}
