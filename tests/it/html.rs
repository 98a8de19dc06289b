//! The report as a page for a browser.

use crate::asynchronous::observed as queue;
use crate::components::of_component;
use crate::endpoint::{observed, settings};
use crate::serverless::{family, serverless};
use endpoint_advisor::advise::{explain, replayed};
use endpoint_advisor::config::Settings;
use endpoint_advisor::model::{Observation, PolicyConfiguration, Series};
use endpoint_advisor::report::html::{Page, render};
use endpoint_advisor::report::markdown;
use sha2::{Digest, Sha256};
use std::path::Path;

fn page(observation: &Observation) -> String {
    page_with(observation, &settings(&[]))
}

fn page_with(observation: &Observation, settings: &Settings) -> String {
    let report = explain(observation, settings);
    let replay = replayed(observation, settings, &report.plan);
    render(&[Page { report: &report, observation, replay: replay.as_ref() }])
}

/// The page with each picture as its words, and a digest of what is drawn: a golden file that people can read, and that no
/// line of a chart moves in unnoticed.
fn without_pictures(page: &str) -> String {
    let mut out = String::new();
    let mut pieces = page.split("<svg ");
    out.push_str(pieces.next().unwrap());
    for piece in pieces {
        let (picture, rest) = piece.split_once("</svg>").unwrap();
        let (_, label) = picture.split_once("aria-label=\"").unwrap();
        let drawn =
            Sha256::digest(picture.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
        out.push_str(&format!("[picture {drawn}: {}]{rest}", label.split('"').next().unwrap()));
    }
    let (head, style) = out.split_once("<style>").unwrap();
    let (_, body) = style.split_once("</style>").unwrap();
    let (body, json) = body.split_once("<pre tabindex=\"0\">{").unwrap();
    let (_, end) = json.split_once("</pre>").unwrap();
    format!("{head}{body}[the report as JSON]{end}")
}

/// Leaves a page where a browser is pointed at it (`tests/browser`).
fn keep(name: &str, page: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
}

#[test]
fn what_serves_an_endpoint_stands_in_every_face() {
    let observation = crate::variants::shifted();
    let weight = "its weight is 1 of 4, 25 % of the requests that name no variant";
    assert!(page(&observation).contains(&format!("<h2>What serves it</h2>\n<ul>\n<li>{weight}")));
    let markdown = markdown::render(&explain(&observation, &settings(&[])));
    assert!(markdown.contains(&format!("### What serves it\n\n- {weight}")), "{markdown}");
}

#[test]
fn six_verdicts_as_pages_and_as_markdown() {
    for (scenario, golden) in [
        ("overload", "traffic-beyond-capacity"),
        ("slow-model", "heavier-model-after-deployment"),
        ("slow-dependency", "container-waits"),
        ("model-errors", "a-third-of-requests-fail"),
        ("burst", "requests-come-in-bursts"),
        ("hardly-used", "hardly-used"),
    ] {
        check(golden, &observed(scenario), &settings(&[]));
    }
}

/// The page and the Markdown of a scenario, beside its other faces.
fn check(golden: &str, observation: &Observation, settings: &Settings) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(golden);
    let report = explain(observation, settings);
    expect_test::expect_file![folder.join("report.md")].assert_eq(&markdown::render(&report));
    let page = page_with(observation, settings);
    expect_test::expect_file![folder.join("page.html")].assert_eq(&without_pictures(&page));
    keep(golden, &page);
}

#[test]
fn each_way_of_hosting_as_a_page_and_as_markdown() {
    let variant = |name: &str| serverless(family(name), 0);
    let many = settings(&[("ADVISOR_MAX_INSTANCES", "40")]);
    check("serverless-spillover", &variant("serverless_spillover"), &many);
    check("serverless-at-max-concurrency", &variant("serverless_growth"), &settings(&[]));
    check("backlog-grows", &queue("growth", 3), &settings(&[]));
    check("component-overloaded", &of_component(observed("overload")), &settings(&[]));
}

#[test]
fn names_from_outside_are_inert_in_every_face() {
    let mut observation = observed("overload");
    let hostile = "\"><script>alert('x')</script> `rm -rf` @here <!channel> [a](javascript:b)\n# Ä|ö";
    observation.trigger.alarm_name = Some(hostile.to_owned());
    observation.warnings.push(hostile.to_owned());
    let page = page(&observation);
    assert!(!page.contains("<script") && !page.contains("<!channel"), "a name became markup");
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
    keep("hostile", &page);
    let markdown = markdown::render(&explain(&observation, &settings(&[])));
    assert!(markdown.contains("\\[a\\](javascript") && !markdown.contains("\n# ") && !markdown.contains(" <script"));
}

#[test]
fn what_lies_far_outside_a_chart_is_not_drawn_and_breaks_no_page() {
    let observation = observed("overload");
    let mut report = explain(&observation, &settings(&[]));
    let usual = render(&[Page { report: &report, observation: &observation, replay: None }]);
    let PolicyConfiguration::TargetTracking(tracking) = &mut report.plan.put_scaling_policies[0].configuration else {
        panic!("no target tracking")
    };
    tracking.target_value = 1e12;
    report.capacity.as_mut().unwrap().low.0 = 1e14;
    let far = render(&[Page { report: &report, observation: &observation, replay: None }]);
    assert!(usual.contains(">\ntarget\n<") && !far.contains(">\ntarget\n<"), "its line would be dashes without end");
    assert!(far.len() < usual.len() + 1_000, "{} bytes", far.len());

    let mut absurd = observation;
    for series in &mut absurd.metrics.0 {
        let first = series.points().next().map(|(minute, _)| minute).unwrap();
        let values = (0..2 * 1_440).map(|index| series.at(first.plus(index)).map(|value| value * 1e300)).collect();
        *series = Series::new(series.metric, series.statistic, first, values);
    }
    let page = page(&absurd);
    assert!(page.len() < 2 * usual.len(), "{} bytes", page.len());
}
