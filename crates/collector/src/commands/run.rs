//! `collector run`: records rounds, or prints the configuration.

use std::io::{IsTerminal, Write, stderr};

use clap::{ArgMatches, CommandFactory};
use daemon::log;
use daemon::output::print;

use crate::app;
use crate::cli::{Cli, RunArgs};
use crate::commands::banner::banner;
use crate::config::{Config, print_config};
use crate::config_error::ConfigError;

/// Records until a signal arrives or the source ends; with `--print-config`, prints the configuration instead.
///
/// # Errors
///
/// The configuration cannot be used, or recording failed.
pub fn run(args: &RunArgs, matches: &ArgMatches) -> anyhow::Result<()> {
    let file = args.config.config.as_deref();
    let config = Config::load(&args.config.options, file)?;
    if args.print_config {
        return print(print_config::text(&Cli::command(), matches, &config, file)?.as_bytes());
    }
    log::start(&config.log, config.log_format)
        .map_err(|error| ConfigError::flag("log", error.to_string()))?;
    if stderr().is_terminal() {
        drop(stderr().write_all(banner(&config).as_bytes()));
    }
    app::record(config)
}
