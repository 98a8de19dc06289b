//! What an alarm watches, and how people read its values.

use crate::model::{Metric, Microseconds, Observation};

/// What an alarm watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// `ModelLatency`, in microseconds.
    Latency,
    /// `ApproximateAgeOfOldestRequest`, in seconds: requests of an asynchronous endpoint wait before the model has them.
    Age,
}

/// Ages that people say, in seconds; neighbours are at most 1.5 apart.
const AGES: [u32; 22] = [
    60, 90, 120, 180, 240, 300, 420, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800, 14_400, 21_600,
    28_800, 43_200, 64_800, 86_400,
];
/// Tenths of what people say of a latency, for each power of ten; neighbours are at most 1.34 apart.
const TENTHS: [u32; 10] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];

impl Watched {
    pub(super) fn of(observation: &Observation) -> Self {
        if observation.is_asynchronous() { Self::Age } else { Self::Latency }
    }

    pub(super) fn metric(self) -> Metric {
        match self {
            Self::Latency => Metric::ModelLatency,
            Self::Age => Metric::ApproximateAgeOfOldestRequest,
        }
    }

    /// A value as people read it: `450 ms`, `10 min`.
    pub(super) fn words(self, value: f64) -> String {
        match (self, value) {
            (Self::Latency, value) => Microseconds(value).to_string(),
            (Self::Age, value) if value >= 7_200.0 => format!("{:.3} h", value / 3_600.0).replace(".000", ""),
            (Self::Age, value) if value >= 120.0 => format!("{:.1} min", value / 60.0).replace(".0 ", " "),
            (Self::Age, value) => format!("{value:.0} s"),
        }
    }

    /// Round thresholds from `least` to `most`, lowest first; at least one where `most` is 1.5 times `least`.
    pub(super) fn round(self, least: f64, most: f64) -> Vec<f64> {
        let is_between = |value: &f64| *value >= least && *value <= most;
        match self {
            Self::Age => AGES.into_iter().map(f64::from).filter(is_between).collect(),
            Self::Latency => {
                // One power below and one above are enough.
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates at the type's range")]
                let power = least.max(10.0).log10().floor() as i32;
                let scales = (power - 1..=power + 1).map(|power| 10_f64.powi(power - 1));
                scales.flat_map(|scale| TENTHS.map(|tenths| f64::from(tenths) * scale)).filter(is_between).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ages_are_read_in_the_unit_people_say() {
        for (seconds, words) in
            [(60.0, "60 s"), (90.0, "90 s"), (600.0, "10 min"), (450.0, "7.5 min"), (7_200.0, "2 h")]
        {
            assert_eq!(Watched::Age.words(seconds), words);
        }
    }

    proptest! {
        #[test]
        fn there_is_always_a_round_threshold(least in 1_000.0..1e8_f64) {
            let round = Watched::Latency.round(least, 1.5 * least);
            prop_assert!(!round.is_empty() && round.is_sorted());
        }
    }
}
