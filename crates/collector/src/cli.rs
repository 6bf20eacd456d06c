//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::Options;

/// Records every round of a crash game, each exactly once.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; recording is the default.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Flags of `run`, which may be given without the word.
    #[command(flatten)]
    pub run: Run,
}

/// What the program can do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Record rounds (what happens without a subcommand)
    #[command(after_help = EXAMPLES)]
    Run(Run),
    /// Say what would keep the collector from recording, and what to do about it
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// The options and the file with more of them.
        #[command(flatten)]
        told: Told,

        /// The findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what lets a shell complete the command line
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write `collector.1` and a page for each command here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Flags of `run`.
#[derive(Args, Debug)]
pub struct Run {
    /// The options and the file with more of them.
    #[command(flatten)]
    pub told: Told,

    /// Print each option, its value and who said so, and end
    #[arg(long)]
    pub print_config: bool,
}

/// Options with the file they may also stand in.
#[derive(Args, Debug)]
pub struct Told {
    /// TOML file with any of these options; see docs/reference/configuration-files.md
    #[arg(long, env = "AVIATOR_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The options.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "\
Examples:
  collector                                          simulated, provably-fair rounds in data/demo
  collector --source replay --file rounds.csv --pace max --data-dir data/replay
  collector --source browser --cdp http://127.0.0.1:9222
  collector doctor --source browser

Every option can also stand in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file of --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 asked to stop or done, 1 failed, 2 bad usage or configuration, 3 another collector holds the directory.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  collector doctor
  collector doctor --source browser --cdp http://127.0.0.1:9222
  collector doctor --source websocket --config feed.toml --json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  collector completions bash > ~/.local/share/bash-completion/completions/collector
  collector completions zsh > ~/.zfunc/_collector
  collector completions fish > ~/.config/fish/completions/collector.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  collector man | man -l -
  collector man --dir /usr/local/share/man/man1";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
