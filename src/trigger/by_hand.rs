//! Our own events: `advise`, `follow_up`, `audit`, `apply`.

use super::{InvalidEvent, decode};
use crate::model::{
    Approval, EndpointName, InferenceComponentName, ManualTrigger, Milliseconds, Statistic, Subject, Trigger,
    VariantName,
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
    latency_slo_ms: Option<f64>,
    slo_statistic: Option<Statistic>,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Audit {
    endpoint_names: Option<Vec<EndpointName>>,
}

#[derive(Deserialize)]
struct Apply {
    endpoint_name: EndpointName,
    variant_name: Option<VariantName>,
    plan_digest: String,
}

pub(super) fn parse(event: &Value) -> Result<Trigger, InvalidEvent> {
    if let Some(body) = event.get("advise") {
        let named: Named = decode("advise", body.clone())?;
        let advise: Advise = decode("advise", body.clone())?;
        if let Some(ms) = advise.latency_slo_ms
            && !(ms > 0.0 && ms <= 60_000.0)
        {
            let detail = format!("`latency_slo_ms` {ms}, and milliseconds above 0 and at most 60000 are expected");
            return Err(InvalidEvent::Refused { shape: "advise", detail });
        }
        return Ok(Trigger::Manual(ManualTrigger {
            subject: named.subject("advise")?,
            latency_slo_ms: advise.latency_slo_ms.map(Milliseconds),
            slo_statistic: advise.slo_statistic,
            at: advise.at,
        }));
    }
    if let Some(body) = event.get("follow_up") {
        let named: Named = decode("follow_up", body.clone())?;
        return Ok(Trigger::FollowUp(named.subject("follow_up")?));
    }
    if let Some(body) = event.get("audit") {
        let audit: Audit = decode("audit", body.clone())?;
        return Ok(Trigger::Audit(audit.endpoint_names));
    }
    if let Some(body) = event.get("apply") {
        let Apply { endpoint_name, variant_name, plan_digest } = decode("apply", body.clone())?;
        return Ok(Trigger::Approval(Approval { endpoint_name, variant_name, plan_digest }));
    }
    Err(InvalidEvent::UnknownShape)
}
