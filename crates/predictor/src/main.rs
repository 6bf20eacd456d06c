//! The `predictor` program.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use daemon::log;
use predictor::cli::{Cli, Command};
use predictor::commands::UsageError;
use predictor::config::ConfigError;

/// Failed.
const FAILED: u8 = 1;
/// Bad usage or configuration; clap uses the same.
const BAD_USAGE: u8 = 2;

/// Unless the user says otherwise.
const LOGGED: &str = "info,actix_server=warn";

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    start_log(match &cli.command {
        None => cli.run.serve.log_format,
        Some(Command::Serve(args)) => args.serve.log_format,
        Some(Command::Doctor(args)) => args.log_format,
        Some(_) => log::Format::Pretty,
    });
    match predictor::run(cli, &matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            let is_usage = error.is::<ConfigError>() || error.is::<UsageError>();
            ExitCode::from(if is_usage { BAD_USAGE } else { FAILED })
        }
    }
}

/// `RUST_LOG` chooses how much, if it can be read.
fn start_log(format: log::Format) {
    let told = std::env::var("RUST_LOG").unwrap_or_default();
    if told.is_empty() || log::start(&told, format).is_err() {
        log::start(LOGGED, format).expect("a filter of our own");
    }
}
