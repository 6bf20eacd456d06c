//! The terminal that imports and merges talk to: text, a question, a progress bar.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use importer::Dialogue;
use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::output::print;

/// Files shorter than this are read too quickly for a progress bar to be seen.
const BAR_BYTES_MIN: u64 = 8 << 20;

/// A terminal that shows text, asks a question and draws a progress bar.
#[derive(Debug, Default)]
pub(crate) struct Terminal {
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Dialogue for Terminal {
    fn show(&mut self, text: &str) -> io::Result<()> {
        self.finish();
        print(text).map_err(io::Error::other)
    }

    fn agrees(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let mut stdout = io::stdout().lock();
        write!(stdout, "{question} [y/N] ")?;
        stdout.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    fn progress(&mut self, read: u64, length: u64) {
        if length < BAR_BYTES_MIN || !io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style =
                ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
            ProgressBar::new(length).with_style(style.expect("a constant template is valid"))
        });
        bar.set_position(read.min(length));
    }
}
