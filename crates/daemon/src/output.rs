//! What is said without a log: results on stdout, last words on stderr.

use std::io::{ErrorKind, Write as _, stderr, stdout};

use anyhow::Context as _;

/// Writes to stdout. A reader that has seen enough, such as `head`, is no failure.
///
/// # Errors
/// When it cannot be written for another reason.
pub fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("printing"),
    }
}

/// The last words of a program that may have no log yet; if nobody hears them there is nothing to
/// be done.
pub fn say(line: &str) {
    drop(writeln!(stderr(), "{line}"));
}

/// An error with its causes, each said once: many name their cause in their own words already.
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
    fn a_cause_that_was_named_is_not_named_again() {
        let named = anyhow!("the disk is full").context("writing a: the disk is full");
        assert_eq!(in_one_line(&named), "writing a: the disk is full");
        let unnamed = anyhow!("the disk is full").context("writing a").context("recording");
        assert_eq!(in_one_line(&unnamed), "recording: writing a: the disk is full");
    }
}
