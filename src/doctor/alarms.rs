//! Rules about alarms: that there is one on latency, and that it means what it says.

use super::commands::{alarm as the_alarm, put_alarm, tool};
use super::patient::Patient;
use super::published;
use super::rule::Found;
use super::words::{duration, named};
use crate::model::{
    CloudWatchAlarm, History, InvocationsPerInstance, Metric, Microseconds, Minute, Observation, Statistic, Thousands,
    WatchedMetric,
};
use crate::statistics::median;

/// A threshold ten times below what is usual is no tight objective but another unit.
const OTHER_UNIT: f64 = 10.0;
/// Nothing answers over HTTP in less than a millisecond.
const LEAST_MICROSECONDS: f64 = 1_000.0;
/// A streamed answer may take eight minutes, an asynchronous one an hour: no ModelLatency is above.
const MOST_MICROSECONDS: (f64, f64) = (8.0 * 60e6, 60.0 * 60e6);
/// A quarter above what is usual, as the diagnosis advises where an objective is too tight.
const ABOVE_USUAL: f64 = 1.25;
/// So many minutes say what is usual.
const LEAST_MINUTES: usize = 60;

/// Alarms that people made, and metrics in them.
fn of_people<'a>(patient: &'a Patient<'_>) -> impl Iterator<Item = &'a CloudWatchAlarm> {
    patient.alarms().iter().filter(|alarm| !alarm.is_of_target_tracking())
}

/// Nothing wakes anybody when it is slow.
pub(super) fn missing(patient: &Patient<'_>) -> Vec<Found> {
    let observation = patient.observation;
    let (first, second) = if observation.is_asynchronous() {
        (Metric::ApproximateAgeOfOldestRequest, Some(Metric::ApproximateBacklogSize))
    } else {
        (Metric::ModelLatency, None)
    };
    let watches = |alarm: &CloudWatchAlarm| {
        let is_right = |metric: &WatchedMetric| {
            (metric.is(first) || second.is_some_and(|second| metric.is(second)))
                && problem(metric, observation).is_none()
        };
        // Anomaly detection may watch both ends.
        let is_on_high = alarm.is_on_high() || alarm.comparison_operator.contains("GreaterThan");
        !alarm.is_of_scaling() && is_on_high && alarm.metrics.iter().any(is_right)
    };
    if !patient.is_used() || of_people(patient).any(watches) {
        return Vec::new();
    }
    let count = of_people(patient).filter(|alarm| !alarm.is_of_scaling()).count();
    let evidence = format!("0 of {count} alarms on it watch {first}.");
    vec![
        Found::new(evidence, "Make one whose threshold and low-sample handling fit its traffic.")
            .with([tool(patient, "alarms")]),
    ]
}

fn problem(metric: &WatchedMetric, observation: &Observation) -> Option<String> {
    published::problem(&metric.namespace, &metric.metric_name, &metric.dimensions, observation)
}

/// An alarm by names under which nothing is published.
pub(super) fn unpublished_metric(patient: &Patient<'_>) -> Vec<Found> {
    let observation = patient.observation;
    let found = |alarm: &CloudWatchAlarm| {
        let (metric, problem) =
            alarm.metrics.iter().find_map(|metric| Some((metric, problem(metric, observation)?)))?;
        let evidence = format!(
            "{} watches {} with {} dimension{}: {problem}.",
            the(alarm),
            named(&metric.metric_name),
            metric.dimensions.len(),
            if metric.dimensions.len() == 1 { "" } else { "s" }
        );
        let right = published::dimensions(&metric.metric_name, observation);
        let home = published::metric(&metric.metric_name).map(Metric::namespace);
        let command = right.and_then(|right| {
            put_alarm(alarm, |_, metric| {
                metric.dimensions = right;
                home.into_iter().for_each(|home| home.clone_into(&mut metric.namespace));
            })
        });
        let found =
            Found::new(evidence, "Put it with the names under which SageMaker publishes the metric.").with(command);
        // Several variants have it in common.
        let is_common = metric.dimension("VariantName").is_none() && observation.component.is_none();
        Some(if is_common { found.about(observation.endpoint_name.to_string()) } else { found })
    };
    of_people(patient).filter_map(found).collect()
}

/// A statistic that hides what it should show.
pub(super) fn wrong_statistic(patient: &Patient<'_>) -> Vec<Found> {
    let found = |alarm: &CloudWatchAlarm| {
        let (metric, why, right) =
            alarm.metrics.iter().filter(|metric| metric.is_of_sagemaker()).find_map(|metric| {
                let (why, right) = statistic_problem(metric)?;
                Some((metric, why, right))
            })?;
        let threshold = alarm.threshold.map(|at| format!(" at {}", Thousands(at))).unwrap_or_default();
        let evidence = format!(
            "{} watches the {} of {}{threshold}, {} of {} datapoints: it {why}.",
            the(alarm),
            named(&metric.statistic),
            named(&metric.metric_name),
            alarm.datapoints_to_alarm,
            alarm.evaluation_periods
        );
        let fix = format!("Watch its {right}; look whether the threshold fits that.");
        Some(Found::new(evidence, fix).with(put_alarm(alarm, |_, metric| right.clone_into(&mut metric.statistic))))
    };
    of_people(patient).filter_map(found).collect()
}

