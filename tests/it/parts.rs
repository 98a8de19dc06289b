//! Instances and containers by themselves, and explanations.

use crate::endpoint::{observed, settings};
use crate::scenarios::check;
use endpoint_advisor::advise::explain;
use endpoint_advisor::diagnose::diagnose;
use endpoint_advisor::model::{
    Containers, Grade, Hosting, InvocationMode, Metric, Metrics, Minute, Observation, Part, PartMetrics, Series,
    Statistic, Verdict,
};
use endpoint_advisor::report::text;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::LazyLock;

pub static ILL: LazyLock<Observation> = LazyLock::new(|| observed("sick-instance"));
static OVERLOAD: LazyLock<Observation> = LazyLock::new(|| observed("overload"));
pub static SLOW_DEPENDENCY: LazyLock<Observation> = LazyLock::new(|| observed("slow-dependency"));

/// Half an hour before the end: nothing had happened yet.
pub fn before_it_began(observation: &Observation) -> Minute {
    observation.last_minute().plus(-30)
}

/// A series over the last minutes.
pub fn series(
    observation: &Observation,
    minutes: i64,
    (metric, statistic): (Metric, Statistic),
    value: impl Fn(Minute) -> Option<f64>,
) -> Series {
    let first = observation.last_minute().plus(1 - minutes);
    Series::new(metric, statistic, first, (0..minutes).map(|index| value(first.plus(index))).collect())
}

/// The observation with so many instances that share the requests, each with `latency` times what is usual of the variant.
fn with_instances(
    observation: &Observation,
    count: u32,
    latency: impl Fn(u32, Minute, f64, f64) -> f64,
) -> Observation {
    let of_variant = |metric, statistic, minute| observation.metrics.at(metric, statistic, minute);
    let usual = of_variant(Metric::ModelLatency, Statistic::P90, before_it_began(observation)).unwrap();
    let part = |index: u32| {
        let latency = |minute| {
            let now = of_variant(Metric::ModelLatency, Statistic::P90, minute)?;
            Some(latency(index, minute, usual, now))
        };
        let requests = |minute| Some(of_variant(Metric::Invocations, Statistic::Sum, minute)? / f64::from(count));
        let cpu = |minute| of_variant(Metric::CPUUtilization, Statistic::Average, minute);
        PartMetrics {
            part: Part::Instance(format!("i-0{index}")),
            metrics: Metrics(vec![
                series(observation, 60, (Metric::ModelLatency, Statistic::P90), latency),
                series(observation, 60, (Metric::Invocations, Statistic::Sum), requests),
                series(observation, 60, (Metric::CPUUtilization, Statistic::Average), cpu),
            ]),
        }
    };
    let mut with = observation.clone();
    with.endpoint.has_enhanced_metrics = true;
    with.parts = (1..=count).map(part).collect();
    with
}

/// One of four is slow since it began; the others are as ever.
pub fn one_ill(observation: &Observation) -> Observation {
    let since = before_it_began(observation);
    with_instances(
        observation,
        4,
        |index, minute, usual, now| {
            if index == 3 && minute > since { 1.5 * now } else { usual }
        },
    )
}

#[test]
fn enhanced_metrics_name_the_ill_instance() {
    let observation = one_ill(&ILL);
    check("one-of-four-instances-ill-and-named", &observation, Verdict::UnevenLoad, &[]);
    let (named, unnamed) = (diagnose(&observation), diagnose(&ILL));
    assert!(
        named.summary.contains("instance i-03") && named.summary.contains("25 % of the requests"),
        "{}",
        named.summary
    );
    assert!(named.next_steps[0].starts_with("Replace instance i-03"), "{:?}", named.next_steps);
    assert!(named.confidence >= unnamed.confidence, "{} {}", named.confidence, unnamed.confidence);
}

#[test]
fn without_enhanced_metrics_they_are_what_to_turn_on() {
    let asks = |observation: &Observation| {
        diagnose(observation).next_steps.iter().any(|step| step.contains("EnableEnhancedMetrics"))
    };
    assert!(asks(&ILL));
    assert!(!asks(&one_ill(&ILL)));
}

#[test]
fn an_instance_that_is_slow_without_being_busy() {
    // From the variant alone it looks like a dependency that is slow for some requests; all of those are in one place.
    let observation = observed("dependency-for-some");
    assert_eq!(diagnose(&observation).verdict, Verdict::SlowDependency);
    let diagnosis = diagnose(&one_ill(&observation));
    assert_eq!(diagnosis.verdict, Verdict::UnevenLoad, "{diagnosis:#?}");
    assert!(diagnosis.summary.contains("instance i-03"), "{}", diagnosis.summary);
}

