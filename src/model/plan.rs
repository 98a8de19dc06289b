//! The complete intention: what to ask of AWS, or why nothing.

use super::{
    DeleteScalingPolicy, Forecast, InstanceCount, PutMetricAlarm, PutScalingPolicy, ScalableKey, ScalableTarget,
    ScalingState, ScheduledAction,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The complete intention. Acting on it makes no choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Scale, or hold.
    pub action: Action,
    /// 12 hex digits over the AWS requests, by which a person approves exactly this plan.
    pub digest: String,
    /// Why nothing is asked.
    pub hold_reason: Option<HoldReason>,
    /// `RegisterScalableTarget`, exactly as AWS takes it.
    pub register_scalable_target: Option<RegisterScalableTarget>,
    /// For a target that is not registered yet: the same with as many instances as are running, so that the policy can be
    /// put before instances start. Once they do, SageMaker refuses changes until they are in service.
    pub register_first: Option<RegisterScalableTarget>,
    /// `TagResource` on a scalable target that existed before: what it was. (A new one gets its tags when registered.)
    pub tag_resource: Option<TagResource>,
    /// `PutScalingPolicy`, exactly as AWS takes it.
    pub put_scaling_policies: Vec<PutScalingPolicy>,
    /// `PutMetricAlarm` for each step policy, as AWS takes it but for the ARN of the policy that it fires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_metric_alarms: Vec<PutMetricAlarm>,
    /// `DeleteScalingPolicy`, exactly as AWS takes it: our policy on another metric, whose place the new one takes. Once that
    /// stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete_scaling_policies: Vec<DeleteScalingPolicy>,
    /// What the policy keeps, as `CPU at 62 % of 4 vCPUs`, where its `TargetValue` does not tell people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<String>,
    /// `PutScheduledAction`, exactly as AWS takes it.
    pub put_scheduled_actions: Vec<PutScheduledAction>,
    /// When and how far a raised `MinCapacity` should go back.
    pub relax: Option<Relax>,
    /// Whether it costs more than the minutes over the objective are worth. Such a plan is written on a person's word only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dear: bool,
    /// What the plan would have done over the history; none where it was not replayed, or a replay of what there is does not
    /// come close to what happened.
    pub forecast: Option<Forecast>,
    /// How the numbers came about, in words, one fact each.
    pub reasoning: Vec<String>,
    /// What a person has to do about a set-up that is not ours to change.
    pub advice: Vec<String>,
    /// The set-up that this plan was made for; where it is different when acting, the plan is stale.
    pub based_on: Option<ScalingState>,
}

impl Plan {
    /// A plan to do nothing.
    #[must_use]
    pub fn hold(reason: HoldReason) -> Self {
        Self {
            action: Action::Hold,
            digest: digest(None, None, &[], &[], &[], &[]),
            hold_reason: Some(reason),
            register_scalable_target: None,
            register_first: None,
            tag_resource: None,
            put_scaling_policies: Vec::new(),
            put_metric_alarms: Vec::new(),
            delete_scaling_policies: Vec::new(),
            keeps: None,
            put_scheduled_actions: Vec::new(),
            relax: None,
            is_dear: false,
            forecast: None,
            reasoning: Vec::new(),
            advice: Vec::new(),
            based_on: None,
        }
    }
}

