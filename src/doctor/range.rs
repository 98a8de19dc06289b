//! Rules about the scalable target: whether there is one, and what it lets happen.

use super::commands::{new_configuration, raise_quota, register, scaling, tool};
use super::patient::Patient;
use super::room::{counted, running_in_words};
use super::rule::Found;
use super::words::named;
use crate::export::commands;
use crate::model::{Action, InstanceCount, InstanceType, ScalableDimension, ScalableKey};
use serde_json::json;

/// Five minutes beyond are a limit that was met; fewer may be single minutes that a queue outlasts.
const MINUTES_BEYOND: usize = 5;
/// A shorter history has not shown every day of the week: nothing is said to be too much.
const WEEK_HOURS: f64 = 160.0;
/// Two instances in two Availability Zones outlast the loss of one.
pub(super) const LEAST_AVAILABLE: InstanceCount = InstanceCount(2);
/// "Far above need" begins where at least a third is never used: below that, growth and the advice of next month take it back.
const SUPERFLUOUS: f64 = 1.0 / 3.0;

/// Nothing scales it.
pub(super) fn no_target(patient: &Patient<'_>) -> Vec<Found> {
    let (Some(running), true, None) = (patient.running(), patient.can_be_scaled(), patient.target()) else {
        return Vec::new();
    };
    let of = patient.observation.dimension();
    let need = patient.need.as_ref().map(|need| format!("; {}", need.peak_in_words())).unwrap_or_default();
    let evidence = format!("{}, and no scalable target is registered{need}.", running_in_words(running, of));
    vec![as_advised(patient, evidence)]
}

/// A target that nothing moves within.
pub(super) fn no_policy(patient: &Patient<'_>) -> Vec<Found> {
    let Some(target) = patient.target() else { return Vec::new() };
    if !patient.policies().is_empty() || !patient.scheduled_actions().is_empty() {
        return Vec::new();
    }
    let evidence = format!(
        "The scalable target allows {} to {}, and has 0 policies and 0 scheduled actions.",
        target.min_capacity, target.max_capacity
    );
    vec![as_advised(patient, evidence)]
}

/// What its history asks for.
fn as_advised(patient: &Patient<'_>, evidence: String) -> Found {
    let plan = patient.tuned();
    let look = if patient.serves_callers() { tool(patient, "replay") } else { tool(patient, "explain") };
    if plan.action == Action::Scale {
        let fix = "Put what its own history asks for; the first command shows how it would have done.";
        return Found::new(evidence, fix).with([look]).with(commands(plan));
    }
    let why = plan.hold_reason.map(|reason| format!(" (No range and policy can be named: {}.)", reason.text()));
    let fix = format!("Register a range and put a policy.{}", why.unwrap_or_default());
    Found::new(evidence, fix).with([tool(patient, "explain")])
}

/// It runs all that it may.
pub(super) fn no_headroom(patient: &Patient<'_>) -> Vec<Found> {
    let (Some(target), Some(running)) = (patient.target(), patient.running()) else { return Vec::new() };
    if running < target.max_capacity || target.min_capacity == target.max_capacity || target.max_capacity.0 == 0 {
        return Vec::new();
    }
    let of = patient.observation.dimension();
    let evidence = format!("{}, and MaxCapacity is {}.", running_in_words(running, of), target.max_capacity);
    vec![raise_max(patient, evidence, running, "")]
}

/// The target cannot scale.
pub(super) fn fixed_range(patient: &Patient<'_>) -> Vec<Found> {
    let Some(target) = patient.target().filter(|target| target.min_capacity == target.max_capacity) else {
        return Vec::new();
    };
    // A schedule may move it.
    let moves = patient.scheduled_actions().iter().any(|action| {
        action.min_capacity.is_some_and(|min| min != target.min_capacity)
            || action.max_capacity.is_some_and(|max| max != target.max_capacity)
    });
    if moves {
        return Vec::new();
    }
    let evidence = format!("MinCapacity and MaxCapacity are both {}.", target.max_capacity);
    vec![raise_max(patient, evidence, target.max_capacity, ", or lower MinCapacity")]
}

/// Max with room for half as much again as the busiest minute had, or as runs.
fn raise_max(patient: &Patient<'_>, evidence: String, running: InstanceCount, or: &str) -> Found {
    let least = InstanceCount(running.0.saturating_add(running.0.div_ceil(2).max(1)));
    let (max, why) = match &patient.need {
        Some(need) if need.room > running => {
            (need.room, format!("{}, and half as much again fits", need.peak_in_words()))
        }
        _ => (least, "half as much again as runs".to_owned()),
    };
    let min = patient.target().map_or(InstanceCount(1), |target| target.min_capacity);
    Found::new(evidence, format!("Raise MaxCapacity to {max}{or}: {why}.")).with(register(patient, min, max))
}

