//! A scaling set-up that can be replayed, in the words of Application Auto Scaling.

use super::PROVISIONED_CONCURRENCY_UTILIZATION;
use super::rules::{AlarmRule, Compiled, Metric, Rule, Steps, Timed};
use crate::model::{
    InstanceCount, Minute, Observation, Plan, PolicyAlarm, PutMetricAlarm, PutScalingPolicy, PutScheduledAction,
    Scaling, ScalingPolicy, ScheduledAction, Seconds, StepScaling, TargetTracking, Thousands,
};
use serde::{Deserialize, Serialize};

/// What Application Auto Scaling takes where a policy does not say.
const DEFAULT_COOLDOWN: Seconds = Seconds(300);
/// The alarms of target tracking, where they could not be read: above the target in 3 of 3 minutes, below nine tenths of
/// it in 15 of 15. That is what they are on endpoints that were looked at; AWS does not promise it.
const HIGH: (u32, u32) = (3, 3);
const LOW: (u32, u32) = (15, 15);
const LOW_SHARE: f64 = 0.9;
/// The emulator keeps this many minutes of each metric.
const MOST_DATAPOINTS: u32 = 64;

/// A scaling set-up: the range, its policies and its schedule. As JSON, it is what `replay --policy` reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// How people call it.
    #[serde(default)]
    pub name: String,
    /// `MinCapacity`.
    pub min_capacity: InstanceCount,
    /// `MaxCapacity`.
    pub max_capacity: InstanceCount,
    /// Its policies; none: the count stays at `min_capacity`.
    #[serde(default)]
    pub policies: Vec<ScalingPolicy>,
    /// Its schedule.
    #[serde(default)]
    pub scheduled_actions: Vec<ScheduledAction>,
    /// Whether nothing is ever added.
    #[serde(default)]
    pub is_scale_out_suspended: bool,
    /// Whether nothing is ever removed.
    #[serde(default)]
    pub is_scale_in_suspended: bool,
}

/// Why a set-up cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReplayable {
    /// A policy on a metric that does not follow from the load.
    #[error("policy `{0}` follows a metric that cannot be worked out from the load")]
    Metric(String),
    /// A policy that is neither target tracking nor step scaling, or whose alarm is not known.
    #[error("policy `{0}` is of a kind, or has an alarm, that is not known here")]
    Policy(String),
    /// A schedule that is not understood.
    #[error("the schedule of `{0}` is not understood: `at(…)` and daily or weekly `cron(…)` in UTC are")]
    Schedule(String),
    /// Min above Max.
    #[error("MinCapacity {0} is above MaxCapacity {1}")]
    Range(InstanceCount, InstanceCount),
}

impl Setup {
    /// The set-up as it stands; none where nothing scales the variant.
    #[must_use]
    pub fn present(observation: &Observation) -> Option<Self> {
        let Scaling { target, policies, scheduled_actions, .. } = observation.scaling.as_ref()?;
        let target = target.as_ref()?;
        let scheduled = scheduled_actions.iter().flatten().filter(|_| !target.is_schedule_suspended);
        let scheduled_actions: Vec<_> = scheduled.cloned().collect();
        (!policies.is_empty() || !scheduled_actions.is_empty()).then(|| Self {
            name: "current".to_owned(),
            min_capacity: target.min_capacity,
            max_capacity: target.max_capacity,
            policies: policies.clone(),
            scheduled_actions,
            is_scale_out_suspended: target.is_scale_out_suspended,
            is_scale_in_suspended: target.is_scale_in_suspended,
        })
    }

