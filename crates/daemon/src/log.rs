//! The log on stderr: readable on a terminal, JSON elsewhere.

use std::io::{IsTerminal as _, stderr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Format of log lines.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Readable text.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Starts logging. `filter` has the syntax of `RUST_LOG`; `NO_COLOR` (no-color.org) turns colours off.
///
/// # Errors
/// The filter is malformed; nothing is logged then.
pub fn start(filter: &str, format: Format) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    let is_terminal = stderr().is_terminal();
    let has_colour =
        is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format {
        Format::Json => log.json().init(),
        Format::Auto if !is_terminal => log.json().init(),
        Format::Auto | Format::Pretty => log.with_target(false).with_ansi(has_colour).init(),
    }
    Ok(())
}
