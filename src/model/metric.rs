//! Metrics as CloudWatch publishes them, kept minute by minute with their gaps.

use super::Minute;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A SageMaker metric, spelled as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Requests sent to the variant; `Sum`.
    Invocations,
    /// Each request counts 1/instances; `Sum` over a minute is the load on one instance.
    InvocationsPerInstance,
    /// Time in the container, waiting included; microseconds.
    ModelLatency,
    /// Time in SageMaker outside the container; microseconds.
    OverheadLatency,
    /// 1 for each request that the model answered with a 4xx.
    Invocation4XXErrors,
    /// 1 for each request that the model answered with a 5xx.
    Invocation5XXErrors,
    /// 1 for each request that the container did not answer with a 2xx: errors, broken sockets, timeouts.
    InvocationModelErrors,
    /// Requests in flight in one container, those that wait in it included; published every ten seconds.
    ConcurrentRequestsPerModel,
    /// Percent of one core, summed over cores: 0 to 100 times vCPUs.
    CPUUtilization,
    /// Percent of one GPU, summed over GPUs.
    GPUUtilization,
    /// Percent of one GPU's memory, summed over GPUs.
    GPUMemoryUtilization,
    /// Percent of the instance's memory.
    MemoryUtilization,
    /// Multi-model: 1 for each request that found its model loaded.
    ModelCacheHit,
    /// Multi-model: how long a request waited for its model; microseconds.
    ModelLoadingWaitTime,
    /// Multi-model: how long it took to fetch a model from S3; microseconds, one sample a download.
    ModelDownloadingTime,
    /// Multi-model: how long it took to load a model; microseconds, one sample a load.
    ModelLoadingTime,
    /// Multi-model: models that an instance holds.
    LoadedModelCount,
}

impl Metric {
    /// The CloudWatch namespace in which SageMaker publishes this metric.
    #[must_use]
    pub fn namespace(self) -> &'static str {
        match self {
            Self::CPUUtilization
            | Self::GPUUtilization
            | Self::GPUMemoryUtilization
            | Self::MemoryUtilization
            | Self::LoadedModelCount => "/aws/sagemaker/Endpoints",
            _ => "AWS/SageMaker",
        }
    }

    /// The metric's name as published.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invocations => "Invocations",
            Self::InvocationsPerInstance => "InvocationsPerInstance",
            Self::ModelLatency => "ModelLatency",
            Self::OverheadLatency => "OverheadLatency",
            Self::Invocation4XXErrors => "Invocation4XXErrors",
            Self::Invocation5XXErrors => "Invocation5XXErrors",
            Self::InvocationModelErrors => "InvocationModelErrors",
            Self::ConcurrentRequestsPerModel => "ConcurrentRequestsPerModel",
            Self::CPUUtilization => "CPUUtilization",
            Self::GPUUtilization => "GPUUtilization",
            Self::GPUMemoryUtilization => "GPUMemoryUtilization",
            Self::MemoryUtilization => "MemoryUtilization",
            Self::ModelCacheHit => "ModelCacheHit",
            Self::ModelLoadingWaitTime => "ModelLoadingWaitTime",
            Self::ModelDownloadingTime => "ModelDownloadingTime",
            Self::ModelLoadingTime => "ModelLoadingTime",
            Self::LoadedModelCount => "LoadedModelCount",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A CloudWatch statistic, spelled as `GetMetricData` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Which metric.
    pub metric: Metric,
    /// Which statistic of it.
    pub statistic: Statistic,
    #[serde(rename = "start", with = "minute_as_timestamp")]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
