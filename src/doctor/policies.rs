//! Rules about scaling policies: what they follow, and how.

use super::commands::{delete_policy, put_policy};
use super::patient::Patient;
use super::published;
use super::rule::Found;
use super::words::{adds, duration, named, policy as the_policy, removes};
use crate::model::{
    Bound, CloudWatchAlarm, CustomizedMetricSpecification, Hosting, InvocationsPerInstance, Metric,
    PolicyConfiguration, ScalingPolicy, TargetTracking, Thousands,
};

/// Metrics that do not fall in proportion to added instances, as target tracking assumes.
const NOT_BY_INSTANCES: [&str; 11] = [
    "ModelLatency",
    "OverheadLatency",
    "ModelSetupTime",
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "ApproximateBacklogSize",
    "ApproximateAgeOfOldestRequest",
    "TimeInBacklog",
    "TotalProcessingTime",
];
/// A target that leaves so much of an instance idle was most likely meant as percent of the whole instance.
const FORGOTTEN_CORES: f64 = 0.4;
/// A new alarm has its first datapoints by then.
const ALARM_SETTLES_SECONDS: i64 = 900;
/// Requests so lately would show in an alarm's metric.
const JUST_NOW_MINUTES: i64 = 60;

/// The name of what a policy follows; none of metric math.
fn metric_name(tracking: &TargetTracking) -> Option<&str> {
    if let Some(customized) = &tracking.customized {
        return Some(&customized.metric_name);
    }
    let metric = tracking.metric.as_deref()?;
    match published::predefined(metric) {
        Some((name, _)) => Some(name),
        None => metric.rsplit('/').next().filter(|_| metric.contains('/')),
    }
}

/// A target above what one instance carries, or above what its metric can reach.
pub(super) fn target_above_capacity(patient: &Patient<'_>) -> Vec<Found> {
    patient.tracking().filter_map(|(policy, tracking)| above(patient, policy, tracking)).collect()
}

fn above(patient: &Patient<'_>, policy: &ScalingPolicy, tracking: &TargetTracking) -> Option<Found> {
    let target = tracking.target_value;
    let name = metric_name(tracking)?;
    if matches!(name, "InvocationsPerInstance" | "InvocationsPerCopy") {
        let need = patient.need.as_ref().filter(|need| need.capacity.bound == Bound::Estimate)?;
        if target <= need.capacity.invocations_per_instance_per_minute.0 {
            return None;
        }
        let evidence = format!(
            "{} keeps {} per instance and minute, and {} with {} within {}.",
            capital(&the_policy(policy)),
            InvocationsPerInstance(target),
            need.capacity_in_words(),
            need.capacity.slo_statistic,
            need.capacity.latency_slo_ms
        );
        let advised = patient.tuned().put_scaling_policies.iter().find_map(|policy| match &policy.configuration {
            PolicyConfiguration::TargetTracking(tracking) => {
                matches!(&tracking.metric, crate::model::MetricSpecification::Predefined(_))
                    .then_some(tracking.target_value)
            }
            PolicyConfiguration::Steps(_) => None,
        });
        let Some(lower) = advised.filter(|lower| *lower < target) else {
            return Some(Found::new(evidence, "Lower the target below what an instance sustains."));
        };
        let command = put_policy(patient, policy, |policy| {
            policy.target_tracking.iter_mut().for_each(|tracking| tracking.target_value = lower);
        });
        let fix = format!("Lower the target to {}, which its own history asks for.", InvocationsPerInstance(lower));
        return Some(Found::new(evidence, fix).with(command));
    }
    let (units, what) = utilization_units(patient, tracking)?;
    let most = 100.0 * units;
    (target >= most).then(|| {
        let evidence = format!(
            "{} keeps {name} at {}, and {} {what} reach {} at most.",
            capital(&the_policy(policy)),
            Thousands(target),
            Thousands(units),
            Thousands(most)
        );
        Found::new(evidence, format!("Lower the target: {} is 60 % of the instance.", Thousands(60.0 * units))).with(
            put_policy(patient, policy, |policy| {
                policy.target_tracking.iter_mut().for_each(|tracking| tracking.target_value = 60.0 * units);
            }),
        )
    })
}

