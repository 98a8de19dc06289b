//! What a plan would have done over the history, for people.

use crate::model::{Forecast, Projection, ScalableDimension, Thousands};

/// One line for each set-up that was replayed, the present one first.
#[must_use]
pub fn lines(forecast: &Forecast, of: ScalableDimension) -> Vec<String> {
    let over = forecast.longest_wait.map(|wait| {
        format!(" (over the objective: the oldest request has waited more than {:.0} min)", f64::from(wait.0) / 60.0)
    });
    let days = if forecast.days == 1 { "1 day".to_owned() } else { format!("{} days", forecast.days) };
    let mut lines = vec![format!("replayed over {days} of this endpoint's own traffic{}:", over.unwrap_or_default())];
    lines.push(format!("as it is: {}", projection(&forecast.current, of)));
    lines.push(format!("as planned: {}", projection(&forecast.planned, of)));
    if let Some(fixed) = forecast.no_policy.filter(|fixed| *fixed != forecast.current) {
        lines.push(format!("with the {} of now and no policy: {}", of.units(), projection(&fixed, of)));
    }
    lines
}

/// What [`Projection::slo_violation_minutes`] and [`Projection::instance_hours`] count.
pub(super) fn units(of: ScalableDimension) -> (&'static str, &'static str) {
    match of {
        ScalableDimension::InstanceCount => ("minutes over the objective", "instance-hours"),
        ScalableDimension::CopyCount => ("minutes over the objective", "copy-hours"),
        ScalableDimension::ProvisionedConcurrency => {
            ("minutes with requests beyond provisioned concurrency", "unit-hours")
        }
    }
}

/// `412 minutes over the objective (310 to 520), 336 instance-hours`.
#[must_use]
pub fn projection(projection: &Projection, of: ScalableDimension) -> String {
    let (minutes, hours) = units(of);
    let whole = |value: f64| Thousands(value.round());
    let (low, high) = projection.slo_violation_minutes_range;
    let money = projection.usd.map(|usd| format!(", {usd:.2} USD")).unwrap_or_default();
    format!(
        "{} {minutes} ({} to {}), {} {hours}{money}",
        whole(projection.slo_violation_minutes),
        whole(low),
        whole(high),
        whole(projection.instance_hours),
    )
}
