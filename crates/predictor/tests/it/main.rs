//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod app;
mod asking;
mod auditing;
mod backtesting;
mod browser;
mod command_line;
mod decoders;
mod documented;
mod exporting;
mod guarding;
mod keeping;
mod killed;
mod metrics_page;
mod options_page;
mod program;
#[cfg(target_os = "linux")]
mod supervision;
mod tables;
mod verifying;
mod watching;
