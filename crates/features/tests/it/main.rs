//! What the table of features promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod document;
mod golden;
mod streams;
