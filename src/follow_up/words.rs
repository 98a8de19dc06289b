//! What a look taught, in words.

use super::{Judging, News};
use crate::model::{Diagnosis, Evidence, Phase, Restoration, ScalableDimension, Verdict};
use jiff::SignedDuration;

impl News {
    /// The same, said of what is counted. The diagnosis was said where it was made.
    pub(super) fn said(self, of: ScalableDimension) -> Self {
        Self { words: of.said(&self.words), steps: self.steps.iter().map(|step| of.said(step)).collect(), ..self }
    }
}

impl Judging<'_> {
    /// Today's verdict, with what the attempt taught.
    pub(super) fn without_load_as_cause(&self) -> Diagnosis {
        let today = self.look.diagnosis.clone();
        let learned = format!(
            "Load per {} fell{} and latency did not follow: load is not the cause.",
            self.look.observation.dimension().unit(),
            change(self.incident.before.load, self.after.load)
        );
        let evidence = Evidence {
            signal: "more_instances_did_not_help".to_owned(),
            supports: true,
            observed: self.after.latency.map(|latency| latency.0),
            expected: self.incident.before.latency.map(|latency| latency.0),
            unit: "microseconds".to_owned(),
            text: learned.clone(),
        };
        let verdict = if today.verdict.is_helped_by_scaling() { Verdict::Undetermined } else { today.verdict };
        Diagnosis {
            verdict,
            summary: format!("{learned} {}", today.summary),
            evidence: std::iter::once(evidence).chain(today.evidence).collect(),
            blocked_by: None,
            ..today
        }
    }

    /// When what was raised goes back.
    pub(super) fn relax_step(&self) -> Option<String> {
        let written = self.incident.written.as_ref()?;
        let relax = written.relax.filter(|_| !matches!(self.incident.phase, Phase::RolledBack | Phase::LeftAlone))?;
        let due = written.at + SignedDuration::from_mins(i64::from(relax.after_minutes));
        Some(format!(
            "Nothing: MinCapacity goes back to {} by itself when load allows it, not before {}.",
            relax.min_capacity,
            due.strftime("%H:%M UTC")
        ))
    }

    /// Instances that run beyond what ran before stay: taking them away during an incident is a person's decision.
    pub(super) fn count_step(&self, restoration: &Restoration) -> Option<String> {
        restoration.deregister_scalable_target.as_ref()?;
        let (before, after) = self.incident.before.instances.zip(self.after.instances)?;
        let endpoint = &self.incident.endpoint_name;
        if after <= before {
            return None;
        }
        if let Some(component) = &self.incident.inference_component_name {
            return Some(format!(
                "{after} copies run where {before} ran before, and nothing scales them now. Set them back: aws sagemaker \
                 update-inference-component-runtime-config --inference-component-name {component} \
                 --desired-runtime-config CopyCount={before}"
            ));
        }
        self.incident.variant_name.as_ref().map(|variant| {
            format!(
                "{after} instances run where {before} ran before, and nothing scales them now. Set them back: aws sagemaker \
                 update-endpoint-weights-and-capacities --endpoint-name {endpoint} --desired-weights-and-capacities \
                 VariantName={variant},DesiredInstanceCount={before}"
            )
        })
    }
}

/// ` from 1.39 s to 310 ms`.
fn change<T: std::fmt::Display>(before: Option<T>, after: Option<T>) -> String {
    let shown = |value: Option<T>| value.map_or("unknown".to_owned(), |value| value.to_string());
    format!(" from {} to {}", shown(before), shown(after))
}
