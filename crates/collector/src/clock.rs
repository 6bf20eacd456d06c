//! The only module that reads the clocks.

use std::time::Instant;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Returns the wall-clock time, truncated to milliseconds, the precision of the files.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn wall() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(now)
}

/// Returns the monotonic time; in a test with a paused clock, the time of that clock.
pub fn mono() -> Instant {
    tokio::time::Instant::now().into_std()
}
