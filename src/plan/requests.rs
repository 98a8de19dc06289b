//! The AWS requests of a plan.

use super::from_zero;
use super::schedule::Floor;
use super::target_tracking::{self, Numbers, Tracked};
use crate::config::{ExistingTargets, Guardrails};
use crate::model::{
    Action, BEFORE_TAG, DeleteScalingPolicy, HoldReason, INSTANCES_BEFORE_TAG, InstanceCount, Metric, Observation,
    POLICY_NAME_PREFIX, Plan, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, ScalableKey,
    ScalableTarget, ScalableTargetAction, Scaling, ScalingPolicy, ScalingState, TagResource, digest,
    utilization_in_words,
};
use std::collections::BTreeMap;

/// Everything that the requests follow from.
pub(super) struct Requests<'a> {
    pub observation: &'a Observation,
    pub scaling: &'a Scaling,
    pub guardrails: &'a Guardrails,
    /// Running now.
    pub current: InstanceCount,
    pub min_capacity: InstanceCount,
    pub max_capacity: InstanceCount,
    /// Of the target-tracking policy; none where there is nothing to track yet.
    pub numbers: Option<Numbers>,
    /// The policies that stand are as good.
    pub keeps_policies: bool,
    /// `MinCapacity` by the clock.
    pub floors: &'a [Floor],
}

impl Requests<'_> {
    /// A plan with all its requests.
    ///
    /// # Errors
    /// Where the set-up as it is could not be remembered.
    pub fn complete(&self) -> Result<Plan, HoldReason> {
        let key = self.observation.scalable_key().ok_or(HoldReason::HostingNotSized)?;
        let present = self.scaling.target.as_ref();
        let is_ours = present.is_some_and(ScalableTarget::is_ours);
        let metric = self.numbers.map_or(Tracked::Invocations, |numbers| numbers.metric);
        let tracked = target_tracking::in_the_way(&self.scaling.policies, metric);
        // Two policies on one metric are refused by AWS, or fight each other; and where others do as well, one is enough.
        let is_spared = self.keeps_policies && target_tracking::ours(&self.scaling.policies).is_none();
        let mut policies: Vec<PutScalingPolicy> = match self.numbers.filter(|_| tracked.is_none() && !is_spared) {
            None => Vec::new(),
            Some(numbers) => {
                let policy = target_tracking::request(&key, self.observation, numbers);
                vec![policy.ok_or(HoldReason::HostingNotSized)?]
            }
        };
        let superseded = target_tracking::superseded(&self.scaling.policies, metric);
        let gone: Vec<DeleteScalingPolicy> =
            superseded.filter(|_| !policies.is_empty()).map(|name| DeleteScalingPolicy::named(name, &key)).collect();
        let (starts, alarms): (Vec<_>, Vec<_>) =
            from_zero::policy(self.observation, self.scaling, self.guardrails, &key).into_iter().unzip();
        policies.extend(starts);
        let tags = remembered(present, self.current);
        let register = RegisterScalableTarget {
            service_namespace: key.service_namespace.clone(),
            resource_id: key.resource_id.clone(),
            scalable_dimension: key.scalable_dimension.clone(),
            min_capacity: self.min_capacity,
            max_capacity: self.max_capacity,
            tags: if present.is_none() { tags.clone() } else { BTreeMap::new() },
        };
        let register_first = (present.is_none() && self.min_capacity > self.current)
            .then(|| RegisterScalableTarget { min_capacity: self.current, ..register.clone() });
        // What was there before us is written once: a second change must not overwrite the memory of the first.
        let tag_resource = match present.filter(|_| !is_ours) {
            None => None,
            Some(target) => {
                let resource_arn = target.arn.clone().ok_or(HoldReason::ScalingStateUnknown)?;
                Some(TagResource { resource_arn, tags })
            }
        };
        let scheduled: Vec<PutScheduledAction> = self.floors.iter().map(|floor| scheduled(&key, floor)).collect();
        Ok(Plan {
            action: Action::Scale,
            digest: digest(Some(&register), tag_resource.as_ref(), &policies, &alarms, &gone, &scheduled),
            hold_reason: None,
            register_scalable_target: Some(register),
            register_first,
            tag_resource,
            put_scaling_policies: policies,
            put_metric_alarms: alarms,
            delete_scaling_policies: gone,
            keeps: self.keeps(),
            advice: self.advice(tracked.filter(|_| !self.keeps_policies), &scheduled),
            put_scheduled_actions: scheduled,
            relax: None,
            is_dear: false,
            forecast: None,
            reasoning: Vec::new(),
            based_on: Some(ScalingState::of(self.scaling)),
        })
    }

    /// A utilisation target in people's units, `CPU at 62 % of 4 vCPUs`.
    fn keeps(&self) -> Option<String> {
        let numbers = self.numbers?;
        let Tracked::Utilization(metric) = numbers.metric else { return None };
        let kind = self.observation.variant.instance_type.as_ref()?;
        let units = if metric == Metric::GPUUtilization { kind.gpus() } else { kind.vcpus() };
        let full = 100.0 * f64::from(units.filter(|units| *units > 0)?);
        Some(utilization_in_words(metric, numbers.target, full))
    }

    /// What a person has to do about a set-up that is not ours to change.
    fn advice(&self, tracked: Option<&ScalingPolicy>, scheduled: &[PutScheduledAction]) -> Vec<String> {
        let policy = tracked.zip(self.numbers).map(|(policy, numbers)| {
            let value = policy.target_tracking.as_ref().map(|tracking| format!(" from {}", tracking.target_value));
            format!(
                "Policy `{}` already tracks this metric and is not ours to change: set its TargetValue{} to {}.",
                policy.policy_name,
                value.unwrap_or_default(),
                numbers.target
            )
        });
        let is_foreign = self.scaling.target.as_ref().is_some_and(|target| !target.is_ours());
        let target = (is_foreign && self.guardrails.existing_targets == ExistingTargets::Advise).then(|| {
            "The scalable target was made by somebody else. Apply the requests of this plan yourself, or set \
             ADVISOR_EXISTING_TARGETS to `raise` to let Endpoint Advisor raise its Min and Max."
                .to_owned()
        });
        let is_left = |name: &str| !scheduled.iter().any(|action| action.scheduled_action_name == name);
        let left = self.scaling.scheduled_actions.iter().flatten();
        let left = left.filter(|action| !self.keeps_policies && action.is_ours() && is_left(&action.name));
        let left = left.map(|action| {
            format!(
                "Delete scheduled action `{}`: this plan does without it, and nothing is deleted here.",
                action.name
            )
        });
        policy.into_iter().chain(target).chain(left).collect()
    }
}

