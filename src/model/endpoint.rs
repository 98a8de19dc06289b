//! Names and descriptions of endpoints, in SageMaker's own terms.

use super::{Containers, InstanceCount, InstancePool, ManagedInstanceScaling, Serverless};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A name that SageMaker would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a SageMaker name: 1 to 63 letters, digits and inner hyphens are expected")]
pub struct InvalidName {
    name: String,
}

macro_rules! sagemaker_name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks `name` against SageMaker's pattern, `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`.
            ///
            /// # Errors
            /// [`InvalidName`] where SageMaker would refuse it.
            pub fn parse(name: &str) -> Result<Self, InvalidName> {
                let inner = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                if inner && (1..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-') {
                    Ok(Self(name.to_owned()))
                } else {
                    Err(InvalidName { name: name.chars().take(80).collect() })
                }
            }

            /// The name as SageMaker spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = InvalidName;
            fn from_str(name: &str) -> Result<Self, InvalidName> {
                Self::parse(name)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(name: String) -> Result<Self, InvalidName> {
                Self::parse(&name)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

sagemaker_name!(
    /// The name of an endpoint.
    EndpointName
);
sagemaker_name!(
    /// The name of a production variant.
    VariantName
);
sagemaker_name!(
    /// The name of an inference component.
    InferenceComponentName
);

/// What an alarm or a person asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Every production variant of an endpoint.
    Endpoint(EndpointName),
    /// One production variant.
    Variant(EndpointName, VariantName),
    /// One inference component; the endpoint is looked up.
    InferenceComponent(InferenceComponentName),
}

/// `EndpointStatus`, in SageMaker's spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EndpointStatus(pub String);

impl EndpointStatus {
    /// Whether instances may be added: SageMaker refuses changes in every other status.
    #[must_use]
    pub fn is_in_service(&self) -> bool {
        self.0 == "InService"
    }
}

/// What `DescribeEndpoint` and `DescribeEndpointConfig` say of the endpoint as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The endpoint's ARN; it carries partition, Region and account.
    pub arn: String,
    /// `EndpointStatus`.
    pub status: EndpointStatus,
    /// `FailureReason`, where SageMaker gives one.
    pub failure_reason: Option<String>,
    /// `LastModifiedTime`: the last deployment or change of capacity.
    pub last_modified_at: Option<Timestamp>,
    /// `EndpointConfigName`.
    pub endpoint_config_name: Option<String>,
    /// `CreationTime` of the endpoint configuration in use: no deployment of it can be older.
    pub endpoint_config_created_at: Option<Timestamp>,
    /// Traffic of every production variant, in the order of the endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<VariantWeight>,
    /// Shadow variants: they get copies of requests, and nobody waits for their answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow_variants: Vec<VariantName>,
    /// `AsyncInferenceConfig.ClientConfig.MaxConcurrentInvocationsPerInstance`, where it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_invocations_per_instance: Option<u32>,
    /// `ExplainerConfig`: SageMaker Clarify explains requests, which takes further calls of the model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_explainer: bool,
    /// `DataCaptureConfig.EnableCapture`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub captures_data: bool,
    /// `MetricsConfig.EnableEnhancedMetrics`: metrics of each instance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_enhanced_metrics: bool,
}

/// The share of the endpoint's requests that a variant gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantWeight {
    /// The variant.
    pub variant_name: VariantName,
    /// `CurrentWeight`, relative to the sum over all variants.
    pub current_weight: f64,
    /// `DesiredWeight`: different while a shift is under way.
    pub desired_weight: f64,
}

impl Endpoint {
    /// One field of `arn:partition:service:region:account:resource`, counted from 0.
    fn arn_field(&self, index: usize) -> &str {
        self.arn.split(':').nth(index).unwrap_or_default()
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.arn_field(1)
    }

    /// The endpoint's Region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.arn_field(3)
    }
}

/// What SageMaker says of one production variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// `InstanceType`, as `ml.m5.xlarge`; none where the variant has no instances of one type, or it could not be read.
    pub instance_type: Option<InstanceType>,
    /// `CurrentInstanceCount`.
    pub current_instance_count: Option<InstanceCount>,
    /// `DesiredInstanceCount`: above the current count while instances start.
    pub desired_instance_count: Option<InstanceCount>,
    /// `InitialInstanceCount` of the endpoint configuration: what an update of the endpoint goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_instance_count: Option<InstanceCount>,
    /// `ModelName`, where it was read and serves alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// `RoutingStrategy`; unset means random.
    pub routing_strategy: Option<String>,
    /// `CurrentServerlessConfig`; none where instances serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<Serverless>,
    /// `ManagedInstanceScaling`: SageMaker itself adds instances where copies need room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_instance_scaling: Option<ManagedInstanceScaling>,
    /// `InstancePools`, where instances of several types serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_pools: Vec<InstancePool>,
    /// The containers of the model, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containers: Option<Containers>,
}

