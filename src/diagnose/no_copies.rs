//! An inference component lacks copies: none runs while requests come, or copies that were asked for find no room.
//!
//! Both are known from counts, not from latency: without a copy there is none. So this is no cause among the others. Where no
//! copy runs it is the verdict before any other; where some run and are overloaded, it says why there are no more.

use crate::model::{
    Alternative, Diagnosis, Evidence, Fact, Grade, InstanceCount, InstanceType, Lack, Metric, Observation,
    ScalableDimension, Statistic, Thousands, Verdict,
};
use crate::statistics::median;

/// Requests that were refused in these last minutes are refused now: metrics come late.
const RECENT_MINUTES: i64 = 10;
/// Belief where no copy runs and requests are refused. Both are counted; what is left is that they are counted wrongly.
const COUNTED: f64 = 0.97;
/// Where nothing scales the component, a person set it to zero, and a person should set it back.
const SOMEBODY_DECIDED: f64 = 0.80;
/// Minutes that say how busy the instances are.
const BUSY_MINUTES: i64 = 5;

/// The verdict where no copy runs and requests come; none otherwise.
pub(super) fn without_any(observation: &Observation) -> Option<Diagnosis> {
    const NONE: InstanceCount = InstanceCount(0);
    if observation.dimension() != ScalableDimension::CopyCount || observation.running() != Some(NONE) {
        return None;
    }
    let last = observation.last_minute();
    let series = observation.metrics.series(Metric::NoCapacityInvocationFailures, Statistic::Sum)?;
    let recent = series.points().filter(|(minute, _)| (0..RECENT_MINUTES).contains(&last.since(*minute)));
    let refused: f64 = recent.map(|(_, count)| count).filter(|count| *count > 0.0).sum();
    if refused <= 0.0 {
        return None;
    }
    let wanted = observation.wanted().unwrap_or(NONE);
    let is_scaled = observation.scaling.as_ref().is_some_and(|scaling| scaling.target.is_some());
    let confidence = if wanted == NONE && !is_scaled { SOMEBODY_DECIDED } else { COUNTED };
    let why = match (observation.lack(), wanted) {
        (Some(lack), _) => lack_in_words(observation, lack),
        (None, NONE) if is_scaled => "It was scaled to zero".to_owned(),
        (None, NONE) => "Nothing scales it, so somebody set it to zero".to_owned(),
        (None, wanted) => format!("{} on the way", copies_are(wanted)),
    };
    let refused_in_words = format!(
        "{} requests of the last {RECENT_MINUTES} minutes were refused because there was no copy",
        Thousands(refused)
    );
    let refused_fact = Evidence {
        signal: "refused_requests".to_owned(),
        supports: true,
        observed: Some(refused),
        expected: Some(0.0),
        unit: "requests".to_owned(),
        text: refused_in_words.clone(),
    };
    Some(Diagnosis {
        verdict: Verdict::NoCopies,
        sub_cause: Some(sub_cause(observation.lack()).to_owned()),
        confidence,
        grade: if confidence >= super::HIGH { Grade::High } else { Grade::Medium },
        summary: format!("No copy runs while requests come: {refused_in_words}. {why}."),
        evidence: vec![refused_fact, copies(observation, NONE, wanted)],
        context: facts(observation),
        alternatives: Vec::new(),
        blocked_by: None,
        next_steps: vec![
            "Requests fail until a copy serves, which takes minutes, longer where an instance has to start first. If callers \
             cannot ask again until then, keep at least one copy."
                .to_owned(),
        ],
    })
}

