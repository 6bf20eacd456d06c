//! The commands, one module each, and what they share.

pub mod audit;
pub mod backtest;
pub mod import;
pub mod merge;
pub mod notify;
pub mod read_args;
pub mod recording;
pub mod serve;
pub mod verify;

pub(crate) mod doctor;

mod data_place;
mod output;
mod print_config;
mod startup_banner;
mod terminal;

/// A command line that cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