/// An instance type for hosting, as `ml.g5.12xlarge`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InstanceType(pub String);

impl InstanceType {
    fn family_and_size(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix("ml.")?.split_once('.')
    }

    /// vCPUs, by EC2's size names (`medium` 1, `large` 2, `xlarge` 4, `Nxlarge` 4 N) and their two exceptions among
    /// hosting types; none where the name does not follow them.
    ///
    /// `CPUUtilization` of an endpoint is the sum over cores, 0 to 100 times this.
    #[must_use]
    pub fn vcpus(&self) -> Option<u32> {
        match self.family_and_size()? {
            ("t2", "medium") => Some(2),
            ("c4", "8xlarge") => Some(36),
            (_, "medium") => Some(1),
            (_, "large") => Some(2),
            (_, "xlarge") => Some(4),
            (_, size) => size.strip_suffix("xlarge")?.parse::<u32>().ok()?.checked_mul(4),
        }
    }

    /// GPUs that feed `GPUUtilization`; 0 for types without one, none for accelerated families that are not known
    /// here.
    #[must_use]
    pub fn gpus(&self) -> Option<u32> {
        let (family, size) = self.family_and_size()?;
        match (family, size) {
            ("g4dn" | "g5" | "g6" | "g6e", "12xlarge" | "24xlarge") => Some(4),
            ("g4dn" | "g5" | "g6" | "g6e", "48xlarge") => Some(8),
            ("g4dn" | "g5" | "g6" | "g6e", _) => Some(1),
            ("p2", "xlarge") => Some(1),
            ("p2", "8xlarge") => Some(8),
            ("p2", "16xlarge") => Some(16),
            ("p3", "2xlarge") => Some(1),
            ("p3", "8xlarge") => Some(4),
            ("p3", "16xlarge") => Some(8),
            ("p5", "4xlarge") => Some(1),
            ("p4d" | "p4de" | "p5" | "p5e" | "p5en" | "p6-b200" | "p6-b300", _) => Some(8),
            (family, _) if family.starts_with(['g', 'p']) || family.starts_with("inf") || family.starts_with("trn") => {
                None
            }
            _ => Some(0),
        }
    }

    /// Whether Application Auto Scaling refuses this type: the burstable `ml.t2` family.
    #[must_use]
    pub fn is_burstable(&self) -> bool {
        self.family_and_size().is_some_and(|(family, _)| family == "t2")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_sagemaker_would_refuse_is_refused() {
        assert!(EndpointName::parse("orders-2").is_ok());
        for name in ["", "-orders", "orders-", "or ders", "órdenes", "a/b", &"x".repeat(64)] {
            assert!(EndpointName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn cores_and_gpus_follow_from_the_size_name() {
        let of = |name: &str| InstanceType(name.to_owned());
        assert_eq!((of("ml.m5.xlarge").vcpus(), of("ml.m5.xlarge").gpus()), (Some(4), Some(0)));
        assert_eq!((of("ml.g5.12xlarge").vcpus(), of("ml.g5.12xlarge").gpus()), (Some(48), Some(4)));
        assert_eq!(of("ml.c4.8xlarge").vcpus(), Some(36));
        assert_eq!(of("ml.g99.xlarge").gpus(), None);
        assert_eq!(of("something").vcpus(), None);
    }

    #[test]
    fn types_with_several_gpus() {
        for (name, gpus) in [
            ("ml.g4dn.xlarge", 1),
            ("ml.g5.24xlarge", 4),
            ("ml.g6.48xlarge", 8),
            ("ml.p2.xlarge", 1),
            ("ml.p2.8xlarge", 8),
            ("ml.p2.16xlarge", 16),
            ("ml.p3.2xlarge", 1),
            ("ml.p3.8xlarge", 4),
            ("ml.p3.16xlarge", 8),
            ("ml.p4d.24xlarge", 8),
            ("ml.p5.4xlarge", 1),
            ("ml.p5.48xlarge", 8),
        ] {
            assert_eq!(InstanceType(name.to_owned()).gpus(), Some(gpus), "{name}");
        }
    }
}
