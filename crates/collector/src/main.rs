//! The `collector` program.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use collector::cli::Cli;
use collector::{commands, tls};

fn main() -> ExitCode {
    tls::install();
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let code = commands::execute(cli, &matches);
    daemon::log::flush();
    code
}
