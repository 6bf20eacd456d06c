//! Limits of what counts as a round, and the time zone of times without an offset.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Multiplier;
use crate::reader::TimeZoneOfRows;

/// The part of [`ReadOptions`] that a user sets; the other limits follow from the time of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadSettings {
    /// The time zone of times without an offset.
    pub time_zone: TimeZoneOfRows,
    /// Largest accepted multiplier; larger ones are rejected.
    pub max_multiplier: Multiplier,
}

impl ReadSettings {
    /// Returns the settings, with the defaults for what is `None`.
    pub fn of(time_zone: Option<TimeZoneOfRows>, max_multiplier: Option<Multiplier>) -> Self {
        let default = Self::default();
        Self {
            time_zone: time_zone.unwrap_or(default.time_zone),
            max_multiplier: max_multiplier.unwrap_or(default.max_multiplier),
        }
    }
}

impl Default for ReadSettings {
    /// Local times of this machine, at most [`MAX_MULTIPLIER`].
    fn default() -> Self {
        let max_multiplier = Multiplier::new(MAX_MULTIPLIER).expect("a million is a multiplier");
        Self { time_zone: TimeZoneOfRows::default(), max_multiplier }
    }
}

/// Limits of what counts as a round, and the time zone of times without an offset.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Largest accepted multiplier; larger ones are rejected.
    pub max_multiplier: f64,
    /// Earlier rounds are rejected.
    pub earliest: DateTime<Utc>,
    /// Later rounds are rejected.
    pub latest: DateTime<Utc>,
    /// The time zone of times without an offset.
    pub time_zone: TimeZoneOfRows,
}

/// The largest multiplier that counts as a round unless configured otherwise.
///
/// A fair game reaches it once in about a million rounds; a larger number is nearly always an
/// id, an amount of money or a timestamp in the wrong column.
pub const MAX_MULTIPLIER: f64 = 1_000_000.0;

/// The earliest time of a round: no crash game is older than 2009.
pub const EARLIEST: DateTime<Utc> = DateTime::from_timestamp(1_230_768_000, 0).unwrap();

impl Default for ReadOptions {
    /// The default limits: [`MAX_MULTIPLIER`], rounds from 2009 to a day from now, local times of
    /// this machine.
    fn default() -> Self {
        ReadSettings::default().into()
    }
}

impl From<ReadSettings> for ReadOptions {
    /// The settings, with rounds from 2009 to a day from now.
    #[expect(clippy::disallowed_methods, reason = "only a clock tells which times lie ahead")]
    fn from(settings: ReadSettings) -> Self {
        Self {
            max_multiplier: settings.max_multiplier.as_f64(),
            earliest: EARLIEST,
            latest: Utc::now() + TimeDelta::days(1),
            time_zone: settings.time_zone,
        }
    }
}
