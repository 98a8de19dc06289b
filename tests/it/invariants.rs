//! The promises of `src/lib.rs`, for observations that nobody would expect: absurd counts, clocks that jump, what could not be read,
//! and metrics that are missing, doubled, or full of gaps, NaN and infinities.

use crate::endpoint::{at, observed, observed_for, settings};
use crate::properties::{Disturbance, disturbance, disturbed, is_sane};
use endpoint_advisor::advise::explain;
use endpoint_advisor::config::Mode;
use endpoint_advisor::decide::{Authority, decide};
use endpoint_advisor::model::{
    BEFORE_TAG, EndpointStatus, InstanceCount, Metrics, Minute, Observation, Report, ScalableTarget, ScalingActivity,
    Series,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const MOST: u32 = 12;

static SCENARIOS: LazyLock<Vec<Observation>> =
    LazyLock::new(|| ["overload", "slow-model", "burst", "healthy"].map(|scenario| observed_for(scenario, 1)).into());

/// What is wrong with an observation.
#[derive(Debug, Clone)]
struct Odd {
    metrics: Vec<Disturbance>,
    /// Which series are missing, and which come a second time, a while later.
    missing: u32,
    doubled: u32,
    /// Seconds by which the clock of whoever asks is ahead, and that of what AWS dates.
    ahead: i64,
    dated: i64,
    current: Option<u32>,
    desired: Option<u32>,
    target: Option<(u32, u32, usize)>,
    status: &'static str,
    has_tags: bool,
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0_u32..20, 1 => Just(u32::MAX), 1 => Just(1 << 31), 1 => 1_000_u32..1_000_000]
}

/// Usually a little, sometimes years.
fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 2 => -180_i64..180, 2 => -90_000_i64..90_000, 1 => -200_000_000_i64..200_000_000]
}

fn odd() -> impl Strategy<Value = Odd> {
    let mostly_none = || prop_oneof![3 => Just(0_u32), 1 => any::<u32>()];
    let metrics = prop_oneof![Just(Vec::new()), prop::collection::vec(disturbance(), 11)];
    let status = prop_oneof![4 => Just("InService"), 1 => Just("Updating"), 1 => Just("Failed"), 1 => Just("Newer")];
    let counts =
        (prop::option::of(count()), prop::option::of(count()), prop::option::of((count(), count(), 0..4_usize)));
    ((metrics, mostly_none(), mostly_none()), (seconds(), seconds()), counts, status, prop::bool::weighted(0.8))
        .prop_map(|((metrics, missing, doubled), (ahead, dated), (current, desired, target), status, has_tags)| Odd {
            metrics,
            missing,
            doubled,
            ahead,
            dated,
            current,
            desired,
            target,
            status,
            has_tags,
        })
}

fn made_odd(observation: &Observation, odd: &Odd) -> Observation {
    let mut observation = match odd.metrics.as_slice() {
        [] => observation.clone(),
        metrics => disturbed(observation, metrics),
    };
    let bit = |mask: u32, index: usize| mask >> (index % 32) & 1 == 1;
    let series = std::mem::take(&mut observation.metrics.0);
    let where_bit = |mask: u32, wanted: bool| {
        let chosen = series.iter().enumerate().filter(|(index, _)| bit(mask, *index) == wanted);
        chosen.map(|(_, series)| series.clone()).collect::<Vec<Series>>()
    };
    let (again, kept) = (where_bit(odd.doubled, true), where_bit(odd.missing, false));
    let later = |series: Series| {
        let values = series.points().map(|(_, value)| Some(value)).collect();
        Series::new(series.metric, series.statistic, Minute::containing(at()).plus(-700), values)
    };
    observation.metrics = Metrics(kept.into_iter().chain(again.into_iter().map(later)).collect());
    observation.at += SignedDuration::from_secs(odd.ahead);
    let dated = observation.at + SignedDuration::from_secs(odd.dated);
    observation.endpoint.last_modified_at = Some(dated);
    observation.endpoint.endpoint_config_created_at = Some(dated);
    observation.endpoint.status = EndpointStatus(odd.status.to_owned());
    observation.variant.current_instance_count = odd.current.map(InstanceCount);
    observation.variant.desired_instance_count = odd.desired.map(InstanceCount);
    let scaling = observation.scaling.as_mut().unwrap();
    scaling.target = odd.target.map(|(min, max, origin)| ScalableTarget {
        min_capacity: InstanceCount(min),
        max_capacity: InstanceCount(max),
        tags: match origin {
            0 => None,
            1 => Some(BTreeMap::new()),
            2 => Some(BTreeMap::from([(BEFORE_TAG.to_owned(), "absent".to_owned())])),
            _ => Some(BTreeMap::from([(BEFORE_TAG.to_owned(), "min=99999999999 max=-1".to_owned())])),
        },
        ..ScalableTarget::default()
    });
    scaling.activities = Some(vec![ScalingActivity {
        started_at: dated,
        ended_at: Some(observation.at),
        status_code: "Successful".to_owned(),
        status_message: None,
        description: format!("Setting desired instance count to {}.", u64::MAX),
        cause: String::new(),
        not_scaled_reasons: Vec::new(),
    }]);
    observation.tags = odd.has_tags.then(BTreeMap::new);
    observation
}