/// The request for a floor.
fn scheduled(key: &ScalableKey, floor: &Floor) -> PutScheduledAction {
    let (hour, minute) = (floor.minute / 60, floor.minute % 60);
    let (schedule, when) = if floor.is_hourly {
        (format!("cron({minute} * * * ? *)"), format!("hourly-{minute:02}"))
    } else {
        (format!("cron({minute} {hour} * * ? *)"), format!("{hour:02}{minute:02}"))
    };
    PutScheduledAction {
        service_namespace: key.service_namespace.clone(),
        schedule,
        scheduled_action_name: format!("{POLICY_NAME_PREFIX}min-at-{when}"),
        resource_id: key.resource_id.clone(),
        scalable_dimension: key.scalable_dimension.clone(),
        scalable_target_action: ScalableTargetAction { min_capacity: floor.min },
    }
}

/// The tags by which a scalable target remembers what was there before us.
fn remembered(present: Option<&ScalableTarget>, current: InstanceCount) -> BTreeMap<String, String> {
    match present {
        Some(target) => {
            let before = format!("min={} max={}", target.min_capacity, target.max_capacity);
            BTreeMap::from([(BEFORE_TAG.to_owned(), before)])
        }
        None => BTreeMap::from([
            (BEFORE_TAG.to_owned(), "absent".to_owned()),
            (INSTANCES_BEFORE_TAG.to_owned(), current.to_string()),
        ]),
    }
}
