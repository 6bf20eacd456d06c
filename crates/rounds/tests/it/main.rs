//! What the crate promises about files.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod directory;
mod faults;
mod format_page;
mod generated;
mod provably_fair;
mod schedule;
mod shapes;
mod strict;
mod time_zones;
mod torn;
mod writer;
