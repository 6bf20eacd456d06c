//! The subcommands and their exit codes.

pub mod banner;
pub mod browser;
pub mod doctor;
pub mod run;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory};
use daemon::output::{in_one_line, say};
use rounds::LogError;

use crate::cli::{Cli, CliCommand};
use crate::config_error::ConfigError;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
const DIRECTORY_IN_USE: u8 = 3;

/// Runs the subcommand that `cli` names and returns the exit code of the process; `matches` tell where each option was set.
pub fn execute(cli: Cli, matches: &ArgMatches) -> ExitCode {
    let result = match cli.command {
        Some(CliCommand::Run(args)) => success(run::run(&args, matches)),
        None => success(run::run(&cli.run, matches)),
        Some(CliCommand::Browser(args)) => success(browser::run(args)),
        Some(CliCommand::Doctor { config, json }) => doctor::run(&config, json)
            .map(|is_ok| if is_ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }),
        Some(CliCommand::Manual(manual)) => success(manual.run(Cli::command())),
    };
    result.unwrap_or_else(|error| {
        say(&format!("collector: {}", in_one_line(&error)));
        ExitCode::from(exit_code(&error))
    })
}

fn success(result: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<ConfigError>().is_some() {
        return BAD_USAGE;
    }
    match error.downcast_ref::<LogError>() {
        Some(LogError::Locked { .. }) => DIRECTORY_IN_USE,
        _ => FAILED,
    }
}
