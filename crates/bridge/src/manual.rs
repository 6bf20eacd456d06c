//! What the program prints about itself for shells and `man`.

use std::fs;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;

/// Prints what lets `shell` complete the command line.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn completions(mut command: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "bridge", &mut script);
    print(&script)
}

/// Prints the manual page, or writes it and one for each command into `dir`.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn pages(command: Command, dir: Option<&Path>) -> anyhow::Result<()> {
    if let Some(dir) = dir {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        return clap_mangen::generate_to(command, dir)
            .with_context(|| format!("writing manual pages to {}", dir.display()));
    }
    let mut page = Vec::new();
    let command = command.disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut page).context("making the manual page")?;
    print(&page)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut stdout = stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("printing"),
        _ => Ok(()),
    }
}
