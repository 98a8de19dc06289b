//! What the tool prints, and what it asks.

use crate::ToolError;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// As JSON: the one value itself, so that it can be handed on; a list where there are several variants.
pub fn one_or_all<T: Serialize>(values: &[T]) -> Result<String, ToolError> {
    match values {
        [one] => json(one),
        several => json(several),
    }
}

pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, ToolError> {
    serde_json::to_string_pretty(value)
        .map_err(|error| ToolError::BadInput("the result cannot be written as JSON".to_owned(), Some(error.into())))
}

/// Standard output, where a closed pipe is the reader's good right. Colours come through only where a terminal shows them and
/// nobody set `NO_COLOR`.
pub fn print(text: &str) {
    let _ = writeln!(anstream::stdout(), "{}", text.trim_end());
}

/// The width of the terminal that standard output is; none where it is a file or a pipe.
pub fn terminal_columns() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    Some(terminal_size::terminal_size().map_or(80, |(width, _)| width.0))
}

/// Tells on a terminal what is being waited for, until it is dropped.
pub struct Waiting(ProgressBar);

impl Waiting {
    pub fn on(what: String) -> Self {
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self(spinner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Tells on a terminal how far something is, until it is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn on(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// From now on: endpoints, one step each.
    pub fn of(&self, endpoints: usize) {
        let style = ProgressStyle::with_template("{spinner} {pos} of {len} endpoints").ok();
        style.into_iter().for_each(|style| self.0.set_style(style));
        self.0.set_length(u64::try_from(endpoints).unwrap_or(u64::MAX));
    }

    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Asks on the terminal; where there is none, nobody can agree.
pub fn is_confirmed() -> Result<bool, ToolError> {
    if !std::io::stdin().is_terminal() {
        return Err(ToolError::BadInput("nobody is there to ask: say --yes".to_owned(), None));
    }
    let _ = write!(std::io::stderr(), "Do this? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| ToolError::BadInput("the answer cannot be read".to_owned(), Some(error.into())))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