impl Plan {
    /// Whether the set-up that the plan was made for is the one that it asks for.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let state = self.based_on.clone().unwrap_or_default();
        self.register_scalable_target.as_ref().is_none_or(|register| register.stands(state.target.as_ref()))
            && self.put_scaling_policies.iter().all(|policy| policy.stands(&state.policies))
            && self.put_metric_alarms.iter().all(|alarm| alarm.stands(&state.alarms))
            && self.delete_scaling_policies.iter().all(|policy| policy.is_gone(&state.policies))
            && self.put_scheduled_actions.iter().all(|action| action.stands(&state.scheduled_actions))
    }

    /// The digest of its requests as they are.
    #[must_use]
    pub fn digest_of_requests(&self) -> String {
        let (register, tag) = (self.register_scalable_target.as_ref(), self.tag_resource.as_ref());
        let (policies, alarms) = (&self.put_scaling_policies, &self.put_metric_alarms);
        let (gone, scheduled) = (&self.delete_scaling_policies, &self.put_scheduled_actions);
        digest(register, tag, policies, alarms, gone, scheduled)
    }

    /// Whether the requests are those that the digest was made for.
    #[must_use]
    pub fn is_as_made(&self) -> bool {
        self.digest == self.digest_of_requests()
    }

    /// Whether the plan deletes the policy of this name.
    #[must_use]
    pub fn deletes(&self, policy_name: &str) -> bool {
        self.delete_scaling_policies.iter().any(|policy| policy.policy_name == policy_name)
    }

    /// What stands once the plan is written over `state`.
    #[must_use]
    pub fn stands_on(&self, state: &ScalingState) -> ScalingState {
        let mut stands = state.clone();
        if let Some(register) = &self.register_scalable_target {
            let target = stands.target.get_or_insert_default();
            (target.min_capacity, target.max_capacity) = (register.min_capacity, register.max_capacity);
        }
        for policy in &self.put_scaling_policies {
            stands.policies.retain(|present| present.policy_name != policy.policy_name);
            stands.policies.push(policy.to_policy());
        }
        for alarm in &self.put_metric_alarms {
            stands.alarms.retain(|present| present.alarm_name != alarm.alarm_name);
            stands.alarms.push(alarm.to_alarm());
        }
        stands.policies.retain(|present| !self.deletes(&present.policy_name));
        for action in &self.put_scheduled_actions {
            stands.scheduled_actions.retain(|present| present.name != action.scheduled_action_name);
            stands.scheduled_actions.push(action.to_action());
        }
        stands
    }
}

/// The digest of a plan: the first 12 hex digits of SHA-256 over its requests as JSON.
#[must_use]
pub fn digest(
    register: Option<&RegisterScalableTarget>,
    tag: Option<&TagResource>,
    policies: &[PutScalingPolicy],
    alarms: &[PutMetricAlarm],
    gone: &[DeleteScalingPolicy],
    scheduled: &[PutScheduledAction],
) -> String {
    let requests = match (alarms, gone, scheduled) {
        ([], [], []) => serde_json::to_string(&(register, tag, policies)),
        ([], [], scheduled) => serde_json::to_string(&(register, tag, policies, scheduled)),
        (alarms, gone, scheduled) => serde_json::to_string(&(register, tag, policies, scheduled, alarms, gone)),
    };
    let requests = requests.unwrap_or_default();
    let hash = Sha256::digest(requests.as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// What a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Change scaling.
    Scale,
    /// Leave it.
    Hold,
}

/// Why a plan holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// More instances would not remove the cause.
    ScalingWillNotHelp,
    /// Nothing is wrong any more.
    NothingToDo,
    /// The cause is not known.
    CauseUnknown,
    /// Nobody stated a latency objective, so nothing can be sized.
    NoObjective,
    /// What one instance sustains is not known.
    CapacityUnknown,
    /// The present Max or count is above a guardrail, and Max is never lowered.
    GuardrailBelowCurrent,
    /// An hourly limit is set and the instance's price is not known.
    PriceUnknown,
    /// What the guardrails allow is already running.
    GuardrailReached,
    /// SageMaker refuses changes while the endpoint is not `InService`.
    EndpointNotInService,
    /// The scaling set-up could not be read.
    ScalingStateUnknown,
    /// How the variant is hosted could not be read.
    HostingUnknown,
    /// Somebody suspended scaling; we do not overrule it.
    ScalingSuspended,
    /// Instances are starting already.
    ScalingInProgress,
    /// The last scale-out failed on an account quota; a larger request fails too.
    Quota,
    /// The last scale-out failed because AWS had no such instances.
    InsufficientCapacity,
    /// Application Auto Scaling refuses burstable `ml.t2` instances.
    BurstableInstance,
    /// This way of hosting is diagnosed, but not yet sized.
    HostingNotSized,
    /// More instances hold more models, but how many models are asked for is in no metric.
    ModelsNotSized,
    /// How much headroom bursts need does not show in the metrics.
    HeadroomNotSized,
    /// Bursts need more instances than the guardrails allow.
    HeadroomBeyondGuardrail,
    /// Latency follows the load on all instances together: something behind them is the limit.
    NotScalableByInstances,
    /// Copies of an inference component were asked for and find no room on the instances.
    NoRoom,
    /// The inference component is not `InService`.
    ComponentNotInService,
    /// An hourly limit is set, and copies share instances that may cost more.
    CostUnknown,
    /// Serverless: `MaxConcurrency` is the limit, and nothing scales it by itself.
    MaxConcurrencyNotScaled,
    /// Serverless: Application Auto Scaling scales provisioned concurrency only where some is set.
    ProvisionedConcurrencyNotSet,
    /// Serverless: the cause is another.
    ProvisionedConcurrencyWillNotHelp,
    /// A shadow variant: it gets copies of requests, and nobody waits for its answers.
    ShadowVariant,
}

