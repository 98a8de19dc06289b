//! A scaling set-up as it stands, and what tells two of them apart.

use super::{PolicyAlarm, Range, ScalableTarget, Scaling, ScalingPolicy, ScheduledAction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scaling set-up: what a plan was made for, what it makes, what was there before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingState {
    /// The scalable target.
    pub target: Option<ScalableTarget>,
    /// Its policies, without their alarms.
    pub policies: Vec<ScalingPolicy>,
    /// The alarms of ours that fire step policies of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<PolicyAlarm>,
    /// Its scheduled actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled_actions: Vec<ScheduledAction>,
}

impl ScalingState {
    /// The set-up in an observation.
    #[must_use]
    pub fn of(scaling: &Scaling) -> Self {
        Self {
            target: scaling.target.clone(),
            policies: scaling.policies.iter().cloned().map(ScalingPolicy::without_alarms).collect(),
            alarms: scaling
                .policies
                .iter()
                .filter(|policy| policy.is_ours())
                .flat_map(|policy| policy.alarms.iter().flatten())
                .filter(|alarm| alarm.is_ours())
                .cloned()
                .collect(),
            scheduled_actions: scaling.scheduled_actions.clone().unwrap_or_default(),
        }
    }

    /// A policy in short: `TargetValue=900`, `TargetValue=248 of CPUUtilization`, `ChangeInCapacity +1`, or `absent`.
    #[must_use]
    pub fn policy_in_words(&self, name: &str) -> String {
        let policy = self.policies.iter().find(|policy| policy.policy_name == name);
        let tracking = policy.and_then(|policy| policy.target_tracking.as_ref());
        let steps = policy.and_then(|policy| policy.step_scaling.as_ref());
        match (tracking, steps) {
            (Some(tracking), _) => {
                let metric = tracking.customized.as_ref().map(|metric| format!(" of {}", metric.metric_name));
                format!("TargetValue={}{}", tracking.target_value, metric.unwrap_or_default())
            }
            (None, Some(steps)) => {
                let adjustments: Vec<_> = steps.steps.iter().map(|step| format!("{:+}", step.adjustment)).collect();
                format!("{} {}", steps.adjustment_type, adjustments.join(", "))
            }
            (None, None) => "absent".to_owned(),
        }
    }

    /// An alarm in short: `HasBacklogWithoutCapacity at 1 in 2 of 2 datapoints`, or `absent`.
    #[must_use]
    pub fn alarm_in_words(&self, name: &str) -> String {
        let alarm = self.alarms.iter().find(|alarm| alarm.alarm_name == name);
        alarm.map_or("absent".to_owned(), |alarm| {
            let metric = alarm.metric.as_deref().and_then(|metric| metric.rsplit('/').next()).unwrap_or("a metric");
            let PolicyAlarm { threshold, datapoints_to_alarm, evaluation_periods, .. } = alarm;
            format!("{metric} at {threshold} in {datapoints_to_alarm} of {evaluation_periods} datapoints")
        })
    }

    /// A scheduled action in short: `min=3 at cron(0 7 * * ? *)`, or `absent`.
    #[must_use]
    pub fn action_in_words(&self, name: &str) -> String {
        let action = self.scheduled_actions.iter().find(|action| action.name == name);
        action.map_or("absent".to_owned(), |action| {
            let min = action.min_capacity.map_or("unchanged".to_owned(), |min| min.to_string());
            format!("min={min} at {}", action.schedule)
        })
    }

    /// The range in short: `min=1 max=4`, or `absent`.
    #[must_use]
    pub fn target_in_words(&self) -> String {
        let target = self.target.as_ref();
        target.map_or("absent".to_owned(), |target| format!("min={} max={}", target.min_capacity, target.max_capacity))
    }

    /// What is different in `other`; none where it scales alike. Tags change nothing that scales.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        other.leaves(self, self)
    }

    /// What is neither as in `from` nor as in `to`; none where this is a state between the two, as a process leaves it that
    /// was cut off while it wrote.
    #[must_use]
    pub fn leaves(&self, from: &Self, to: &Self) -> Option<&'static str> {
        let range = |state: &Self| state.target.as_ref().map(ScalableTarget::range);
        let (now, was, will) = (range(self), range(from), range(to));
        // A new target is registered with what is running first, and raised last.
        let is_first =
            |now: Range, will: Range| was.is_none() && Range { min: now.min, ..will } == now && now.min <= will.min;
        if now != was && now != will && !now.zip(will).is_some_and(|(now, will)| is_first(now, will)) {
            return Some("the scalable target");
        }
        let policy = |state: &Self, name: &str| {
            state.policies.iter().find(|policy| policy.policy_name == name).cloned().map(ScalingPolicy::without_alarms)
        };
        let names =
            [self, from, to].into_iter().flat_map(|state| state.policies.iter().map(|policy| &policy.policy_name));
        for name in names {
            let now = policy(self, name);
            if now != policy(from, name) && now != policy(to, name) {
                return Some("a scaling policy");
            }
        }
        let alarm = |state: &Self, name: &str| state.alarms.iter().find(|alarm| alarm.alarm_name == name).cloned();
        let names = [self, from, to].into_iter().flat_map(|state| state.alarms.iter().map(|alarm| &alarm.alarm_name));
        for name in names {
            let now = alarm(self, name);
            if now != alarm(from, name) && now != alarm(to, name) {
                return Some("an alarm of ours");
            }
        }
        let action =
            |state: &Self, name: &str| state.scheduled_actions.iter().find(|action| action.name == name).cloned();
        let names =
            [self, from, to].into_iter().flat_map(|state| state.scheduled_actions.iter().map(|action| &action.name));
        for name in names {
            let now = action(self, name);
            if now != action(from, name) && now != action(to, name) {
                return Some("a scheduled action");
            }
        }
        None
    }
}