    /// The set-up that a plan makes, in quiet times; none where it holds.
    #[must_use]
    pub fn planned(plan: &Plan) -> Option<Self> {
        let register = plan.register_scalable_target.as_ref()?;
        let stands = plan.based_on.clone().unwrap_or_default();
        let put: Vec<ScalingPolicy> = plan.put_scaling_policies.iter().map(PutScalingPolicy::to_policy).collect();
        let is_replaced = |policy: &ScalingPolicy| put.iter().any(|put| put.policy_name == policy.policy_name);
        let is_gone = |policy: &ScalingPolicy| plan.deletes(&policy.policy_name);
        let left = stands.policies.into_iter().filter(|policy| !is_replaced(policy) && !is_gone(policy));
        // The alarms of our step policies carry the policy's name.
        let alarms: Vec<PolicyAlarm> = plan.put_metric_alarms.iter().map(PutMetricAlarm::to_alarm).collect();
        let is_new = |alarm: &PolicyAlarm| alarms.iter().any(|new| new.alarm_name == alarm.alarm_name);
        let standing_alarms: Vec<_> = stands.alarms.into_iter().filter(|alarm| !is_new(alarm)).collect();
        let with_alarms = |policy: ScalingPolicy| {
            let own = |alarm: &&PolicyAlarm| alarm.alarm_name.split('/').next() == Some(policy.policy_name.as_str());
            let own: Vec<PolicyAlarm> = alarms.iter().chain(&standing_alarms).filter(own).cloned().collect();
            ScalingPolicy { alarms: (!own.is_empty()).then_some(own), ..policy }
        };
        let target = stands.target.as_ref();
        let scheduled: Vec<ScheduledAction> =
            plan.put_scheduled_actions.iter().map(PutScheduledAction::to_action).collect();
        let is_rescheduled = |action: &ScheduledAction| scheduled.iter().any(|put| put.name == action.name);
        let standing = stands.scheduled_actions.into_iter().filter(|action| !is_rescheduled(action));
        let standing = standing.filter(|_| target.is_none_or(|target| !target.is_schedule_suspended));
        Some(Self {
            name: "as advised".to_owned(),
            min_capacity: plan.relax.map_or(register.min_capacity, |relax| relax.min_capacity),
            max_capacity: register.max_capacity,
            policies: left.chain(put.iter().cloned()).map(with_alarms).collect(),
            scheduled_actions: standing.chain(scheduled.iter().cloned()).collect(),
            is_scale_out_suspended: target.is_some_and(|target| target.is_scale_out_suspended),
            is_scale_in_suspended: target.is_some_and(|target| target.is_scale_in_suspended),
        })
    }

    /// A range with one policy on a metric, with the cooldowns that AWS takes by itself.
    #[must_use]
    pub fn tracking(metric: &str, target: f64, min: InstanceCount, max: InstanceCount) -> Self {
        let tracking = TargetTracking {
            metric: Some(metric.to_owned()),
            target_value: target,
            scale_out_cooldown: None,
            scale_in_cooldown: None,
            disable_scale_in: false,
            customized: None,
        };
        Self {
            name: format!("target {}, {min} to {max}", Thousands(target)),
            min_capacity: min,
            max_capacity: max,
            policies: vec![ScalingPolicy {
                policy_name: "asked for".to_owned(),
                policy_type: "TargetTrackingScaling".to_owned(),
                target_tracking: Some(tracking),
                ..ScalingPolicy::default()
            }],
            ..Self::default()
        }
    }

    /// The set-up in the form that is replayed. `utilization`: the metric, as `/aws/sagemaker/Endpoints/CPUUtilization`, that
    /// follows from the load, if one does.
    ///
    /// # Errors
    /// What of it cannot be replayed.
    pub fn compile(&self, first: Minute, minutes: usize, utilization: Option<&str>) -> Result<Compiled, NotReplayable> {
        self.compiled(first, minutes, |name| of_load(name, utilization))
    }

    /// The same of an asynchronous endpoint, whose policies follow its queue.
    ///
    /// # Errors
    /// What of it cannot be replayed.
    pub fn compile_for_queue(&self, first: Minute, minutes: usize) -> Result<Compiled, NotReplayable> {
        self.compiled(first, minutes, of_queue)
    }

