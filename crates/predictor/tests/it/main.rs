//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod app;
mod asking;
mod auditing;
mod backtesting;
mod browser;
mod forecasting;
mod keeping;
mod killed;
mod learning;
mod program;
mod verifying;
mod watching;