/// Scaling is switched off.
pub(super) fn suspended(patient: &Patient<'_>) -> Vec<Found> {
    let (Some(target), Some(key)) = (patient.target(), patient.key()) else { return Vec::new() };
    let suspended: Vec<&str> = [
        (target.is_scale_out_suspended, "scaling out"),
        (target.is_scale_in_suspended, "scaling in"),
        (target.is_schedule_suspended, "scheduled scaling"),
    ]
    .into_iter()
    .filter_map(|(is_suspended, what)| is_suspended.then_some(what))
    .collect();
    if suspended.is_empty() {
        return Vec::new();
    }
    let evidence = format!(
        "{} of 3 kinds of scaling {} suspended: {}.",
        suspended.len(),
        if suspended.len() == 1 { "is" } else { "are" },
        suspended.join(", ")
    );
    let off = json!({ "SuspendedState": {
        "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false } });
    vec![Found::new(evidence, "Resume it.").with([scaling("register-scalable-target", &key, off)])]
}

/// A target on a dimension that the variant does not have, or that SageMaker itself scales.
pub(super) fn wrong_dimension(patient: &Patient<'_>) -> Vec<Found> {
    let observation = patient.observation;
    let targets = patient.account.and_then(|account| account.targets.as_ref()).into_iter().flatten();
    let of_variant = |variant| ScalableKey::of_variant(&observation.endpoint_name, variant);
    let on = observation.component.as_ref().and_then(|component| component.variant_name.as_ref());
    let is_managed = observation.variant.managed_instance_scaling.is_some_and(|scaling| scaling.is_enabled);
    let own = patient.key();
    let found = targets.filter_map(|target| {
        let key = &target.key;
        if on.filter(|_| is_managed).is_some_and(|variant| *key == of_variant(variant)) {
            let evidence = format!(
                "The scalable target `{}` sets {} to {} instances of a variant whose instances SageMaker scales itself for \
                 the copies on it.",
                key.resource_id, target.min_capacity, target.max_capacity
            );
            let found = Found::new(evidence, "Deregister it; ManagedInstanceScaling adds instances where copies need room.");
            let about = key.resource_id.clone();
            return Some(found.about(about).with([scaling("deregister-scalable-target", key, json!({}))]));
        }
        let own = own.as_ref()?;
        (key.resource_id == own.resource_id && key.scalable_dimension != own.scalable_dimension).then(|| {
            let evidence = format!(
                "It is registered from {} to {} as {}; {} scales by `{}`.",
                target.min_capacity,
                target.max_capacity,
                named(&key.scalable_dimension),
                observation.hosting,
                own.scalable_dimension
            );
            Found::new(evidence, "Deregister it, and register the other dimension.")
                .with([scaling("deregister-scalable-target", key, json!({}))])
        })
    });
    found.collect()
}

/// Fewer are allowed than its own history needed.
pub(super) fn ceiling_below_need(patient: &Patient<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    all.extend(below_need(patient));
    all.extend(quota(patient));
    all
}

fn below_need(patient: &Patient<'_>) -> Option<Found> {
    let need = patient.need.as_ref()?;
    let target = patient.target()?;
    let guardrail = patient.guardrails.max_instances;
    let (most, name) = if guardrail < target.max_capacity {
        (guardrail, "the limit of the advisor (ADVISOR_MAX_INSTANCES, or the tag endpoint-advisor:max-instances)")
    } else {
        (target.max_capacity, "MaxCapacity")
    };
    let minutes = need.minutes_beyond(&patient.history, most).filter(|minutes| *minutes >= MINUTES_BEYOND)?;
    let evidence = format!(
        "{name} is {most}; in {minutes} minutes of {} more arrived than that carries: {}, which take {}, because {}.",
        need.days_in_words(),
        need.peak_in_words(),
        counted(need.likely()?, patient.observation.dimension()),
        need.capacity_in_words()
    );
    let mut first = evidence.chars();
    let evidence = first.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(first).collect();
    let max = need.room.max(target.max_capacity);
    let why = if max == need.room { "half as much again as the busiest minute had" } else { "as MaxCapacity does" };
    let mut found = Found::new(evidence, format!("Allow {max}: {why}."));
    if target.max_capacity < max {
        found = found.with(register(patient, target.min_capacity, max));
    }
    if guardrail < max {
        let arn = &patient.observation.endpoint.arn;
        let tag = json!({ "ResourceArn": arn, "Tags": [
            { "Key": "endpoint-advisor:max-instances", "Value": max.to_string() }] });
        let command = format!("aws sagemaker add-tags --cli-input-json {}", crate::export::quoted(&tag.to_string()));
        found = found.with([command]);
    }
    Some(found)
}

/// A scale-out that the account's quota refused.
fn quota(patient: &Patient<'_>) -> Option<Found> {
    let activities = patient.observation.scaling.as_ref()?.activities.as_ref()?;
    let refused: Vec<_> = activities
        .iter()
        .filter(|activity| {
            let message = activity.status_message.as_deref().unwrap_or_default();
            activity.status_code == "Failed" && message.contains("ResourceLimitExceeded")
        })
        .collect();
    let last = refused.iter().map(|activity| activity.started_at).max()?;
    let evidence = format!(
        "The quota of the account refused {} of the last {} scaling activities, most lately at {}.",
        refused.len(),
        activities.len(),
        last.strftime("%Y-%m-%d %H:%M UTC")
    );
    let kind = patient.observation.variant.instance_type.as_ref();
    let max = patient.target().map_or(InstanceCount(1), |target| target.max_capacity);
    let fix = format!(
        "Ask for a higher quota of {} for endpoint usage; all endpoints of the Region share it, and these alone may take {max}.",
        kind.map_or("its instance type".to_owned(), |kind| named(&kind.0))
    );
    Some(Found::new(evidence, fix).with(kind.and_then(|kind| raise_quota(&kind.0, max))))
}

/// More always run than the busiest minute of weeks took.
pub(super) fn over_provisioned(patient: &Patient<'_>) -> Vec<Found> {
    over(patient).into_iter().collect()
}

fn over(patient: &Patient<'_>) -> Option<Found> {
    let observation = patient.observation;
    let need = patient.need.as_ref().filter(|need| need.hours >= WEEK_HOURS)?;
    let running = patient.running()?;
    let target = patient.target();
    // What stands always: Min, or what somebody set. A Min that we raised for an incident goes back by itself.
    let stands = target.map_or(running, crate::model::ScalableTarget::calm_min_capacity).min(running);
    // Where nothing adds what a busier day takes, it has to be there.
    let scales = target.is_some() && patient.policies().iter().any(|policy| policy.target_tracking.is_some());
    let carries = if scales { need.most } else { need.room };
    let more = if scales { "" } else { " and half as much again" };
    let enough = carries.max(patient.guardrails.min_instances).max(LEAST_AVAILABLE);
    let superfluous = stands
        .0
        .checked_sub(enough.0)
        .filter(|count| *count > 0 && f64::from(*count) >= SUPERFLUOUS * f64::from(stands.0))?;
    let of = observation.dimension();
    let evidence = format!(
        "At least {} always; {}, and {} carry that{more}: {}.",
        running_in_words(stands, of),
        need.peak_in_words(),
        counted(enough, of),
        need.capacity_in_words()
    );
    let lower = match target {
        Some(target) => register(patient, enough, target.max_capacity),
        None => observation.variant_name.as_ref().filter(|_| of == ScalableDimension::InstanceCount).map(|variant| {
            format!(
                "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {} --desired-weights-and-capacities \
                 VariantName={variant},DesiredInstanceCount={enough}",
                observation.endpoint_name
            )
        }),
    };
    let what = if target.is_some() { "MinCapacity" } else { of.count() };
    let fix = format!("Lower the {what} to {enough}; the first command shows what its own history says of that.");
    let replay = format!("{} --min {enough} --max {}", tool(patient, "replay"), stands.max(need.room));
    Some(Found::new(evidence, fix).with([replay]).with(lower).saving(superfluous))
}

/// An update of the endpoint sets the count back.
pub(super) fn lost_on_update(patient: &Patient<'_>) -> Vec<Found> {
    let observation = patient.observation;
    let variant = &observation.variant;
    let (Some(target), Some(running)) = (patient.target(), variant.current_instance_count) else { return Vec::new() };
    let Some(initial) = variant.initial_instance_count.filter(|initial| *initial < running) else { return Vec::new() };
    if observation.dimension() != ScalableDimension::InstanceCount {
        return Vec::new();
    }
    let evidence = format!(
        "{} (MinCapacity {}), and InitialInstanceCount of the endpoint configuration is {initial}.",
        running_in_words(running, ScalableDimension::InstanceCount),
        target.min_capacity
    );
    let fix = "Keep the counts when the endpoint is updated, with the name of the new configuration for \
               $NEW_ENDPOINT_CONFIG.";
    let command = format!(
        "aws sagemaker update-endpoint --endpoint-name {} --endpoint-config-name \"$NEW_ENDPOINT_CONFIG\" \
         --retain-all-variant-properties",
        observation.endpoint_name
    );
    vec![Found::new(evidence, fix).with([command])]
}

/// A type that Application Auto Scaling refuses.
pub(super) fn burstable(patient: &Patient<'_>) -> Vec<Found> {
    let types: Vec<&InstanceType> =
        patient.observation.variant.instance_types().filter(|kind| kind.is_burstable()).collect();
    let Some(kind) = types.first() else { return Vec::new() };
    let running = patient.running().map_or("It runs on ".to_owned(), |running| {
        format!("{} on ", running_in_words(running, patient.observation.dimension()))
    });
    let evidence = format!("{running}{}.", named(&kind.0));
    let other = match kind.0.as_str() {
        "ml.t2.xlarge" => "ml.m5.xlarge",
        "ml.t2.2xlarge" => "ml.m5.2xlarge",
        _ => "ml.m5.large",
    };
    let fields = format!("{{InstanceType: `\"{other}\"`}}");
    let fix =
        format!("Use an instance type with all of its CPU at all times, such as {other}, in a new configuration.");
    vec![Found::new(evidence, fix).with(new_configuration(patient, "-no-burst", &fields))]
}