/// An overload whose copies were asked for and are not there is a lack of copies; every other diagnosis stays.
pub(super) fn instead_of_overload(observation: &Observation, diagnosis: Diagnosis) -> Diagnosis {
    let counts = observation.running().zip(observation.wanted());
    let Some((lack, (running, wanted))) = observation.lack().zip(counts) else { return diagnosis };
    if diagnosis.verdict != Verdict::Overload {
        return diagnosis;
    }
    let why = lack_in_words(observation, lack);
    let overload = Alternative {
        verdict: Verdict::Overload,
        confidence: 0.0,
        why_not: format!("it is one, and more copies were asked for: {running} of {wanted} run"),
    };
    Diagnosis {
        verdict: Verdict::NoCopies,
        sub_cause: Some(sub_cause(Some(lack)).to_owned()),
        summary: format!("{running} of {wanted} copies run. {why}. {}", diagnosis.summary),
        evidence: std::iter::once(copies(observation, running, wanted)).chain(diagnosis.evidence).collect(),
        alternatives: std::iter::once(overload).chain(diagnosis.alternatives).take(4).collect(),
        ..diagnosis
    }
}

/// What a report shows of a component besides: how busy the instances are. They carry other components too, so this is never
/// more than a hint.
pub(super) fn facts(observation: &Observation) -> Vec<Fact> {
    let cores = observation.variant.instance_type.as_ref().and_then(InstanceType::vcpus).filter(|cores| *cores > 0);
    let last = observation.last_minute();
    let series = observation.metrics.series(Metric::CPUUtilization, Statistic::Average);
    let recent = series.into_iter().flat_map(|series| series.points());
    let recent = recent.filter(|(minute, _)| (0..BUSY_MINUTES).contains(&last.since(*minute))).map(|(_, used)| used);
    let used = median(recent).zip(cores).filter(|_| observation.component.is_some());
    let busy = used.map(|(used, cores)| used / (100.0 * f64::from(cores)));
    let text = |busy: f64| {
        format!("the CPUs of the instances are {:.0} % in use, by all components on them together", 100.0 * busy)
    };
    busy.map(|busy| Fact {
        signal: "instances_utilization".to_owned(),
        observed: Some(busy),
        expected: None,
        unit: "share".to_owned(),
        text: text(busy),
    })
    .into_iter()
    .collect()
}

fn copies(observation: &Observation, running: InstanceCount, wanted: InstanceCount) -> Evidence {
    let since = observation.waited().map(|waited| format!(", {} minutes ago at least", waited.as_mins()));
    let since = since.filter(|_| wanted > running).unwrap_or_default();
    Evidence {
        signal: "copies".to_owned(),
        supports: true,
        observed: Some(f64::from(running.0)),
        expected: Some(f64::from(wanted.0)),
        unit: "copies".to_owned(),
        text: format!("{} running and {wanted} were asked for{since}", copies_are(running)),
    }
}

/// `1 copy is`, `3 copies are`.
fn copies_are(count: InstanceCount) -> String {
    if count.0 == 1 { "1 copy is".to_owned() } else { format!("{count} copies are") }
}

fn sub_cause(lack: Option<Lack>) -> &'static str {
    match lack {
        None => "scaled_to_zero",
        Some(Lack::AtMaxInstances) => "at_max_instances",
        Some(Lack::FixedInstances | Lack::NoInstanceCame) => "no_room",
    }
}

/// Why there is no room, as the beginning of a sentence.
fn lack_in_words(observation: &Observation, lack: Lack) -> String {
    let most = observation.most_instances().map_or("an unknown number of".to_owned(), |most| most.to_string());
    let instances = if most == "1" { "instance" } else { "instances" };
    let fits = observation.room().map(|room| format!(": {} fit there at most", room.most)).unwrap_or_default();
    match lack {
        Lack::AtMaxInstances => format!(
            "There is no room for more: the variant has as many instances as its ManagedInstanceScaling allows ({most}){fits}"
        ),
        Lack::FixedInstances => format!(
            "There is no room for more: the variant has {most} {instances}, and SageMaker adds none by itself{fits}"
        ),
        Lack::NoInstanceCame => {
            format!("There is no room for more: SageMaker may add instances up to {most}, and none came")
        }
    }
}
