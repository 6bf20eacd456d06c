//! The order of a list: which end holds the newest round.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where the newest round of a list stands.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// First (left, top), as in Aviator.
    #[default]
    NewestFirst,
    /// Last.
    OldestFirst,
}
