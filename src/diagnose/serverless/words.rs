//! What was measured, in words.

use super::features::Features;
use crate::model::{Fact, Microseconds, Thousands};

impl Features {
    /// `p90 ModelLatency is 420 ms; 310 ms is normal`.
    pub fn latency_in_words(&self) -> String {
        match (self.latency, self.normal_latency) {
            (Some(now), Some(normal)) => format!("{} ModelLatency is {now}; {normal} is normal", self.statistic),
            (Some(now), None) => format!("{} ModelLatency is {now}", self.statistic),
            _ => "ModelLatency has no datapoints in the last minutes".to_owned(),
        }
    }

    /// `12 of 240 requests (5.0 %) around 09:14 met a cold start of 8.20 s; 0.4 % is normal`.
    pub fn cold_in_words(&self) -> String {
        let (Some(setups), Some(share)) = (self.setups, self.cold_share()) else {
            return "ModelSetupTime has no datapoints".to_owned();
        };
        let took = self.setup_time.map(|time| format!(" of {time}")).unwrap_or_default();
        let normal = self.normal_cold_share.map(|normal| format!("; {:.1} % is normal", 100.0 * normal));
        format!(
            "{} of {} requests ({:.1} %) around {} met a cold start{took}{}",
            Thousands(setups),
            Thousands(self.requests),
            100.0 * share,
            self.coldest.start().strftime("%H:%M"),
            normal.unwrap_or_default()
        )
    }

    /// `8 requests are served at once, of 8 that MaxConcurrency allows`.
    pub fn concurrency_in_words(&self) -> String {
        match (self.most, self.max_concurrency()) {
            (Some(most), Some(max)) => {
                format!("up to {most} requests are served at once, of {max} that MaxConcurrency allows")
            }
            _ => "how many requests are served at once is not known".to_owned(),
        }
    }

    /// `OverheadLatency without set-up is 700 ms; 20 ms is normal`.
    pub fn overhead_in_words(&self) -> String {
        match (self.overhead, self.normal_overhead) {
            (Some(now), Some(normal)) => format!("OverheadLatency without set-up is {now}; {normal} is normal"),
            _ => "OverheadLatency has no datapoints".to_owned(),
        }
    }

    /// `memory is 97 % in use; 61 % is normal`.
    pub fn memory_in_words(&self) -> String {
        match (self.memory, self.normal_memory) {
            (Some(now), Some(normal)) => {
                format!("memory is {:.0} % in use; {:.0} % is normal", 100.0 * now, 100.0 * normal)
            }
            (Some(now), None) => format!("memory is {:.0} % in use", 100.0 * now),
            _ => "MemoryUtilization has no datapoints".to_owned(),
        }
    }

    /// `840 requests a minute come, 2.1 times as many as usual`.
    pub fn rate_in_words(&self) -> String {
        let usual = self.rate_ratio.map(|ratio| format!(", {ratio:.1} times as many as usual")).unwrap_or_default();
        format!("{} requests a minute come{usual}", Thousands(self.rate))
    }

    /// Facts that every report shows, whichever cause is named.
    pub fn context(&self) -> Vec<Fact> {
        let fact = |signal: &str, observed: Option<f64>, expected: Option<f64>, unit: &str, text: String| {
            observed.map(|_| Fact { signal: signal.to_owned(), observed, expected, unit: unit.to_owned(), text })
        };
        let micros = |time: Option<Microseconds>| time.map(|time| time.0);
        let facts = [
            fact("latency", micros(self.latency), micros(self.normal_latency), "microseconds", self.latency_in_words()),
            fact("cold_share", self.cold_share(), self.normal_cold_share, "share", self.cold_in_words()),
            fact("concurrency", self.utilization, None, "share", self.concurrency_in_words()),
            fact("rate", Some(self.rate), None, "per minute", self.rate_in_words()),
            fact("memory", self.memory, self.normal_memory, "share", self.memory_in_words()),
            fact(
                "overhead",
                micros(self.overhead),
                micros(self.normal_overhead),
                "microseconds",
                self.overhead_in_words(),
            ),
        ];
        facts.into_iter().flatten().collect()
    }
}
