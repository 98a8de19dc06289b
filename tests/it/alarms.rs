//! Proposed alarms: what a person reads, for one situation each, and what holds for all of them.
//!
//! `UPDATE_EXPECT=1 cargo test` rewrites the files under `tests/alarms/`; `tests/template/test_alarms.py` holds them against
//! AWS's own checks.

use crate::asynchronous;
use crate::components::of_component;
use crate::endpoint::{at, observed};
use endpoint_advisor::alarms::{
    COMPARISON_OPERATOR, DATAPOINTS_TO_ALARM, EVALUATION_PERIODS, LOW_SAMPLES, NAME_PREFIX, PERIOD, Proposal, Standing,
    StandingAlarm, document, propose,
};
use endpoint_advisor::export::alarms::{cli, cloudformation, terraform};
use endpoint_advisor::model::{
    AlarmActions, LatencyObjective, Metric, Milliseconds, Minute, ObjectiveSource, Observation, PutMetricAlarm,
    Seconds, Series, Statistic,
};
use endpoint_advisor::report::{markdown, text};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static HEALTHY: LazyLock<Observation> = LazyLock::new(|| observed("healthy"));

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alarms").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Holds a proposal against its golden files; gives the alarm.
fn check(name: &str, observation: &Observation) -> PutMetricAlarm {
    let proposal = propose(observation);
    let folder = folder(name);
    expect_test::expect_file![folder.join("proposal.txt")].assert_eq(&text::words(&document(&proposal)));
    let json = serde_json::to_string_pretty(&proposal).unwrap();
    assert_eq!(serde_json::from_str::<Proposal>(&json).unwrap(), proposal, "it reads back as it was written");
    expect_test::expect_file![folder.join("proposal.json")].assert_eq(&json);
    let proposals = std::slice::from_ref(&proposal);
    expect_test::expect_file![folder.join("template.json")].assert_eq(&cloudformation(proposals).unwrap().text);
    expect_test::expect_file![folder.join("main.tf")].assert_eq(&terraform(proposals).unwrap().text);
    expect_test::expect_file![folder.join("apply.sh")].assert_eq(&cli(proposals).unwrap().text);
    proposal.put_metric_alarm.unwrap()
}

fn without_objective(mut observation: Observation) -> Observation {
    observation.objective = None;
    observation
}

fn with_objective(mut observation: Observation, ms: f64, statistic: Statistic, source: ObjectiveSource) -> Observation {
    observation.objective =
        Some(LatencyObjective { latency_slo_ms: Milliseconds(ms), slo_statistic: statistic, source });
    observation
}

/// Latency, all statistics of it, times `factor` in the minutes that `is_slow` picks, counted from the first.
fn slower(mut observation: Observation, factor: f64, is_slow: impl Fn(i64) -> bool) -> Observation {
    let first = Minute::containing(at()).plus(-2 * 1_440);
    for series in observation.metrics.0.iter_mut().filter(|series| {
        series.metric == Metric::ModelLatency && !matches!(series.statistic, Statistic::SampleCount | Statistic::Sum)
    }) {
        let value = |index: i64| {
            let value = series.at(first.plus(index))?;
            Some(if is_slow(index) { factor * value } else { value })
        };
        *series = Series::new(series.metric, series.statistic, first, (0..2 * 1_440).map(value).collect());
    }
    observation
}

#[test]
fn steady_traffic_with_a_stated_objective() {
    let alarm = check("stated-objective", &HEALTHY);
    assert_eq!(alarm.alarm_name, "endpoint-latency-orders-AllTraffic");
    assert_eq!((alarm.threshold, alarm.statistic.name()), (500_000.0, "p90"));
    assert_eq!((alarm.period, alarm.datapoints_to_alarm), (Seconds(60), 2));
}

#[test]
fn steady_traffic_whose_objective_nobody_stated() {
    let alarm = check("no-objective", &without_objective(HEALTHY.clone()));
    assert!(alarm.threshold >= 250_000.0 && alarm.threshold <= 800_000.0, "{}", alarm.threshold);
}

#[test]
fn an_objective_below_what_is_normal_is_kept_and_told() {
    let tight = with_objective(HEALTHY.clone(), 250.0, Statistic::P90, ObjectiveSource::Tag);
    assert_eq!(check("objective-below-normal", &tight).threshold, 250_000.0);
}

#[test]
fn sparse_traffic() {
    let alarm = check("sparse-traffic", &without_objective(observed("hardly-used")));
    assert_eq!((alarm.statistic.name(), alarm.period), ("Average", Seconds(300)));
    assert_eq!((alarm.treat_missing_data.as_str(), alarm.evaluate_low_sample_count_percentile), ("notBreaching", None));
}

