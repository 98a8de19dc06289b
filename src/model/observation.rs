//! All that is known about one variant at one time.

use super::{
    CloudWatchAlarm, Endpoint, EndpointName, Hosting, InferenceComponent, InferenceComponentName, InstanceCount,
    LatencyObjective, Metrics, Minute, PartMetrics, ScalableDimension, ScalableKey, ScalingPolicy, ScheduledAction,
    Seconds, TriggerKind, UsdPerHour, Variant, VariantName,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// What was read from AWS about one variant (or inference component). It can be saved, sent and read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// Version of this format: `1`.
    #[schemars(extend("const" = "1"))]
    pub version: String,
    /// End of the observed window.
    pub at: Timestamp,
    /// What asked for it.
    pub trigger: TriggerSummary,
    /// The endpoint's name.
    pub endpoint_name: EndpointName,
    /// The variant's name; none for an inference component.
    pub variant_name: Option<VariantName>,
    /// The component's name; none for a variant.
    pub inference_component_name: Option<InferenceComponentName>,
    /// How SageMaker hosts it.
    pub hosting: Hosting,
    /// Whether that could be read; where not, `hosting` is the usual way.
    pub is_hosting_known: bool,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The variant.
    pub variant: Variant,
    /// The inference component, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<InferenceComponent>,
    /// The endpoint's tags; none where they could not be read.
    pub tags: Option<BTreeMap<String, String>>,
    /// The scaling set-up; none where it could not be read.
    pub scaling: Option<Scaling>,
    /// What the endpoint should keep; none where nobody stated it.
    pub objective: Option<LatencyObjective>,
    /// How long the oldest request of an asynchronous endpoint may wait: the lowest threshold of an alarm on
    /// `ApproximateAgeOfOldestRequest`; none where there is no such alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_objective: Option<Seconds>,
    /// The alarms on it, and those that fire its policies; none where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Vec<CloudWatchAlarm>>,
    /// Price of one instance, where it was read.
    pub instance_price: Option<UsdPerHour>,
    /// When the price list that has it was published; none where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list_published: Option<Timestamp>,
    /// One-minute metrics.
    pub metrics: Metrics,
    /// Whether the metrics reach back one day only, because CloudWatch did not give the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_history_cut: bool,
    /// Metrics of other variants, of single instances and of single containers, where they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartMetrics>,
    /// What could not be read, in words.
    pub warnings: Vec<String>,
}

impl Observation {
    /// The scaling set-up as a plan can start from it; none where it could not be read, or cannot be: a range that ends below
    /// where it begins.
    #[must_use]
    pub fn known_scaling(&self) -> Option<&Scaling> {
        let can_be = |target: &ScalableTarget| target.min_capacity <= target.max_capacity;
        self.scaling.as_ref().filter(|scaling| scaling.target.as_ref().is_none_or(can_be))
    }

    /// The last whole minute of the observed window.
    #[must_use]
    pub fn last_minute(&self) -> Minute {
        Minute::containing(self.at).plus(-1)
    }

    /// The first minute that is looked at, 31 days back: CloudWatch keeps single minutes for 15 ("Metrics retention"), and a saved
    /// observation may have been put together from two. What it has from long before is a clock's mistake, and a row for each
    /// minute since would fill the memory.
    #[must_use]
    pub fn first_minute(&self) -> Minute {
        self.last_minute().plus(-31 * 1_440)
    }

