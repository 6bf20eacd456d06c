//! Recorded rounds, as if live.

#![expect(clippy::unused_async, reason = "the calls of this source are still to come")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::config::{Config, ConfigError};
use crate::source::{ConnectError, Reading, Said, SessionError};

/// The replay's flags and its `[replay]` section.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// replay: the CSV to play
    #[arg(long, env = "AVIATOR_FILE", value_name = "CSV")]
    pub file: Option<PathBuf>,

    /// replay: keep the recorded times or write the present ones [default: recorded]
    #[arg(long, env = "AVIATOR_TIMES", value_enum, value_name = "WHICH")]
    pub times: Option<Times>,
}

/// Which times a replay writes.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    /// As in the file: the same replay gives the same bytes.
    #[default]
    Recorded,
    /// When the row is written.
    Now,
}

/// The file and the place in it.
#[derive(Debug)]
pub struct Replay {}

impl Replay {
    /// Checks the flags; opens nothing.
    ///
    /// # Errors
    ///
    /// No `--file`.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        match &config.replay.file {
            Some(_) => Ok(Self {}),
            None => Err(ConfigError::flag("file", "a replay needs the CSV to play")),
        }
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// It cannot be read or holds no rounds.
    pub fn connect(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    /// The next row, at its time; [`Said::End`] after the last.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn next(&mut self) -> Result<Reading, SessionError> {
        Ok(Reading::now(Said::End))
    }
}
