//! Headroom as Markdown. It says what the text says.

use super::headroom::Headroom;
use super::text::room;
use crate::report::comparison_markdown::escape;

/// Who runs out of room first; empty where that is not known of anybody.
#[must_use]
pub fn rooms(headroom: &[Headroom]) -> String {
    if headroom.is_empty() {
        return String::new();
    }
    let items: String = headroom.iter().map(|headroom| format!("- {}\n", escape(&room(headroom)))).collect();
    format!("\n## Who runs out of room first, as far as minutes were read\n\n{items}")
}
