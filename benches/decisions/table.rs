//! The results as a table for people.

use crate::results::Results;
use crate::score::{Bin, Score};
use crate::sizing::SizingScore;

/// Prints everything.
pub fn print(results: &Results) {
    families(results);
    println!();
    confusion(results);
    println!();
    println!("{:36} {}", "", HEADINGS);
    line("all", &results.whole);
    for (hours, score) in &results.hours {
        line(&format!("{hours} h of history"), score);
    }
    if results.new_physics.incidents > 0 {
        line("other kinds of containers", &results.new_physics);
    }
    for without in &results.without {
        line(&format!("without {}", without.name), &without.score);
    }
    for of in &results.kinds {
        line(of.kind.name(), &of.score);
        if of.new_physics.incidents > 0 {
            line("  of other kinds", &of.new_physics);
        }
    }
    println!();
    capacities(results);
    println!();
    println!("{:46} {:>8} {:>8} {:>8}", "simple rules", "over/not", "false", "missed");
    for rule in &results.baselines {
        println!(
            "{:46} {} {} {}",
            rule.name,
            percent(rule.overload_or_not),
            percent(rule.false_scale_out),
            percent(rule.missed_overload)
        );
    }
    println!();
    calibration(&results.bins);
    for of in &results.kinds {
        println!();
        println!("{}", of.kind.name());
        calibration(&of.bins);
    }
    println!();
    summary(&results.whole);
}

const HEADINGS: &str = "   cases    cause over/not    false   missed coverage selectiv  sub-c.     ECE";

fn line(name: &str, score: &Score) {
    println!(
        "{name:36} {:8} {} {} {} {} {} {} {} {:7.3}",
        score.incidents,
        percent(score.cause_macro),
        percent(score.overload_or_not),
        percent(score.false_scale_out),
        percent(score.missed_overload),
        percent(score.coverage),
        percent(score.selective),
        percent(score.sub_cause),
        score.calibration_error
    );
}

fn capacities(results: &Results) {
    println!("{:36} {}", "capacities", CAPACITY_HEADINGS);
    let line = |name: &str, of: &SizingScore| {
        println!(
            "{name:36} {:8} {} {} {} {} {} {} {} {}",
            of.incidents,
            percent(of.estimated),
            percent(of.error_median),
            percent(of.error_p90),
            percent(of.interval_coverage),
            percent(of.interval_width),
            percent(of.too_high),
            percent(of.at_least),
            percent(of.at_least_true)
        );
    };
    for of in results.kinds.iter().filter(|of| of.capacity.incidents > 0) {
        line(of.kind.name(), &of.capacity);
        if of.new_physics_capacity.incidents > 0 {
            line("  of other kinds", &of.new_physics_capacity);
        }
    }
}

const CAPACITY_HEADINGS: &str = "   cases estimate  off p50  off p90 coverage    width too high at least     true";

/// Eight characters.
fn percent(share: f64) -> String {
    if share.is_nan() { format!("{:>8}", "-") } else { format!("{:6.1} %", share * 100.0) }
}

fn families(results: &Results) {
    println!("{:34} {:>5} {:>8} {:>8}  wrong", "family", "cases", "right", "sub-c.");
    for family in &results.families {
        let wrong: Vec<String> =
            family.wrong.iter().take(4).map(|(verdict, count)| format!("{verdict} {count}")).collect();
        println!(
            "{:34} {:5} {} {}  {}",
            family.name,
            family.incidents,
            percent(family.right),
            percent(family.sub_cause),
            wrong.join(", ")
        );
    }
}

fn confusion(results: &Results) {
    println!("right verdict: what was said (a verdict that is as right counts as the right one)");
    for (right, said) in &results.confusion {
        let mut said: Vec<(&&str, &usize)> = said.iter().collect();
        said.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let said: Vec<String> = said.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        println!("{right:28} {}", said.join(", "));
    }
}

fn calibration(bins: &[Bin]) {
    println!("confidence: answers, mean confidence, share of right ones");
    for (index, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.answers > 0) {
        println!(
            "from {:.1} {:8} {} {}",
            index as f64 / 10.0,
            bin.answers,
            percent(bin.confidence),
            percent(bin.right)
        );
    }
}

fn summary(whole: &Score) {
    for (name, value) in [
        ("cause accuracy, mean over families", whole.cause_macro),
        ("cause accuracy, all incidents", whole.cause_micro),
        ("overload or not", whole.overload_or_not),
        ("false scale-out", whole.false_scale_out),
        ("false scale-out with confidence 0.9", whole.sure_false_scale_out),
        ("missed overload", whole.missed_overload),
        ("coverage", whole.coverage),
        ("right where a cause is named", whole.named_right),
        ("the same of the surest 90 %", whole.selective),
        ("which have this confidence or more", whole.surest_from),
        ("expected calibration error", whole.calibration_error),
        ("sub-cause", whole.sub_cause),
        ("what is in the way of scaling", whole.blocked_by),
    ] {
        println!("{name:36} {}", percent(value));
    }
}
