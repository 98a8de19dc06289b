//! Models that a multi-model endpoint loads.

use super::fact;
use crate::diagnose::check::Check;
use crate::diagnose::windows::Windows;
use crate::model::{Fact, Microseconds, MinuteRow};

/// What multi-model endpoints publish about loading.
pub(in crate::diagnose) struct Loading {
    /// Share of requests that did not find their model loaded, now and normally.
    pub miss_share: Option<f64>,
    pub normal_miss_share: Option<f64>,
    /// Mean wait of a request for its model.
    pub wait: Option<Microseconds>,
    /// Mean times to fetch and to load one model.
    pub downloading: Option<Microseconds>,
    pub loading: Option<Microseconds>,
    /// Models that an instance holds.
    pub loaded_models: Option<f64>,
    /// Whether the variant publishes any of it.
    pub is_published: bool,
}

impl Loading {
    pub(super) fn measure(windows: &Windows) -> Self {
        let miss = |row: &MinuteRow| {
            let loads = || Some(row.loads? / row.invocations?.0.max(1.0));
            row.cache_hit.map(|hit| (1.0 - hit).max(0.0)).or_else(loads)
        };
        let wait = |row: &MinuteRow| row.loading_wait.map(|wait| wait.0);
        let (miss_share, now_wait) = (windows.now(miss), windows.now(wait));
        Self {
            miss_share,
            normal_miss_share: windows.usually(miss),
            wait: now_wait.map(Microseconds),
            downloading: windows.now(|row| row.downloading.map(|time| time.0)).map(Microseconds),
            loading: windows.now(|row| row.loading.map(|time| time.0)).map(Microseconds),
            loaded_models: windows.now(|row| row.loaded_models),
            is_published: miss_share.is_some() || now_wait.is_some(),
        }
    }

    /// `32.0 % of the requests do not find their model loaded; 0.4 % is normal`.
    pub fn in_words(&self) -> String {
        let Some(miss) = self.miss_share else {
            return "there is no ModelCacheHit: it is no multi-model endpoint".to_owned();
        };
        let wait = self.wait.map(|wait| format!(", and wait {wait} for it on average")).unwrap_or_default();
        format!(
            "{:.1} % of the requests do not find their model loaded{wait}; {:.1} % is normal",
            100.0 * miss,
            100.0 * self.normal_miss_share.unwrap_or(0.0)
        )
    }

    /// Instances that hold the models that are asked for, if all of them are asked for alike: a share `1 − m` of the requests
    /// finds `1 − m` of the models then, so `1 / (1 − m)` times as much room holds all. Where some are preferred, those are
    /// loaded already, and what is missing is the long rest: it takes more (with a Zipf exponent of 0.8 and a third missing,
    /// twice as many as this), and no metric tells how many models there are.
    pub fn instances_at_least(&self, running: Option<f64>) -> Option<f64> {
        let held = 1.0 - self.miss_share?;
        let running = running?.round().max(1.0);
        (held > 0.05).then(|| (running / held).ceil()).filter(|least| *least > running)
    }

    fn check(&self) -> Check {
        // Three in a hundred that wait for seconds are what a 90th percentile begins to feel.
        let normal = self.normal_miss_share.unwrap_or(0.0);
        let threshold = (normal + 0.03).max(2.0 * normal);
        Check::above("cache_miss_share", self.miss_share, threshold, 0.03, self.in_words()).share(normal)
    }

    /// Requests wait for models.
    pub fn has_risen(&self) -> Check {
        self.check().or_if_missing(-2.0)
    }

    /// Requests find their models, or there is one model.
    pub fn is_rare(&self) -> Check {
        if !self.is_published {
            return Check::below("cache_miss_share", None, 0.0, 1.0, self.in_words()).or_if_missing(2.0);
        }
        Check::by("cache_miss_share", self.miss_share.or(Some(0.0)), -self.check().margin(), self.in_words()).share(0.0)
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let Some(miss) = self.miss_share else { return Vec::new() };
        let mut facts = vec![fact("cache_miss_share", Some(miss), self.normal_miss_share, "share", self.in_words())];
        let micros = |time: Option<Microseconds>| time.map(|time| time.0);
        if let Some(time) = self.downloading {
            let text = format!("to fetch a model takes {time}");
            facts.push(fact("model_downloading_time", micros(self.downloading), None, "microseconds", text));
        }
        if let Some(time) = self.loading {
            let text = format!("to load a model takes {time}");
            facts.push(fact("model_loading_time", micros(self.loading), None, "microseconds", text));
        }
        if let Some(count) = self.loaded_models {
            let text = format!("an instance holds {count:.0} models");
            facts.push(fact("loaded_model_count", Some(count), None, "models", text));
        }
        facts
    }
}
