//! The plan as a CloudFormation template, and what stands as the template to import first.

use super::{Export, NothingToExport, Part, arn_command, deletions, parts, within_quotes};
use crate::model::{
    PolicyConfiguration, PutMetricAlarm, PutScalingPolicy, Report, ScalableKey, ScalingState, ScheduledAction,
};
use serde_json::{Map, Value, json};

/// The template of the plans; with `is_present`, of the same resources as they stand, as far as they do.
///
/// CloudFormation takes over what exists by an import, and an import changes nothing: so what stands is imported as it is, and the
/// plan is an update after that. `DeletionPolicy` is `Retain`: an endpoint does not lose its scaling with a stack.
///
/// # Errors
/// [`NothingToExport`] where no plan asks for anything, or, with `is_present`, nothing of it stands.
pub fn cloudformation(reports: &[Report], is_present: bool) -> Result<Export, NothingToExport> {
    let parts = parts(reports)?;
    let mut resources = Map::new();
    let mut imports = Vec::new();
    for part in &parts {
        let planned = part.plan.stands_on(&part.before);
        let state = if is_present { &part.before } else { &planned };
        if state.target.is_some() {
            add(part, state, &mut resources, &mut imports);
        }
    }
    if resources.is_empty() {
        let nothing = |part: &Part<'_>| format!("{}: nothing of it stands yet", part.report.subject());
        return Err(NothingToExport(parts.iter().map(nothing).collect()));
    }
    let subjects: Vec<String> = parts.iter().map(super::about).collect();
    let what = if is_present { "Scaling as it stands" } else { "Scaling as planned" };
    let text = template(&format!("{what}: {}", subjects.join("; ")), resources);
    let notes = if is_present {
        import_note(&imports).into_iter().collect()
    } else {
        stands_note(&imports).into_iter().chain(deletions(&parts)).collect()
    };
    Ok(Export { text, notes })
}

/// A whole template.
pub(super) fn template(description: &str, resources: Map<String, Value>) -> String {
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Resources": resources,
    });
    serde_json::to_string_pretty(&template).unwrap_or_default() + "\n"
}

/// The resources of one part, and how each that stands is imported.
fn add(part: &Part<'_>, state: &ScalingState, resources: &mut Map<String, Value>, imports: &mut Vec<Import>) {
    let key = part.register.key();
    let stem = logical_id(&part.report.subject());
    let target_id = unused(resources, format!("{stem}ScalableTarget"));
    let range = state.target.as_ref();
    let mut properties = named(&key);
    properties.insert("MinCapacity".to_owned(), json!(range.map(|target| target.min_capacity)));
    properties.insert("MaxCapacity".to_owned(), json!(range.map(|target| target.max_capacity)));
    // Those of others too: a list that misses one deletes it.
    if !state.scheduled_actions.is_empty() {
        let actions: Vec<Value> = state.scheduled_actions.iter().map(scheduled_action).collect();
        properties.insert("ScheduledActions".to_owned(), Value::Array(actions));
    }
    resources.insert(target_id.clone(), resource("AWS::ApplicationAutoScaling::ScalableTarget", properties));
    if part.before.target.is_some() {
        imports.push(Import::Target { id: target_id.clone(), key: key.clone() });
    }
    for planned in &part.plan.put_scaling_policies {
        let Some(policy) = stands_as(state, &planned.policy_name, &key) else { continue };
        let id = unused(resources, format!("{stem}{}", logical_id(&policy.policy_name)));
        let stands = part.before.policies.iter().any(|before| before.policy_name == policy.policy_name);
        if stands {
            imports.push(Import::Policy { id: id.clone(), key: key.clone(), name: policy.policy_name.clone() });
        }
        resources.insert(id.clone(), policy_resource(&policy, &target_id));
        for alarm in part.plan.put_metric_alarms.iter().filter(|alarm| alarm.policy_name() == policy.policy_name) {
            let standing = state.alarms.iter().find(|standing| standing.alarm_name == alarm.alarm_name);
            let Some(alarm) = standing.and_then(PutMetricAlarm::of) else { continue };
            let alarm_id = unused(resources, format!("{id}Alarm"));
            if part.before.alarms.iter().any(|before| before.alarm_name == alarm.alarm_name) {
                imports.push(Import::Alarm { id: alarm_id.clone(), name: alarm.alarm_name.clone() });
            }
            resources.insert(alarm_id, alarm_resource(&alarm, Some(&id)));
        }
    }
}

/// A policy as it stands in `state`.
fn stands_as(state: &ScalingState, name: &str, key: &ScalableKey) -> Option<PutScalingPolicy> {
    let policy = state.policies.iter().find(|policy| policy.policy_name == name)?;
    PutScalingPolicy::of(policy, key)
}

