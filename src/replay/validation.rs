//! Whether a replay of the present set-up comes close to what really happened.

use super::{NotReplayable, Replay, Step};
use crate::model::{Bound, Validation};

/// How far instance-hours may be off.
const HOURS: f64 = 0.10;
/// How closely the counts have to move together.
const CORRELATION: f64 = 0.8;
/// How far minutes over the objective may be off: by so many, or by this share of the record.
const VIOLATIONS: (f64, f64) = (10.0, 0.40);

/// A curve that was never seen to bend can be searched with, on the safe side, but promises nothing.
pub(super) const NEVER_NEAR: &str =
    "the endpoint never came near its limit, so nothing is known of the minutes over the objective at higher loads";

impl Replay {
    /// Replays the present set-up through the past as it was (with the work per request of the time), or the recorded
    /// counts where nothing scales the variant.
    #[must_use]
    pub fn validate(&self) -> Validation {
        let words = match self.emulator.units() {
            Some(_) => ("minutes with requests beyond provisioned concurrency", "unit-hours"),
            None => WORDS,
        };
        let recorded_violation_minutes: f64 = self.traffic.missed.iter().filter(|missed| !missed.is_nan()).sum();
        if self.capacity.bound == Bound::AtLeast {
            let validation = judged(words, None, None, recorded_violation_minutes, 0.0, None);
            return Validation { passed: false, why_not: NEVER_NEAR.to_owned(), ..validation };
        }
        let past = self.emulator.in_the_past(&self.traffic);
        let recorded = self.traffic.filled_instances();
        let Some(setup) = self.present() else {
            let outcome = past.run_counts(&recorded, self.likely());
            return judged(words, None, None, recorded_violation_minutes, outcome.over_minutes(), None);
        };
        let compiled = match self.compile(setup) {
            Ok(compiled) => compiled,
            Err(error) => return judged(words, None, None, recorded_violation_minutes, 0.0, Some(&error)),
        };
        let mut counts = Vec::with_capacity(recorded.len());
        let mut over = 0.0;
        past.play(&compiled, self.start(&compiled), self.likely(), |step: Step| {
            counts.push(step.serving);
            over += step.over;
        });
        let (error, correlation) = alike(&counts, &self.traffic.instances);
        judged(words, Some(error), correlation, recorded_violation_minutes, over, None)
    }
}

/// Instance-minutes replayed over those recorded, less 1, and how closely the counts move together.
pub(super) fn alike(replayed: &[f64], recorded: &[f64]) -> (f64, Option<f64>) {
    let both = replayed.iter().zip(recorded).map(|(replayed, recorded)| (*replayed, *recorded));
    let known: Vec<(f64, f64)> = both.filter(|(_, recorded)| recorded.is_finite()).collect();
    let (replayed, real) = known.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    (if real > 0.0 { replayed / real - 1.0 } else { 0.0 }, correlation(&known))
}

/// What minutes and hours are called.
pub(super) type Words = (&'static str, &'static str);

/// Of instances.
pub(super) const WORDS: Words = ("minutes over the objective", "instance-hours");

/// Judges a replay by what was recorded.
pub(super) fn judged(
    (minutes, hours): Words,
    instance_hours_error: Option<f64>,
    correlation: Option<f64>,
    recorded: f64,
    replayed: f64,
    not_replayable: Option<&NotReplayable>,
) -> Validation {
    let allowed = VIOLATIONS.0.max(VIOLATIONS.1 * recorded);
    let why_not = match (instance_hours_error, correlation) {
        _ if not_replayable.is_some() => not_replayable.map(ToString::to_string).unwrap_or_default(),
        (Some(error), _) if error.abs() > HOURS => {
            format!("a replay of the present policies takes {:+.0} % {hours}", 100.0 * error)
        }
        (_, Some(correlation)) if correlation < CORRELATION => {
            format!("a replay of the present policies scales at other times (correlation {correlation:.2})")
        }
        _ if (replayed - recorded).abs() > allowed => {
            format!("a replay of what happened has {replayed:.0} {minutes}, and {recorded:.0} were recorded")
        }
        _ => String::new(),
    };
    Validation {
        passed: why_not.is_empty(),
        instance_hours_error,
        correlation,
        recorded_violation_minutes: recorded,
        replayed_violation_minutes: (10.0 * replayed).round() / 10.0,
        why_not,
    }
}

/// Pearson's, of replay and record; none where the record never changes.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "minutes of a few weeks")]
    let count = pairs.len() as f64;
    let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
    let (mut both, mut left, mut right) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        both += (x - a) * (y - b);
        left += (x - a).powi(2);
        right += (y - b).powi(2);
    }
    // A replay that never moves while the record does has nothing in common with it.
    (right > 0.0).then(|| if left > 0.0 { both / (left * right).sqrt() } else { 0.0 })
}
