//! What every program of the project does at its edges: signals, service manager, log, metrics,
//! configuration file, manual pages and the reason it exits with.

#[cfg(feature = "config-file")]
pub mod config;
pub mod log;
pub mod manual;
#[cfg(feature = "options-page")]
pub mod options_page;
pub mod output;
pub mod prometheus;
pub mod signals;
pub mod systemd;
