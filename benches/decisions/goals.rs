//! What the verdicts have to be worth.

use crate::score::Score;

/// The goals that were missed, in words.
pub fn missed(score: &Score) -> Vec<String> {
    let at_least = [
        ("cause accuracy", score.cause_macro, 0.96),
        ("overload or not", score.overload_or_not, 0.99),
        ("selective accuracy at 90 % coverage", score.selective, 0.985),
        ("coverage", score.coverage, 0.90),
    ];
    let at_most =
        [("false scale-out", score.false_scale_out, 0.01), ("calibration error", score.calibration_error, 0.04)];
    let low = at_least.iter().filter(|(_, value, goal)| value < goal);
    let high = at_most.iter().filter(|(_, value, goal)| value > goal);
    low.map(|(name, value, goal)| format!("{name} is {value:.4}; at least {goal} is asked for"))
        .chain(high.map(|(name, value, goal)| format!("{name} is {value:.4}; at most {goal} is asked for")))
        .collect()
}

/// Whether the verdicts on a few incidents of each family are far below what they were when this was written (95 % right,
/// no false scale-out in 147).
pub fn is_broken(score: &Score) -> bool {
    score.cause_macro < 0.88 || score.false_scale_out > 0.02
}
