//! The `collector` program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use collector::config::{Config, Options};
use collector::source::Source;

/// Records every round of a crash game, each exactly once.
#[derive(Parser, Debug)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    run: Told,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Record rounds (what happens without a subcommand)
    #[command(after_help = EXAMPLES)]
    Run(Told),
    /// Say what would keep the collector from recording, and what to do about it
    Doctor {
        #[command(flatten)]
        told: Told,

        /// The findings as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args, Debug)]
struct Told {
    /// TOML file with any of these options; see docs/collector.md
    #[arg(long, env = "AVIATOR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    options: Options,
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

fn main() -> ExitCode {
    collector::tls::install();
    let cli = Cli::parse();
    let told = match cli.command {
        Some(Command::Run(told) | Command::Doctor { told, .. }) => told,
        None => cli.run,
    };
    match Config::load(&told.options, told.config.as_deref())
        .and_then(|config| Source::new(&config))
    {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}
