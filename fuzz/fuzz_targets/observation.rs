//! A saved observation, taken through every stage and every face of the report.

#![no_main]

mod mutate;

use endpoint_advisor::advise::{explain, replayed};
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{Action, Observation, OutcomeStatus, Report};
use endpoint_advisor::report::html::{Page, render};
use endpoint_advisor::report::{card, emf, markdown, message, terminal, text};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::json(data, size, max_size, seed) });

fuzz_target!(|bytes: &[u8]| {
    let Ok(observation) = serde_json::from_slice::<Observation>(bytes) else { return };
    let settings = Settings::read(|name| (name == "ADVISOR_MODE").then(|| "apply".to_owned()));
    let guardrails = settings.for_endpoint(observation.tags.as_ref());
    let report = explain(&observation, &settings);
    assert!((0.0..=1.0).contains(&report.diagnosis.confidence));
    if let Some(register) = &report.plan.register_scalable_target {
        assert!(register.min_capacity <= register.max_capacity);
        assert!(register.max_capacity <= guardrails.max_instances, "no plan leaves the guardrails");
    }
    for scheduled in &report.plan.put_scheduled_actions {
        let least = scheduled.scalable_target_action.min_capacity;
        assert!(least <= guardrails.max_instances, "nor by the clock");
    }
    if report.plan.action == Action::Scale && !guardrails.problems.is_empty() {
        assert_eq!(report.outcome.status, OutcomeStatus::Refused, "what forbids is not overlooked");
    }
    let json = serde_json::to_string(&report).expect("a report is JSON");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("and is read again"), report);
    let replay = replayed(&observation, &settings, &report.plan);
    let _ = render(&[Page { report: &report, observation: &observation, replay: replay.as_ref() }]);
    let _ = terminal::charts(&observation, 80);
    let _ = (text::render(&report), terminal::render(&report), markdown::render(&report), card::render(&report));
    let _ = (message::render(&report), emf::of_report(&report, observation.at));
});
