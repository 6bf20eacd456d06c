//! What the program can be asked to do: one module a command, and what the commands share.

pub mod audit;
pub mod backtest;
pub mod notify;
pub mod recording;
pub mod serve;
pub mod verify;

pub(crate) mod doctor;

mod output;
mod print_config;
mod startup_banner;

/// A command line that cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