/// vCPUs or GPUs behind a utilisation metric that is summed over them.
fn utilization_units(patient: &Patient<'_>, tracking: &TargetTracking) -> Option<(f64, &'static str)> {
    let customized = tracking.customized.as_ref().filter(|metric| metric.statistic == "Average")?;
    let variant = &patient.observation.variant;
    let (units, what) = match customized.metric_name.as_str() {
        "CPUUtilization" => (variant.vcpus()?, "vCPUs"),
        "GPUUtilization" | "GPUMemoryUtilization" => (variant.gpus()?, "GPUs"),
        _ => return None,
    };
    (units >= 1.0).then_some((units, what))
}

/// Utilisation is summed over cores: 60 of 400 is little.
pub(super) fn forgotten_cores(patient: &Patient<'_>) -> Vec<Found> {
    let found = |(policy, tracking): (&ScalingPolicy, &TargetTracking)| {
        let (units, what) = utilization_units(patient, tracking)?;
        let (target, most) = (tracking.target_value, 100.0 * units);
        // Ours were sized on the history of the endpoint.
        if policy.is_ours() || target > 100.0 || target >= FORGOTTEN_CORES * most {
            return None;
        }
        let meant = target * units;
        let evidence = format!(
            "{} keeps {} at {}, which is {:.0} % of its {} {what}.",
            capital(&the_policy(policy)),
            tracking.customized.as_ref()?.metric_name,
            Thousands(target),
            100.0 * target / most,
            Thousands(units)
        );
        let fix = format!("If {} % of the instance is meant, the target is {}.", Thousands(target), Thousands(meant));
        let command = put_policy(patient, policy, |policy| {
            policy.target_tracking.iter_mut().for_each(|tracking| tracking.target_value = meant);
        });
        Some(Found::new(evidence, fix).with(command))
    };
    patient.tracking().filter_map(found).collect()
}

/// A metric that does not exist for this way of hosting, or that more instances do not lower.
pub(super) fn wrong_metric(patient: &Patient<'_>) -> Vec<Found> {
    let hosting = patient.observation.hosting;
    let found = |(policy, tracking): (&ScalingPolicy, &TargetTracking)| {
        let target = Thousands(tracking.target_value);
        let predefined = tracking.metric.as_deref().and_then(published::predefined);
        let why = match (predefined, metric_name(tracking)?) {
            (Some((name, hostings)), _) if !hostings.contains(&hosting) => {
                format!("{name}, of which {} hosting has no datapoints", hosting_in_words(hosting))
            }
            (None, name) if is_of_sagemaker(tracking) && NOT_BY_INSTANCES.contains(&name) => {
                format!("{name}, which does not fall in proportion to the instances that are added")
            }
            (None, name) if is_of_sagemaker(tracking) && published::is_missing_for(name, hosting) => {
                format!("{name}, of which {} hosting has no datapoints", hosting_in_words(hosting))
            }
            _ => return None,
        };
        let evidence = format!("{} keeps a target of {target} of {why}.", capital(&the_policy(policy)));
        let fix = format!("Delete it, and track {} instead.", right_metric(hosting));
        Some(Found::new(evidence, fix).with(delete_policy(patient, policy)))
    };
    patient.tracking().filter_map(found).collect()
}

fn is_of_sagemaker(tracking: &TargetTracking) -> bool {
    let namespace =
        tracking.metric.as_deref().and_then(|metric| metric.rsplit_once('/')).map(|(namespace, _)| namespace);
    namespace.is_some_and(crate::model::is_of_sagemaker)
}

fn hosting_in_words(hosting: Hosting) -> String {
    hosting.to_string()
}

fn right_metric(hosting: Hosting) -> &'static str {
    match hosting {
        Hosting::RealTime | Hosting::MultiModel | Hosting::MultiContainer => "SageMakerVariantInvocationsPerInstance",
        Hosting::InferenceComponent => "SageMakerInferenceComponentInvocationsPerCopy",
        Hosting::Serverless => "SageMakerVariantProvisionedConcurrencyUtilization",
        Hosting::Asynchronous => "ApproximateBacklogSizePerInstance",
    }
}

