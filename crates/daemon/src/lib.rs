//! Process plumbing that all programs of the project share: signals, service manager, log, metrics,
//! configuration file, manual pages, findings of `doctor`, and final error message.

#[cfg(feature = "config-file")]
pub mod config;
pub mod disk_space;
pub mod finding;
pub mod line_queue;
pub mod log;
pub mod manual;
pub mod output;
pub mod prometheus;
pub mod signals;
pub mod systemd;
