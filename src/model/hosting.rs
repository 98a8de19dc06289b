//! How SageMaker hosts a model, and what comes with each way.

use super::{InstanceCount, InstanceType, Neighbour, ScalableDimension, VariantName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The way SageMaker hosts a model. It decides which metrics exist and what can be scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hosting {
    /// Instances with one model each, invoked synchronously.
    RealTime,
    /// Many models share a container and are loaded on demand.
    MultiModel,
    /// Several containers on each instance.
    MultiContainer,
    /// Copies of a component placed on shared instances.
    InferenceComponent,
    /// No instances; compute appears per request.
    Serverless,
    /// Requests wait in a queue.
    Asynchronous,
}

impl Hosting {
    /// What is counted when it scales.
    #[must_use]
    pub fn dimension(self) -> ScalableDimension {
        match self {
            Self::InferenceComponent => ScalableDimension::CopyCount,
            Self::Serverless => ScalableDimension::ProvisionedConcurrency,
            Self::RealTime | Self::MultiModel | Self::MultiContainer | Self::Asynchronous => {
                ScalableDimension::InstanceCount
            }
        }
    }

    /// What serves requests, one of it, in words.
    #[must_use]
    pub fn server(self) -> &'static str {
        match self {
            Self::Serverless => "unit of concurrency",
            Self::InferenceComponent => "copy",
            Self::RealTime | Self::MultiModel | Self::MultiContainer | Self::Asynchronous => "instance",
        }
    }
}

impl fmt::Display for Hosting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RealTime => "real-time",
            Self::MultiModel => "multi-model",
            Self::MultiContainer => "multi-container",
            Self::InferenceComponent => "inference component",
            Self::Serverless => "serverless",
            Self::Asynchronous => "asynchronous",
        })
    }
}

/// `ServerlessConfig` of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Serverless {
    /// `MemorySizeInMB`: 1,024 to 6,144. More of it comes with more vCPUs.
    pub memory_size_in_mb: u32,
    /// `MaxConcurrency`: requests beyond it are throttled; 1 to 200.
    pub max_concurrency: u32,
    /// `ProvisionedConcurrency`: so many requests at once meet no cold start; none where it is not set.
    pub provisioned_concurrency: Option<u32>,
}

/// `ManagedInstanceScaling` of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManagedInstanceScaling {
    /// Whether `Status` is `ENABLED`.
    pub is_enabled: bool,
    /// `MinInstanceCount`.
    pub min_instance_count: Option<InstanceCount>,
    /// `MaxInstanceCount`.
    pub max_instance_count: Option<InstanceCount>,
}

/// One of `InstancePools`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstancePool {
    /// `InstanceType`.
    pub instance_type: InstanceType,
    /// `CurrentInstanceCount`.
    pub current_instance_count: Option<InstanceCount>,
}

/// What SageMaker says of one inference component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InferenceComponent {
    /// `InferenceComponentStatus`, as `InService`.
    pub status: String,
    /// `FailureReason`, where SageMaker gives one.
    pub failure_reason: Option<String>,
    /// `RuntimeConfig.CurrentCopyCount`.
    pub current_copy_count: Option<InstanceCount>,
    /// `RuntimeConfig.DesiredCopyCount`: above the current count while copies start, or lack room.
    pub desired_copy_count: Option<InstanceCount>,
    /// `NumberOfCpuCoresRequired` of one copy.
    pub cpu_cores: Option<f64>,
    /// `NumberOfAcceleratorDevicesRequired` of one copy.
    pub accelerators: Option<f64>,
    /// `MinMemoryRequiredInMb` of one copy.
    pub min_memory_in_mb: Option<u32>,
    /// `VariantName`: the variant on whose instances its copies are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_name: Option<VariantName>,
    /// `LastModifiedTime`: so long, at least, its copies are as many as they should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified_at: Option<Timestamp>,
    /// The other components on these instances; none where they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<Vec<Neighbour>>,
}
