//! [`Observation`] → [`Diagnosis`]: why the endpoint is slow.
//!
//! Pure and deterministic. Two counterfactual questions carry most verdicts: *has this endpoint met its objective at
//! this load per instance before?* and *does each request take more work than it did at the same load?* Each cause
//! judges the same `Features` in a file of its own and answers with checks, each with a margin: how far the
//! measurement is beyond its threshold, in units of what is a clear difference for that signal. A cause is as strong as
//! its weakest check.
//!
//! To add a cause: one file under `diagnose/causes/`, one line in `causes.rs`.

mod asynchronous;
mod blocked;
mod causes;
mod check;
mod features;
mod infrequent_traffic;
mod insufficient_data;
mod no_copies;
mod serverless;
mod windows;

use crate::model::{Alternative, BlockedBy, Diagnosis, Evidence, Fact, Grade, History, Hosting, Observation, Verdict};
pub use blocked::blocked_by;
use causes::CAUSES;
use check::Judgement;
use features::Features;
use std::collections::BTreeSet;

/// How decisive margins are: a margin of 0.25 against nothing else is a belief of e^(0.25/0.3) / (e^(0.25/0.3) + 1)
/// = 0.70, a
/// margin of 1 (a clear difference) 0.97. On simulated incidents, answers with such margins were right about as often.
const TEMPERATURE: f64 = 0.3;

/// Margins beyond this say no more: a signal ten times over its threshold is not ten times as certain.
const LARGEST_MARGIN: f64 = 1.25;

/// Belief from which a verdict is graded high.
const HIGH: f64 = 0.9;
/// Belief from which it is graded medium; below, the report is a hint, and the alternatives are as important.
const MEDIUM: f64 = 0.7;
/// A cause is named where all its checks hold and its belief is this far ahead of the next: on simulated incidents such
/// answers were right about as often as they said, also the weak ones.
const AHEAD: f64 = 0.10;

/// Says why the observed variant is slow.
#[must_use]
pub fn diagnose(observation: &Observation) -> Diagnosis {
    let history = History::of(observation);
    let diagnosis = match observation.hosting {
        // No instances, and none of their metrics: it is judged by its own.
        Hosting::Serverless => serverless::diagnosis(observation, &history),
        _ if observation.is_asynchronous() => asynchronous::diagnosis(observation),
        _ => of_instances(observation, &history),
    };
    // What stands in the way of scaling matters where scaling would help; an endpoint that is not in service always
    // does.
    let is_helped = diagnosis.verdict.is_helped_by_scaling_of(observation.hosting);
    let blocked_by = blocked_by(observation).filter(|blocked| *blocked == BlockedBy::EndpointNotInService || is_helped);
    Diagnosis { blocked_by, ..without_infinities(diagnosis) }
}

/// A ratio to nothing is no number, and JSON has none for it: it is as missing as it is in what is saved.
fn without_infinities(mut diagnosis: Diagnosis) -> Diagnosis {
    for evidence in &mut diagnosis.evidence {
        evidence.observed = evidence.observed.filter(|value| value.is_finite());
        evidence.expected = evidence.expected.filter(|value| value.is_finite());
    }
    for fact in &mut diagnosis.context {
        fact.observed = fact.observed.filter(|value| value.is_finite());
        fact.expected = fact.expected.filter(|value| value.is_finite());
    }
    diagnosis
}

/// Says why requests that are answered at once are slow.
fn of_instances(observation: &Observation, history: &History) -> Diagnosis {
    if let Some(diagnosis) = no_copies::without_any(observation) {
        return diagnosis;
    }
    let judged = match Features::of(observation, history) {
        Ok(features) => judge(&features),
        Err(missing) => infrequent_traffic::diagnosis(observation, history)
            .unwrap_or_else(|| insufficient_data::diagnosis(&missing)),
    };
    let mut judged = judged.said(observation.dimension());
    judged.context.extend(no_copies::facts(observation));
    no_copies::instead_of_overload(observation, judged)
}

/// Lets every cause judge.
fn judge(features: &Features) -> Diagnosis {
    let judgements: Vec<Judgement> = CAUSES.iter().map(|judge| judge(features)).collect();
    let is_capped = features.work.ratio.is_none() || features.is_history_short;
    let most = if is_capped { Grade::Medium } else { Grade::High };
    let diagnosis = named(&judgements, most, features.context(), &features.latency.in_words());
    let (where_it_is, look_there) = where_it_is(features, diagnosis.verdict);
    let next_steps = look_there.into_iter().chain(diagnosis.next_steps).collect();
    Diagnosis { summary: diagnosis.summary + &where_it_is, next_steps, ..diagnosis }
}

