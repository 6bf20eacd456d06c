//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

mod feeds;
