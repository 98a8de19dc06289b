//! A saved report, in every face and as files of other tools.

#![no_main]

mod mutate;

use endpoint_advisor::export::{cli, cloudformation, terraform};
use endpoint_advisor::model::Report;
use endpoint_advisor::report::{card, emf, markdown, message, terminal, text};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::slice::from_ref;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate::json(data, size, max_size, seed) });

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut report) = serde_json::from_slice::<Report>(bytes) else { return };
    let _ = (text::render(&report), terminal::render(&report), markdown::render(&report), card::render(&report));
    let _ = emf::of_report(&report, report.at);
    assert!(message::render(&report).subject.len() < 100, "SNS takes fewer than 100 characters");
    // A plan that somebody changed is not exported.
    report.plan.digest = report.plan.digest_of_requests();
    let reports = from_ref(&report);
    let _ = (cli(reports), terraform(reports), cloudformation(reports, false), cloudformation(reports, true));
});
