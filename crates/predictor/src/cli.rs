//! The command line. What it means is decided in [`crate::config`] and by each command.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use daemon::log;
use rounds::{Multiplier, TableName};

use crate::config::Watch;
use crate::notify;

const EXAMPLES: &str = "\
Examples:
  predictor                                            watch data, dashboard on http://127.0.0.1:5001
  predictor --data-dir data/demo --open                the demo's rounds, and a browser that shows them
  predictor --config predictor.toml --print-config     what it would do, and who said so
  predictor backtest --data-dir data --html report.html

Every flag of serve can also stand in the environment (AVIATOR_DATA_DIR for --data-dir) or in the file of --config.
A flag wins over the environment, the environment over the file.
Exit codes: 0 asked to stop or done, 1 failed, 2 bad usage or configuration.";

const BACKTEST_EXAMPLES: &str = "\
Examples:
  predictor backtest --data-dir data
  predictor backtest --data-dir data --from 2026-01-01 --to 2026-01-31 --html report.html --json report.json
  predictor backtest --file recorded.csv --refit every=500 --target 1.5 --target 10";

const AUDIT_EXAMPLES: &str = "\
Examples:
  predictor audit --data-dir data
  predictor audit --file recorded.csv --snapshot 5000 --json audit.json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  predictor verify --server-seed SEED --client-seed A --client-seed B --client-seed C --multiplier 2.31
  predictor verify --game bustabit3 --hash HEX --chain 10
  predictor verify --events data/demo                  every round a collector kept with its seeds";

const NOTIFY_EXAMPLES: &str = "\
Examples:
  predictor notify                                     where messages would go
  predictor notify --test --notify-ntfy file:/etc/aviator/ntfy
  AVIATOR_NOTIFY_WEBHOOK=env:HOOK predictor notify --test";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  predictor completions bash > ~/.local/share/bash-completion/completions/predictor
  predictor completions zsh > ~/.zfunc/_predictor
  predictor completions fish > ~/.config/fish/completions/predictor.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  predictor man | man -l -
  predictor man --dir /usr/local/share/man/man1";

/// Forecasts the next round of a crash game and measures whether that is worth anything.
#[derive(Debug, Parser)]
#[command(name = "predictor", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; serving is the default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `serve`, which may be given without the word.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What the program can do.
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
    /// Check one provably fair round, or a chain of them, step by step.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Say what works here and what does not: directory, state, port, notifications.
    Doctor(ServeArgs),
    /// Say where messages about trouble would go, or send one.
    #[command(after_help = NOTIFY_EXAMPLES)]
    Notify(NotifyArgs),
    /// Print what lets a shell complete the command line.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write all of them into a directory.
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write `predictor.1` and a page for each command here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// The settings.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Open the dashboard in the browser once it is there
    #[arg(long)]
    pub open: bool,
    /// Print each setting, its value and who said so, and end
    #[arg(long)]
    pub print_config: bool,
}

/// Flags of `notify`.
#[derive(Debug, Clone, Args)]
pub struct NotifyArgs {
    /// The settings.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Send a message to each of them now
    #[arg(long)]
    pub test: bool,
}

/// Settings, which all commands of the daemon share.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Directory with `aviator_payouts_*.csv`; it may appear later [default: data]
    #[arg(long, value_name = "DIR", env = "AVIATOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where forecasts are kept [default: .predictor in the data directory]
    #[arg(long, value_name = "DIR", env = "AVIATOR_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// A table to serve, whose files lie in the sub-directory of its name (those of `default` in the
    /// data directory itself); may be given more than once [default: default]
    #[arg(long, value_name = "NAME", env = "AVIATOR_TABLES", value_delimiter = ',')]
    pub table: Vec<TableName>,
    /// Serve every table that has files at the start: the data directory and its sub-directories
    #[arg(long, env = "AVIATOR_ALL_TABLES", conflicts_with = "table")]
    pub all_tables: bool,
    /// Address and port of dashboard and API [default: 127.0.0.1:5001]
    #[arg(long, value_name = "ADDRESS", env = "AVIATOR_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// TOML file with the same settings
    #[arg(long, value_name = "FILE", env = "AVIATOR_PREDICTOR_CONFIG")]
    pub config: Option<PathBuf>,
    /// How new rows are noticed: `scan` looks every 2 s, `notify` also listens to the file
    /// system, `auto` listens where that works [default: auto]
    #[arg(long, value_enum, value_name = "HOW", env = "AVIATOR_WATCH")]
    pub watch: Option<Watch>,
    /// Whether new rows start a training by themselves [default: true]
    #[arg(long, value_name = "BOOL", env = "AVIATOR_AUTO_TRAIN")]
    pub auto_train: Option<bool>,
    /// A further host name requests may be addressed to; may be given more than once
    #[arg(long, value_name = "HOST", env = "AVIATOR_ALLOWED_HOST", value_delimiter = ',')]
    pub allowed_host: Vec<String>,
    /// File with a token that everyone who asks must know; needed on an address other machines can
    /// reach
    #[arg(long, value_name = "FILE", env = "AVIATOR_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// What a proxy leaves in front of every path, such as /aviator
    #[arg(long, value_name = "PATH", env = "AVIATOR_BASE_PATH")]
    pub base_path: Option<String>,
    /// Listen on an address other machines can reach without a token: anyone there may use the API
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// Where messages about trouble go.
    #[command(flatten)]
    pub notify: notify::Settings,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", env = "AVIATOR_LOG_FORMAT")]
    pub log_format: log::Format,
}

