//! Everything → [`Report`], and the report as people and machines read it.
//!
//! Pure. Terminal, e-mail, chat and log say the same thing in the same order, because each is rendered from the one
//! value.

pub mod card;
pub mod comparison;
pub mod comparison_html;
pub mod comparison_markdown;
pub mod document;
pub mod emf;
pub mod forecast;
pub mod html;
pub mod incident;
pub mod links;
pub mod markdown;
pub mod message;
pub mod overview;
pub mod policies;
pub mod restoration;
mod serving;
pub mod terminal;
pub mod text;

use crate::model::{
    Action, Capacity, Diagnosis, HoldReason, IncidentSummary, Observation, Outcome, OutcomeStatus, Plan, Report,
    ScalableDimension, TriggerSummary, Verdict,
};
use jiff::Timestamp;

/// Version of the report's JSON.
const VERSION: &str = "1";

/// Puts the parts together.
#[must_use]
pub fn report(
    observation: &Observation,
    diagnosis: Diagnosis,
    capacity: Option<Capacity>,
    plan: Plan,
    outcome: Outcome,
) -> Report {
    let next_steps = next_steps(&diagnosis, &plan, &outcome, None, observation.dimension());
    Report {
        version: VERSION.to_owned(),
        id: id(observation),
        endpoint_name: observation.endpoint_name.clone(),
        variant_name: observation.variant_name.clone(),
        inference_component_name: observation.inference_component_name.clone(),
        hosting: observation.hosting,
        at: seconds(observation.at),
        trigger: TriggerSummary {
            changed_at: observation.trigger.changed_at.map(seconds),
            ..observation.trigger.clone()
        },
        objective: observation.objective,
        serving: serving::facts(observation),
        diagnosis,
        capacity,
        plan,
        outcome,
        next_steps,
        warnings: observation.warnings.clone(),
        links: links::links(observation),
        advisor_version: env!("CARGO_PKG_VERSION").to_owned(),
        observation_digest: observation.digest(),
        incident: None,
        can_be_approved: false,
        truncated: false,
    }
}

/// A report with what came of it in the end.
#[must_use]
pub fn settled(report: Report, outcome: Outcome) -> Report {
    let incident = report.incident.as_ref();
    let next_steps = next_steps(&report.diagnosis, &report.plan, &outcome, incident, report.dimension());
    Report { next_steps, outcome, ..report }
}

/// `orders/AllTraffic/2026-10-05T09:14:00Z`: the same for every delivery of the same alarm.
fn id(observation: &Observation) -> String {
    let began = seconds(observation.trigger.changed_at.unwrap_or(observation.at));
    format!("{}/{}/{began}", observation.endpoint_name, observation.part_name())
}

/// Whole seconds.
fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// What a person should do: apply or finish the plan first, then what the cause asks for.
fn next_steps(
    diagnosis: &Diagnosis,
    plan: &Plan,
    outcome: &Outcome,
    incident: Option<&IncidentSummary>,
    of: ScalableDimension,
) -> Vec<String> {
    let mut steps = Vec::new();
    // Where instances are not the best answer, the others come first.
    let is_headroom_asked = !plan.is_dear && plan.action == Action::Scale;
    let is_shadow = plan.hold_reason == Some(HoldReason::ShadowVariant);
    let comes_first = diagnosis.verdict == Verdict::Burst && !is_headroom_asked && !is_shadow;
    steps.extend(diagnosis.next_steps.iter().filter(|_| comes_first).cloned());
    match outcome.status {
        OutcomeStatus::Recommended | OutcomeStatus::Refused | OutcomeStatus::Stale if plan.action == Action::Scale => {
            if let Some(register) = &plan.register_scalable_target {
                steps.push(format!("Set the range: {}", register.command()));
            }
            steps.extend(
                plan.put_scaling_policies
                    .iter()
                    .map(|policy| format!("Set the policy: {}", policies::policy_command(policy))),
            );
            let alarms = plan.put_metric_alarms.iter().filter_map(|alarm| policies::alarm_command(plan, alarm));
            steps.extend(alarms.map(|command| format!("Set the policy's alarm: {command}")));
            let gone = plan.delete_scaling_policies.iter();
            steps.extend(gone.map(|policy| format!("Delete the old policy: {}", policies::delete_command(policy))));
            steps.extend(
                plan.put_scheduled_actions
                    .iter()
                    .map(|action| format!("Set the schedule: {}", text::schedule_command(action))),
            );
        }
        OutcomeStatus::Applied if incident.is_some() => {
            let relax = plan.relax.map(|relax| {
                format!(" MinCapacity goes back to {} by itself when load allows it.", relax.min_capacity)
            });
            steps.push(format!(
                "Nothing now: it is looked at again, and taken back where it did not help.{}",
                relax.unwrap_or_default()
            ));
        }
        OutcomeStatus::Applied | OutcomeStatus::Unchanged => {
            if let Some(relax) = plan.relax {
                steps.push(format!(
                    "Set MinCapacity back to {} when load is normal again, not before {} minutes from now.",
                    relax.min_capacity, relax.after_minutes
                ));
            }
        }
        OutcomeStatus::Failed => steps.push(format!("Mend what AWS refused, then apply again: {}", outcome.words())),
        _ => {}
    }
    if let Some(reason) = plan.hold_reason
        && (diagnosis.verdict.is_helped_by_scaling() || is_shadow)
    {
        steps.extend(hold_steps(reason).map(|step| of.said(&step)));
    }
    steps.extend(plan.advice.iter().cloned());
    steps.extend(diagnosis.next_steps.iter().filter(|_| !comes_first).cloned());
    steps
}

