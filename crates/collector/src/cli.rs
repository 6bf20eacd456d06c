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
    /// Open a browser with a profile of its own and record the game that you open in it
    #[command(after_help = BROWSER_EXAMPLES)]
    Browser(BrowserArgs),
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

/// The options of `browser`.
#[derive(clap::Args, Debug)]
pub struct BrowserArgs {
    /// Page to open [default: one that says what to do]
    #[arg(value_name = "URL")]
    pub page: Option<String>,

    /// Program to start [default: the installed Chrome, Edge, Brave or Chromium]
    #[arg(long, env = "AVIATOR_BROWSER", value_name = "PROGRAM")]
    pub browser: Option<PathBuf>,

    /// Further argument of the browser; may be given several times
    #[arg(long = "browser-arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub browser_args: Vec<String>,

    /// The configuration to run with.
    #[command(flatten)]
    pub config: ConfigArgs,
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
  collector browser                                  opens a browser; log in to your game there
  collector doctor --source browser

Every option can also be set in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file given by --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 stopped or finished, 1 failed, 2 bad usage or configuration, 3 another collector uses the directory.";

const BROWSER_EXAMPLES: &str = "\
Examples:
  collector browser
  collector browser https://casino.example --data-dir rounds
  collector browser --browser /opt/brave/brave --profile ~/brave-for-aviator

The browser's window stays open when the collector ends. It is read, and nothing in it is clicked, typed or changed.";

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