/// A customised metric by names under which nothing is published.
pub(super) fn unpublished_metric(patient: &Patient<'_>) -> Vec<Found> {
    let found = |(policy, tracking): (&ScalingPolicy, &TargetTracking)| {
        let customized = tracking.customized.as_ref()?;
        let CustomizedMetricSpecification { metric_name, namespace, dimensions, unit, .. } = customized;
        let problem = published::problem(namespace, metric_name, dimensions, patient.observation);
        let published_in = published::unit(metric_name).filter(|_| crate::model::is_of_sagemaker(namespace));
        let wrong_unit = unit.as_ref().zip(published_in).filter(|(unit, right)| unit.as_str() != *right);
        let problem = problem.or_else(|| {
            wrong_unit.map(|(unit, right)| format!("{metric_name} is published in {right}, not in {}", named(unit)))
        })?;
        let evidence = format!(
            "{} follows {} with {} dimension{}: {problem}.",
            capital(&the_policy(policy)),
            named(&customized.id()),
            dimensions.len(),
            if dimensions.len() == 1 { "" } else { "s" }
        );
        let right = published::dimensions(metric_name, patient.observation);
        let command = right.and_then(|right| {
            put_policy(patient, policy, |policy| {
                let customized = policy.target_tracking.as_mut().and_then(|tracking| tracking.customized.as_mut());
                if let Some(customized) = customized {
                    customized.dimensions = right;
                    customized.unit = None;
                    if let Some(home) = published::metric(&customized.metric_name).map(Metric::namespace) {
                        home.clone_into(&mut customized.namespace);
                    }
                }
            })
        });
        Some(Found::new(evidence, "Put it with the names under which SageMaker publishes it.").with(command))
    };
    patient.tracking().filter_map(found).collect()
}

/// A statistic of load that does not measure load.
pub(super) fn wrong_statistic(patient: &Patient<'_>) -> Vec<Found> {
    let found = |(policy, tracking): (&ScalingPolicy, &TargetTracking)| {
        let customized = tracking.customized.as_ref()?;
        let statistic = customized.statistic.as_str();
        let (why, right) = match customized.metric_name.as_str() {
            "ConcurrentRequestsPerModel" | "ConcurrentRequestsPerCopy" => match statistic {
                "Sum" => ("adds up what six samples of a minute and all instances say", "Maximum"),
                "SampleCount" => ("counts samples, not requests", "Maximum"),
                "Minimum" => ("is the least busy instance at its quietest", "Maximum"),
                _ => return None,
            },
            "InvocationsPerInstance" | "InvocationsPerCopy" if statistic != "Sum" => {
                ("is 1 over the instances for each request, whatever the load", "Sum")
            }
            _ => return None,
        };
        let evidence = format!(
            "{} keeps the {} of {} at {}; it {why}.",
            capital(&the_policy(policy)),
            named(statistic),
            customized.metric_name,
            Thousands(tracking.target_value)
        );
        let command = put_policy(patient, policy, |policy| {
            let customized = policy.target_tracking.as_mut().and_then(|tracking| tracking.customized.as_mut());
            customized.into_iter().for_each(|customized| right.clone_into(&mut customized.statistic));
        });
        let fix = format!("Track its {right}; look whether the target fits that.");
        Some(Found::new(evidence, fix).with(command))
    };
    patient.tracking().filter_map(found).collect()
}