proptest! {
    // The same cases each time, so that a change is judged by itself. (1,500 others of the first law were tried once.)
    #![proptest_config(ProptestConfig { cases: 96, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn what_may_be_written_is_within_every_guardrail_whatever_was_observed(which in 0..4_usize, odd in odd()) {
        let observation = made_odd(&SCENARIOS[which], &odd);
        let settings = settings(&[("ADVISOR_MODE", "apply"), ("ADVISOR_MAX_INSTANCES", &MOST.to_string())]);
        let report = explain(&observation, &settings);
        is_sane(&report, MOST);
        prop_assert_eq!(&explain(&observation, &settings), &report, "the same again");
        let guardrails = settings.for_endpoint(observation.tags.as_ref());
        let refused = decide(&report.plan, &report.diagnosis, &guardrails, Mode::Apply, Authority::Now);
        if refused.is_none() {
            prop_assert!(observation.tags.is_some(), "fail closed");
            prop_assert!(observation.endpoint.status.is_in_service());
            prop_assert!(report.diagnosis.verdict.is_helped_by_scaling() && report.diagnosis.confidence >= 0.9);
            let register = report.plan.register_scalable_target.as_ref().unwrap();
            let present = observation.scaling.as_ref().unwrap().target.as_ref();
            prop_assert!(present.is_none_or(ScalableTarget::is_ours), "theirs is left alone");
            let running = observation.variant.current_instance_count;
            prop_assert!(running.is_some_and(|running| register.min_capacity >= running), "nothing is taken away");
            prop_assert!(present.is_none_or(|present| register.max_capacity >= present.max_capacity));
            prop_assert!(register.max_capacity <= InstanceCount(MOST));
            let ours = |name: &str| name.starts_with("endpoint-advisor-");
            prop_assert!(report.plan.put_scaling_policies.iter().all(|policy| ours(&policy.policy_name)));
            prop_assert!(report.plan.delete_scaling_policies.iter().all(|policy| ours(&policy.policy_name)));
        }
    }

    #[test]
    fn a_metric_that_is_missing_never_makes_a_verdict_more_certain(which in 0..4_usize, missing in any::<u32>()) {
        let whole = &SCENARIOS[which];
        let mut part = whole.clone();
        let mut index = 0;
        part.metrics.0.retain(|_| { index += 1; missing >> (index % 32) & 1 == 0 });
        let (before, after) = (explain(whole, &settings(&[])), explain(&part, &settings(&[])));
        if before.diagnosis.verdict == after.diagnosis.verdict {
            prop_assert!(after.diagnosis.confidence <= before.diagnosis.confidence);
        }
        // Nor does it add a reason to scale.
        let is_reason = |report: &Report| report.diagnosis.verdict.is_helped_by_scaling() && report.diagnosis.confidence >= 0.9;
        prop_assert!(before.diagnosis.verdict.is_helped_by_scaling() || !is_reason(&after));
    }
}

#[test]
fn some_of_the_odd_ones_may_be_written() {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[7; 32]),
    );
    let settings = settings(&[("ADVISOR_MODE", "apply"), ("ADVISOR_MAX_INSTANCES", &MOST.to_string())]);
    let overload = observed("overload");
    let written = (0..60).filter(|_| {
        let odd = odd().new_tree(&mut runner).unwrap().current();
        let observation = made_odd(&overload, &Odd { current: Some(2), desired: Some(2), target: None, ..odd });
        let report = explain(&observation, &settings);
        let guardrails = settings.for_endpoint(observation.tags.as_ref());
        decide(&report.plan, &report.diagnosis, &guardrails, Mode::Apply, Authority::Now).is_none()
    });
    assert!(written.count() >= 2, "else the law of what may be written says nothing");
}
