//! What a program prints about itself for shells and `man`.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;

use crate::output;

/// Prints what lets `shell` complete the command line.
///
/// # Errors
/// When it cannot be written.
pub fn completions(mut command: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::print(&script)
}

/// Prints the manual page, or writes it and one for each command into `dir`.
///
/// # Errors
/// When they cannot be written.
pub fn pages(command: Command, dir: Option<&Path>) -> anyhow::Result<()> {
    if let Some(dir) = dir {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        return clap_mangen::generate_to(command, dir)
            .with_context(|| format!("writing manual pages to {}", dir.display()));
    }
    let mut page = Vec::new();
    let command = command.disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut page).context("making the manual page")?;
    output::print(&page)
}
