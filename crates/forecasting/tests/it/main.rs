//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gate;
mod learning;
mod ledger_lines;
mod no_hindsight;
mod power;
mod threads;
