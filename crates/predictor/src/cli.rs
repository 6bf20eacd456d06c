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
    Verify(VerifyArgs),
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
    /// Directory with `aviator_payouts_*.csv`
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
    /// Directory with `aviator_payouts_*.csv`
    #[arg(long, value_name = "DIR", default_value = "data", env = "AVIATOR_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Write the full result here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Flags of `verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The server seed the house revealed
    #[arg(long, value_name = "SEED")]
    pub server_seed: Option<String>,
    /// A player's seed, in the order the house shows them; may be given more than once
    #[arg(long, value_name = "SEED")]
    pub client_seed: Vec<String>,
    /// The multiplier the house showed
    #[arg(long, value_name = "X")]
    pub multiplier: Option<String>,
}