/// What would let the plan go on.
fn hold_steps(reason: HoldReason) -> Option<String> {
    use HoldReason as Reason;
    let step = match reason {
        Reason::NoObjective => {
            "State an objective: tag the endpoint with endpoint-advisor:slo-ms, or put an alarm on ModelLatency."
        }
        Reason::CapacityUnknown => {
            "Tag the endpoint with an objective that it has kept before, or run a load test on one instance."
        }
        Reason::GuardrailBelowCurrent => {
            "Raise ADVISOR_MAX_INSTANCES or the tag endpoint-advisor:max-instances above what is running."
        }
        Reason::PriceUnknown => "Remove the hourly limit, or allow pricing:GetProducts.",
        Reason::GuardrailReached => {
            "Raise ADVISOR_MAX_INSTANCES, the hourly limit or the endpoint's tags: what is allowed is already running."
        }
        Reason::EndpointNotInService => "Wait until the endpoint is InService; SageMaker refuses changes until then.",
        Reason::ScalingStateUnknown => "Allow the application-autoscaling Describe actions that the warnings name.",
        Reason::HostingUnknown => {
            "Allow sagemaker:DescribeEndpointConfig and sagemaker:DescribeModel, as the warnings say."
        }
        Reason::ScalingSuspended => {
            "Resume scaling out on the scalable target, if its suspension was not meant to last."
        }
        Reason::ScalingInProgress => "Wait for the instances that are starting.",
        Reason::Quota => "Ask for a higher quota of this instance type for endpoint usage, in Service Quotas.",
        Reason::InsufficientCapacity => {
            "Use another instance type or Region, or instance pools of several types: AWS has none of these now."
        }
        Reason::BurstableInstance => "Move to an instance type that can be scaled, as ml.m5 or ml.c6i.",
        Reason::ComponentNotInService => {
            "See why the inference component is not InService: aws sagemaker describe-inference-component says it."
        }
        Reason::CostUnknown => {
            "Lower MaxInstanceCount of the variant's ManagedInstanceScaling to what you would pay for, or raise the hourly limit."
        }
        Reason::NotScalableByInstances => {
            "Look behind the instances: a database, a shared service or an account limit that all of them use."
        }
        Reason::HostingNotSized => "Scale by hand for now; the evidence says by how much load is above normal.",
        Reason::ShadowVariant => {
            "Callers do not feel it. Where the comparison should be fair, give the shadow as many instances as it needs, or \
             a smaller share of the copied requests, in the shadow test or the endpoint configuration; a ModelLatency \
             alarm on a shadow need wake nobody."
        }
        Reason::HeadroomBeyondGuardrail => {
            "Raise ADVISOR_MAX_INSTANCES, the hourly limit or the endpoint's tags, if the bursts cannot be smoothed."
        }
        // The cause's own steps say what to do.
        Reason::ScalingWillNotHelp
        | Reason::NothingToDo
        | Reason::CauseUnknown
        | Reason::ModelsNotSized
        | Reason::HeadroomNotSized
        | Reason::MaxConcurrencyNotScaled
        | Reason::ProvisionedConcurrencyNotSet
        | Reason::ProvisionedConcurrencyWillNotHelp => {
            return None;
        }
        // The plan's advice says how to get room.
        Reason::NoRoom => return None,
    };
    Some(step.to_owned())
}