/// Why a command line cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Which recorded rounds to look at.
#[derive(Debug, Clone, Args)]
pub struct RecordingArgs {
    /// Directory with `aviator_payouts_*.csv`
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// One CSV file of any name, instead of a directory
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only rounds from this time on: `2025-12-10`, `2025-12-10T18:30:00` (local time), or with an
    /// offset
    #[arg(long, value_name = "TIME", value_parser = from_time)]
    pub from: Option<DateTime<Utc>>,
    /// Only rounds before this time; a date includes that day
    #[arg(long, value_name = "TIME", value_parser = to_time)]
    pub to: Option<DateTime<Utc>>,
}

/// Flags of `backtest`.
#[derive(Debug, Clone, Args)]
pub struct BacktestArgs {
    /// Which rounds
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// When to refit: `rules` (as when serving) or `every=5%` or `every=500`
    #[arg(long, value_name = "WHEN", default_value = "every=5%")]
    pub refit: crate::backtest::Refit,
    /// A cash-out target for the flat stakes; may be given more than once
    #[arg(long, value_name = "X", default_values = ["2", "5"], value_parser = target, value_delimiter = ',')]
    pub target: Vec<Multiplier>,
    /// Write the full result here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a self-contained report here
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Flags of `audit`.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// Which rounds
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// Look at the first N rounds only, N being one of the announced numbers 1000, 2000, 5000, …;
    /// each later look may be wrong with half the chance of the one before
    #[arg(long, value_name = "N")]
    pub snapshot: Option<u64>,
    /// Write the full result here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Games whose rounds can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Game {
    /// Spribe Aviator: server seed and players' seeds
    Aviator,
    /// bustabit until 2018: a chain of hashes
    Bustabit1,
    /// bustabit from the seeding event of 2018
    Bustabit2,
    /// bustabit from game 12,279,451
    Bustabit3,
    /// Stake Crash: a chain of hashes
    Stake,
    /// Roobet Crash: a chain of hashes
    Roobet,
}

/// Flags of `verify`.
#[derive(Debug, Clone, Default, Args)]
pub struct VerifyArgs {
    /// Whose formula [default: aviator]
    #[arg(long, value_enum, value_name = "GAME")]
    pub game: Option<Game>,
    /// aviator: the server seed the house revealed
    #[arg(long, value_name = "SEED")]
    pub server_seed: Option<String>,
    /// aviator: a player's seed, in the order the house shows them; given once for each player
    #[arg(long, value_name = "SEED")]
    pub client_seed: Vec<String>,
    /// aviator: the SHA-256 of the server seed that was shown before the round
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<String>,
    /// aviator: the combined SHA-512 that is shown; other games: the hash of the game
    #[arg(long, value_name = "HEX")]
    pub hash: Option<String>,
    /// The multiplier the house showed
    #[arg(long, value_name = "X")]
    pub multiplier: Option<Multiplier>,
    /// Games with a hash chain: list so many games, this one and those before it
    #[arg(long, value_name = "N")]
    pub chain: Option<u64>,
    /// Games with a hash chain: the hash of the game before, as it was published
    #[arg(long, value_name = "HEX")]
    pub previous: Option<String>,
    /// Check every round that a collector kept with its seeds: an `….events.jsonl` or a directory
    #[arg(long, value_name = "PATH", conflicts_with_all = ["game", "server_seed", "client_seed", "commitment", "hash", "multiplier", "chain", "previous"])]
    pub events: Option<PathBuf>,
}

fn target(text: &str) -> Result<Multiplier, String> {
    let target: Multiplier = text.parse().map_err(|error| format!("{error}"))?;
    if target.cents() > 100 { Ok(target) } else { Err("a target is above 1.00".to_owned()) }
}

fn from_time(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, 0)
}

fn to_time(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, 1)
}

/// A moment; a date stands for its midnight, or for that of so many days later. Without an offset
/// it is local time, as in the files.
fn time(text: &str, days_later: u64) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let date =
        text.parse::<NaiveDate>().ok().and_then(|day| day.checked_add_days(Days::new(days_later)));
    let forms =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let moment = || forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    date.map(|day| day.and_time(NaiveTime::MIN))
        .or_else(moment)
        .and_then(|naive| naive.and_local_timezone(Local).earliest())
        .map(|time| time.to_utc())
        .ok_or_else(|| {
            "a time is 2025-12-10, 2025-12-10T18:30:00 or 2025-12-10T18:30:00Z".to_owned()
        })
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
        // What one run is asked to do, and what nobody should switch on by accident.
        assert_eq!(without, ["insecure-no-auth", "open", "print-config"]);
    }

    #[test]
    fn a_date_that_ends_a_range_includes_its_day() {
        let (from, to) = (from_time("2025-12-10").unwrap(), to_time("2025-12-10").unwrap());
        assert_eq!((to - from).num_hours(), 24);
        let exact = "2025-12-10T18:30:00Z";
        assert_eq!(from_time(exact), to_time(exact));
        assert_eq!(
            from_time("2025-12-10T18:30").unwrap(),
            from_time("2025-12-10 18:30:00").unwrap()
        );
        assert!(from_time("yesterday").is_err());
    }

    #[test]
    fn a_target_pays_more_than_the_stake() {
        assert_eq!(target("2.5x").unwrap().cents(), 250);
        assert!(["1", "1.00", "0", "-2", "two"].into_iter().all(|text| target(text).is_err()));
    }
}
