//! The browser source: the history list of the user's own browser.

#![expect(clippy::unused_async, reason = "the calls of this source are still to come")]

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::config::{Config, ConfigError};
use crate::doctor::Finding;
use crate::source::{ConnectError, Reading, SessionError};

/// The flags and the `[browser]` section of the configuration file; each field is one flag and one key.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Options {}

/// Reads the history list of the user's own browser.
#[derive(Debug)]
pub struct Browser {}

impl Browser {
    /// Checks what concerns this source; opens nothing.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, with its flag.
    pub fn new(_config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {})
    }

    /// Connects, or connects again after a loss.
    ///
    /// # Errors
    ///
    /// Why there is no connection, and whether trying again can help.
    pub async fn connect(&mut self) -> Result<(), ConnectError> {
        Err(ConnectError::Configuration("the browser source is not built yet".to_owned()))
    }

    /// Waits for the next reading.
    ///
    /// # Errors
    ///
    /// Why the connection is no longer of use.
    pub async fn next(&mut self) -> Result<Reading, SessionError> {
        Err(SessionError::Closed("the browser source is not built yet".to_owned()))
    }

    /// Says goodbye, within a moment.
    pub async fn close(&mut self) {}
}

/// This source's part of `collector doctor`.
pub async fn examine(_config: &Config) -> Vec<Finding> {
    Vec::new()
}
