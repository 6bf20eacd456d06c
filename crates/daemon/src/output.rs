//! Output besides the log: results on stdout, the final error on stderr.

use std::io::{ErrorKind, Write as _, stderr, stdout};

use anyhow::Context as _;

use crate::log;

/// Writes to stdout. A reader that closes the pipe early, such as `head`, is not an error.
///
/// # Errors
/// Writing fails for another reason.
pub fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("printing"),
    }
}

/// Writes a line to stderr after what was logged, for a program that has no log yet or is about to exit. A failure is
/// ignored, because there is nowhere left to report it, and a stderr that stands still delays the exit by a second at most.
pub fn say(line: &str) {
    if !log::write_line(line) {
        drop(writeln!(stderr(), "{line}"));
    }
}

/// Returns an error and its causes as one line. A cause that the text above it already contains is
/// not repeated.
pub fn in_one_line(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_that_is_already_quoted_is_not_repeated() {
        let named = anyhow!("the disk is full").context("writing a: the disk is full");
        assert_eq!(in_one_line(&named), "writing a: the disk is full");
        let unnamed = anyhow!("the disk is full").context("writing a").context("recording");
        assert_eq!(in_one_line(&unnamed), "recording: writing a: the disk is full");
    }
}
