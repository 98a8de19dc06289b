//! What one advice takes: time on one core, and memory.

use crate::advised::guardrails;
use crate::capacity::observation;
use endpoint_advisor::{capacity, plan};
use simulator::production::history;
use simulator::suite::Set;

/// Two weeks, the longest that is read.
const HOURS: i64 = 336;

/// Advises on the first two-week history of a set that has a policy to search for, and says what that took.
#[expect(clippy::disallowed_methods, reason = "it says how long it took")]
pub fn print(set: Set) {
    for replicate in 0.. {
        let drawn = history(set, replicate);
        if drawn.hours != HOURS {
            continue;
        }
        let observation = observation(&drawn);
        drop(drawn);
        // From here on the peak counts anew: what was simulated is none of the advisor's.
        let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let (before, begin) = (resident("VmRSS"), std::time::Instant::now());
        let told = capacity::capacity(&observation);
        let plan = plan::tune(&observation, told.as_ref(), &guardrails("balanced"));
        let seconds = begin.elapsed().as_secs_f64();
        let peak = resident("VmHWM");
        if told.is_none_or(|told| told.curve.is_none()) || plan.hold_reason.is_some() {
            continue;
        }
        let megabytes = |kilobytes: Option<f64>| match kilobytes {
            Some(kilobytes) if is_reset => format!("{:.1} MB", kilobytes / 1_024.0),
            _ => "unknown".to_owned(),
        };
        println!(
            "one advice on {HOURS} hours: {seconds:.2} s, {} at most resident, of which {} before it began",
            megabytes(peak),
            megabytes(before)
        );
        return;
    }
}

/// A line of `/proc/self/status`, in kilobytes; none where there is none, as on other systems than Linux.
fn resident(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
