//! What one advice takes: time on one core, and memory.

use crate::advised::guardrails;
use crate::capacity::observation;
use endpoint_advisor::model::Observation;
use endpoint_advisor::{capacity, plan};
use simulator::production::history;
use simulator::suite::Set;
use std::path::Path;
use std::process::Command;

/// Two weeks, the longest that is read.
const HOURS: i64 = 336;

/// Writes the first two-week history of a set for which there is a policy to search, and advises on it in a process of its
/// own, in which nothing was simulated.
pub fn print(set: Set) {
    let drawn = (0..).map(|replicate| history(set, replicate)).filter(|drawn| drawn.hours == HOURS);
    let observation = drawn.map(|drawn| observation(&drawn)).find(|observation| {
        let told = capacity::capacity(observation);
        let plan = plan::tune(observation, told.as_ref(), &guardrails("balanced"));
        told.is_some_and(|told| told.curve.is_some()) && plan.hold_reason.is_none()
    });
    let path = std::env::temp_dir().join(format!("policies-{}.json", std::process::id()));
    std::fs::write(&path, serde_json::to_string(&observation.unwrap()).unwrap()).unwrap();
    let advised = Command::new(std::env::current_exe().unwrap()).arg("--advise").arg(&path).status();
    std::fs::remove_file(&path).unwrap();
    assert!(advised.unwrap().success());
}

/// Advises on one observation, and says what that took.
#[expect(clippy::disallowed_methods, reason = "it says how long it took")]
pub fn advise(path: &Path) {
    let observation: Observation = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // From here on the peak counts anew.
    let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let (before, begin) = (resident("VmRSS"), std::time::Instant::now());
    let told = capacity::capacity(&observation);
    let plan = plan::tune(&observation, told.as_ref(), &guardrails("balanced"));
    let seconds = begin.elapsed().as_secs_f64();
    let megabytes = |kilobytes: Option<f64>| match kilobytes {
        Some(kilobytes) if is_reset => format!("{:.1} MB", kilobytes / 1_024.0),
        _ => "unknown".to_owned(),
    };
    let (peak, most) = (megabytes(resident("VmHWM")), megabytes(before));
    println!("one advice on {HOURS} hours: {seconds:.2} s; {peak} resident at most, {most} with the history alone");
    assert!(plan.hold_reason.is_none());
}

/// A line of `/proc/self/status`, in kilobytes; none where there is none, as on other systems than Linux.
fn resident(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
