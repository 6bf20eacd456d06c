//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its golden values must fail")]

mod audit;
mod closed_forms;
mod coverage;
mod evidence;
mod golden;
mod margins;
mod state;
mod wealth;
