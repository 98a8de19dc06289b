//! The results as tables for people.

use crate::capacity::{self, Scores};
use crate::headroom;
use crate::results::{Other, Policies, Results, Score};
use crate::statistics::Median;

/// Prints everything.
pub fn print(results: &Results) {
    if let Some(scores) = &results.capacity {
        print_capacity(scores);
    }
    if let Some(policies) = &results.policies {
        print_policies(policies);
    }
    if !results.headroom.is_empty() {
        print_headroom(&results.headroom);
    }
}

fn print_headroom(scores: &[headroom::Score]) {
    println!(
        "{:28} {:>5} {:>7} {:>8} {:>12} {:>8}",
        "headroom for bursts", "cases", "advised", "kept", "/fewest", "p90"
    );
    for score in scores {
        println!(
            "{:28} {:5} {:7} {} {:12.2} {:8.2}",
            score.name,
            score.cases,
            score.advised,
            percent(score.kept),
            score.cost_median,
            score.cost_p90
        );
    }
    println!();
}

fn print_capacity(scores: &Scores) {
    println!(
        "{:28} {:>5} {:>5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "capacity of one instance",
        "cases",
        "est.",
        "error",
        "p90",
        "bias",
        "coverage",
        "width",
        "unsafe",
        "at least",
        "true",
        "nothing"
    );
    let all = std::iter::once(&scores.whole).chain(&scores.bands).chain([&scores.seen, &scores.near]);
    for score in all.chain(&scores.loads).chain(&scores.hours).chain(&scores.traits).chain([&scores.new_physics]) {
        line_of_capacity(score);
    }
    println!();
}

fn line_of_capacity(score: &capacity::Score) {
    if score.histories == 0 {
        return;
    }
    println!(
        "{:28} {:5} {:5} {} {} {} {} {} {} {} {} {}",
        score.name,
        score.histories,
        score.estimates,
        percent(score.error_median),
        percent(score.error_p90),
        percent(score.bias),
        percent(score.coverage),
        percent(score.width),
        percent(score.unsafe_share),
        percent(score.at_least),
        percent(score.at_least_true),
        percent(score.nothing)
    );
}

fn print_policies(policies: &Policies) {
    println!(
        "{:40} {:>5} {:>8} {:>26} {:>9} {:>21} {:>8} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "the advisor's policies, week two",
        "cases",
        "holds",
        "regret (95 % interval)",
        "p90",
        "cost/AWS formula",
        "> 5 %",
        "cost/now",
        "> 5 %",
        "over obj.",
        "/clairv.",
        "capacity"
    );
    for score in policies.kappas.iter().chain(&policies.special).chain(&policies.groups) {
        line(score);
    }
    println!();
    println!(
        "{:40} {:>5} {:>8} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "kappa 20: everybody", "cases", "regret", "p90", "over obj.", "p90", "/clairv.", "changes"
    );
    policies.others.iter().for_each(line_of_other);
    println!();
    println!(
        "{:40} {:>5} {:>8} {:>8} {:>8} {:>10} {:>8} {:>12}",
        "forecasts, every kappa", "cases", "ranges", "inside", "above", "inst.-hours", "p90", "minutes less"
    );
    for forecast in &policies.forecasts {
        println!(
            "{:40} {:5} {:8} {} {} {:>11} {} {:12.0}",
            forecast.name,
            forecast.cases,
            forecast.with_range,
            percent(forecast.inside),
            percent(forecast.above),
            percent(forecast.instance_hours_error).trim(),
            percent(forecast.instance_hours_error_p90),
            forecast.violation_minutes_bias
        );
    }
    println!();
    let quick = &policies.quick_judge;
    println!(
        "the quick judge on {} policies: instance-minutes off by {} (p90 {}), minutes over the objective by {} (p90 {})",
        quick.policies,
        percent(quick.instance_minutes_error).trim(),
        percent(quick.instance_minutes_error_p90).trim(),
        fine(quick.violations_error),
        fine(quick.violations_error_p90)
    );
    for problem in &policies.problems {
        println!("not understood: {problem}");
    }
}

fn line(score: &Score) {
    println!(
        "{:40} {:5} {} {} {:>9} {:>21} {} {:8.2} {} {:>9} {:8.2} {:8.2}",
        score.name,
        score.cases,
        percent(score.held),
        interval(&score.regret),
        percent(score.regret_p90),
        format!("{:.2} ({:.2} to {:.2})", score.to_aws.value, score.to_aws.low, score.to_aws.high),
        percent(score.worse_than_aws),
        score.to_current.value,
        percent(score.worse_than_current),
        fine(score.violations),
        score.to_clairvoyant,
        score.capacity
    );
}

fn line_of_other(other: &Other) {
    println!(
        "{:40} {:5} {} {:>9} {:>9} {:>9} {:8.2} {:8.0}",
        other.name,
        other.cases,
        percent(other.regret),
        percent(other.regret_p90),
        fine(other.violations),
        fine(other.violations_p90),
        other.to_clairvoyant,
        other.changes
    );
}

fn interval(median: &Median) -> String {
    let whole = |value: f64| format!("{:.1}", value * 100.0);
    format!("{:>26}", format!("{} % ({} to {})", whole(median.value), whole(median.low), whole(median.high)))
}

/// Eight characters.
fn percent(share: f64) -> String {
    if share.is_nan() { format!("{:>8}", "-") } else { format!("{:6.1} %", share * 100.0) }
}

fn fine(share: f64) -> String {
    if share.is_nan() { "-".to_owned() } else { format!("{:.2} %", share * 100.0) }
}
