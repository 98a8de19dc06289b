//! Endpoints in production that nobody raises an alarm about: what capacity and policies are measured with.

mod bursty;
mod history;
mod traffic;
mod variant;

pub use bursty::{Bursty, Coming, bursty};
pub use history::{History, Trait, history};
pub use traffic::{Kind, Workload, tiled, workload};
pub use variant::Variant;

use crate::suite::Set;

/// FNV-1a of a name and a number; the last two bits are the set, so that no seed is in two of them.
fn seed(name: &str, set: Set, replicate: u64) -> u64 {
    let hash = name
        .bytes()
        .chain(replicate.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash << 2) | set as u64
}
