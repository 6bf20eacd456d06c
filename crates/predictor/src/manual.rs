//! What the program prints about itself for shells and `man`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::results::say;

/// Prints what lets `shell` complete the command line.
///
/// # Errors
/// When nobody reads it.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "predictor", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Prints the manual page, or writes it and one for each command into `dir`.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn pages(dir: Option<&Path>) -> anyhow::Result<()> {
    if let Some(dir) = dir {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        return clap_mangen::generate_to(Cli::command(), dir)
            .with_context(|| format!("writing manual pages to {}", dir.display()));
    }
    let mut page = Vec::new();
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut page).context("making the manual page")?;
    say(&String::from_utf8_lossy(&page))
}