#[test]
fn sparse_traffic_whose_stated_percentile_says_nothing() {
    let alarm = check("sparse-traffic-stated", &observed("hardly-used"));
    assert_eq!((alarm.statistic.name(), alarm.threshold), ("Average", 500_000.0));
}

/// One of thirty requests a minute is left: a p90 of five minutes has its hundred, one of a minute does not.
#[test]
fn a_stated_percentile_that_five_minutes_fill() {
    let mut observation = HEALTHY.clone();
    let counts = observation.metrics.series(Metric::Invocations, Statistic::Sum).unwrap().clone();
    let busy = counts.points().map(|(_, count)| count).fold(0.0, f64::max);
    for series in observation.metrics.0.iter_mut().filter(|series| {
        series.metric == Metric::Invocations
            || (series.metric == Metric::ModelLatency && series.statistic == Statistic::SampleCount)
    }) {
        let (first, _) = counts.points().next().unwrap();
        let value = |index: i64| series.at(first.plus(index)).map(|count| 25.0 + (10.0 * count / busy).round());
        let length = Minute::containing(at()).since(first);
        *series = Series::new(series.metric, series.statistic, first, (0..length).map(value).collect());
    }
    let alarm = check("five-minutes", &observation);
    assert_eq!((alarm.statistic.name(), alarm.period), ("p90", Seconds(300)));
    assert!(propose(&observation).history.unwrap().is_at_most);
}

#[test]
fn single_slow_minutes_do_not_make_it_flap() {
    // Once an hour a minute is slow, and the one after the next too.
    let twice = |minute: i64| [7, 9].contains(&(minute % 60));
    let alarm = check("single-slow-minutes", &slower(HEALTHY.clone(), 4.0, twice));
    assert_eq!((alarm.datapoints_to_alarm, alarm.evaluation_periods), (3, 5));
}

#[test]
fn an_incident_that_it_would_have_found() {
    let overload = without_objective(observed("overload"));
    check("incident", &overload);
    let history = propose(&overload).history.unwrap();
    assert!(history.latest[0].is_on && history.times_fired <= 2);
}

/// Slow stretches of seven minutes fire whatever is chosen: then the fastest is, and it is told.
#[test]
fn slow_stretches_that_no_choice_leaves_out_are_told() {
    let stretches = |minute: i64| (0..7).contains(&(minute % 200));
    let observation = slower(HEALTHY.clone(), 4.0, stretches);
    let alarm = check("short-stretches", &observation);
    assert_eq!((alarm.datapoints_to_alarm, alarm.evaluation_periods), (2, 3));
    assert!(propose(&observation).warnings[0].contains("no other choice helps"));
}

/// The README shows what the tool prints.
#[test]
fn the_readme_shows_a_real_proposal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proposal = std::fs::read_to_string(root.join("tests/alarms/incident/proposal.txt")).unwrap();
    let shown = proposal.split("\nNext\n").next().unwrap().trim_end();
    assert!(std::fs::read_to_string(root.join("README.md")).unwrap().contains(shown));
}

#[test]
fn an_asynchronous_endpoint_by_the_age_of_its_oldest_request() {
    let alarm = check("asynchronous", &asynchronous::observed("growth", 1));
    assert_eq!(alarm.metric_name, "ApproximateAgeOfOldestRequest");
    let dimensions: Vec<&str> = alarm.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    assert_eq!(dimensions, ["EndpointName"]);
}

#[test]
fn an_inference_component() {
    let alarm = check("component", &of_component(without_objective(HEALTHY.clone())));
    assert_eq!(alarm.alarm_name, "endpoint-latency-orders-orders-ranker");
    assert_eq!(alarm.dimensions[0].name, "InferenceComponentName");
}

#[test]
fn an_incident_in_the_past_does_not_raise_the_threshold() {
    let calm = propose(&without_objective(HEALTHY.clone())).put_metric_alarm.unwrap();
    // Two hours of 48 in which everything took five times as long.
    let incident = without_objective(slower(HEALTHY.clone(), 5.0, |minute| (1_000..1_120).contains(&minute)));
    let proposal = propose(&incident);
    let history = proposal.history.unwrap();
    assert!(proposal.put_metric_alarm.unwrap().threshold <= 2.0 * calm.threshold);
    assert_eq!(history.times_fired_briefly, 0);
    assert!(history.minutes_in_alarm >= 115, "{}", history.minutes_in_alarm);
}

