//! The AWS requests of a plan.

use super::assembly::Assembly;
use super::from_zero;
use super::schedule::Floor;
use super::target_tracking::{self, Numbers, Tracked};
use crate::config::Guardrails;
use crate::model::{
    DeleteScalingPolicy, HoldReason, InstanceCount, Metric, Observation, POLICY_NAME_PREFIX, Plan, PutScalingPolicy,
    PutScheduledAction, ScalableKey, ScalableTargetAction, Scaling, ScalingPolicy, utilization_in_words,
};

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
        let assembly = Assembly {
            observation: self.observation,
            scaling: self.scaling,
            existing_targets: self.guardrails.existing_targets,
            current: self.current,
            min_capacity: self.min_capacity,
            max_capacity: self.max_capacity,
            policies,
            gone,
            alarms,
            scheduled: self.floors.iter().map(|floor| scheduled(&key, floor)).collect(),
        };
        let plan = assembly.plan()?;
        let policy = self.advice_on(tracked.filter(|_| !self.keeps_policies));
        let left = self.advice_on_left(&plan.put_scheduled_actions);
        let advice = policy.into_iter().chain(plan.advice).chain(left).collect();
        Ok(Plan { keeps: self.keeps(), advice, ..plan })
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

    /// What a person has to do about a policy that is not ours to change.
    fn advice_on(&self, tracked: Option<&ScalingPolicy>) -> Option<String> {
        tracked.zip(self.numbers).map(|(policy, numbers)| {
            let value = policy.target_tracking.as_ref().map(|tracking| format!(" from {}", tracking.target_value));
            format!(
                "Policy `{}` already tracks this metric and is not ours to change: set its TargetValue{} to {}.",
                policy.policy_name,
                value.unwrap_or_default(),
                numbers.target
            )
        })
    }

    /// What a person has to do about scheduled actions of ours that this plan does without.
    fn advice_on_left(&self, scheduled: &[PutScheduledAction]) -> Vec<String> {
        let is_left = |name: &str| !scheduled.iter().any(|action| action.scheduled_action_name == name);
        let left = self.scaling.scheduled_actions.iter().flatten();
        let left = left.filter(|action| !self.keeps_policies && action.is_ours() && is_left(&action.name));
        left.map(|action| {
            format!(
                "Delete scheduled action `{}`: this plan does without it, and nothing is deleted here.",
                action.name
            )
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_asked_for_by_the_clock_in_utc() {
        let key = ScalableKey::of_variant(&"orders".parse().unwrap(), &"AllTraffic".parse().unwrap());
        let asked = |minute, is_hourly| {
            let put = scheduled(&key, &Floor { minute, is_hourly, min: InstanceCount(3) });
            (put.schedule, put.scheduled_action_name)
        };
        let daily = ("cron(35 9 * * ? *)".to_owned(), "endpoint-advisor-min-at-0935".to_owned());
        assert_eq!(asked(9 * 60 + 35, false), daily);
        let hourly = ("cron(7 * * * ? *)".to_owned(), "endpoint-advisor-min-at-hourly-07".to_owned());
        assert_eq!(asked(7, true), hourly);
    }
}
