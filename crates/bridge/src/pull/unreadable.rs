//! Counts messages of the stream that cannot be read, and reports them without flooding the log.

use std::time::{Duration, Instant};

use crate::message::MessageError;

/// Minimum time between two warnings.
const WARN_INTERVAL: Duration = Duration::from_mins(1);

/// The unreadable messages of one connection.
#[derive(Debug, Default)]
pub(super) struct UnreadableMessages {
    count: u64,
    warned: Option<Instant>,
}

impl UnreadableMessages {
    /// Counts an unreadable message; logs at most one a minute.
    pub(super) fn record(&mut self, seq: u64, error: &MessageError) {
        self.count += 1;
        if self.warned.is_some_and(|last| last.elapsed() < WARN_INTERVAL) {
            return;
        }
        self.warned = Some(Instant::now());
        let count = self.count;
        tracing::warn!(seq, count, %error, "A message of the stream cannot be read; it is skipped.");
    }
}
