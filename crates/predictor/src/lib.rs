//! Forecasts the next round of a crash game and measures whether the forecasts are worth anything.
//!
//! The forecasts themselves are made in the crate [`forecasting`]. This crate feeds it from a
//! directory (`table`) or from a recording ([`commands::backtest`]) and serves the results (`http`).
//! docs/explanation/architecture.md has the map.

mod alerts;
mod api_json;
mod app;
mod events;
mod http;
mod input;
mod snapshot;
mod store;
mod systemd;
mod table;

pub mod cli;
pub mod commands;
pub mod config;
pub mod training;

pub use app::Application;
pub use http::query;

use clap::{ArgMatches, CommandFactory as _};
use cli::{Cli, Command};
use commands::{audit, backtest, doctor, import, merge, notify, serve, verify};

/// Runs the command that was given on the command line.
///
/// # Errors
/// A [`config::ConfigError`] or [`commands::UsageError`] for bad usage; any other error with a
/// description of the failed step.
pub fn run(cli: Cli, matches: &ArgMatches) -> anyhow::Result<()> {
    let serve = |args| serve::run(args, &Cli::command(), matches);
    match cli.command {
        None => serve(&cli.run),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Backtest(args)) => backtest::run(&args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Import(args)) => import::run(&args, app::now()),
        Some(Command::Merge(args)) => merge::run(&args, app::now()),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Notify(args)) => notify::run(&args, app::now()),
        Some(Command::Manual(manual)) => manual.run(Cli::command()),
    }
}
