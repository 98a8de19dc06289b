//! Explanations by SageMaker Clarify: each takes many further calls of the model.
//!
//! Source: "Online explainability with SageMaker Clarify": the explainer asks the model about synthetic records, up to
//! `NumberOfSamples` for each record; which records are explained, `EnableExplanations` says.

use super::fact;
use crate::diagnose::check::{CERTAIN, Check};
use crate::diagnose::windows::{Windows, load_of, positive};
use crate::model::{Fact, Metric, Minute, MinuteRow, Statistic};
use crate::statistics::median;

/// So many times as many explanations of a request are more.
const MORE: f64 = 1.2;

/// Explanations of one request.
pub(in crate::diagnose) struct Explanations {
    now: f64,
    /// Before the incident; none where no minute has a datapoint, which is not to say that there were none.
    before: Option<f64>,
}

impl Explanations {
    pub(super) fn measure(windows: &Windows) -> Option<Self> {
        let series = windows.observation.metrics.series(Metric::ExplanationsPerInstance, Statistic::Sum)?;
        // Both count 1/instances, so instances drop out.
        let of_request = |minute: Minute, row: &MinuteRow| {
            let explanations = series.at(minute).filter(|count| count.is_finite() && *count >= 0.0)?;
            Some(explanations / load_of(row).and_then(positive)?)
        };
        let now = windows.last_minutes().filter_map(|minute| of_request(minute, windows.history.0.get(&minute)?));
        let before = windows.earlier.iter().filter_map(|(minute, row)| of_request(*minute, row));
        Some(Self { now: median(now)?, before: median(before) })
    }

    /// Each request is explained more than before.
    pub fn have_risen(&self) -> bool {
        self.before.is_some_and(|before| self.now > 0.01 && self.now > MORE * before)
    }

    /// `0.80 explanations are made for each request; 0.10 were usual`.
    pub fn in_words(&self) -> String {
        let usual =
            self.before.map_or("what was usual is not known".to_owned(), |before| format!("{before:.2} were usual"));
        format!("{:.2} explanations are made for each request; {usual}", self.now)
    }

    /// The rise as evidence; it is not what makes a cause weak.
    pub fn are_more(&self) -> Check {
        Check::by("explanations_per_request", Some(self.now), CERTAIN, self.in_words())
            .unit("ratio", self.before.unwrap_or_default())
    }

    /// What makes them fewer, or cheaper.
    pub fn next_steps() -> Vec<String> {
        vec![
            "Explain fewer requests: put a condition into EnableExplanations of the ClarifyExplainerConfig, or let callers \
             ask for it with the parameter EnableExplanations of InvokeEndpoint."
                .to_owned(),
            "Make an explanation cheaper: fewer samples (NumberOfSamples and the baseline of ShapConfig), more records \
             for each call of the model (MaxRecordCount)."
                .to_owned(),
        ]
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        vec![fact("explanations_per_request", Some(self.now), self.before, "ratio", self.in_words())]
    }
}
