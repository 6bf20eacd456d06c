//! The only place that reads the clocks of this machine.

use std::time::Instant;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// What the clock on the wall says, to the millisecond (files keep no more).
#[expect(clippy::disallowed_methods, reason = "the one place where wall time enters")]
pub fn wall() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(now)
}

/// Time that never steps back; follows the paused clock of a test.
pub fn mono() -> Instant {
    tokio::time::Instant::now().into_std()
}
