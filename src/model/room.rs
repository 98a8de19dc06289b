//! Room for the copies of an inference component on the instances of its variant.
//!
//! SageMaker does not say where copies are, nor how much memory an instance has. What follows from vCPUs and GPUs is an upper
//! bound: so many copies fit at most, however they are spread. That is enough to know that copies can *not* be placed, and
//! is never taken for proof that they can.

use super::{
    InferenceComponent, InferenceComponentName, InstanceCount, InstanceType, Observation, ScalableDimension,
    ScalingActivity, UsdPerHour,
};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Copies that are not placed after so long do not wait for a container to start: an instance takes ten minutes or so, and a
/// model some more.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// More instances than any variant has.
const MOST_INSTANCES: u32 = 10_000;

/// What one copy needs of an instance: `ComputeResourceRequirements`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Needs {
    /// `NumberOfCpuCoresRequired`.
    pub cpu_cores: Option<f64>,
    /// `NumberOfAcceleratorDevicesRequired`.
    pub accelerators: Option<f64>,
    /// `MinMemoryRequiredInMb`.
    pub min_memory_in_mb: Option<u32>,
}

/// Another component on the same instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Neighbour {
    /// Its name.
    pub name: InferenceComponentName,
    /// Copies that it wants.
    pub copies: Option<InstanceCount>,
    /// What each of them needs.
    #[serde(flatten)]
    pub needs: Needs,
}

/// How many copies fit, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// On one instance that holds nothing else.
    pub per_instance: u32,
    /// On the instances that run, beside the copies of others.
    pub now: InstanceCount,
    /// On as many instances as the variant may have, beside the copies of others.
    pub most: InstanceCount,
}

/// Why copies that were asked for are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The variant has as many instances as `ManagedInstanceScaling` allows.
    AtMaxInstances,
    /// SageMaker does not add instances to this variant by itself.
    FixedInstances,
    /// It should, and no instance came.
    NoInstanceCame,
}

impl InferenceComponent {
    /// What one copy needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        Needs { cpu_cores: self.cpu_cores, accelerators: self.accelerators, min_memory_in_mb: self.min_memory_in_mb }
    }
}

impl Needs {
    /// Pairs of what a copy needs and what an instance has, of each resource where both are known.
    fn against(&self, kind: &InstanceType) -> Vec<(Resource, f64, f64)> {
        let of = |resource: Resource| Some((resource, self.of(resource)?, resource.on(kind)?));
        Resource::ALL.into_iter().filter_map(of).collect()
    }

    fn of(&self, resource: Resource) -> Option<f64> {
        let needs = match resource {
            Resource::Cores => self.cpu_cores,
            Resource::Accelerators => self.accelerators,
        };
        needs.filter(|needs| *needs > 0.0)
    }
}

/// What is known of an instance type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    Cores,
    Accelerators,
}

impl Resource {
    const ALL: [Self; 2] = [Self::Cores, Self::Accelerators];

    fn on(self, kind: &InstanceType) -> Option<f64> {
        let count = match self {
            Self::Cores => kind.vcpus(),
            Self::Accelerators => kind.gpus(),
        };
        count.map(f64::from)
    }
}

impl Observation {
    /// Room for copies; none where nothing of what they need can be held against the instance type.
    #[must_use]
    pub fn room(&self) -> Option<Room> {
        let kind = self.variant.instance_type.as_ref()?;
        let per_instance = self.component.as_ref()?.needs().against(kind);
        let per_instance = per_instance.iter().map(|(_, needs, has)| copies(has / needs)).min()?;
        Some(Room {
            per_instance,
            now: self.copies_on(self.variant.current_instance_count?)?,
            most: self.copies_on(self.most_instances()?)?,
        })
    }

    /// Copies that fit on so many instances beside those of others, at most.
    #[must_use]
    pub fn copies_on(&self, instances: InstanceCount) -> Option<InstanceCount> {
        let kind = self.variant.instance_type.as_ref()?;
        let component = self.component.as_ref()?;
        let others = |resource: Resource| -> f64 {
            let taken = |other: &Neighbour| Some(f64::from(other.copies?.0) * other.needs.of(resource)?);
            component.neighbours.iter().flatten().filter_map(taken).sum()
        };
        let count = f64::from(instances.0);
        let fits = |(resource, needs, has): (Resource, f64, f64)| {
            let whole = copies(has / needs).saturating_mul(instances.0);
            whole.min(copies((count * has - others(resource)) / needs))
        };
        component.needs().against(kind).into_iter().map(fits).min().map(InstanceCount)
    }

