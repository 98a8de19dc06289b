//! What the verdicts have to be worth.

use crate::results::Results;
use crate::score::Score;
use crate::sizing::SizingScore;

/// The goals that were missed, in words.
pub fn missed(results: &Results) -> Vec<String> {
    let of_kinds = results.kinds.iter().flat_map(|of| {
        let missed = of_verdicts(&of.score).into_iter().chain(of_capacities(&of.capacity));
        missed.map(|missed| format!("{}: {missed}", of.kind.name())).collect::<Vec<_>>()
    });
    of_verdicts(&results.whole).into_iter().chain(of_kinds).collect()
}

fn of_verdicts(score: &Score) -> Vec<String> {
    let at_least = [
        ("cause accuracy", score.cause_macro, 0.96),
        ("overload or not", score.overload_or_not, 0.99),
        ("selective accuracy at 90 % coverage", score.selective, 0.985),
        ("coverage", score.coverage, 0.90),
    ];
    let at_most =
        [("false scale-out", score.false_scale_out, 0.01), ("calibration error", score.calibration_error, 0.04)];
    in_words(&at_least, &at_most)
}

fn of_capacities(sizing: &SizingScore) -> Vec<String> {
    let at_least = [("coverage of the interval", sizing.interval_coverage, 0.88)];
    let at_most = [
        ("coverage of the interval", sizing.interval_coverage, 0.94),
        ("median error of the capacity", sizing.error_median, 0.03),
        ("error of the capacity in nine of ten", sizing.error_p90, 0.12),
        ("share of capacities that are too high", sizing.too_high, 0.05),
    ];
    in_words(&at_least, &at_most)
}

/// What was not counted (NaN) is not missed.
fn in_words(at_least: &[(&str, f64, f64)], at_most: &[(&str, f64, f64)]) -> Vec<String> {
    let low = at_least.iter().filter(|(_, value, goal)| value < goal);
    let high = at_most.iter().filter(|(_, value, goal)| value > goal);
    low.map(|(name, value, goal)| format!("{name} is {value:.4}; at least {goal} is asked for"))
        .chain(high.map(|(name, value, goal)| format!("{name} is {value:.4}; at most {goal} is asked for")))
        .collect()
}

/// Whether the verdicts on a few incidents of each family are far below what they were when this was written (95 % right,
/// no false scale-out in 147).
pub fn is_broken(results: &Results) -> bool {
    let scores = results.kinds.iter().map(|of| &of.score).chain([&results.whole]);
    scores.into_iter().any(|score| score.cause_macro < 0.88 || score.false_scale_out > 0.02)
}
