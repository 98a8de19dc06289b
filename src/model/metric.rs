//! Metrics as CloudWatch publishes them, kept minute by minute with their gaps.

use super::Minute;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where SageMaker publishes a metric.
const INVOCATIONS: &str = "AWS/SageMaker";
const INSTANCES: &str = "/aws/sagemaker/Endpoints";
const COMPONENTS: &str = "/aws/sagemaker/InferenceComponents";

/// Metrics, each with its namespace. Their names are as published.
macro_rules! metrics {
    ($($(#[$doc:meta])+ $name:ident in $namespace:expr,)+) => {
        /// A SageMaker metric, spelled as published.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Metric {
            $($(#[$doc])+ $name,)+
        }

        impl Metric {
            /// The CloudWatch namespace in which SageMaker publishes this metric.
            #[must_use]
            pub fn namespace(self) -> &'static str {
                match self {
                    $(Self::$name => $namespace,)+
                }
            }

            /// The metric's name as published.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

metrics! {
    /// Requests sent to the variant; `Sum`.
    Invocations in INVOCATIONS,
    /// Each request counts 1/instances; `Sum` over a minute is the load on one instance.
    InvocationsPerInstance in INVOCATIONS,
    /// Inference components: each request counts 1/copies; `Sum` over a minute is the load on one copy.
    InvocationsPerCopy in INVOCATIONS,
    /// Time in the container, waiting included; microseconds.
    ModelLatency in INVOCATIONS,
    /// Several containers: time in one of them; microseconds.
    ContainerLatency in INVOCATIONS,
    /// Time in SageMaker outside the container; microseconds.
    OverheadLatency in INVOCATIONS,
    /// Serverless: time to set up compute for a request that found none; microseconds, one sample a cold start.
    ModelSetupTime in INVOCATIONS,
    /// 1 for each request that the model answered with a 4xx.
    Invocation4XXErrors in INVOCATIONS,
    /// 1 for each request that the model answered with a 5xx.
    Invocation5XXErrors in INVOCATIONS,
    /// 1 for each request that the container did not answer with a 2xx: errors, broken sockets, timeouts.
    InvocationModelErrors in INVOCATIONS,
    /// Requests in flight in one container, those that wait in it included; published every ten seconds.
    ConcurrentRequestsPerModel in INVOCATIONS,
    /// Inference components: the same in one copy.
    ConcurrentRequestsPerCopy in INVOCATIONS,
    /// Inference components: requests that were refused because there was no copy.
    NoCapacityInvocationFailures in INVOCATIONS,
    /// Clarify: explanations made, each request counting 1/instances.
    ExplanationsPerInstance in INVOCATIONS,
    /// Serverless: requests at once, as a share of `MaxConcurrency`; 0 to 1.
    ServerlessConcurrentExecutionsUtilization in INVOCATIONS,
    /// Serverless: requests at once on provisioned concurrency.
    ServerlessProvisionedConcurrencyExecutions in INVOCATIONS,
    /// Serverless: the same as a share of the provisioned concurrency; 0 to 1.
    ServerlessProvisionedConcurrencyUtilization in INVOCATIONS,
    /// Serverless: requests that provisioned concurrency served.
    ServerlessProvisionedConcurrencyInvocations in INVOCATIONS,
    /// Serverless: requests beyond it, which may meet a cold start.
    ServerlessProvisionedConcurrencySpilloverInvocations in INVOCATIONS,
    /// Asynchronous: requests that wait or are being processed.
    ApproximateBacklogSize in INVOCATIONS,
    /// Asynchronous: the same over the instances; no datapoints where there is none.
    ApproximateBacklogSizePerInstance in INVOCATIONS,
    /// Asynchronous: age of the oldest request that waits; seconds.
    ApproximateAgeOfOldestRequest in INVOCATIONS,
    /// Asynchronous: 1 while requests wait and there is no instance, else 0.
    HasBacklogWithoutCapacity in INVOCATIONS,
    /// Asynchronous: requests that were processed; AWS spells it with three s.
    InvocationsProcesssed in INVOCATIONS,
    /// Asynchronous: requests that failed.
    InvocationFailures in INVOCATIONS,
    /// Asynchronous: requests that waited too long and were dropped.
    ExpiredRequests in INVOCATIONS,
    /// Asynchronous: requests that could not be fetched from S3.
    RequestDownloadFailures in INVOCATIONS,
    /// Asynchronous: answers that could not be stored in S3.
    ResponseUploadFailures in INVOCATIONS,
    /// Asynchronous: time to fetch a request from S3; microseconds.
    RequestDownloadLatency in INVOCATIONS,
    /// Asynchronous: time to store an answer in S3; microseconds.
    ResponseUploadLatency in INVOCATIONS,
    /// Asynchronous: time that a request waited before it was processed; milliseconds.
    TimeInBacklog in INVOCATIONS,
    /// Asynchronous: time from a request's arrival to the end of its processing; milliseconds.
    TotalProcessingTime in INVOCATIONS,
    /// Multi-model: 1 for each request that found its model loaded.
    ModelCacheHit in INVOCATIONS,
    /// Multi-model: how long a request waited for its model; microseconds.
    ModelLoadingWaitTime in INVOCATIONS,
    /// Multi-model: how long it took to fetch a model from S3; microseconds, one sample a download.
    ModelDownloadingTime in INVOCATIONS,
    /// Multi-model: how long it took to load a model; microseconds, one sample a load.
    ModelLoadingTime in INVOCATIONS,
    /// Multi-model: how long it took to unload a model; microseconds, one sample an unload.
    ModelUnloadingTime in INVOCATIONS,
    /// Multi-model: models that an instance holds.
    LoadedModelCount in INSTANCES,
    /// Percent of one core, summed over cores: 0 to 100 times vCPUs.
    CPUUtilization in INSTANCES,
    /// Percent of one GPU, summed over GPUs.
    GPUUtilization in INSTANCES,
    /// Percent of one GPU's memory, summed over GPUs.
    GPUMemoryUtilization in INSTANCES,
    /// Percent of the instance's memory.
    MemoryUtilization in INSTANCES,
    /// Inference components: percent of the cores that a copy was given.
    CPUUtilizationNormalized in COMPONENTS,
    /// Inference components: percent of the GPUs that a copy was given.
    GPUUtilizationNormalized in COMPONENTS,
    /// Inference components: percent of those GPUs' memory.
    GPUMemoryUtilizationNormalized in COMPONENTS,
    /// Inference components: percent of the memory that a copy was given.
    MemoryUtilizationNormalized in COMPONENTS,
}

impl Metric {
    /// Whether the metric is of the instances, whatever runs on them.
    #[must_use]
    pub fn is_of_instances(self) -> bool {
        self.namespace() == INSTANCES
    }

    /// Whether the metric is of the endpoint as a whole: it has no `VariantName`.
    #[must_use]
    pub fn is_of_endpoint(self) -> bool {
        matches!(
            self,
            Self::ApproximateBacklogSize
                | Self::ApproximateBacklogSizePerInstance
                | Self::ApproximateAgeOfOldestRequest
                | Self::HasBacklogWithoutCapacity
        )
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A CloudWatch statistic, spelled as `GetMetricData` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^(SampleCount|Sum|Average|Minimum|Maximum|p\d+(\.\d+)?)$"))]
pub enum Statistic {
    /// How many samples.
    SampleCount,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// A percentile in hundredths of a percent: 9000 is `p90`, 9995 is `p99.95`.
    Percentile(u16),
}

impl Statistic {
    /// The median.
    pub const P50: Self = Self::Percentile(5_000);
    /// The 90th percentile: the usual statistic of a latency objective.
    pub const P90: Self = Self::Percentile(9_000);
    /// The 99th percentile.
    pub const P99: Self = Self::Percentile(9_900);

    /// Samples below which a minute's value says little: ten beyond the percentile, which is also where CloudWatch
    /// begins to call a percentile's sample count low.
    #[must_use]
    pub fn samples_needed(self) -> f64 {
        match self {
            Self::Percentile(hundredths) if hundredths > 5_000 => 100_000.0 / f64::from(10_000 - hundredths.min(9_999)),
            _ => 20.0,
        }
    }

    /// Whether a latency can be stated in this statistic: the sum of latencies, or how many there were, is none.
    #[must_use]
    pub fn is_of_latency(self) -> bool {
        matches!(self, Self::Average | Self::Maximum | Self::Percentile(_))
    }
}

/// A statistic that CloudWatch does not have, or that does not fit latency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a statistic: `Average`, `Maximum`, `Minimum`, `Sum`, `SampleCount` or a percentile as `p90` is \
        expected"
)]
pub struct InvalidStatistic(String);

impl FromStr for Statistic {
    type Err = InvalidStatistic;

    /// Reads `p90`, `p99.9`, `Average`, and SNS's upper-case `AVERAGE`.
    fn from_str(text: &str) -> Result<Self, InvalidStatistic> {
        let invalid = || InvalidStatistic(text.chars().take(40).collect());
        match text.to_ascii_lowercase().as_str() {
            "samplecount" => Ok(Self::SampleCount),
            "sum" => Ok(Self::Sum),
            "average" => Ok(Self::Average),
            "minimum" => Ok(Self::Minimum),
            "maximum" => Ok(Self::Maximum),
            lower => {
                let percent: f64 = lower.strip_prefix('p').ok_or_else(invalid)?.parse().map_err(|_| invalid())?;
                if !(0.0..=100.0).contains(&percent) {
                    return Err(invalid());
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 10,000 by the check above"
                )]
                let hundredths = (percent * 100.0).round() as u16;
                Ok(Self::Percentile(hundredths))
            }
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Sum => f.write_str("Sum"),
            Self::Average => f.write_str("Average"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Maximum => f.write_str("Maximum"),
            Self::Percentile(hundredths) => write!(f, "p{}", f64::from(*hundredths) / 100.0),
        }
    }
}

impl TryFrom<String> for Statistic {
    type Error = InvalidStatistic;
    fn try_from(text: String) -> Result<Self, InvalidStatistic> {
        text.parse()
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

/// One statistic of one metric, one value a minute; a minute without a datapoint is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Which metric.
    pub metric: Metric,
    /// Which statistic of it.
    pub statistic: Statistic,
    #[serde(rename = "start", with = "minute_as_timestamp")]
    #[schemars(with = "Timestamp")]
    first: Minute,
    values: Vec<Option<f64>>,
}

impl Series {
    /// A series of `values`, one a minute from `first` on. Values that are not finite become gaps.
    #[must_use]
    pub fn new(metric: Metric, statistic: Statistic, first: Minute, values: Vec<Option<f64>>) -> Self {
        let values = values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect();
        Self { metric, statistic, first, values }
    }

    /// The value of `minute`; none where CloudWatch had no datapoint, or the minute was not read.
    #[must_use]
    pub fn at(&self, minute: Minute) -> Option<f64> {
        let index = usize::try_from(minute.since(self.first)).ok()?;
        self.values.get(index).copied().flatten().filter(|value| value.is_finite())
    }

    /// Every minute that has a value, oldest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Minute, f64)> + '_ {
        self.values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| Some((self.first.plus(i64::try_from(index).ok()?), (*value)?)))
    }
}

/// Everything that was read from CloudWatch, at one-minute resolution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Metrics(pub Vec<Series>);

impl Metrics {
    /// The series of one statistic, where it was read and had any datapoint.
    #[must_use]
    pub fn series(&self, metric: Metric, statistic: Statistic) -> Option<&Series> {
        self.0
            .iter()
            .find(|series| series.metric == metric && series.statistic == statistic)
            .filter(|series| series.values.iter().any(Option::is_some))
    }

    /// One value of one statistic.
    #[must_use]
    pub fn at(&self, metric: Metric, statistic: Statistic, minute: Minute) -> Option<f64> {
        self.series(metric, statistic)?.at(minute)
    }
}

mod minute_as_timestamp {
    use super::{Minute, Timestamp};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(minute: &Minute, serializer: S) -> Result<S::Ok, S::Error> {
        minute.start().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Minute, D::Error> {
        Timestamp::deserialize(deserializer).map(Minute::containing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_in_every_spelling_that_alarms_use() {
        for (text, statistic) in [
            ("p90", Statistic::P90),
            ("p99.9", Statistic::Percentile(9_990)),
            ("AVERAGE", Statistic::Average),
            ("Maximum", Statistic::Maximum),
        ] {
            assert_eq!(text.parse(), Ok(statistic));
        }
        assert_eq!(Statistic::Percentile(9_990).to_string(), "p99.9");
        for text in ["", "p", "p100.1", "pNaN", "tm99", "median"] {
            assert!(text.parse::<Statistic>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let series = Series::new(
            Metric::Invocations,
            Statistic::Sum,
            Minute(10),
            vec![Some(1.0), None, Some(f64::NAN), Some(4.0)],
        );
        assert_eq!(series.at(Minute(11)), None);
        assert_eq!(series.at(Minute(9)), None);
        assert_eq!(series.points().collect::<Vec<_>>(), [(Minute(10), 1.0), (Minute(13), 4.0)]);
        let json = serde_json::to_string(&series).unwrap();
        assert_eq!(
            json,
            r#"{"metric":"Invocations","statistic":"Sum","start":"1970-01-01T00:10:00Z","values":[1.0,null,null,4.0]}"#
        );
        assert_eq!(serde_json::from_str::<Series>(&json).unwrap(), series);
    }
}