    /// The fewest instances that hold so many copies; none where no number of them does, or it is not known.
    #[must_use]
    pub fn instances_that_hold(&self, copies: InstanceCount) -> Option<InstanceCount> {
        let holds = |count: &u32| self.copies_on(InstanceCount(*count)).is_some_and(|fit| fit >= copies);
        self.room().filter(|room| room.per_instance > 0)?;
        (1..=MOST_INSTANCES).find(holds).map(InstanceCount)
    }

    /// As many instances as the variant may have: what `ManagedInstanceScaling` allows, else what runs.
    #[must_use]
    pub fn most_instances(&self) -> Option<InstanceCount> {
        match self.variant.managed_instance_scaling.filter(|scaling| scaling.is_enabled) {
            Some(scaling) => scaling.max_instance_count,
            None => self.variant.current_instance_count,
        }
    }

    /// Whether no copy at all may be left: SageMaker allows it where the variant itself may go down to no instance.
    #[must_use]
    pub fn may_scale_to_zero(&self) -> bool {
        let managed = self.variant.managed_instance_scaling.filter(|scaling| scaling.is_enabled);
        self.dimension() == ScalableDimension::CopyCount
            && managed.is_some_and(|scaling| scaling.min_instance_count == Some(InstanceCount(0)))
    }

    /// Why copies that were asked for are not there; none where none is missing, or they may still be starting.
    #[must_use]
    pub fn lack(&self) -> Option<Lack> {
        let (wanted, running) = self.wanted().zip(self.running())?;
        if self.dimension() != ScalableDimension::CopyCount || wanted <= running {
            return None;
        }
        let is_managed = self.variant.managed_instance_scaling.is_some_and(|scaling| scaling.is_enabled);
        let full = if is_managed { Lack::AtMaxInstances } else { Lack::FixedInstances };
        if self.room().is_some_and(|room| wanted > room.most) {
            return Some(full);
        }
        self.waited().filter(|waited| *waited >= PATIENCE)?;
        let is_at_most =
            self.variant.current_instance_count.zip(self.most_instances()).is_some_and(|(now, most)| now >= most);
        Some(if is_at_most { full } else { Lack::NoInstanceCame })
    }

    /// How long copies have been missing, at least; none where that is not known.
    #[must_use]
    pub fn waited(&self) -> Option<SignedDuration> {
        let activities = self.scaling.iter().filter_map(|scaling| scaling.activities.as_ref()).flatten();
        let scaled = activities.filter(|activity| activity.not_scaled_reasons.is_empty()).map(began).max();
        let modified = self.component.as_ref().and_then(|component| component.last_modified_at);
        scaled.into_iter().chain(modified).max().map(|since| self.at.duration_since(since))
    }

    /// What one of what is counted costs; none where that is not known. Copies share instances: one of them has a price
    /// only where it fills an instance and there are no others.
    #[must_use]
    pub fn unit_price(&self) -> Option<UsdPerHour> {
        let is_alone = || {
            let neighbours = self.component.as_ref().and_then(|component| component.neighbours.as_ref());
            neighbours.is_some_and(Vec::is_empty) && self.room().is_some_and(|room| room.per_instance == 1)
        };
        self.instance_price.filter(|_| self.dimension() != ScalableDimension::CopyCount || is_alone())
    }

    /// Where the price is from: `public on-demand price, AWS Price List of 2026-10-01`.
    #[must_use]
    pub fn price_source(&self) -> String {
        let of = self.price_list_published.map(|at| format!(", AWS Price List of {}", at.strftime("%Y-%m-%d")));
        format!("public on-demand price{}", of.unwrap_or_default())
    }
}

fn began(activity: &ScalingActivity) -> jiff::Timestamp {
    activity.started_at
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates; below 0 nothing fits")]
fn copies(exact: f64) -> u32 {
    // A third of a core three times is one core.
    (exact + 1e-6).floor() as u32
}