impl HoldReason {
    /// Whether a guardrail (rather than the diagnosis) holds the plan.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::GuardrailBelowCurrent
                | Self::PriceUnknown
                | Self::GuardrailReached
                | Self::EndpointNotInService
                | Self::ScalingStateUnknown
                | Self::HostingUnknown
                | Self::ComponentNotInService
                | Self::CostUnknown
                | Self::HeadroomBeyondGuardrail
        )
    }

    /// The reason in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ScalingWillNotHelp => "more instances would not remove the cause",
            Self::NothingToDo => "nothing is wrong any more",
            Self::CauseUnknown => "the cause is not known",
            Self::NoObjective => "no latency objective is known, so nothing can be sized",
            Self::CapacityUnknown => "what one instance sustains is not known",
            Self::GuardrailBelowCurrent => "the present MaxCapacity or count is already above the allowed maximum",
            Self::PriceUnknown => "an hourly limit is set and the price is not known",
            Self::GuardrailReached => "as many as the guardrails allow are already running",
            Self::EndpointNotInService => "the endpoint is not InService",
            Self::ScalingStateUnknown => "the scaling set-up could not be read",
            Self::HostingUnknown => "how the variant is hosted could not be read",
            Self::ScalingSuspended => "scaling out is suspended on the scalable target",
            Self::ScalingInProgress => "instances are starting already",
            Self::Quota => "the last scale-out failed on an account quota",
            Self::InsufficientCapacity => "the last scale-out failed because AWS had no such instances",
            Self::BurstableInstance => "Application Auto Scaling does not scale ml.t2 instances",
            Self::HostingNotSized => "this way of hosting is not sized yet",
            Self::ModelsNotSized => {
                "more instances would hold more models, but no metric tells how many models are asked for"
            }
            Self::NotScalableByInstances => {
                "latency follows the load on all instances together, so something behind them is the limit"
            }
            Self::NoRoom => "copies were asked for and find no room",
            Self::ComponentNotInService => "the inference component is not InService",
            Self::CostUnknown => {
                "an hourly limit is set, and all the instances that the copies may take cost more: what some copies cost is not \
                 known"
            }
            Self::MaxConcurrencyNotScaled => {
                "MaxConcurrency is the limit, and Application Auto Scaling does not scale it"
            }
            Self::ProvisionedConcurrencyNotSet => {
                "no provisioned concurrency is set, and Application Auto Scaling scales only what is"
            }
            Self::ProvisionedConcurrencyWillNotHelp => "more provisioned concurrency would not remove the cause",
            Self::ShadowVariant => {
                "it is a shadow variant: it gets copies of requests, and nobody waits for its answers"
            }
            Self::HeadroomNotSized => "how much headroom these bursts need does not show in the metrics",
            Self::HeadroomBeyondGuardrail => "the bursts need more instances than the guardrails allow",
        }
    }

    /// The code in reports, as `no_objective`.
    #[must_use]
    pub fn code(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Input of `RegisterScalableTarget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RegisterScalableTarget {
    /// `sagemaker`.
    pub service_namespace: String,
    /// `endpoint/<endpoint>/variant/<variant>`, or `inference-component/<component>`.
    pub resource_id: String,
    /// As `sagemaker:variant:DesiredInstanceCount`.
    pub scalable_dimension: String,
    /// Application Auto Scaling adds instances at once where fewer are running.
    pub min_capacity: InstanceCount,
    /// It never adds instances beyond this.
    pub max_capacity: InstanceCount,
    /// Only for a new target: what was there before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl RegisterScalableTarget {
    /// The AWS CLI command for it. Names in it are SageMaker's, which need no quoting.
    #[must_use]
    pub fn command(&self) -> String {
        format!(
            "aws application-autoscaling register-scalable-target --service-namespace {} --resource-id {} \
             --scalable-dimension {} --min-capacity {} --max-capacity {}",
            self.service_namespace, self.resource_id, self.scalable_dimension, self.min_capacity, self.max_capacity
        )
    }

    /// What it names.
    #[must_use]
    pub fn key(&self) -> ScalableKey {
        ScalableKey {
            service_namespace: self.service_namespace.clone(),
            resource_id: self.resource_id.clone(),
            scalable_dimension: self.scalable_dimension.clone(),
        }
    }

    /// Whether `target` already has this range.
    #[must_use]
    pub fn stands(&self, target: Option<&ScalableTarget>) -> bool {
        target
            .is_some_and(|target| target.min_capacity == self.min_capacity && target.max_capacity == self.max_capacity)
    }
}

/// Input of `TagResource`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagResource {
    /// `ScalableTargetARN`.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// The tags to add.
    #[serde(rename = "Tags")]
    pub tags: BTreeMap<String, String>,
}

/// Input of `PutScheduledAction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PutScheduledAction {
    /// `sagemaker`.
    pub service_namespace: String,
    /// `cron(0 7 * * ? *)`, in UTC.
    pub schedule: String,
    /// Ours: `endpoint-advisor-…`.
    pub scheduled_action_name: String,
    /// As in [`RegisterScalableTarget`].
    pub resource_id: String,
    /// As in [`RegisterScalableTarget`].
    pub scalable_dimension: String,
    /// The new range.
    pub scalable_target_action: ScalableTargetAction,
}

/// `ScalableTargetAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ScalableTargetAction {
    /// From then on at least so many.
    pub min_capacity: InstanceCount,
}

