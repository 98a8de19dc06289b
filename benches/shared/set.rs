//! Which seeds, as an option.

use clap::ValueEnum;
use simulator::suite;

/// Which seeds.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Set {
    Development,
    Validation,
    HoldOut,
}

impl From<Set> for suite::Set {
    fn from(set: Set) -> Self {
        match set {
            Set::Development => Self::Development,
            Set::Validation => Self::Validation,
            Set::HoldOut => Self::HoldOut,
        }
    }
}
