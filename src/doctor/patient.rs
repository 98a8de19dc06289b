//! One variant or component, with what several rules need to know of it.

use super::room::Need;
use super::rule::Reading;
use crate::config::{Guardrails, Settings};
use crate::model::{
    Account, Capacity, CloudWatchAlarm, History, Hosting, InstanceCount, InstanceType, Minute, MinuteRow, Observation,
    Plan, ScalableKey, ScalableTarget, ScalingPolicy, ScheduledAction, TargetTracking,
};
use crate::replay::Boot;
use crate::{capacity, plan};
use std::cell::OnceCell;

/// Traffic of this long says whether anybody uses it.
const DAY_MINUTES: i64 = 1_440;

/// A variant or component.
pub(super) struct Patient<'a> {
    pub observation: &'a Observation,
    pub account: Option<&'a Account>,
    pub guardrails: Guardrails,
    pub history: History,
    pub boot: Boot,
    /// What the load of its history needs; none where that is not known.
    pub need: Option<Need>,
    capacity: Option<Capacity>,
    tuned: OnceCell<Plan>,
}

impl<'a> Patient<'a> {
    pub fn of(observation: &'a Observation, account: Option<&'a Account>, settings: &Settings) -> Self {
        let capacity = capacity::capacity(observation);
        let history = History::of(observation);
        let need = capacity.clone().filter(|_| is_needed_by_load(observation)).and_then(|capacity| {
            // More of what does not help is no need.
            (!capacity.is_shared).then(|| Need::of(&history, capacity))?
        });
        Self {
            observation,
            account,
            guardrails: settings.for_endpoint(observation.tags.as_ref()),
            boot: Boot::of(observation),
            history,
            need,
            capacity,
            tuned: OnceCell::new(),
        }
    }

    /// What one instance carries; none where that is not known.
    pub fn capacity(&self) -> Option<&Capacity> {
        self.capacity.as_ref()
    }

    /// `orders/AllTraffic`.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.observation.endpoint_name, self.observation.part_name())
    }

    pub fn key(&self) -> Option<ScalableKey> {
        self.observation.scalable_key()
    }

    pub fn target(&self) -> Option<&ScalableTarget> {
        self.observation.scaling.as_ref()?.target.as_ref()
    }

    pub fn policies(&self) -> &[ScalingPolicy] {
        self.observation.scaling.as_ref().map_or(&[], |scaling| &scaling.policies)
    }

    /// Policies that keep a target.
    pub fn tracking(&self) -> impl Iterator<Item = (&ScalingPolicy, &TargetTracking)> {
        self.policies().iter().filter_map(|policy| Some((policy, policy.target_tracking.as_ref()?)))
    }

    pub fn scheduled_actions(&self) -> &[ScheduledAction] {
        let scaling = self.observation.scaling.as_ref();
        scaling.and_then(|scaling| scaling.scheduled_actions.as_deref()).unwrap_or_default()
    }

    pub fn alarms(&self) -> &[CloudWatchAlarm] {
        self.observation.alarms.as_deref().unwrap_or_default()
    }

    pub fn running(&self) -> Option<InstanceCount> {
        self.observation.running()
    }

    /// Whether Application Auto Scaling takes it.
    pub fn can_be_scaled(&self) -> bool {
        let variant = &self.observation.variant;
        let has_units = self.observation.hosting != Hosting::Serverless
            || variant.serverless.is_some_and(|serverless| serverless.provisioned_concurrency.is_some());
        has_units && !variant.instance_types().any(InstanceType::is_burstable)
    }

    /// Whether requests are answered while the caller waits, by instances or copies that are always there.
    pub fn serves_callers(&self) -> bool {
        !matches!(self.observation.hosting, Hosting::Asynchronous | Hosting::Serverless)
    }

    /// The rows of the last `minutes`.
    pub fn last(&self, minutes: i64) -> impl Iterator<Item = &MinuteRow> {
        let last = self.observation.last_minute();
        self.history.between(last.plus(1 - minutes), last).map(|(_, row): (Minute, &MinuteRow)| row)
    }

    /// Whether any request was counted in the last day.
    pub fn is_used(&self) -> bool {
        self.was_used_within(DAY_MINUTES)
    }

    pub fn was_used_within(&self, minutes: i64) -> bool {
        let mut rows = self.last(minutes);
        rows.any(|row| row.has_invocations(1.0) || (self.observation.is_asynchronous() && row.latency.is_some()))
    }

    /// What its history would have been served best by, were no policy there.
    pub fn tuned(&self) -> &Plan {
        self.tuned.get_or_init(|| {
            let mut bare = self.observation.clone();
            bare.scaling.iter_mut().for_each(|scaling| scaling.policies.clear());
            // What somebody already allows is not the doctor's to refuse.
            let present = self.target().map(|target| target.max_capacity).max(self.running());
            let max_instances =
                present.map_or(self.guardrails.max_instances, |most| most.max(self.guardrails.max_instances));
            let guardrails = Guardrails { max_instances, ..self.guardrails.clone() };
            plan::tune(&bare, self.capacity.as_ref(), &guardrails)
        })
    }

    /// Whether something was not read. What does not exist for this way of hosting is not missing.
    pub fn lacks(&self, reading: Reading) -> bool {
        let observation = self.observation;
        let scaling = observation.scaling.as_ref();
        match reading {
            Reading::Scaling => scaling.is_none(),
            Reading::Activities => scaling.is_some_and(|scaling| scaling.activities.is_none()),
            Reading::ScheduledActions => scaling.is_some_and(|scaling| scaling.scheduled_actions.is_none()),
            Reading::Alarms => observation.alarms.is_none(),
            Reading::Hosting => !observation.is_hosting_known,
            Reading::Need => is_needed_by_load(observation) && self.need.is_none(),
            Reading::InstanceType => {
                observation.hosting != Hosting::Serverless && observation.variant.instance_types().next().is_none()
            }
            Reading::Configuration => {
                let has_instances = !matches!(observation.hosting, Hosting::Serverless | Hosting::InferenceComponent);
                has_instances && observation.variant.initial_instance_count.is_none()
            }
            Reading::Targets => self.account.is_none_or(|account| account.targets.is_none()),
        }
    }

    /// The same in words.
    pub fn why_missing(&self, reading: Reading) -> String {
        let what = match reading {
            Reading::Scaling => "the scalable target and its policies were not read",
            Reading::Activities => "scaling activities were not read",
            Reading::ScheduledActions => "scheduled actions were not read",
            Reading::Alarms => "alarms were not read",
            Reading::Hosting => "how the model is hosted could not be read",
            Reading::Need if self.observation.objective.is_none() => {
                "no latency objective is known (an alarm on ModelLatency, or the tag endpoint-advisor:slo-ms), so what one \
                 instance carries is not either"
            }
            Reading::Need if self.capacity.as_ref().is_some_and(|capacity| capacity.is_shared) => {
                "something behind the instances limits them, so their load does not tell how many are needed"
            }
            Reading::Need => "too little of load and latency was seen to know what one instance carries",
            Reading::InstanceType => "the instance type was not read",
            Reading::Configuration => "InitialInstanceCount of the endpoint configuration was not read",
            Reading::Targets => "the scalable targets of the Region were not listed",
        };
        let mut chars = what.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase()).into_iter();
        first.chain(chars).chain(['.']).collect()
    }
}

/// Whether its load tells how many are needed: a queue may wait, and cold starts are no lack of instances.
fn is_needed_by_load(observation: &Observation) -> bool {
    !matches!(observation.hosting, Hosting::Asynchronous | Hosting::Serverless)
}