fn policy_resource(policy: &PutScalingPolicy, target_id: &str) -> Value {
    let (name, configuration) = match &policy.configuration {
        PolicyConfiguration::TargetTracking(tracking) => ("TargetTrackingScalingPolicyConfiguration", json!(tracking)),
        PolicyConfiguration::Steps(steps) => ("StepScalingPolicyConfiguration", json!(steps)),
    };
    let mut properties = Map::new();
    properties.insert("PolicyName".to_owned(), json!(policy.policy_name));
    properties.insert("PolicyType".to_owned(), json!(policy.policy_type));
    properties.insert("ScalingTargetId".to_owned(), json!({"Ref": target_id}));
    properties.insert(name.to_owned(), configuration);
    resource("AWS::ApplicationAutoScaling::ScalingPolicy", properties)
}

/// An alarm; with `policy_id`, one that fires that policy.
pub(super) fn alarm_resource(alarm: &PutMetricAlarm, policy_id: Option<&str>) -> Value {
    let mut properties = match json!(alarm) {
        Value::Object(properties) => properties,
        _ => Map::new(),
    };
    properties.extend(policy_id.map(|id| ("AlarmActions".to_owned(), json!([{"Ref": id}]))));
    resource("AWS::CloudWatch::Alarm", properties)
}

fn scheduled_action(action: &ScheduledAction) -> Value {
    let mut range = Map::new();
    for (name, capacity) in [("MinCapacity", action.min_capacity), ("MaxCapacity", action.max_capacity)] {
        range.extend(capacity.map(|capacity| (name.to_owned(), json!(capacity))));
    }
    let mut properties = Map::new();
    properties.insert("ScheduledActionName".to_owned(), json!(action.name));
    properties.insert("Schedule".to_owned(), json!(action.schedule));
    properties.extend(action.timezone.as_ref().map(|zone| ("Timezone".to_owned(), json!(zone))));
    properties.insert("ScalableTargetAction".to_owned(), Value::Object(range));
    Value::Object(properties)
}

fn resource(kind: &str, properties: Map<String, Value>) -> Value {
    json!({
        "Type": kind,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    })
}

fn named(key: &ScalableKey) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("ServiceNamespace".to_owned(), json!(key.service_namespace));
    properties.insert("ResourceId".to_owned(), json!(key.resource_id));
    properties.insert("ScalableDimension".to_owned(), json!(key.scalable_dimension));
    properties
}

/// A resource that stands, by what CloudFormation's import knows it.
enum Import {
    Target { id: String, key: ScalableKey },
    Policy { id: String, key: ScalableKey, name: String },
    Alarm { id: String, name: String },
}

impl Import {
    /// One of `--resources-to-import`, between the single quotes of a word of the shell. A policy is known by its ARN, which is asked for.
    fn shell(&self) -> String {
        let (kind, id, identifier) = match self {
            Self::Target { id, key } => ("AWS::ApplicationAutoScaling::ScalableTarget", id, Value::Object(named(key))),
            Self::Policy { id, key, .. } => (
                "AWS::ApplicationAutoScaling::ScalingPolicy",
                id,
                json!({"Arn": "POLICY_ARN", "ScalableDimension": key.scalable_dimension}),
            ),
            Self::Alarm { id, name } => ("AWS::CloudWatch::Alarm", id, json!({"AlarmName": name})),
        };
        let resource = json!({"ResourceType": kind, "LogicalResourceId": id, "ResourceIdentifier": identifier});
        let resource = within_quotes(&resource.to_string());
        match self {
            Self::Policy { key, name, .. } => {
                resource.replace("POLICY_ARN", &format!("'\"$({})\"'", arn_command(key, name)))
            }
            Self::Target { .. } | Self::Alarm { .. } => resource,
        }
    }
}

fn import_note(imports: &[Import]) -> Option<String> {
    let resources: Vec<String> = imports.iter().map(Import::shell).collect();
    (!resources.is_empty()).then(|| {
        format!(
            "Save this as present.json and import it: aws cloudformation create-change-set --stack-name STACK \
             --change-set-name import --change-set-type IMPORT --template-body file://present.json \
             --resources-to-import '[{}]'",
            resources.join(",")
        )
    })
}

fn stands_note(imports: &[Import]) -> Option<String> {
    (!imports.is_empty()).then(|| {
        "Some of it stands already. Import that first, as `--present` shows, then update the stack to this template."
            .to_owned()
    })
}

/// `orders/AllTraffic` as `OrdersAllTraffic`: letters and digits, as logical IDs are.
pub(super) fn logical_id(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}

/// An id that no resource has: `a-b` and `aB` are two variants.
pub(super) fn unused(resources: &Map<String, Value>, id: String) -> String {
    let numbered = std::iter::once(id.clone()).chain((2..).map(|number| format!("{id}{number}")));
    numbered.into_iter().find(|id| !resources.contains_key(id)).unwrap_or(id)
}
