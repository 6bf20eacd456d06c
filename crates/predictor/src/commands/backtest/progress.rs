//! A progress bar on a terminal; nothing on a pipe.

use std::io::{IsTerminal as _, Write as _, stderr};

const WIDTH: u64 = 40;

/// A progress bar, redrawn once a percent.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    /// The percentage shown; `None` without a terminal.
    shown: Option<u64>,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        let shown = stderr().is_terminal().then_some(u64::MAX);
        Self { total: (total as u64).max(1), shown }
    }

    pub(super) fn show(&mut self, rounds: u64) {
        let percent = 100 * rounds / self.total;
        if self.shown.is_none_or(|shown| shown == percent) {
            return;
        }
        self.shown = Some(percent);
        let done = usize::try_from(WIDTH * rounds / self.total).unwrap_or(0);
        let bar = "#".repeat(done);
        let line = format!("\r[{bar:<40}] {percent:3} %  {rounds} of {} rounds", self.total);
        // A failure to draw is ignored.
        stderr().write_all(line.as_bytes()).unwrap_or_default();
    }

    pub(super) fn end(&self) {
        if self.shown.is_some() {
            stderr().write_all(b"\n").unwrap_or_default();
        }
    }
}
