//! Which readings are new rounds.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What to write of the first list that is ever seen: its rounds ended before anyone looked.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Baseline {
    /// Nothing: recording begins with the next round.
    #[default]
    None,
    /// The newest round only.
    Newest,
    /// All of it, with estimated times.
    All,
}
