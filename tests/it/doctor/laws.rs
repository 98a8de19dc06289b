//! What holds for every checkup.

use super::{SOUND, but, fired_by, found, latency_alarm, tracking};
use crate::convergence::applied;
use crate::endpoint::{observed, settings};
use endpoint_advisor::doctor::{Checkup, IGNORE_TAG, Severity, examine, markdown, text};
use endpoint_advisor::model::{InstanceCount, Observation};
use endpoint_advisor::{capacity, plan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A name that is a second command, an option, a file, a heading and a row of a table.
const HOSTILE: &str = "--x'; touch /tmp/pwned; echo `id` $(id) \u{1b}[2J\n# file:///etc/passwd | ``` <b>";

fn examined(observation: &Observation) -> Checkup {
    examine(std::slice::from_ref(observation), None, &settings(&[]))
}

/// A set-up in which much is wrong, under these names.
fn ill(name: &str) -> Observation {
    but(|observation| {
        observation.scaling.as_mut().unwrap().policies = vec![
            tracking(name, "SageMakerVariantInvocationsPerInstance", 9_000.0),
            tracking("b", "AWS/SageMaker/Invocations", 1.0),
        ];
        let mut alarm = latency_alarm();
        alarm.alarm_name = name.to_owned();
        alarm.description = Some(name.to_owned());
        alarm.threshold = Some(500.0);
        let mut sum = alarm.clone();
        sum.metrics[0].statistic = "Sum".to_owned();
        observation.alarms = Some(vec![alarm, sum, fired_by(name, "AlarmLow")]);
        let scheduled = super::range::action("at(2020-01-01T00:00:00)");
        observation.scaling.as_mut().unwrap().scheduled_actions =
            Some(vec![endpoint_advisor::model::ScheduledAction { name: name.to_owned(), ..scheduled }]);
    })
}

/// The words of a command line, as a POSIX shell parts them; none where something outside of single quotes would be run.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut is_quoted, mut chars) = (Vec::new(), None::<String>, false, command.chars());
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            c if is_quoted => word.get_or_insert_default().push(c),
            ' ' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '$' | '`' | ';' | '|' | '&' | '<' | '>' | '(' | ')' | '\n' | '#' | '"' => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (!is_quoted).then_some(words)
}

#[test]
fn hostile_names_are_inert_in_commands() {
    let checkup = examined(&ill(HOSTILE));
    let commands: Vec<&String> = checkup.findings.iter().flat_map(|finding| &finding.commands).collect();
    let with_name = commands.iter().filter(|command| command.contains("touch")).count();
    assert!(with_name >= 4, "{commands:#?}");
    for command in commands {
        let words = words(command).unwrap_or_else(|| panic!("something in it would be run: {command}"));
        for word in words.iter().filter(|word| word.contains("touch")) {
            assert!(word.starts_with('{'), "{word}");
            serde_json::from_str::<serde_json::Value>(word).unwrap();
        }
    }
}

#[test]
fn hostile_names_are_inert_in_what_is_printed() {
    let checkup = examined(&ill(HOSTILE));
    let text = text::render(&checkup);
    assert!(!text.contains('\u{1b}') && !text.lines().any(|line| line.starts_with('#')), "{text}");
    let markdown = markdown::render(&checkup);
    assert!(!markdown.contains('\u{1b}') && !markdown.lines().any(|line| line.starts_with("# ")), "{markdown}");
}

#[test]
fn a_tag_silences_rules_and_off_does_not() {
    let mut observation = ill("load");
    let all = examined(&observation).findings;
    let tags = observation.tags.as_mut().unwrap();
    tags.insert("endpoint-advisor:mode".to_owned(), "off".to_owned());
    assert_eq!(examined(&observation).findings, all, "off is about being changed");
    let tags = observation.tags.as_mut().unwrap();
    tags.insert(IGNORE_TAG.to_owned(), "EA019 ea011/EA999".to_owned());
    let checkup = examined(&observation);
    let silenced = |rule: &str| ["EA019", "EA011"].contains(&rule);
    let left: Vec<_> = all.iter().filter(|finding| !silenced(&finding.rule)).cloned().collect();
    assert_eq!(checkup.findings, left);
    assert_eq!(usize::try_from(checkup.ignored).unwrap(), all.len() - left.len());
    assert!(text::summary(&checkup).contains("2 ignored by tag"), "{}", text::summary(&checkup));
    assert!(checkup.not_read.iter().any(|gap| gap.what.contains("EA999")), "a mistake in the tag is said");
}

#[test]
fn what_was_not_read_is_listed_with_the_rules_that_need_it() {
    let mut observation = but(|observation| {
        observation.alarms = None;
        observation.objective = None;
        observation.variant.initial_instance_count = None;
        observation.warnings = vec!["sagemaker:ListTags was denied.".to_owned()];
        observation.scaling.as_mut().unwrap().scheduled_actions = None;
    });
    let listed = |observation: &Observation| {
        let checkup = examined(observation);
        assert_eq!(checkup.findings, [], "nothing was seen that is wrong");
        expect_test::expect_file!["../../doctor/not-read.txt"].assert_eq(&text::render(&checkup));
        checkup.not_read
    };
    assert!(listed(&observation).iter().any(|gap| gap.rules.contains(&"EA018".to_owned())));
    observation.scaling = None;
    assert_eq!(examined(&observation).findings, []);
    assert!(examined(&observation).not_read.iter().any(|gap| gap.rules.contains(&"EA001".to_owned())));
}