/// Names a cause where it stands out. `most` is the grade that what was missing allows, `facts` are shown with every verdict, and
/// `otherwise` is what can be said where none stands out.
fn named(judgements: &[Judgement], most: Grade, facts: Vec<Fact>, otherwise: &str) -> Diagnosis {
    let weight = |margin: f64| (margin.clamp(-LARGEST_MARGIN, LARGEST_MARGIN) / TEMPERATURE).exp();
    // A margin of 0 is "no cause stands out".
    let total: f64 = weight(0.0) + judgements.iter().map(|judgement| weight(judgement.margin())).sum::<f64>();
    let belief = |judgement: &Judgement| weight(judgement.margin()) / total;

    let mut ranked: Vec<&Judgement> = judgements.iter().collect();
    ranked.sort_by(|a, b| belief(b).total_cmp(&belief(a))); // stable: the order of the causes decides between equals
    let second = ranked.get(1).map_or(0.0, |judgement| belief(judgement));
    let strongest = ranked.first().copied().filter(|first| first.margin() > 0.0 && belief(first) - second >= AHEAD);
    let alternatives = ranked
        .iter()
        .filter(|judgement| strongest.is_none_or(|strongest| strongest.verdict != judgement.verdict))
        .take(4)
        .map(|judgement| Alternative {
            verdict: judgement.verdict,
            confidence: round(belief(judgement)),
            why_not: judgement.why_not(),
        })
        .collect();

    let evidence = strongest.map(evidence).unwrap_or_default();
    let context = context(facts, &evidence);
    match strongest {
        Some(judgement) => Diagnosis {
            verdict: judgement.verdict,
            sub_cause: judgement.sub_cause.map(str::to_owned),
            confidence: round(belief(judgement)),
            grade: grade(belief(judgement)).min(most),
            summary: capitalised(&judgement.summary),
            evidence,
            context,
            alternatives,
            blocked_by: None,
            next_steps: judgement.next_steps.clone(),
        },
        None => Diagnosis {
            verdict: Verdict::Undetermined,
            sub_cause: None,
            confidence: round(1.0 - ranked.first().map_or(0.0, |first| belief(first))),
            grade: Grade::Low,
            summary: format!("{}; no cause stands out.", capitalised(otherwise)),
            evidence,
            context,
            alternatives,
            blocked_by: None,
            next_steps: vec![
                "Compare the facts with the container's log; the alternatives say which measurement speaks against \
                 each cause."
                    .to_owned(),
            ],
        },
    }
}

/// Which of several containers, or of several instance types, is slow, as sentences and as steps: whatever the cause, that
/// is where it is.
fn where_it_is(features: &Features, verdict: Verdict) -> (String, Vec<String>) {
    if verdict == Verdict::Transient {
        return (String::new(), Vec::new());
    }
    let containers = features.containers.as_ref();
    let types = features.each_type.as_ref();
    let sentences = [containers.and_then(|each| each.in_words()), types.and_then(|each| each.in_words())];
    let steps = [containers.and_then(|each| each.next_step()), types.and_then(|each| each.next_step())];
    let sentences = sentences.iter().flatten().map(|sentence| format!(" {}.", capitalised(sentence)));
    (sentences.collect(), steps.into_iter().flatten().collect())
}

/// The verdict's own checks. One measurement may serve two of them; it is told once.
fn evidence(judgement: &Judgement) -> Vec<Evidence> {
    let mut told = BTreeSet::new();
    judgement.evidence().into_iter().filter(|fact| told.insert(fact.text.clone())).collect()
}

/// What else was measured.
fn context(facts: Vec<Fact>, evidence: &[Evidence]) -> Vec<Fact> {
    let is_told = |fact: &Fact| evidence.iter().any(|told| told.text == fact.text);
    facts.into_iter().filter(|fact| !is_told(fact)).collect()
}

/// Belief in words.
fn grade(belief: f64) -> Grade {
    match belief {
        HIGH.. => Grade::High,
        MEDIUM.. => Grade::Medium,
        _ => Grade::Low,
    }
}

/// A sentence begins with a capital, a statistic such as `p90` never.
fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    if sentence.chars().nth(1).is_some_and(|second| second.is_ascii_digit()) {
        return sentence.to_owned();
    }
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Two decimals: more would claim a precision that the thresholds do not have.
fn round(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}
