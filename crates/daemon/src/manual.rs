//! The commands `completions` and `man`, which every program has.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::error::Error;
use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use clap_complete::Shell;

use crate::output;

/// The commands `completions` and `man`, to be flattened into a program's commands by a variant
/// with `#[command(flatten)]`.
///
/// Their help contains the name of that program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualCommand(Manual);

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum Manual {
    /// Print a shell's completion script
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a directory
    Man {
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl ManualCommand {
    /// Runs the command. `command` is the definition of the program's whole command line.
    ///
    /// # Errors
    /// The output cannot be printed or written.
    pub fn run(&self, command: Command) -> anyhow::Result<()> {
        match &self.0 {
            Manual::Completions { shell } => completions(command, *shell),
            Manual::Man { dir } => pages(command, dir.as_deref()),
        }
    }
}

impl FromArgMatches for ManualCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Manual::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Subcommand for ManualCommand {
    fn augment_subcommands(command: Command) -> Command {
        let name = command.get_name().to_owned();
        let page = format!("Write `{name}.1` and a page for each command here");
        Manual::augment_subcommands(command)
            .mut_subcommand("completions", |completions| {
                completions.after_help(format!(
                    "Examples:
  {name} completions bash > ~/.local/share/bash-completion/completions/{name}
  {name} completions zsh > ~/.zfunc/_{name}
  {name} completions fish > ~/.config/fish/completions/{name}.fish"
                ))
            })
            .mut_subcommand("man", |man| {
                man.mut_arg("dir", |dir| dir.help(page)).after_help(format!(
                    "Examples:
  {name} man | man -l -
  {name} man --dir /usr/local/share/man/man1"
                ))
            })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Manual::has_subcommand(name)
    }
}

/// Prints the completion script of a shell.
fn completions(mut command: Command, shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::print(&script)
}

/// Prints the manual page, or writes it and one for each command into `dir`.
fn pages(command: Command, dir: Option<&Path>) -> anyhow::Result<()> {
    if let Some(dir) = dir {
        fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        return clap_mangen::generate_to(command, dir)
            .with_context(|| format!("writing manual pages to {}", dir.display()));
    }
    let mut page = Vec::new();
    let command = command.disable_help_subcommand(true);
    clap_mangen::Man::new(command).render(&mut page).context("rendering the manual page")?;
    output::print(&page)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "example")]
    struct Cli {
        #[command(subcommand)]
        command: Commands,
    }

    #[derive(Debug, Subcommand)]
    enum Commands {
        #[command(flatten)]
        Manual(ManualCommand),
    }

    #[test]
    fn the_help_names_the_program() {
        let mut command = Cli::command();
        command.build();
        let man = command.find_subcommand_mut("man").unwrap().render_help().to_string();
        assert!(man.contains("example.1") && man.contains("example man | man -l -"), "{man}");
        let Commands::Manual(command) = Cli::parse_from(["example", "man", "--dir", "d"]).command;
        assert_eq!(command, ManualCommand(Manual::Man { dir: Some("d".into()) }));
    }
}