#[test]
fn too_little_is_declined_with_what_is_missing() {
    let missing = |observation: &Observation| {
        let proposal = propose(observation);
        assert_eq!(proposal.put_metric_alarm, None);
        assert!(text::words(&document(&proposal)).contains("no alarm is proposed"));
        assert!(cli(std::slice::from_ref(&proposal)).unwrap_err().to_string().contains(&proposal.missing[0]));
        proposal.missing.join("; ")
    };
    let mut silent = HEALTHY.clone();
    silent.metrics.0.retain(|series| series.metric != Metric::ModelLatency);
    assert_eq!(missing(&silent), "ModelLatency: nothing was measured");
    let mut uncounted = HEALTHY.clone();
    uncounted
        .metrics
        .0
        .retain(|series| series.metric == Metric::ModelLatency && series.statistic != Statistic::SampleCount);
    assert!(missing(&uncounted).starts_with("Invocations: "));
    let mut not_held = with_objective(HEALTHY.clone(), 500.0, Statistic::Percentile(9_500), ObjectiveSource::Event);
    let read = "p95 of ModelLatency: it was not read. Read it: endpoint-advisor alarms orders --latency-slo-ms 500 --slo-statistic p95";
    assert_eq!(missing(&not_held), read);
    not_held = HEALTHY.clone();
    let first = Minute::containing(at()).plus(-300);
    for series in &mut not_held.metrics.0 {
        let values = (0..300).map(|index| series.at(first.plus(index))).collect();
        *series = Series::new(series.metric, series.statistic, first, values);
    }
    assert_eq!(missing(&not_held), "a day of p90 ModelLatency: 5 hours were read");
}

#[test]
fn who_stated_the_objective_is_said() {
    for (source, said) in [
        (ObjectiveSource::Event, "you stated"),
        (ObjectiveSource::Tag, "the endpoint's tag endpoint-advisor:slo-ms states"),
        (ObjectiveSource::Alarm, "an alarm that stands has it"),
    ] {
        let stated = with_objective(HEALTHY.clone(), 900.0, Statistic::P90, source);
        let words = text::words(&document(&propose(&stated)));
        assert!(words.contains(said), "{words}");
    }
}

/// Once it stands, its threshold is the objective, and the same alarm is proposed.
#[test]
fn an_alarm_that_stands_is_proposed_again() {
    let mut observations: Vec<Observation> = ["healthy", "hardly-used", "overload", "blip", "busy-but-fine"]
        .map(|name| without_objective(observed(name)))
        .into();
    observations.push(of_component(without_objective(HEALTHY.clone())));
    for mut observation in observations {
        let alarm = propose(&observation).put_metric_alarm.unwrap();
        observation.objective = Some(LatencyObjective {
            latency_slo_ms: Milliseconds(alarm.threshold / 1_000.0),
            slo_statistic: alarm.statistic.name().parse().unwrap(),
            source: ObjectiveSource::Alarm,
        });
        assert_eq!(propose(&observation).put_metric_alarm, Some(alarm));
    }
    let mut queued = asynchronous::observed("growth", 1);
    let alarm = propose(&queued).put_metric_alarm.unwrap();
    queued.age_objective = Some(Seconds(alarm.threshold as u32));
    assert_eq!(propose(&queued).put_metric_alarm, Some(alarm));
}

#[test]
fn markdown_says_what_the_text_says() {
    let words = markdown::words(&document(&propose(&HEALTHY)));
    expect_test::expect_file![folder("stated-objective").join("proposal.md")].assert_eq(&words);
    assert!(words.contains("\n   ```sh\n   endpoint-advisor alarms orders --variant AllTraffic --apply\n"), "{words}");
}

#[test]
fn several_variants_share_a_file() {
    let mut other = HEALTHY.clone();
    other.variant_name = Some("Canary".parse().unwrap());
    let proposals = [propose(&HEALTHY), propose(&other)];
    let template: serde_json::Value = serde_json::from_str(&cloudformation(&proposals).unwrap().text).unwrap();
    let names: Vec<&String> = template["Resources"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["OrdersAllTrafficLatencyAlarm", "OrdersCanaryLatencyAlarm"]);
    assert_eq!(terraform(&proposals).unwrap().text.matches("resource \"aws_cloudwatch_metric_alarm\"").count(), 2);
    assert_eq!(cli(&proposals).unwrap().text.matches("\naws cloudwatch put-metric-alarm").count(), 2);
}

fn standing(alarm: &PutMetricAlarm) -> StandingAlarm {
    let settings = serde_json::to_value(alarm).unwrap().as_object().unwrap().clone();
    StandingAlarm { settings, actions: AlarmActions::default() }
}

