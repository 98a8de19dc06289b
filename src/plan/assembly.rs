//! What every plan that scales consists of, whatever its policies follow: the range, its memory, and the requests in order.

use crate::config::ExistingTargets;
use crate::model::{
    Action, BEFORE_TAG, DeleteScalingPolicy, HoldReason, INSTANCES_BEFORE_TAG, InstanceCount, Observation, Plan,
    PutMetricAlarm, PutScalingPolicy, PutScheduledAction, RegisterScalableTarget, ScalableTarget, Scaling,
    ScalingState, TagResource, digest,
};
use std::collections::BTreeMap;

/// The parts of a plan.
pub(super) struct Assembly<'a> {
    pub observation: &'a Observation,
    pub scaling: &'a Scaling,
    /// What may happen to targets of others.
    pub existing_targets: ExistingTargets,
    /// Running now.
    pub current: InstanceCount,
    pub min_capacity: InstanceCount,
    pub max_capacity: InstanceCount,
    pub policies: Vec<PutScalingPolicy>,
    /// Policies of ours that these replace.
    pub gone: Vec<DeleteScalingPolicy>,
    pub alarms: Vec<PutMetricAlarm>,
    pub scheduled: Vec<PutScheduledAction>,
}

impl Assembly<'_> {
    /// A plan with all its requests.
    ///
    /// # Errors
    /// Where the set-up as it is could not be remembered.
    pub fn plan(self) -> Result<Plan, HoldReason> {
        let key = self.observation.scalable_key().ok_or(HoldReason::HostingNotSized)?;
        let present = self.scaling.target.as_ref();
        let is_ours = present.is_some_and(ScalableTarget::is_ours);
        let tags = remembered(present, self.current);
        let register = RegisterScalableTarget {
            service_namespace: key.service_namespace,
            resource_id: key.resource_id,
            scalable_dimension: key.scalable_dimension,
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
        let is_foreign = present.is_some_and(|target| !target.is_ours());
        let advice = (is_foreign && self.existing_targets == ExistingTargets::Advise).then(|| {
            "The scalable target was made by somebody else. Apply the requests of this plan yourself, or set \
             ADVISOR_EXISTING_TARGETS to `raise` to let Endpoint Advisor raise its Min and Max."
                .to_owned()
        });
        let Self { policies, gone, alarms, scheduled, .. } = self;
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
            keeps: None,
            put_scheduled_actions: scheduled,
            relax: None,
            is_dear: false,
            forecast: None,
            reasoning: Vec::new(),
            advice: advice.into_iter().collect(),
            based_on: Some(ScalingState::of(self.scaling)),
        })
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