fn statistic_problem(metric: &WatchedMetric) -> Option<(&'static str, &'static str)> {
    let statistic = metric.statistic.as_str();
    match metric.metric_name.as_str() {
        "ModelLatency" | "OverheadLatency" => match statistic {
            "Sum" => Some(("grows with the number of requests", "p90")),
            "SampleCount" => Some(("counts requests", "p90")),
            "Minimum" => Some(("is the fastest request", "p90")),
            _ => None,
        },
        "InvocationsPerInstance" | "InvocationsPerCopy" if ["Average", "Minimum", "Maximum"].contains(&statistic) => {
            Some(("is 1 over the instances, whatever the load", "Sum"))
        }
        "Invocations" if ["Average", "Minimum", "Maximum"].contains(&statistic) => {
            Some(("is 1 for every request", "Sum"))
        }
        "CPUUtilization" | "GPUUtilization" | "MemoryUtilization" if ["Sum", "SampleCount"].contains(&statistic) => {
            Some(("grows with the number of instances", "Average"))
        }
        _ => None,
    }
}

/// A threshold or a unit that the metric does not have.
pub(super) fn wrong_unit(patient: &Patient<'_>) -> Vec<Found> {
    of_people(patient).filter_map(|alarm| unit_problem(patient, alarm)).collect()
}

fn unit_problem(patient: &Patient<'_>, alarm: &CloudWatchAlarm) -> Option<Found> {
    let asked = alarm.metrics.iter().filter(|metric| metric.is_of_sagemaker()).find_map(|metric| {
        let right = published::unit(&metric.metric_name)?;
        metric.unit.as_deref().filter(|unit| *unit != right).map(|unit| (metric, unit, right))
    });
    if let Some((metric, unit, right)) = asked {
        let evidence = format!(
            "{} asks for {} in {}; SageMaker publishes it in {right}, so that 0 datapoints match.",
            the(alarm),
            named(&metric.metric_name),
            named(unit)
        );
        let found = Found::new(evidence, "Leave the unit away; look whether the threshold is in the published one.");
        return Some(found.with(put_alarm(alarm, |_, metric| metric.unit = None)));
    }
    let (_, threshold) = latency_threshold(alarm)?;
    let normal = normal(patient, alarm);
    let most = if patient.observation.is_asynchronous() { MOST_MICROSECONDS.1 } else { MOST_MICROSECONDS.0 };
    let right = if threshold > most {
        None
    } else if normal.is_some_and(|normal| threshold * OTHER_UNIT < normal)
        || (normal.is_none() && threshold < LEAST_MICROSECONDS)
    {
        // Written in milliseconds, or in seconds.
        [1e3, 1e6].into_iter().map(|unit| threshold * unit).find(|right| {
            normal.map_or(*right >= LEAST_MICROSECONDS, |normal| right * OTHER_UNIT >= normal) && *right <= most
        })
    } else {
        return None;
    };
    let usual = normal.map(|normal| format!("; {} is usual", Microseconds(normal))).unwrap_or_default();
    let evidence =
        format!("{} has a threshold of {}, which is {}{usual}.", the(alarm), Thousands(threshold), in_words(threshold));
    Some(match right {
        Some(right) => {
            Found::new(evidence, format!("Put it at {}, if {} was meant.", Thousands(right), Microseconds(right)))
                .with(put_alarm(alarm, |alarm, _| alarm.threshold = Some(right)))
        }
        None => Found::new(evidence, "Put it at what callers can wait for, in microseconds.")
            .with([tool(patient, "alarms")]),
    })
}

/// Microseconds as people say them, the smallest too.
fn in_words(microseconds: f64) -> String {
    if microseconds < 100.0 {
        return format!("{microseconds} \u{b5}s");
    }
    Microseconds(microseconds).to_string()
}

/// The metric and the threshold, in microseconds, of an alarm that fires when latency is high.
fn latency_threshold(alarm: &CloudWatchAlarm) -> Option<(&WatchedMetric, f64)> {
    let metric = alarm.only_metric().filter(|metric| metric.is(Metric::ModelLatency))?;
    let threshold = alarm.threshold.filter(|threshold| threshold.is_finite() && *threshold > 0.0)?;
    (alarm.is_on_high() && statistic_problem(metric).is_none()).then_some((metric, threshold))
}

