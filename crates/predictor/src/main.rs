//! The `predictor` program.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use predictor::cli::{Cli, Command, LogFormat, UsageError};
use predictor::config::ConfigError;
use tracing_subscriber::EnvFilter;

/// Failed.
const FAILED: u8 = 1;
/// Bad usage or configuration; clap uses the same.
const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    log(match &cli.command {
        None => cli.run.serve.log_format,
        Some(Command::Serve(args)) => args.serve.log_format,
        Some(Command::Doctor(args)) => args.log_format,
        Some(_) => LogFormat::Pretty,
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

/// Speaks on stderr; `RUST_LOG` chooses how much.
fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let is_terminal = std::io::stderr().is_terminal();
    let has_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    match format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Auto if !is_terminal => builder.json().init(),
        LogFormat::Auto | LogFormat::Pretty => builder.with_ansi(has_colour).init(),
    }
}
