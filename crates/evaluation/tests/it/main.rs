//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its golden values must stop")]

mod audit;
mod closed_forms;
mod coverage;
mod evidence;
mod golden;
mod margins;
mod money;
mod state;