/// Policies that follow the same, or pull in two directions.
pub(super) fn competing(patient: &Patient<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    let tracking: Vec<_> = patient.tracking().collect();
    for (index, (policy, one)) in tracking.iter().enumerate() {
        let Some(name) = metric_name(one) else { continue };
        let twin = tracking.iter().skip(index + 1).find(|(_, other)| metric_name(other) == Some(name));
        if let Some((other, twin)) = twin {
            let evidence = format!(
                "{} keeps {name} at {}, and {} at {}.",
                capital(&the_policy(policy)),
                Thousands(one.target_value),
                the_policy(other),
                Thousands(twin.target_value)
            );
            // The lower target always wins: the larger capacity is what counts.
            let loser = if one.target_value > twin.target_value { policy } else { other };
            let fix = format!("Delete {}: the lower target decides anyway.", the_policy(loser));
            all.push(Found::new(evidence, fix).with(delete_policy(patient, loser)));
        }
    }
    let keeps = tracking.iter().find(|(_, tracking)| !tracking.disable_scale_in);
    let steps = patient.policies().iter().filter_map(|policy| Some((policy, policy.step_scaling.as_ref()?)));
    for (policy, steps) in steps.filter(|(_, steps)| removes(steps)) {
        let Some((other, tracking)) = keeps else { continue };
        let least = steps.steps.iter().map(|step| step.adjustment).min().unwrap_or_default();
        let evidence = format!(
            "{} removes instances by itself ({} {least:+}) while {} keeps a target of {}.",
            capital(&the_policy(policy)),
            named(&steps.adjustment_type),
            the_policy(other),
            Thousands(tracking.target_value)
        );
        let fix = "Let target tracking alone scale in: delete the steps that remove.";
        let command = if adds(steps) { None } else { delete_policy(patient, policy) };
        all.push(Found::new(evidence, fix).with(command));
    }
    all
}

/// A policy that no alarm fires.
pub(super) fn alarm_does_not_fire(patient: &Patient<'_>) -> Vec<Found> {
    patient.policies().iter().filter_map(|policy| unfired(patient, policy)).collect()
}

fn unfired(patient: &Patient<'_>, policy: &ScalingPolicy) -> Option<Found> {
    let key = patient.key()?;
    let known = || policy.alarms.iter().flatten();
    let fires = |alarm: &&CloudWatchAlarm| {
        alarm.fires(&policy.policy_name, &key) || known().any(|known| known.alarm_name == alarm.alarm_name)
    };
    let is_tracking = policy.target_tracking.is_some();
    let mut firing: Vec<_> = patient.alarms().iter().filter(fires).collect();
    let total = firing.len();
    if is_tracking {
        firing.retain(|alarm| alarm.is_on_high());
    }
    // Application Auto Scaling named one that exists, wherever its action leads.
    if firing.is_empty() && known().any(|alarm| !is_tracking || alarm.is_on_high()) {
        return None;
    }
    let again = || put_policy(patient, policy, |_| {});
    let alarm = match firing.first() {
        None => {
            let evidence = format!(
                "{} of {} alarms on it and its policies {} {}{}.",
                total,
                patient.alarms().len(),
                if total == 1 { "names" } else { "name" },
                the_policy(policy),
                if is_tracking { ", and none on high values" } else { "" }
            );
            return Some(if is_tracking {
                Found::new(evidence, "Put the policy again: Application Auto Scaling then makes its alarms.")
                    .with(again())
            } else {
                Found::new(evidence, "Put an alarm whose action is the ARN of the policy, or delete the policy.")
                    .with(delete_policy(patient, policy))
            });
        }
        Some(alarm) => alarm,
    };
    let silent = firing.iter().all(|alarm| alarm.state == "INSUFFICIENT_DATA");
    let seconds = alarm.state_since.map(|since| patient.observation.at.as_second() - since.as_second())?;
    let has_nothing_to_say = alarm.metrics.iter().any(|metric| {
        // Published only while something is wrong, or while there are instances.
        metric.is(Metric::HasBacklogWithoutCapacity)
            || metric.is(Metric::NoCapacityInvocationFailures)
            || metric.is(Metric::ApproximateBacklogSizePerInstance)
    });
    if !silent || has_nothing_to_say || seconds < ALARM_SETTLES_SECONDS || !patient.was_used_within(JUST_NOW_MINUTES) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since an alarm changed")]
    let evidence = format!(
        "The alarm {} of {} has been in INSUFFICIENT_DATA for {}, while requests came.",
        named(&alarm.alarm_name),
        the_policy(policy),
        duration(seconds as f64)
    );
    let fix = "See that its metric has datapoints (namespace, dimensions, unit); put the policy again where its alarm was \
               changed by hand.";
    Some(Found::new(evidence, fix).with(again().filter(|_| is_tracking)))
}

/// A sentence begins with a capital letter.
fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
