//! The log on stderr: for people on a terminal, JSON for everything else.

#[cfg(feature = "capture-logs")]
mod capture_logs;

use std::io::{IsTerminal as _, stderr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

#[cfg(feature = "capture-logs")]
pub use self::capture_logs::capture_logs;

/// How log lines look.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Logs from now on. `filter` says how much of what, as `RUST_LOG` does; `NO_COLOR` is heeded
/// (no-color.org).
///
/// # Errors
/// When the filter cannot be read; nothing is logged then.
pub fn start(filter: &str, format: Format) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    let is_terminal = stderr().is_terminal();
    let has_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format {
        Format::Json => log.json().init(),
        Format::Auto if !is_terminal => log.json().init(),
        Format::Auto | Format::Pretty => log.with_target(false).with_ansi(has_colour).init(),
    }
    Ok(())
}
