//! The features in words, and as evidence.

use super::check::Check;
use super::features::Features;
use crate::model::{Fact, Thousands};

impl Features {
    /// `p90 ModelLatency is 1.39 s, 2.8 times its objective of 500 ms`.
    pub fn latency_in_words(&self) -> String {
        match self.objective {
            Some(objective) => format!(
                "{} ModelLatency is {} against an objective of {}; {} is normal",
                objective.slo_statistic, self.latency, objective.latency_slo_ms, self.normal_latency
            ),
            None => format!("p90 ModelLatency is {}; {} is normal", self.latency, self.normal_latency),
        }
    }

    /// `p90 ModelLatency is 2.40 times that of minutes with this load`.
    pub fn latency_at_load_in_words(&self) -> String {
        let compared =
            if self.is_extrapolated { "the busiest normal minutes" } else { "normal minutes of the same load" };
        let statistic = self.objective.map_or("p90".to_owned(), |objective| objective.slo_statistic.to_string());
        format!("{statistic} ModelLatency is {:.2} times that of {compared}", self.latency_ratio)
    }

    /// `work per request is 1.05 times that of the same load`.
    pub fn work_in_words(&self) -> String {
        match self.work_ratio {
            Some(work) if !(0.9..=1.1).contains(&work) => format!("work per request is {work:.2} times normal"),
            Some(work) => format!("work per request is as before ({work:.2} times normal)"),
            None => "work per request is not known: CPUUtilization and GPUUtilization have no datapoints".to_owned(),
        }
    }

    /// `load per instance is 1.80 times its usual peak`.
    pub fn load_in_words(&self) -> String {
        format!(
            "load per instance is {:.2} times its usual peak ({} against {} per minute)",
            self.load_ratio(),
            Thousands(self.load),
            Thousands(self.usual_peak_load)
        )
    }

    /// `138 earlier minutes carried this load, 97 % of them within limits`.
    pub fn seen_in_words(&self) -> String {
        match self.minutes_at_load {
            0 => "no earlier minute carried this load".to_owned(),
            count => format!(
                "{} earlier minutes carried this load, {:.0} % of them within limits",
                whole(count),
                100.0 * self.met_share_at_load
            ),
        }
    }

    /// `12.0 % of the requests end in a 5xx`.
    pub fn errors_in_words(&self) -> String {
        match self.error_5xx_share {
            Some(share) => format!("{:.1} % of the requests end in a 5xx", 100.0 * share),
            None => "Invocation5XXErrors has no datapoints".to_owned(),
        }
    }

    /// Latency is over its limit, so that there is something to explain.
    pub fn is_bad(&self) -> Check {
        Check::above("latency_to_limit", Some(self.latency.0 / self.limit.0), 1.0, 0.2, self.latency_in_words())
    }

    /// `the busiest of CPU and GPU is 97 % in use`.
    pub fn busy_in_words(&self) -> String {
        match self.busy {
            Some(busy) => format!("the busiest of CPU and GPU is {:.0} % in use", 100.0 * busy),
            None => "CPUUtilization and GPUUtilization have no datapoints".to_owned(),
        }
    }

    /// Speaks for a slow answer, against a failing one.
    pub fn few_errors(&self) -> Check {
        Check::below("error_5xx_share", self.error_5xx_share, 0.05, 0.05, self.errors_in_words())
            .share(self.normal_error_5xx_share.unwrap_or(0.0))
            .or_if_missing(1.0)
    }

    /// Facts that every report shows, whichever cause is named.
    pub fn context(&self) -> Vec<Fact> {
        let fact = |signal: &str, observed: Option<f64>, expected: Option<f64>, unit: &str, text: String| Fact {
            signal: signal.to_owned(),
            observed,
            expected,
            unit: unit.to_owned(),
            text,
        };
        let limit = self.objective.map_or(self.normal_latency, |objective| objective.latency_slo_ms.to_microseconds());
        let seen = Some(self.met_share_at_load).filter(|_| self.minutes_at_load > 0);
        let mut facts = vec![
            fact("model_latency", Some(self.latency.0), Some(limit.0), "microseconds", self.latency_in_words()),
            fact("load_ratio", Some(self.load_ratio()), Some(1.0), "ratio", self.load_in_words()),
            fact("met_share_at_load", seen, None, "share", self.seen_in_words()),
            fact("work_per_request", self.work_ratio, Some(1.0), "ratio", self.work_in_words()),
        ];
        if let Some(busy) = self.busy.filter(|_| self.is_busy_normalised) {
            facts.push(fact("utilization", Some(busy), None, "share", self.busy_in_words()));
        }
        if let Some(memory) = self.memory {
            facts.push(fact(
                "memory",
                Some(memory),
                None,
                "share",
                format!("memory is {:.0} % in use", 100.0 * memory),
            ));
        }
        if let (Some(overhead), Some(normal)) = (self.overhead, self.normal_overhead) {
            let text = format!("OverheadLatency is {overhead}; {normal} is normal");
            facts.push(fact("overhead_latency", Some(overhead.0), Some(normal.0), "microseconds", text));
        }
        if self.error_5xx_share.is_some() {
            let normal = self.normal_error_5xx_share;
            facts.push(fact("error_5xx_share", self.error_5xx_share, normal, "share", self.errors_in_words()));
        }
        if let Some(share) = self.error_4xx_share.filter(|share| *share >= 0.001) {
            let text = format!("{:.1} % of the requests end in a 4xx", 100.0 * share);
            facts.push(fact("error_4xx_share", Some(share), None, "share", text));
        }
        facts
    }
}

/// `1,681`.
#[expect(clippy::cast_precision_loss, reason = "counts of minutes in 15 days")]
pub(super) fn whole(count: usize) -> Thousands {
    Thousands(count as f64)
}
