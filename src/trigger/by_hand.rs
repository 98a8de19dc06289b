//! Our own events: `advise`, `follow_up`, `audit`, `apply`.

use super::{InvalidEvent, decode};
use crate::model::{
    Approval, Audit, AuditProgress, BatchNumber, EndpointName, FollowUpTrigger, InferenceComponentName,
    LatencyObjective, ManualTrigger, Milliseconds, ObjectiveSource, Statistic, Subject, Trigger, VariantName,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Names one endpoint, variant or component.
#[derive(Deserialize)]
struct Named {
    endpoint_name: EndpointName,
    variant_name: Option<VariantName>,
    inference_component_name: Option<InferenceComponentName>,
}

impl Named {
    fn subject(self, shape: &'static str) -> Result<Subject, InvalidEvent> {
        match (self.variant_name, self.inference_component_name) {
            (Some(_), Some(_)) => Err(InvalidEvent::Refused {
                shape,
                detail: "both `variant_name` and `inference_component_name`, and at most one is expected".to_owned(),
            }),
            (None, Some(component)) => Ok(Subject::InferenceComponent(component)),
            (Some(variant), None) => Ok(Subject::Variant(self.endpoint_name, variant)),
            (None, None) => Ok(Subject::Endpoint(self.endpoint_name)),
        }
    }
}

#[derive(Deserialize)]
struct Advise {
    at: Option<Timestamp>,
}

/// An objective in the event itself.
#[derive(Deserialize)]
struct Stated {
    latency_slo_ms: Option<f64>,
    slo_statistic: Option<Statistic>,
}

impl Stated {
    /// The objective; p90 where only a latency is stated.
    fn objective(self, shape: &'static str) -> Result<Option<LatencyObjective>, InvalidEvent> {
        let refused = |detail: String| InvalidEvent::Refused { shape, detail };
        let slo_statistic = self.slo_statistic.unwrap_or(Statistic::P90);
        if !slo_statistic.is_of_latency() {
            return Err(refused(format!("`slo_statistic` {slo_statistic}, which is no statistic of a latency")));
        }
        match self.latency_slo_ms {
            Some(ms) if ms > 0.0 && ms <= 60_000.0 => Ok(Some(LatencyObjective {
                latency_slo_ms: Milliseconds(ms),
                slo_statistic,
                source: ObjectiveSource::Event,
            })),
            Some(ms) => {
                Err(refused(format!("`latency_slo_ms` {ms}, and milliseconds above 0 and at most 60000 are expected")))
            }
            None => Ok(None),
        }
    }
}

/// Which of the audits it is.
#[derive(Deserialize)]
struct WhichAudit {
    endpoint_names: Option<Vec<EndpointName>>,
    batch: Option<BatchNumber>,
    collect: Option<Box<AuditProgress>>,
}

#[derive(Deserialize)]
struct FollowUp {
    looks: Option<u32>,
}

#[derive(Deserialize)]
struct Apply {
    plan_digest: String,
}

pub(super) fn parse(event: &Value) -> Result<Trigger, InvalidEvent> {
    if let Some(body) = event.get("advise") {
        let named: Named = decode("advise", body.clone())?;
        let stated: Stated = decode("advise", body.clone())?;
        let Advise { at } = decode("advise", body.clone())?;
        return Ok(Trigger::Manual(ManualTrigger {
            subject: named.subject("advise")?,
            objective: stated.objective("advise")?,
            at,
        }));
    }
    if let Some(body) = event.get("follow_up") {
        let named: Named = decode("follow_up", body.clone())?;
        let FollowUp { looks } = decode("follow_up", body.clone())?;
        return Ok(Trigger::FollowUp(FollowUpTrigger { subject: named.subject("follow_up")?, looks }));
    }
    if let Some(body) = event.get("audit") {
        let which: WhichAudit = decode("audit", body.clone())?;
        return Ok(Trigger::Audit(match which {
            WhichAudit { collect: Some(progress), .. } => Audit::Collect(progress),
            WhichAudit { batch: Some(_), .. } => Audit::Batch(decode("audit", body.clone())?),
            WhichAudit { endpoint_names: Some(names), .. } => Audit::Named(names),
            WhichAudit { .. } => Audit::Fleet,
        }));
    }
    if let Some(body) = event.get("apply") {
        let named: Named = decode("apply", body.clone())?;
        let stated: Stated = decode("apply", body.clone())?;
        let Apply { plan_digest } = decode("apply", body.clone())?;
        return Ok(Trigger::Approval(Approval {
            subject: named.subject("apply")?,
            objective: stated.objective("apply")?,
            plan_digest,
        }));
    }
    Err(InvalidEvent::UnknownShape)
}
