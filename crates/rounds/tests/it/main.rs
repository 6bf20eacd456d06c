//! What the crate promises about files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod directory;
mod provably_fair;
