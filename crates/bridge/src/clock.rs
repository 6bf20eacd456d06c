//! The only place that reads the clock of this machine.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// What the clock on the wall says, to the millisecond (files keep no more).
#[expect(clippy::disallowed_methods, reason = "the one place where wall time enters")]
pub fn wall() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(now)
}
