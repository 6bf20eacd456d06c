//! The command line. Each command owns its flags.

use clap::{Parser, Subcommand};
use daemon::manual::ManualCommand;

use crate::commands::audit::AuditArgs;
use crate::commands::backtest::BacktestArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::import::ImportArgs;
use crate::commands::merge::MergeArgs;
use crate::commands::notify::NotifyArgs;
use crate::commands::serve::RunArgs;
use crate::commands::verify::VerifyArgs;

const EXAMPLES: &str = "\
Examples:
  predictor                                            watch data, dashboard on http://127.0.0.1:5001
  predictor --data-dir data/demo --open                the demo's rounds, and a browser that shows them
  predictor --config predictor.toml --print-config     all settings with their origins
  predictor backtest --data-dir data --html report.html

Every flag of serve can also stand in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file of --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 stopped or done, 1 failed, 2 bad usage or configuration.";

const BACKTEST_EXAMPLES: &str = "\
Examples:
  predictor backtest --data-dir data
  predictor backtest --data-dir data --from 2026-01-01 --to 2026-01-31 --html report.html --json report.json
  predictor backtest --file recorded.csv --refit every=500 --target 1.5 --target 10";

const AUDIT_EXAMPLES: &str = "\
Examples:
  predictor audit --data-dir data
  predictor audit --file recorded.csv --snapshot 5000 --json audit.json
  predictor audit --game stake --data-dir data
  predictor audit --fit                                which game is it, and what to configure";

const VERIFY_EXAMPLES: &str = "\
Examples:
  predictor verify --server-seed SEED --client-seed A --client-seed B --client-seed C --multiplier 2.31
  predictor verify --game bustabit3 --hash HEX --chain 10
  predictor verify --events data/demo                  every round that a collector recorded with its seeds";

const IMPORT_EXAMPLES: &str = "\
Examples:
  predictor import rounds.csv                          shows how it reads the file, and asks
  predictor import rounds.csv export.json --data-dir data --yes
  predictor import list.txt --no-times --dry-run
  predictor import cents.csv --scale 0.01 --timezone America/Sao_Paulo";

const MERGE_EXAMPLES: &str = "\
Examples:
  predictor merge mine.csv theirs.csv --out merged     shows what both hold, and asks
  predictor merge recorder1 recorder2 --out merged --yes
  predictor merge data --out merged --dry-run          the files of one directory";

const NOTIFY_EXAMPLES: &str = "\
Examples:
  predictor notify                                     where alerts go
  predictor notify --test --notify-ntfy file:/etc/aviator/ntfy
  AVIATOR_NOTIFY_WEBHOOK=env:HOOK predictor notify --test";

/// Forecasts the next round of a crash game and measures whether the forecasts are worth anything.
#[derive(Debug, Parser)]
#[command(name = "predictor", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The command; `serve` is the default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `serve`, which work without a command too.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch a directory, train, forecast and serve the dashboard and the API (the default).
    #[command(after_help = EXAMPLES)]
    Serve(RunArgs),
    /// Drive the same engine over recorded rounds and report what its forecasts were worth.
    #[command(after_help = BACKTEST_EXAMPLES)]
    Backtest(BacktestArgs),
    /// Check recorded rounds against the house's published law and for any order.
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(AuditArgs),
    /// Turn recordings of any form into files of rounds.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Join files that record the same rounds into one recording, each round once.
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Check one provably fair round, or a chain of them, step by step.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Check the installation: directory, state, port, alerts.
    Doctor(DoctorArgs),
    /// Show where alerts go, or send a test alert.
    #[command(after_help = NOTIFY_EXAMPLES)]
    Notify(NotifyArgs),
    /// Completions and manual pages.
    #[command(flatten)]
    Manual(ManualCommand),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_flag_is_defined_twice() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_can_stand_in_the_environment() {
        let command = Cli::command();
        let without: Vec<_> = command
            .get_arguments()
            .filter(|flag| flag.get_env().is_none())
            .filter_map(clap::Arg::get_long)
            .collect();
        // Actions of a single run, and a flag that must not be set by accident.
        assert_eq!(without, ["insecure-no-auth", "open", "print-config"]);
    }
}
