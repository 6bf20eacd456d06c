//! The command line. What it means is decided in [`crate::config`] and by each command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Watch;

/// Forecasts the next round of a crash game and measures whether that is worth anything.
#[derive(Debug, Parser)]
#[command(name = "predictor", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; serving is the default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `serve`, which may be given without the word.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch a directory, train, forecast and serve the dashboard and the API (the default).
    Serve(ServeArgs),
    /// Drive the same engine over recorded rounds and report what its forecasts were worth.
    Backtest(BacktestArgs),
    /// Check recorded rounds against the house's published law and for any order.
    Audit(AuditArgs),
    /// Check one provably fair round, or a chain of them, step by step.
    #[command(subcommand)]
    Verify(Game),
    /// Say what works here and what does not: directory, state, port, notifications.
    Doctor(ServeArgs),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Flags of `serve` and `doctor`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Directory with `aviator_payouts_*.csv`; it may appear later [default: data]
    #[arg(long, value_name = "DIR", env = "AVIATOR_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where forecasts are kept [default: .predictor in the data directory]
    #[arg(long, value_name = "DIR", env = "AVIATOR_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Address and port of dashboard and API [default: 127.0.0.1:5001]
    #[arg(long, value_name = "ADDRESS", env = "AVIATOR_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// TOML file with the same settings
    #[arg(long, value_name = "FILE", env = "AVIATOR_CONFIG")]
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
    /// Listen on an address other machines can reach, although anyone there may then use the API
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", env = "AVIATOR_LOG_FORMAT")]
    pub log_format: LogFormat,
}

/// Flags of `backtest`.
#[derive(Debug, Clone, Args)]
pub struct BacktestArgs {
    /// Directory with `aviator_payouts_*.csv`, or one CSV file
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// When to refit: `rules` (as when serving) or `every=5%` or `every=500`
    #[arg(long, value_name = "WHEN", default_value = "every=5%")]
    pub refit: crate::backtest::Refit,
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
    /// Directory with `aviator_payouts_*.csv`, or one CSV file
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Write the full result here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Whose formula `verify` checks. What is left out is computed and shown.
#[derive(Debug, Clone, Subcommand)]
pub enum Game {
    /// Spribe Aviator: server seed, client seeds, SHA-512
    Aviator(AviatorArgs),
    /// bustabit: a game's hash
    Bustabit(BustabitArgs),
    /// Stake Crash: a game's hash
    Stake(HashArgs),
    /// Roobet Crash: a game's hash
    Roobet(HashArgs),
    /// All rounds of a directory that have their seeds in the side files, as the demo's have
    Recorded {
        /// Directory with `aviator_payouts_*.csv`
        #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
        data_dir: PathBuf,
    },
}

/// Flags of `verify aviator`.
#[derive(Debug, Clone, Args)]
pub struct AviatorArgs {
    /// The server seed, shown after the round
    #[arg(long, value_name = "SEED")]
    pub server_seed: Option<String>,
    /// A player's seed, in the order of the panel; may be given more than once
    #[arg(long, value_name = "SEED")]
    pub client_seed: Vec<String>,
    /// The SHA-256 of the server seed, shown before the round
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<String>,
    /// The combined SHA-512
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
    /// The decimal of its first 13 digits
    #[arg(long, value_name = "N")]
    pub decimal: Option<u64>,
    /// The multiplier that was shown
    #[arg(long, value_name = "X")]
    pub multiplier: Option<String>,
}

/// Flags of `verify bustabit`.
#[derive(Debug, Clone, Args)]
pub struct BustabitArgs {
    /// The game
    #[command(flatten)]
    pub hash: HashArgs,
    /// Which formula: 1 until 2018, 2 since, 3 from game 12,279,451 on
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub formula: u8,
    /// Count the games to the published end of the chain
    #[arg(long)]
    pub number: bool,
}

/// Flags of games whose result comes from a chain of hashes.
#[derive(Debug, Clone, Args)]
pub struct HashArgs {
    /// The game's hash, published after it
    #[arg(long, value_name = "HEX")]
    pub hash: String,
    /// The hash of the game before it
    #[arg(long, value_name = "HEX")]
    pub previous: Option<String>,
    /// The digest that was shown
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
    /// The multiplier that was shown
    #[arg(long, value_name = "X")]
    pub multiplier: Option<String>,
    /// An earlier hash of the same chain that must be reached
    #[arg(long, value_name = "HEX")]
    pub last: Option<String>,
    /// Games to go back at most
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    pub steps_max: u64,
}