#[test]
fn instances_that_are_alike_leave_the_verdict_as_it_is() {
    for observation in [&*OVERLOAD, &*SLOW_DEPENDENCY] {
        let even = with_instances(observation, 2, |_, _, _, now| now);
        let (with, without) = (diagnose(&even), diagnose(observation));
        assert_eq!((with.verdict, with.confidence, with.grade), (without.verdict, without.confidence, without.grade));
        assert!(with.context[0].text.starts_with("the 2 instances are alike"), "{}", with.context[0].text);
    }
}

#[test]
fn an_instance_that_was_always_slower_is_not_what_happened() {
    // As the slower type of a mix is.
    let uneven = with_instances(&SLOW_DEPENDENCY, 2, |index, _, _, now| if index == 1 { 0.4 * now } else { now });
    assert_eq!(diagnose(&uneven).verdict, Verdict::SlowDependency);
}

#[test]
fn an_overload_with_one_instance_worse_than_the_others_is_still_an_overload() {
    let worse = with_instances(&OVERLOAD, 2, |index, _, _, now| if index == 1 { 1.8 * now } else { now });
    assert_eq!(diagnose(&worse).verdict, Verdict::Overload);
}

/// More explanations since it began.
pub fn explained(observation: &Observation, before: Option<f64>, now: f64) -> Observation {
    let since = before_it_began(observation);
    let made = |minute| {
        let load = observation.metrics.at(Metric::InvocationsPerInstance, Statistic::Sum, minute)?;
        Some(load * if minute <= since { before? } else { now })
    };
    let made = series(observation, 1_440, (Metric::ExplanationsPerInstance, Statistic::Sum), made);
    let mut with = observation.clone();
    with.endpoint.has_explainer = true;
    with.metrics.0.push(made);
    with
}

#[test]
fn more_explanations_for_each_request() {
    let observation = explained(&observed("slow-model"), Some(0.1), 0.8);
    check("more-explanations", &observation, Verdict::SlowModel, &[]);
    let diagnosis = diagnose(&observation);
    assert_eq!(diagnosis.sub_cause.as_deref(), Some("explanations"));
    assert!(diagnosis.summary.contains("0.80 explanations are made for each request; 0.10 were usual"));
    assert!(diagnosis.next_steps[0].contains("EnableExplanations"), "{:?}", diagnosis.next_steps);
}

#[test]
fn explanations_that_were_as_many_before_or_not_published_are_no_cause() {
    let observation = observed("slow-model");
    for before in [Some(0.8), None] {
        let diagnosis = diagnose(&explained(&observation, before, 0.8));
        assert_eq!((diagnosis.verdict, diagnosis.sub_cause), (Verdict::SlowModel, None));
        assert!(diagnosis.context.iter().any(|fact| fact.signal == "explanations_per_request"));
    }
}

#[test]
fn explanations_do_not_make_a_wait_into_work() {
    let diagnosis = diagnose(&explained(&SLOW_DEPENDENCY, Some(0.1), 0.8));
    assert_eq!(diagnosis.verdict, Verdict::SlowDependency);
}

#[test]
fn captured_requests_are_a_fact_and_no_cause() {
    let mut observation = SLOW_DEPENDENCY.clone();
    observation.endpoint.captures_data = true;
    let report = explain(&observation, &settings(&[]));
    assert!(text::render(&report).contains("requests are captured, which AWS documents not to slow them down"));
    assert_eq!(report.diagnosis, diagnose(&SLOW_DEPENDENCY));
}

/// The observation of a model with two containers, `prepare` and `score`, and how long each takes.
pub fn with_containers(
    observation: &Observation,
    mode: InvocationMode,
    score: impl Fn(f64, Minute) -> f64,
    requests_to_prepare: f64,
) -> Observation {
    let since = before_it_began(observation);
    let usual = observation.metrics.at(Metric::ModelLatency, Statistic::Average, since).unwrap();
    let mut with = observation.clone();
    with.hosting = Hosting::MultiContainer;
    let names = vec!["prepare".to_owned(), "score".to_owned()];
    with.variant.containers = Some(Containers { mode, names });
    let part = |name: &str, latency: &dyn Fn(Minute) -> Option<f64>, share: f64| {
        let mut all = vec![series(observation, 1_440, (Metric::ContainerLatency, Statistic::Average), latency)];
        // A pipeline's containers need no count of their own: each request meets each.
        if mode == InvocationMode::Direct {
            let requests = |minute| Some(share * observation.metrics.at(Metric::Invocations, Statistic::Sum, minute)?);
            all.push(series(observation, 1_440, (Metric::Invocations, Statistic::Sum), requests));
        }
        PartMetrics { part: Part::Container(name.to_owned()), metrics: Metrics(all) }
    };
    with.parts = vec![
        part("prepare", &|_| Some(20_000.0), requests_to_prepare),
        part("score", &|minute| Some(score(usual, minute)), 1.0 - requests_to_prepare),
    ];
    with
}

