//! Many endpoints at once: which of them deserve a closer look, which will run out of room first, and all of it in one summary.
//!
//! Pure. A first pass reads of each variant how it is set up, and four metrics by the hour; single minutes, which cost a
//! hundred times as much, are read only where [`closer`] finds a reason. [`headroom`] says how far the busiest minutes are from what
//! the variant carries, and when they reach it at its present growth. A [`Summary`] is small however large the fleet, and two
//! of them make one in any order: batches are looked at wherever there is time.

mod closer;
mod growth;
mod headroom;
pub mod markdown;
pub mod message;
mod summary;
pub mod text;

pub use closer::{Closer, closer};
pub use growth::{Growth, growth};
pub use headroom::{Headroom, headroom};
pub use summary::{Severities, Summary};
