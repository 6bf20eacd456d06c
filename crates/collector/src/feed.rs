//! What the websocket and http sources share: where in a message the rounds are.

use clap::Args;
use serde::{Deserialize, Serialize};

/// The flags and the `[feed]` section that the websocket and http sources share.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Options {}
