//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod learning;
mod streams;
