//! The wall clock; nothing else in the crate reads it.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Returns the wall-clock time, truncated to milliseconds, the precision of the files.
#[expect(clippy::disallowed_methods, reason = "the one place where wall time enters")]
pub fn wall() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(now)
}
