//! Not enough was observed to say; the report lists what is missing.

use crate::model::{Diagnosis, Grade, Verdict};

pub(super) fn diagnosis(missing: &[String]) -> Diagnosis {
    Diagnosis {
        verdict: Verdict::InsufficientData,
        sub_cause: None,
        confidence: 1.0,
        grade: Grade::Insufficient,
        summary: format!("Not enough was observed to say why. Missing: {}.", missing.join("; ")),
        evidence: Vec::new(),
        context: Vec::new(),
        alternatives: Vec::new(),
        blocked_by: None,
        next_steps: vec![
            "Check the names of endpoint and variant, and that requests arrive; then advise again once there are two \
             hours of traffic."
                .to_owned(),
        ],
    }
}