/// Microseconds that the statistic of the alarm shows in the quieter half of the minutes, or less: where that statistic was not
/// read, one that cannot be above it.
fn normal(patient: &Patient<'_>, alarm: &CloudWatchAlarm) -> Option<f64> {
    let (metric, _) = latency_threshold(alarm)?;
    let statistic: Statistic = metric.statistic.parse().ok()?;
    let metrics = &patient.observation.metrics;
    let lower = match statistic {
        Statistic::Percentile(hundredths) if hundredths >= 5_000 => Some(Statistic::P50),
        Statistic::Maximum => Some(Statistic::P50),
        _ => None,
    };
    let read = |statistic| metrics.series(Metric::ModelLatency, statistic);
    let series = read(statistic).or_else(|| read(lower?))?;
    let half = median(patient.history.0.values().filter_map(|row| row.load).map(|load| load.0));
    let is_quiet =
        |minute: &Minute| load_at(&patient.history, *minute).zip(half).is_none_or(|(load, half)| load.0 <= half);
    let quiet: Vec<f64> = series.points().filter(|(minute, _)| is_quiet(minute)).map(|(_, value)| value).collect();
    median(quiet.iter().copied()).filter(|normal| quiet.len() >= LEAST_MINUTES && *normal > 0.0)
}

fn load_at(history: &History, minute: Minute) -> Option<InvocationsPerInstance> {
    history.0.get(&minute)?.load
}

/// A threshold below what is normal.
pub(super) fn threshold_below_normal(patient: &Patient<'_>) -> Vec<Found> {
    let found = |alarm: &CloudWatchAlarm| {
        let (metric, threshold) = latency_threshold(alarm)?;
        let normal = normal(patient, alarm).filter(|normal| threshold <= *normal)?;
        if threshold * OTHER_UNIT < normal {
            return None;
        }
        let evidence = format!(
            "{} fires above {}, and in the quieter half of the minutes {} is {} or more.",
            the(alarm),
            Microseconds(threshold),
            named(&metric.statistic),
            Microseconds(normal)
        );
        let usual = round_up(ABOVE_USUAL * normal);
        let fix = format!(
            "Put it at {}, a quarter above what is usual, or make the model faster where {} is what callers need.",
            Microseconds(usual),
            Microseconds(threshold)
        );
        Some(Found::new(evidence, fix).with(put_alarm(alarm, |alarm, _| alarm.threshold = Some(usual))))
    };
    of_people(patient).filter_map(found).collect()
}

/// Two digits are as exact as a threshold has to be.
fn round_up(value: f64) -> f64 {
    let step = 10.0_f64.powf(value.log10().floor() - 1.0);
    (value / step).ceil() * step
}

/// A percentile of fewer requests than it takes.
pub(super) fn low_samples(patient: &Patient<'_>) -> Vec<Found> {
    let arrivals = patient.history.0.values().filter_map(|row| row.invocations).map(|arrived| arrived.0);
    let Some(usual) = median(arrivals.filter(|arrived| *arrived > 0.0)) else { return Vec::new() };
    let found = |alarm: &CloudWatchAlarm| {
        let (metric, threshold) = latency_threshold(alarm)?;
        let statistic =
            metric.statistic.parse().ok().filter(|statistic| matches!(statistic, Statistic::Percentile(_)))?;
        if alarm.evaluate_low_sample_count_percentile.as_deref() == Some("ignore") {
            return None;
        }
        let minutes = f64::from(metric.period.0) / 60.0 * f64::from(alarm.evaluation_periods);
        let (samples, needed) = (usual * minutes, statistic.samples_needed());
        if samples >= needed {
            return None;
        }
        let evidence = format!(
            "{} judges {} above {} by about {} requests in {}, and {statistic} takes {} of them.",
            the(alarm),
            named(&metric.statistic),
            Microseconds(threshold),
            Thousands(samples.round()),
            duration(60.0 * minutes),
            Thousands(needed)
        );
        let command = put_alarm(alarm, |alarm, _| {
            alarm.evaluate_low_sample_count_percentile = Some("ignore".to_owned());
        });
        Some(Found::new(evidence, "Let it keep its state while there are too few.").with(command))
    };
    of_people(patient).filter_map(found).collect()
}

/// At the beginning of a sentence.
fn the(alarm: &CloudWatchAlarm) -> String {
    the_alarm(alarm).replacen('t', "T", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistic_that_says_nothing_of_its_metric_has_another_in_its_place() {
        let instead = |metric_name: &str, statistic: &str| {
            let metric = WatchedMetric {
                namespace: "AWS/SageMaker".to_owned(),
                metric_name: metric_name.to_owned(),
                dimensions: Vec::new(),
                statistic: statistic.to_owned(),
                period: crate::model::Seconds(60),
                unit: None,
            };
            statistic_problem(&metric).map(|(_, right)| right)
        };
        for (metric, statistic, right) in [
            ("ModelLatency", "Sum", Some("p90")),
            ("ModelLatency", "SampleCount", Some("p90")),
            ("ModelLatency", "Minimum", Some("p90")),
            ("ModelLatency", "Average", None),
            ("InvocationsPerInstance", "Average", Some("Sum")),
            ("InvocationsPerInstance", "Sum", None),
            ("Invocations", "Maximum", Some("Sum")),
            ("Invocations", "SampleCount", None),
            ("CPUUtilization", "Sum", Some("Average")),
            ("CPUUtilization", "SampleCount", Some("Average")),
            ("CPUUtilization", "Maximum", None),
            ("Orders", "Sum", None),
        ] {
            assert_eq!(instead(metric, statistic), right, "{metric} {statistic}");
        }
    }
}
