//! Tests of what the crate guarantees about files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod directory;
mod faults;
mod format_page;
mod provably_fair;
mod schedule;
mod shapes;
mod torn;
mod writer;
