//! The outputs: rows on the disk, the console, the status file, metrics and messages to systemd.

pub mod console;
pub mod metrics;
pub mod status;
pub mod sync_policy;
pub mod systemd;
pub mod writer;