    /// The first 12 hex digits of SHA-256 over all that was read, as JSON: an observation of the same digest leads to the same
    /// decision. What asked for it is left out, so that one read again by hand, for the same second, is the same; so are the
    /// alarms and the date of a price, which no decision reads.
    #[must_use]
    pub fn digest(&self) -> String {
        let Self {
            version,
            at,
            trigger: _,
            endpoint_name,
            variant_name,
            inference_component_name,
            hosting,
            is_hosting_known,
            endpoint,
            variant,
            component,
            tags,
            scaling,
            objective,
            age_objective,
            alarms: _,
            instance_price,
            price_list_published: _,
            metrics,
            is_history_cut: _, // a warning says so
            parts,
            warnings,
        } = self;
        let named = (version, at.as_second(), endpoint_name, variant_name, inference_component_name, hosting);
        let described = (is_hosting_known, endpoint, variant, component, tags, scaling);
        let mut hash = Hash(Sha256::new());
        let written = serde_json::to_writer(
            &mut hash,
            &(named, described, (objective, age_objective), instance_price, metrics, parts, warnings),
        );
        // Numbers, names and lists can all be written; if one day something cannot, no digest is better than half of one.
        written.map_or(String::new(), |()| hash.0.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// What is counted when it scales.
    #[must_use]
    pub fn dimension(&self) -> ScalableDimension {
        self.hosting.dimension()
    }

    /// Instances, copies or units of provisioned concurrency that serve now.
    #[must_use]
    pub fn running(&self) -> Option<InstanceCount> {
        match self.dimension() {
            ScalableDimension::InstanceCount => self.variant.current_instance_count,
            ScalableDimension::CopyCount => self.component.as_ref()?.current_copy_count,
            ScalableDimension::ProvisionedConcurrency => {
                self.variant.serverless?.provisioned_concurrency.map(InstanceCount)
            }
        }
    }

    /// How many were asked for.
    #[must_use]
    pub fn wanted(&self) -> Option<InstanceCount> {
        match self.dimension() {
            ScalableDimension::InstanceCount => self.variant.desired_instance_count,
            ScalableDimension::CopyCount => self.component.as_ref()?.desired_copy_count,
            ScalableDimension::ProvisionedConcurrency => self.running(),
        }
    }

    /// By what name Application Auto Scaling knows it; none for an endpoint that names neither variant nor component.
    #[must_use]
    pub fn scalable_key(&self) -> Option<ScalableKey> {
        match (self.dimension(), &self.variant_name, &self.inference_component_name) {
            (ScalableDimension::CopyCount, _, component) => component.as_ref().map(ScalableKey::of_component),
            (ScalableDimension::InstanceCount, Some(variant), _) => {
                Some(ScalableKey::of_variant(&self.endpoint_name, variant))
            }
            (ScalableDimension::ProvisionedConcurrency, Some(variant), _) => {
                Some(ScalableKey::of_provisioned_concurrency(&self.endpoint_name, variant))
            }
            (_, None, _) => None,
        }
    }

    /// The variant's or component's name.
    #[must_use]
    pub fn part_name(&self) -> &str {
        match (&self.variant_name, &self.inference_component_name) {
            (_, Some(component)) => component.as_str(),
            (Some(variant), None) => variant.as_str(),
            (None, None) => "-",
        }
    }
}

/// A hash that JSON is written to, so that days of metrics are never one text.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The part of a trigger that a report repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerSummary {
    /// How it came.
    pub kind: TriggerKind,
    /// `AlarmName`, for alarms.
    pub alarm_name: Option<String>,
    /// The alarm's state, for alarms.
    pub state: Option<String>,
    /// When the alarm changed state.
    pub changed_at: Option<Timestamp>,
}

/// The scaling set-up in Application Auto Scaling.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scaling {
    /// The scalable target; none where the variant is not registered.
    pub target: Option<ScalableTarget>,
    /// Its policies.
    pub policies: Vec<ScalingPolicy>,
    /// Scaling activities, newest first; none where they could not be read.
    pub activities: Option<Vec<ScalingActivity>>,
    /// Scheduled actions; none where they could not be read.
    #[serde(default)]
    pub scheduled_actions: Option<Vec<ScheduledAction>>,
}

/// A scalable target as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScalableTarget {
    /// `ScalableTargetARN`, needed to tag it.
    pub arn: Option<String>,
    /// `MinCapacity`.
    pub min_capacity: InstanceCount,
    /// `MaxCapacity`.
    pub max_capacity: InstanceCount,
    /// `DynamicScalingOutSuspended`: no policy can add instances.
    pub is_scale_out_suspended: bool,
    /// `DynamicScalingInSuspended`: no policy can remove instances.
    #[serde(default)]
    pub is_scale_in_suspended: bool,
    /// `ScheduledScalingSuspended`: no scheduled action takes place.
    #[serde(default)]
    pub is_schedule_suspended: bool,
    /// Its tags; none where they could not be read, and then it counts as somebody else's.
    pub tags: Option<BTreeMap<String, String>>,
}

/// What a scalable target lets happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// `MinCapacity`.
    pub min: InstanceCount,
    /// `MaxCapacity`.
    pub max: InstanceCount,
    /// Whether scaling out, scaling in and schedules are suspended.
    pub suspended: [bool; 3],
}

impl ScalableTarget {
    /// What it lets happen.
    #[must_use]
    pub fn range(&self) -> Range {
        let suspended = [self.is_scale_out_suspended, self.is_scale_in_suspended, self.is_schedule_suspended];
        Range { min: self.min_capacity, max: self.max_capacity, suspended }
    }

    /// Whether we made or changed this target before: it then carries a tag of ours.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.before().is_some()
    }

    /// What our tag says was there before us.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.tags.as_ref()?.get(BEFORE_TAG).map(String::as_str)
    }

    /// The instances of quiet times: the `MinCapacity` before we raised it, or what ran before we registered the target;
    /// else the `MinCapacity` as it is.
    #[must_use]
    pub fn calm_min_capacity(&self) -> InstanceCount {
        let Some(before) = self.before() else { return self.min_capacity };
        let min = before.split(' ').find_map(|part| part.strip_prefix("min="));
        let ran = || self.tags.as_ref()?.get(INSTANCES_BEFORE_TAG).map(String::as_str);
        InstanceCount(min.or_else(ran).and_then(|count| count.parse().ok()).unwrap_or(1))
    }
}

/// The tag on a scalable target that says what was there before us: `absent`, or `min=1 max=4`.
pub const BEFORE_TAG: &str = "endpoint-advisor:before";

/// The tag on a scalable target that we registered: how many instances ran before, when nothing scaled them.
pub const INSTANCES_BEFORE_TAG: &str = "endpoint-advisor:instances-before";

/// A scaling activity, or a decision not to scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingActivity {
    /// `StartTime`.
    pub started_at: Timestamp,
    /// `EndTime`; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// `StatusCode`, as `Successful`, `InProgress`, `Failed`.
    pub status_code: String,
    /// `StatusMessage`.
    pub status_message: Option<String>,
    /// `Description`.
    pub description: String,
    /// `Cause`.
    pub cause: String,
    /// `NotScaledReasons[].Code`; empty where it scaled.
    pub not_scaled_reasons: Vec<String>,
}