pub fn slow_since(since: Minute) -> impl Fn(f64, Minute) -> f64 {
    move |usual, minute| if minute > since { 3.0 * usual } else { usual }
}

#[test]
fn one_container_of_a_pipeline() {
    let since = before_it_began(&SLOW_DEPENDENCY);
    let observation = with_containers(&SLOW_DEPENDENCY, InvocationMode::Serial, slow_since(since), 0.5);
    check("one-container-of-a-pipeline", &observation, Verdict::SlowDependency, &[]);
    let diagnosis = diagnose(&observation);
    assert!(diagnosis.next_steps[0].starts_with("Look at container score first"), "{:?}", diagnosis.next_steps);
    assert_eq!(diagnosis.verdict, diagnose(&SLOW_DEPENDENCY).verdict);
}

#[test]
fn one_container_of_those_that_requests_choose_from() {
    let since = before_it_began(&SLOW_DEPENDENCY);
    let diagnosis = diagnose(&with_containers(&SLOW_DEPENDENCY, InvocationMode::Direct, slow_since(since), 0.5));
    assert!(diagnosis.summary.contains("Container score takes"), "{}", diagnosis.summary);
    assert!(diagnosis.summary.contains("as long as at the same load before; the others are as before"));
}

#[test]
fn containers_without_metrics_are_not_told_apart() {
    let mut observation = with_containers(&SLOW_DEPENDENCY, InvocationMode::Serial, |usual, _| usual, 0.5);
    observation.parts.clear();
    let report = explain(&observation, &settings(&[]));
    let text = "ModelLatency is the sum over the containers of the pipeline";
    assert!(report.diagnosis.context.iter().any(|fact| fact.text.starts_with(text)));
    assert!(
        text::render(&report).contains("a pipeline of containers (prepare, score): each request meets all of them")
    );
    assert!(!report.next_steps.iter().any(|step| step.contains("container score")));
}

#[test]
fn the_capacity_of_containers_that_requests_choose_from_is_a_mean() {
    let says = "requests to several containers count alike";
    let advised = |mode, share| explain(&with_containers(&OVERLOAD, mode, |usual, _| usual, share), &settings(&[]));
    let direct = advised(InvocationMode::Direct, 0.5);
    assert!(direct.plan.reasoning.iter().any(|reason| reason.starts_with(says)), "{:?}", direct.plan.reasoning);
    let capacity = direct.capacity.unwrap();
    assert!(capacity.grade <= Grade::Medium);
    assert!(capacity.method.contains("a mean over requests to several containers"), "{}", capacity.method);
    // Not of a pipeline, nor where one of two gets no requests.
    for (mode, share) in [(InvocationMode::Serial, 0.5), (InvocationMode::Direct, 0.0)] {
        let report = advised(mode, share);
        assert!(!report.plan.reasoning.iter().any(|reason| reason.starts_with(says)), "{mode:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn what_instances_show_never_becomes_a_reason_to_scale(
        which in 0_usize..3,
        factors in prop::collection::vec(
            prop_oneof![Just(0.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e300), 0.1..10.0_f64], 1..5,
        ),
        gap_every in 1_i64..20,
    ) {
        let observation = [&*ILL, &*OVERLOAD, &*SLOW_DEPENDENCY][which];
        let count = u32::try_from(factors.len()).unwrap();
        let with = with_instances(observation, count, |index, minute, _, now| {
            if minute.0 % gap_every == 1 { f64::NAN } else { now * factors[usize::try_from(index).unwrap() - 1] }
        });
        let (with, without) = (diagnose(&with), diagnose(observation));
        prop_assert!((0.0..=1.0).contains(&with.confidence));
        prop_assert!(!with.verdict.is_helped_by_scaling() || without.verdict.is_helped_by_scaling());
        serde_json::to_string(&with).unwrap();
    }
}