    fn compiled(
        &self,
        first: Minute,
        minutes: usize,
        followed: impl Fn(&str) -> Option<Metric>,
    ) -> Result<Compiled, NotReplayable> {
        if self.min_capacity > self.max_capacity {
            return Err(NotReplayable::Range(self.min_capacity, self.max_capacity));
        }
        let mut rules = Vec::new();
        for policy in &self.policies {
            rules.extend(rule(policy, &followed)?);
        }
        let mut timed = Vec::new();
        for action in &self.scheduled_actions {
            let (min, max) = (action.min_capacity, action.max_capacity);
            let times = times(action, first, minutes).ok_or_else(|| NotReplayable::Schedule(action.name.clone()))?;
            timed.extend(times.into_iter().map(|minute| Timed {
                minute,
                min: min.map(|count| f64::from(count.0)),
                max: max.map(|count| f64::from(count.0)),
            }));
        }
        timed.sort_by_key(|timed| timed.minute);
        Ok(Compiled {
            min: f64::from(self.min_capacity.0),
            max: f64::from(self.max_capacity.0),
            rules,
            timed,
            is_out_suspended: self.is_scale_out_suspended,
            is_in_suspended: self.is_scale_in_suspended,
        })
    }
}

fn rule(policy: &ScalingPolicy, metric: &impl Fn(&str) -> Option<Metric>) -> Result<Vec<Rule>, NotReplayable> {
    let unknown = || NotReplayable::Policy(policy.policy_name.clone());
    let no_metric = || NotReplayable::Metric(policy.policy_name.clone());
    let alarms = policy.alarms.as_deref().unwrap_or_default();
    match (&policy.target_tracking, &policy.step_scaling) {
        (Some(tracking), _) => {
            // Everything but invocations is reckoned as a mean.
            let is_mean = tracking.customized.as_ref().is_none_or(|metric| metric.statistic == "Average");
            let followed = tracking.metric.as_deref().and_then(metric);
            let followed = followed.filter(|metric| *metric == Metric::InvocationsPerInstance || is_mean);
            Ok(vec![tracked(tracking, followed.ok_or_else(no_metric)?, alarms)])
        }
        (None, Some(steps)) if !alarms.is_empty() => {
            let of = |alarm: &PolicyAlarm| {
                let metric = alarm.metric.as_deref().and_then(metric);
                stepped(steps, metric.ok_or_else(no_metric)?, alarm).ok_or_else(unknown)
            };
            alarms.iter().map(of).collect()
        }
        _ => Err(unknown()),
    }
}

/// What a metric's name means where it follows from the load.
fn of_load(name: &str, utilization: Option<&str>) -> Option<Metric> {
    let is_serverless = utilization == Some(PROVISIONED_CONCURRENCY_UTILIZATION);
    match name {
        // Serverless variants publish none.
        "SageMakerVariantInvocationsPerInstance"
        | "AWS/SageMaker/InvocationsPerInstance"
        | "SageMakerInferenceComponentInvocationsPerCopy"
        | "AWS/SageMaker/InvocationsPerCopy" => (!is_serverless).then_some(Metric::InvocationsPerInstance),
        "SageMakerVariantProvisionedConcurrencyUtilization" => is_serverless.then_some(Metric::Utilization),
        "AWS/SageMaker/NoCapacityInvocationFailures" => (!is_serverless).then_some(Metric::Refused),
        _ if Some(name) == utilization => Some(Metric::Utilization),
        _ => None,
    }
}

/// What a metric's name means where it follows from a queue.
fn of_queue(name: &str) -> Option<Metric> {
    match name {
        "AWS/SageMaker/ApproximateBacklogSizePerInstance" => Some(Metric::BacklogPerInstance),
        "AWS/SageMaker/HasBacklogWithoutCapacity" => Some(Metric::BacklogWithoutCapacity),
        _ => None,
    }
}

