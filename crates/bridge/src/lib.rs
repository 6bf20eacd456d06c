//! Carries rounds between machines through NATS JetStream.
//!
//! The files remain the source of truth on both ends. [`push`] reads a collector's files and stores each row at the hub
//! once, [`pull`] writes the rounds of the hub into a directory for a predictor, each once, and [`merge`] joins
//! recordings without round ids. Reading order: [`subject`] (the key of a round), [`message`] (what is sent), [`hub`]
//! (the connection and the stream), [`push`], [`pull`].

pub mod cli;
pub mod clock;
pub mod config;
pub mod hub;
pub mod merge;
pub mod message;
pub mod nkey;
pub mod pull;
pub mod push;
pub mod retry;
mod row_event;
pub mod subject;

/// Logs that the last rows of a file may not survive a power failure. The hub or the recordings still have them.
fn report_close_error(error: &std::io::Error) {
    tracing::warn!(%error, "Cannot sync a file while closing it; after a power failure its last rows are fetched again.");
}
