//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use daemon::manual::ManualCommand;

use crate::config::Options;

/// Records every round of a crash game, each exactly once.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    /// The subcommand; without one the collector records.
    pub command: Option<CliCommand>,

    #[command(flatten)]
    /// The options of `run`, which may stand without the subcommand.
    pub run: RunArgs,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum CliCommand {
    /// Record rounds (the default without a subcommand)
    #[command(after_help = EXAMPLES)]
    Run(RunArgs),
    /// Check what would keep the collector from recording, and say what to do about it
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// The configuration to check.
        #[command(flatten)]
        config: ConfigArgs,

        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Completions and manual pages.
    #[command(flatten)]
    Manual(ManualCommand),
}

/// The options of `run`.
#[derive(clap::Args, Debug)]
pub struct RunArgs {
    /// The configuration to run with.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// Print each option, its value and where it was set, then exit
    #[arg(long)]
    pub print_config: bool,
}

/// The configuration file and the options that override it.
#[derive(clap::Args, Debug)]
pub struct ConfigArgs {
    /// TOML file with any of these options; see docs/reference/configuration-files.md
    #[arg(long, env = "AVIATOR_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The options given as flags or in the environment.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "\
Examples:
  collector                                          simulated, provably-fair rounds in data/demo
  collector --source replay --file rounds.csv --pace max --data-dir data/replay
  collector --source browser --cdp http://127.0.0.1:9222
  collector doctor --source browser

Every option can also be set in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file given by --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 stopped or finished, 1 failed, 2 bad usage or configuration, 3 another collector uses the directory.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  collector doctor
  collector doctor --source browser --cdp http://127.0.0.1:9222
  collector doctor --source websocket --config feed.toml --json";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }
}