fn tracked(tracking: &TargetTracking, metric: Metric, alarms: &[PolicyAlarm]) -> Rule {
    let alarm = |is_high: bool, usual: (u32, u32), threshold: f64| {
        let read = alarms.iter().find(|alarm| alarm.is_on_high() == is_high);
        // The predefined metric is watched minute by minute; another period would not be comparable.
        match read.filter(|alarm| alarm.period == Seconds(60)) {
            Some(alarm) => watched(alarm, is_high),
            None => AlarmRule { threshold, of: usual.0, needed: usual.1, is_high },
        }
    };
    Rule::Tracking {
        metric,
        target: tracking.target_value,
        high: alarm(true, HIGH, tracking.target_value),
        low: (!tracking.disable_scale_in).then(|| alarm(false, LOW, LOW_SHARE * tracking.target_value)),
        out_cooldown: minutes(tracking.scale_out_cooldown.unwrap_or(DEFAULT_COOLDOWN)),
        in_cooldown: minutes(tracking.scale_in_cooldown.unwrap_or(DEFAULT_COOLDOWN)),
    }
}

fn stepped(steps: &StepScaling, metric: Metric, alarm: &PolicyAlarm) -> Option<Rule> {
    let kind = match steps.adjustment_type.as_str() {
        "ChangeInCapacity" => Steps::by_count,
        "PercentChangeInCapacity" => Steps::by_percent,
        "ExactCapacity" => Steps::to_count,
        _ => return None,
    };
    if alarm.period != Seconds(60) || alarm.evaluation_periods > MOST_DATAPOINTS {
        return None;
    }
    let bounds = steps.steps.iter().map(|step| {
        let (lower, upper) = (step.lower_bound.unwrap_or(f64::NEG_INFINITY), step.upper_bound.unwrap_or(f64::INFINITY));
        (lower, upper, f64::from(step.adjustment))
    });
    Some(Rule::Stepping {
        metric,
        alarm: watched(alarm, alarm.is_on_high()),
        steps: kind(bounds.collect(), f64::from(steps.min_adjustment_magnitude.unwrap_or(1))),
        cooldown: minutes(steps.cooldown.unwrap_or(DEFAULT_COOLDOWN)),
    })
}

fn watched(alarm: &PolicyAlarm, is_high: bool) -> AlarmRule {
    let of = alarm.evaluation_periods.clamp(1, MOST_DATAPOINTS);
    // Beyond the next number is beyond or at this one.
    let threshold = match (alarm.comparison_operator.contains("OrEqual"), is_high) {
        (false, _) => alarm.threshold,
        (true, true) => alarm.threshold.next_down(),
        (true, false) => alarm.threshold.next_up(),
    };
    AlarmRule { threshold, of, needed: alarm.datapoints_to_alarm.clamp(1, of), is_high }
}

/// Cooldowns are checked once a minute.
fn minutes(seconds: Seconds) -> i64 {
    i64::from(seconds.0.div_ceil(60))
}

/// The minutes, counted from `first`, in which a scheduled action takes place; none where its schedule is not understood.
fn times(action: &ScheduledAction, first: Minute, minutes: usize) -> Option<Vec<i64>> {
    if action.timezone.as_deref().is_some_and(|zone| !matches!(zone, "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT")) {
        return None;
    }
    let length = i64::try_from(minutes).ok()?;
    if let Some(at) = action.schedule.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')')) {
        let time: jiff::Timestamp = format!("{at}Z").parse().ok()?;
        let minute = Minute::containing(time).since(first);
        return Some((0..length).contains(&minute).then_some(minute).into_iter().collect());
    }
    let fields: Vec<&str> =
        action.schedule.strip_prefix("cron(")?.strip_suffix(')')?.split_ascii_whitespace().collect();
    let [minute, hour, "*" | "?", "*", weekday, "*"] = fields.as_slice() else { return None };
    let minute: i64 = minute.parse().ok().filter(|minute| (0..60).contains(minute))?;
    let hours: Vec<i64> = match *hour {
        "*" => (0..24).collect(),
        hours => hours.split(',').map(|hour| hour.parse().ok()).collect::<Option<_>>()?,
    };
    let weekdays = weekdays(weekday)?;
    let is_time = |offset: &i64| {
        let since_epoch = first.plus(*offset).0;
        // 1970-01-01 was a Thursday; SUN is 0 here.
        let day = (since_epoch.div_euclid(1_440) + 4).rem_euclid(7);
        let of_day = since_epoch.rem_euclid(1_440);
        of_day % 60 == minute && hours.contains(&(of_day / 60)) && weekdays.contains(&day)
    };
    Some((0..length).filter(is_time).collect())
}

