//! The order of a list of rounds.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Which end of a list holds the newest round.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The start (left or top), as in Aviator.
    #[default]
    NewestFirst,
    /// The end.
    OldestFirst,
}