#[test]
fn what_the_advisor_itself_would_put_is_sound() {
    for scenario in ["overload", "healthy"] {
        let mut bare = observed(scenario);
        bare.variant.initial_instance_count = bare.variant.current_instance_count;
        let capacity = capacity::capacity(&bare);
        let plan = plan::tune(&bare, capacity.as_ref(), &settings(&[]).for_endpoint(bare.tags.as_ref()));
        if plan.register_scalable_target.is_none() {
            continue;
        }
        let after = applied(&bare, &plan);
        let said = examined(&after).findings;
        // How many run is the load's matter, and one is enough where nobody asked for two.
        let about_policies = said.iter().filter(|finding| ("EA011".."EA020").contains(&finding.rule.as_str()));
        assert_eq!(about_policies.collect::<Vec<_>>(), Vec::<&_>::new(), "{scenario}");
    }
}

#[test]
fn the_worst_endpoint_comes_first() {
    let named =
        |name: &str, observation: Observation| Observation { endpoint_name: name.parse().unwrap(), ..observation };
    let low = named(
        "a-low",
        but(|observation| {
            observation.scaling.as_mut().unwrap().scheduled_actions =
                Some(vec![super::range::action("at(2020-01-01T00:00:00)")]);
            observation.alarms = None;
        }),
    );
    let high = named(
        "z-high",
        but(|observation| {
            observation.scaling.as_mut().unwrap().target.as_mut().unwrap().is_scale_out_suspended = true;
            observation.alarms = None;
        }),
    );
    let checkup = examine(&[low.clone(), high.clone()], None, &settings(&[]));
    assert_eq!(checkup.findings.first().unwrap().rule, "EA005");
    assert_eq!(checkup.endpoints, 2);
    let mut batches = examine(&[low], None, &settings(&[]));
    batches.add(examine(&[high], None, &settings(&[])));
    assert_eq!(batches.sorted(), checkup, "in batches or at once");
    assert_eq!(checkup.clone().at_least(Severity::High).findings.len(), 1);
    let read: Checkup = serde_json::from_str(&serde_json::to_string(&checkup).unwrap()).unwrap();
    assert_eq!(read, checkup);
}

#[test]
fn the_readme_shows_a_real_checkup() {
    let observation = but(|observation| {
        observation.variant.current_instance_count = Some(InstanceCount(3));
        observation.variant.initial_instance_count = Some(InstanceCount(1));
        let scaling = observation.scaling.as_mut().unwrap();
        scaling.target.as_mut().unwrap().max_capacity = InstanceCount(3);
        scaling.scheduled_actions = Some(vec![super::range::action("at(2026-09-01T07:00:00)")]);
        observation.tags.as_mut().unwrap().insert(IGNORE_TAG.to_owned(), "EA019".to_owned());
    });
    let account = endpoint_advisor::model::Account { targets: Some(Vec::new()), ..Default::default() };
    let text = text::render(&examine(&[observation], Some(&account), &settings(&[])));
    expect_test::expect_file!["../../doctor/readme.txt"].assert_eq(&text);
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert!(std::fs::read_to_string(readme).unwrap().contains(text.trim_end()));
}

#[test]
fn copies_are_called_copies() {
    let mut observation = crate::components::of_component(SOUND.clone());
    observation.component.as_mut().unwrap().current_copy_count = Some(InstanceCount(12));
    let [finding] = found("EA003", &observation).try_into().unwrap();
    assert!(finding.evidence.starts_with("12 copies run"), "{}", finding.evidence);
    assert!(finding.commands[0].contains("inference-component/orders-ranker"), "{}", finding.commands[0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it_and_every_finding_has_its_evidence(
        min in 0..20_u32, max in 0..20_u32, running in 0..20_u32, target in prop_oneof![Just(f64::NAN), Just(0.0), Just(-5.0), 1.0..9e3_f64],
        threshold in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(0.0), -1e6..1e9_f64], cooldown in 0..4_000_u32,
        name in ".{0,40}", statistic in "(Sum|Average|p90|p99\\.9|tm99|p|)", periods in 0..5_u32,
    ) {
        let observation = but(|observation| {
            observation.variant.current_instance_count = Some(InstanceCount(running));
            let scaling = observation.scaling.as_mut().unwrap();
            let present = scaling.target.as_mut().unwrap();
            present.min_capacity = InstanceCount(min);
            present.max_capacity = InstanceCount(max);
            let mut policy = tracking(&name, "SageMakerVariantInvocationsPerInstance", target);
            policy.target_tracking.as_mut().unwrap().scale_in_cooldown = Some(endpoint_advisor::model::Seconds(cooldown));
            scaling.policies = vec![policy];
            let alarm = &mut observation.alarms.as_mut().unwrap()[0];
            alarm.threshold = Some(threshold);
            alarm.alarm_name = name.clone();
            alarm.metrics[0].statistic = statistic.clone();
            alarm.evaluation_periods = periods;
        });
        let checkup = examined(&observation);
        prop_assert_eq!(&checkup, &examined(&observation), "the same twice");
        for finding in &checkup.findings {
            prop_assert!(finding.evidence.ends_with('.') && !finding.fix.is_empty(), "{:?}", finding);
            prop_assert!(finding.evidence.chars().any(|c| c.is_ascii_digit()), "{}", finding.evidence);
            prop_assert!(!finding.evidence.contains("NaN") || target.is_nan() || threshold.is_nan(), "{}", finding.evidence);
            prop_assert!(finding.saving_instances.is_none_or(|count| count > 0 && count < running));
        }
        let _ = (text::render(&checkup), markdown::render(&checkup));
    }
}