/// Days of the week of a cron field, Sunday being 0; in the field itself Sunday is 1.
fn weekdays(field: &str) -> Option<Vec<i64>> {
    const NAMES: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let day = |text: &str| -> Option<i64> {
        let named = NAMES.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named {
            Some(index) => i64::try_from(index).ok(),
            None => text.parse::<i64>().ok().map(|day| day - 1).filter(|day| (0..7).contains(day)),
        }
    };
    if matches!(field, "*" | "?") {
        return Some((0..7).collect());
    }
    let mut days = Vec::new();
    for part in field.split(',') {
        match part.split_once('-') {
            Some((from, to)) if day(from)? <= day(to)? => days.extend(day(from)?..=day(to)?),
            Some(_) => return None,
            None => days.push(day(part)?),
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StepAdjustment;

    fn action(schedule: &str) -> ScheduledAction {
        ScheduledAction {
            name: "morning".to_owned(),
            schedule: schedule.to_owned(),
            timezone: None,
            min_capacity: Some(InstanceCount(3)),
            max_capacity: None,
            end_time: None,
        }
    }

    #[test]
    fn schedules_come_when_they_say() {
        // A Monday.
        let first = Minute::containing("2026-10-05T00:00:00Z".parse().unwrap());
        let week = |schedule: &str| times(&action(schedule), first, 7 * 1_440);
        assert_eq!(week("cron(30 7 * * ? *)").unwrap().len(), 7);
        assert_eq!(week("cron(30 7 * * ? *)").unwrap()[1], 1_440 + 450);
        assert_eq!(week("cron(0 6 ? * MON-FRI *)").unwrap(), [360, 1_800, 3_240, 4_680, 6_120]);
        assert_eq!(week("cron(0 6 ? * 2-6 *)"), week("cron(0 6 ? * MON-FRI *)"), "Sunday is 1");
        assert_eq!(week("at(2026-10-06T01:00:00)").unwrap(), [1_500]);
        assert_eq!(week("rate(5 minutes)"), None);
        assert_eq!(
            times(
                &ScheduledAction { timezone: Some("Europe/Berlin".to_owned()), ..action("cron(0 6 * * ? *)") },
                first,
                99
            ),
            None
        );
    }

    #[test]
    fn each_kind_of_step_is_played_and_no_other() {
        let steps = |kind: &str| StepScaling {
            adjustment_type: kind.to_owned(),
            steps: vec![StepAdjustment { lower_bound: Some(0.0), upper_bound: None, adjustment: 5 }],
            min_adjustment_magnitude: None,
            cooldown: None,
            metric_aggregation_type: None,
        };
        let alarm = PolicyAlarm {
            alarm_name: "theirs".to_owned(),
            metric: Some("AWS/SageMaker/InvocationsPerInstance".to_owned()),
            statistic: Some("Sum".to_owned()),
            comparison_operator: "GreaterThanThreshold".to_owned(),
            threshold: 100.0,
            period: Seconds(60),
            evaluation_periods: 2,
            datapoints_to_alarm: 2,
            dimensions: Vec::new(),
            treat_missing_data: None,
            description: None,
        };
        let is_played = |kind: &str| stepped(&steps(kind), Metric::InvocationsPerInstance, &alarm).is_some();
        assert!(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"].into_iter().all(is_played));
        assert!(!is_played("Exactly"));
        let slow = PolicyAlarm { period: Seconds(300), ..alarm.clone() };
        assert!(stepped(&steps("ExactCapacity"), Metric::InvocationsPerInstance, &slow).is_none());
    }
}
