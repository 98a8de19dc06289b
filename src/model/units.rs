//! Quantities with their units. A bare `f64` never says whether it is microseconds or milliseconds, per minute or per
//! second, so none of these crosses a function boundary as one.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A duration as CloudWatch publishes `ModelLatency` and `OverheadLatency`: microseconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Microseconds(pub f64);

impl Microseconds {
    /// The same duration in milliseconds.
    #[must_use]
    pub fn to_milliseconds(self) -> Milliseconds {
        Milliseconds(self.0 / 1_000.0)
    }
}

/// A duration as people state an objective: milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Milliseconds(pub f64);

impl Milliseconds {
    /// The same duration in microseconds.
    #[must_use]
    pub fn to_microseconds(self) -> Microseconds {
        Microseconds(self.0 * 1_000.0)
    }
}

/// `420 ms`, `1.39 s`: three significant figures at most.
impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms >= 10_000.0 => write!(f, "{:.1} s", ms / 1_000.0),
            ms if ms >= 1_000.0 => write!(f, "{:.2} s", ms / 1_000.0),
            ms if ms >= 10.0 => write!(f, "{ms:.0} ms"),
            ms => write!(f, "{ms:.1} ms"),
        }
    }
}

impl fmt::Display for Microseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_milliseconds().fmt(f)
    }
}

/// Load on a whole variant: the `Sum` of `Invocations` over one minute.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InvocationsPerMinute(pub f64);

impl InvocationsPerMinute {
    /// `factor` times as many.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

/// Load on one instance: the `Sum` of `InvocationsPerInstance` over one minute, the unit in which Application Auto
/// Scaling states the target of `SageMakerVariantInvocationsPerInstance`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InvocationsPerInstance(pub f64);

impl InvocationsPerInstance {
    /// The fewest instances on which `load` stays within this much per instance; none where either is not a positive
    /// finite number.
    #[must_use]
    pub fn instances_for(self, load: InvocationsPerMinute) -> Option<InstanceCount> {
        let exact = (load.0 / self.0).ceil();
        if !exact.is_finite() || self.0 <= 0.0 || load.0 < 0.0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates at the type's range"
        )]
        let count = exact as u32;
        Some(InstanceCount(count.max(1)))
    }
}

impl fmt::Display for InvocationsPerInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Thousands(self.0))
    }
}

impl fmt::Display for InvocationsPerMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Thousands(self.0))
    }
}

/// A number for people: `1,234`, `12.3`, `0.42`.
#[derive(Debug, Clone, Copy)]
pub struct Thousands(pub f64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() {
            return write!(f, "{}", self.0);
        }
        if self.0.abs() < 10.0 && self.0.fract() != 0.0 {
            return write!(f, "{:.2}", self.0);
        }
        if self.0.abs() < 100.0 && self.0.fract() != 0.0 {
            return write!(f, "{:.1}", self.0);
        }
        let digits = format!("{:.0}", self.0.abs());
        if self.0 < 0.0 {
            f.write_str("-")?;
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Days as people count them: `14 days`, `a day`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days(pub f64);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1.5 { f.write_str("a day") } else { write!(f, "{:.0} days", self.0) }
    }
}

/// How many instances a variant has, wants or may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InstanceCount(pub u32);

impl fmt::Display for InstanceCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A price per hour in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UsdPerHour(pub f64);

/// A whole number of seconds, as Application Auto Scaling takes cooldowns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seconds(pub u32);

/// One minute of wall time, UTC, counted from the Unix epoch: the grid of every metric series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute that contains `time`.
    #[must_use]
    pub fn containing(time: Timestamp) -> Self {
        Self(time.as_second().div_euclid(60))
    }

    /// The first second of this minute; the Unix epoch where the minute is outside of what a timestamp can hold.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.0.checked_mul(60).and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The minute `count` minutes later (earlier, where negative).
    #[must_use]
    pub fn plus(self, count: i64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// Minutes from `earlier` to this one.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// `2026-10-05 09:14 UTC`.
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%d %H:%M UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_shown_in_the_unit_people_read() {
        assert_eq!(Microseconds(420_000.0).to_string(), "420 ms");
        assert_eq!(Microseconds(1_390_000.0).to_string(), "1.39 s");
        assert_eq!(Microseconds(2_500.0).to_string(), "2.5 ms");
        assert_eq!(Microseconds(61_000_000.0).to_string(), "61.0 s");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(Thousands(1_234_567.0).to_string(), "1,234,567");
        assert_eq!(Thousands(999.6).to_string(), "1,000");
        assert_eq!(Thousands(-1_200.0).to_string(), "-1,200");
        assert_eq!(Thousands(1.8).to_string(), "1.80");
    }

    #[test]
    fn an_instance_count_is_never_made_from_a_meaningless_load() {
        let sustained = InvocationsPerInstance(400.0);
        assert_eq!(sustained.instances_for(InvocationsPerMinute(1_201.0)), Some(InstanceCount(4)));
        assert_eq!(sustained.instances_for(InvocationsPerMinute(0.0)), Some(InstanceCount(1)));
        assert_eq!(sustained.instances_for(InvocationsPerMinute(f64::NAN)), None);
        assert_eq!(InvocationsPerInstance(0.0).instances_for(InvocationsPerMinute(10.0)), None);
    }
}
