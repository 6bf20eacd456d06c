//! Guarantees of the table of features.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod document;
mod golden;
mod streams;