impl PutScheduledAction {
    /// Whether exactly this action is among `actions`.
    #[must_use]
    pub fn stands(&self, actions: &[ScheduledAction]) -> bool {
        let present = actions.iter().find(|action| action.name == self.scheduled_action_name);
        present.is_some_and(|present| {
            present.schedule == self.schedule
                && present.min_capacity == Some(self.scalable_target_action.min_capacity)
                && present.max_capacity.is_none()
                && present.timezone.as_deref().is_none_or(|zone| zone == "UTC")
        })
    }

    /// The request that makes an action of ours what it was; none where it is not one of those that we put.
    #[must_use]
    pub fn of(action: &ScheduledAction, key: &ScalableKey) -> Option<Self> {
        Some(Self {
            service_namespace: key.service_namespace.clone(),
            schedule: action.schedule.clone(),
            scheduled_action_name: action.name.clone(),
            resource_id: key.resource_id.clone(),
            scalable_dimension: key.scalable_dimension.clone(),
            scalable_target_action: ScalableTargetAction { min_capacity: action.min_capacity? },
        })
    }

    /// The action as it will stand.
    #[must_use]
    pub fn to_action(&self) -> ScheduledAction {
        ScheduledAction {
            name: self.scheduled_action_name.clone(),
            schedule: self.schedule.clone(),
            timezone: None,
            min_capacity: Some(self.scalable_target_action.min_capacity),
            max_capacity: None,
            end_time: None,
        }
    }
}

/// How a `MinCapacity` that was raised for an incident goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relax {
    /// Not before this many minutes.
    pub after_minutes: u32,
    /// To this `MinCapacity`.
    #[serde(rename = "MinCapacity")]
    pub min_capacity: InstanceCount,
}
