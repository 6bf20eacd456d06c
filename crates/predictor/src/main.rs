//! The `predictor` program.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use daemon::log;
use predictor::cli::{Cli, Command};
use predictor::commands::UsageError;
use predictor::config::ConfigError;

/// Exit code of a failure.
const FAILED: u8 = 1;
/// Exit code of bad usage or configuration; the same as clap's.
const BAD_USAGE: u8 = 2;

/// Log filter unless `RUST_LOG` sets another.
const LOGGED: &str = "info,actix_server=warn";

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    start_log(match &cli.command {
        None => cli.run.serve.log_format,
        Some(Command::Serve(args)) => args.serve.log_format,
        Some(Command::Doctor(args)) => args.serve.log_format,
        Some(_) => log::Format::Pretty,
    });
    let code = match predictor::run(cli, &matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            let is_usage = error.is::<ConfigError>() || error.is::<UsageError>();
            ExitCode::from(if is_usage { BAD_USAGE } else { FAILED })
        }
    };
    log::flush();
    code
}

/// Starts the log with the filter of `RUST_LOG`, if that can be parsed.
fn start_log(format: log::Format) {
    let filter = std::env::var("RUST_LOG").unwrap_or_default();
    if filter.is_empty() || log::start(&filter, format).is_err() {
        log::start(LOGGED, format).expect("the built-in filter is valid");
    }
}
