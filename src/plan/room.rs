//! What a person reads of the room that copies have, and how to get more of it.

use crate::model::{HoldReason, InferenceComponent, InstanceCount, Lack, Neighbour, Observation, Room, Thousands};

/// SageMaker's limit for names.
const NAME: usize = 63;

/// What is known of the room, as one fact; none where nothing is.
pub(super) fn reasoning(observation: &Observation) -> Option<String> {
    let room = observation.room()?;
    let component = observation.component.as_ref()?;
    let kind = observation.variant.instance_type.as_ref()?;
    let most = observation.most_instances()?;
    let holds = match room.per_instance {
        1 => "1 copy".to_owned(),
        count => format!("{count} copies"),
    };
    Some(format!(
        "by its cores and GPUs an {} holds {holds} at most{}; on {most} {} {} fit beside {}",
        kind.0,
        memory(component),
        if most.0 == 1 { "instance" } else { "instances" },
        room.most,
        others(component.neighbours.as_deref()),
    ))
}

fn memory(component: &InferenceComponent) -> String {
    let each = component.min_memory_in_mb.map(|mb| format!(", of which a copy needs {} MB,", Thousands(f64::from(mb))));
    format!("; its memory{} is not known from SageMaker and may hold fewer", each.unwrap_or_default())
}

fn others(neighbours: Option<&[Neighbour]>) -> String {
    match neighbours {
        None => "other components, which could not be read".to_owned(),
        Some([]) => "no other component".to_owned(),
        Some(others) => {
            let copies: u32 = others.iter().filter_map(|other| other.copies).map(|count| count.0).sum();
            let counted =
                |count: u32, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
            let components = u32::try_from(others.len()).unwrap_or(u32::MAX);
            format!(
                "{} of {}",
                counted(copies, "copy", "copies"),
                counted(components, "other component", "other components")
            )
        }
    }
}

/// How to get room for so many copies, where they do not fit on as many instances as the variant may have.
pub(super) fn advice(observation: &Observation, copies: InstanceCount) -> Option<String> {
    let Room { most, .. } = observation.room()?;
    if copies <= most {
        return None;
    }
    let instances = observation.instances_that_hold(copies)?;
    let allowed = observation.most_instances()?;
    let why = format!("{copies} copies take {instances} instances, and the variant may have {allowed}");
    Some(with_command(&why, observation, instances))
}

/// What a person can do where copies that were asked for are not there.
pub(super) fn advice_on_hold(observation: &Observation, reason: HoldReason) -> Vec<String> {
    let Some(wanted) = observation.wanted().filter(|_| reason == HoldReason::NoRoom) else { return Vec::new() };
    let Some(lack) = observation.lack() else {
        return advice(observation, InstanceCount(wanted.0.saturating_add(1))).into_iter().collect();
    };
    let Some(allowed) = observation.most_instances() else { return Vec::new() };
    if lack == Lack::NoInstanceCame {
        let kind = observation.variant.instance_type.as_ref().map_or("this type", |kind| kind.0.as_str());
        return vec![format!(
            "SageMaker may add instances up to {allowed}, and none came: see whether the quota of {kind} for endpoint usage is \
             used up, or AWS has none of them now."
        )];
    }
    // Where cores and GPUs would do, memory or how copies are spread does not: one more instance than there is.
    let instances = observation.instances_that_hold(wanted).filter(|needed| *needed > allowed);
    let instances = instances.unwrap_or(InstanceCount(allowed.0.saturating_add(1)));
    let why = match lack {
        Lack::AtMaxInstances => format!(
            "SageMaker adds no instance beyond MaxInstanceCount {allowed}. Raise it to {instances}, or give other components \
             fewer copies"
        ),
        _ => format!(
            "SageMaker does not add instances to this variant by itself. Have {instances}, or give other components fewer copies"
        ),
    };
    vec![with_command(&why, observation, instances)]
}

/// The words with the command that lets the variant have so many instances.
fn with_command(why: &str, observation: &Observation, instances: InstanceCount) -> String {
    match command(observation, instances) {
        Some(command) => format!("{why}: {command}"),
        None => format!("{why}."),
    }
}

/// `ManagedInstanceScaling` is a part of the endpoint's configuration: a new one is made of the old one. Without it, the count
/// is set directly. Names are SageMaker's, which need no quoting.
fn command(observation: &Observation, instances: InstanceCount) -> Option<String> {
    let endpoint = &observation.endpoint_name;
    let variant = observation.component.as_ref()?.variant_name.as_ref()?;
    if observation.variant.managed_instance_scaling.is_none_or(|scaling| !scaling.is_enabled) {
        return Some(format!(
            "aws sagemaker update-endpoint-weights-and-capacities --endpoint-name {endpoint} \
             --desired-weights-and-capacities VariantName={variant},DesiredInstanceCount={instances}"
        ));
    }
    let old = observation.endpoint.endpoint_config_name.as_ref()?;
    let ending = format!("-max-{instances}");
    let stem: String = old.chars().take(NAME.saturating_sub(ending.len())).collect();
    let new = format!("{}{ending}", stem.trim_end_matches('-'));
    let describe = format!("aws sagemaker describe-endpoint-config --endpoint-config-name {old}");
    Some(format!(
        "aws sagemaker create-endpoint-config --endpoint-config-name {new} \
         --execution-role-arn \"$({describe} --query ExecutionRoleArn --output text)\" \
         --production-variants \"$({describe} --output json --query 'map(&(VariantName==`\"{variant}\"` && merge(@, \
         {{ManagedInstanceScaling: merge(ManagedInstanceScaling, {{MaxInstanceCount: `{instances}`}})}}) || @), \
         ProductionVariants)')\" && aws sagemaker update-endpoint --endpoint-name {endpoint} --endpoint-config-name {new} \
         --retain-all-variant-properties"
    ))
}
