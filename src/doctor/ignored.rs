//! Findings that somebody knows of: the tag on the endpoint that silences rules.

use super::finding::Gap;
use super::rules::RULES;
use crate::model::Observation;

/// Rules that an endpoint does not want to hear of, as `EA007 EA012`. (`endpoint-advisor:mode=off` is about being changed, and
/// silences nothing.)
pub const IGNORE_TAG: &str = "endpoint-advisor:ignore";

/// The words of the tag.
pub(super) struct Ignored(Vec<String>);

/// What the endpoint's tag says; nothing is silenced where tags could not be read.
pub(super) fn rules(observation: &Observation) -> Ignored {
    let tag = observation.tags.as_ref().and_then(|tags| tags.get(IGNORE_TAG));
    // Tag values hold letters, digits, spaces and `_ . : / = + - @`: whatever stands between two words parts them.
    let words = tag.into_iter().flat_map(|tag| tag.split(|c: char| !c.is_ascii_alphanumeric()));
    Ignored(words.filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect())
}

impl Ignored {
    pub fn has(&self, rule: &str) -> bool {
        self.0.iter().any(|word| word == rule)
    }

    /// Words that are no rule.
    pub fn unknown(&self, observation: &Observation) -> Vec<Gap> {
        let unknown = self.0.iter().filter(|word| RULES.iter().all(|rule| rule.id != word.as_str()));
        let gap = |word: &String| Gap {
            subject: observation.endpoint_name.to_string(),
            what: format!("The tag `{IGNORE_TAG}` names `{word}`, which is no rule: a number as EA001 is expected."),
            rules: Vec::new(),
        };
        unknown.map(gap).collect()
    }
}