#[test]
fn what_changes_is_shown_setting_by_setting() {
    let alarm = propose(&HEALTHY).put_metric_alarm.unwrap();
    let mut before = standing(&alarm);
    assert_eq!(Standing::Metric(before.clone()).difference(&alarm), [""; 0]);
    before.settings["Dimensions"].as_array_mut().unwrap().reverse();
    before.settings.insert("Threshold".to_owned(), 500_000.into());
    assert_eq!(
        Standing::Metric(before.clone()).difference(&alarm),
        [""; 0],
        "neither order nor spelling is a difference"
    );
    before.settings.insert("Threshold".to_owned(), 650_000.into());
    before.settings.insert("Unit".to_owned(), "Seconds".into());
    before.settings.remove("EvaluateLowSampleCountPercentile");
    before.settings.remove("TreatMissingData");
    let mut expected = vec!["Threshold: 650000 -> 500000", "EvaluateLowSampleCountPercentile: evaluate -> ignore"];
    if alarm.treat_missing_data != "missing" {
        expected.insert(1, "TreatMissingData: missing -> notBreaching");
    }
    expected.push("Unit: Seconds -> absent");
    assert_eq!(Standing::Metric(before).difference(&alarm), expected);
    // What is not said is as CloudWatch takes it.
    let mut unsaid = standing(&PutMetricAlarm { evaluation_periods: 3, datapoints_to_alarm: 3, ..alarm.clone() });
    unsaid.settings.remove("DatapointsToAlarm");
    let wanted = PutMetricAlarm { evaluation_periods: 3, datapoints_to_alarm: 2, ..alarm.clone() };
    assert_eq!(Standing::Metric(unsaid).difference(&wanted), ["DatapointsToAlarm: 3 -> 2"]);
    let new = Standing::Nothing.difference(&alarm);
    assert!(new.contains(&"ExtendedStatistic: absent -> p90".to_owned()), "{new:?}");
}

#[test]
fn what_an_alarm_does_it_keeps() {
    let mut stands = standing(&propose(&HEALTHY).put_metric_alarm.unwrap());
    stands.actions = AlarmActions::firing("arn:aws:sns:us-east-1:111122223333:on-call");
    assert_eq!(Standing::Metric(stands.clone()).actions(), stands.actions);
    for other in [Standing::Nothing, Standing::Composite] {
        assert_eq!(other.actions(), AlarmActions::default());
    }
}

/// The template that makes an alarm without a past to choose by has the defaults of the code.
#[test]
fn the_alarm_template_has_the_same_defaults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let template = std::fs::read_to_string(root.join("infra/endpoint-alarms.yaml")).unwrap();
    let default = |parameter: &str| {
        let section = template.split(&format!("\n  {parameter}:\n")).nth(1).unwrap();
        section.split("Default: ").nth(1).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(default("Period"), PERIOD.0.to_string());
    assert_eq!(default("EvaluationPeriods"), EVALUATION_PERIODS.to_string());
    assert_eq!(default("DatapointsToAlarm"), DATAPOINTS_TO_ALARM.to_string());
    assert_eq!(default("TreatMissingData"), "notBreaching");
    for line in [
        format!("ComparisonOperator: {COMPARISON_OPERATOR}"),
        format!("EvaluateLowSampleCountPercentile: !If [IsPercentile, {LOW_SAMPLES}, !Ref AWS::NoValue]"),
        format!("!Sub {NAME_PREFIX}${{EndpointName}}-${{VariantName}}"),
    ] {
        assert!(template.contains(&line), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A threshold is above normal, or a warning says that it is not.
    #[test]
    fn a_threshold_is_never_below_normal_without_saying_so(
        stated in prop::option::of(50.0..2_000.0_f64), factor in 0.2..5.0_f64, every in 1_i64..200,
    ) {
        let observation = slower(HEALTHY.clone(), factor, |minute| minute % every == 0);
        let observation = match stated {
            Some(ms) => with_objective(observation, ms, Statistic::P90, ObjectiveSource::Event),
            None => without_objective(observation),
        };
        let proposal = propose(&observation);
        let alarm = proposal.put_metric_alarm.unwrap();
        let statistic: Statistic = alarm.statistic.name().parse().unwrap();
        let series = observation.metrics.series(Metric::ModelLatency, statistic).unwrap();
        let over = series.points().filter(|(_, value)| *value > alarm.threshold).count();
        let is_below_normal = 20 * over > series.points().count() + 40;
        prop_assert!(!is_below_normal || proposal.warnings.iter().any(|warning| warning.contains("so that is normal here")));
        prop_assert!(stated.is_some() || !is_below_normal);
    }

    #[test]
    fn an_endpoint_of_constant_latency_never_fires(ms in 1.0..30_000.0_f64) {
        let mut observation = without_objective(HEALTHY.clone());
        for series in observation.metrics.0.iter_mut().filter(|series| series.metric == Metric::ModelLatency) {
            if series.statistic != Statistic::SampleCount {
                let (first, _) = series.points().next().unwrap();
                let values = (0..2_880).map(|index| series.at(first.plus(index)).map(|_| 1_000.0 * ms)).collect();
                *series = Series::new(series.metric, series.statistic, first, values);
            }
        }
        let history = propose(&observation).history.unwrap();
        prop_assert_eq!((history.times_fired, history.minutes_in_alarm), (0, 0));
    }
}
