//! Flags that say how rows are read, shared by all commands that read rounds.

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use clap::Args;
use rounds::{ClockReading, Multiplier, ReadSettings, TimeZoneOfRows};

/// How rows are read; the defaults are those of [`ReadSettings`].
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ReadArgs {
    /// Time zone of times without an offset: `America/Sao_Paulo`, `-03:00` or `local` [default: local]
    #[arg(long, value_name = "ZONE", env = "AVIATOR_TIMEZONE", allow_hyphen_values = true)]
    pub timezone: Option<TimeZoneOfRows>,
    /// Reject rows with larger multipliers [default: the cap of the game, 1000000]
    #[arg(long, value_name = "MULTIPLIER", env = "AVIATOR_MAX_MULTIPLIER")]
    pub max_multiplier: Option<Multiplier>,
}

impl ReadArgs {
    /// Returns the settings, with defaults for what is not given.
    pub fn settings(self) -> ReadSettings {
        ReadSettings::of(self.timezone, self.max_multiplier)
    }
}

/// A time on the command line. Without an offset it is a time of the time zone of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeArg {
    /// A time with an offset.
    Instant(DateTime<Utc>),
    /// A time without one.
    WallClock(NaiveDateTime),
    /// A day.
    Day(NaiveDate),
}

impl TimeArg {
    /// Returns the instant at which a range starts here.
    pub(crate) fn start(self, zone: TimeZoneOfRows) -> Option<DateTime<Utc>> {
        match self {
            Self::Instant(time) => Some(time),
            Self::WallClock(reading) => instant(zone, reading),
            Self::Day(day) => instant(zone, day.and_time(NaiveTime::MIN)),
        }
    }

    /// Returns the instant at which a range ends here: with the day, if it is one.
    pub(crate) fn end(self, zone: TimeZoneOfRows) -> Option<DateTime<Utc>> {
        match self {
            Self::Day(day) => Self::Day(day.checked_add_days(Days::new(1))?).start(zone),
            other => other.start(zone),
        }
    }
}

/// The first instant at which a clock showed a time; of one that it skipped, the instant of the change.
fn instant(zone: TimeZoneOfRows, reading: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.instants(&reading) {
        ClockReading::Once(time) | ClockReading::Twice { first: time, .. } => Some(time),
        // A skipped hour: midnight in zones whose summer time begins there.
        ClockReading::Never => (1..=180).find_map(|minutes| {
            match zone.instants(&(reading + chrono::TimeDelta::minutes(minutes))) {
                ClockReading::Once(time) => Some(time),
                _ => None,
            }
        }),
    }
}

impl FromStr for TimeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(time.to_utc()));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self::Day(day));
        }
        let forms =
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let reading = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        reading.map(Self::WallClock).ok_or_else(|| {
            "expected a time such as 2025-12-10, 2025-12-10T18:30:00 or 2025-12-10T18:30:00Z"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(text: &str) -> TimeArg {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_that_ends_a_range_includes_its_day() {
        let zone = TimeZoneOfRows::Machine;
        let (from, to) = (arg("2025-12-10").start(zone), arg("2025-12-10").end(zone));
        assert_eq!((to.unwrap() - from.unwrap()).num_hours(), 24);
        let exact = arg("2025-12-10T18:30:00Z");
        assert_eq!(exact.start(zone), exact.end(zone));
        assert_eq!(arg("2025-12-10T18:30"), arg("2025-12-10 18:30:00"));
        assert!("yesterday".parse::<TimeArg>().is_err());
    }

    #[test]
    fn a_range_is_in_the_time_zone_of_the_rows() {
        let at = |text: &str, zone: &str| arg(text).start(zone.parse().unwrap());
        let utc = |text: &str| Some(text.parse().unwrap());
        assert_eq!(at("2025-12-10", "Europe/Berlin"), utc("2025-12-09T23:00:00Z"));
        assert_eq!(at("2025-12-10T18:30", "-03:00"), utc("2025-12-10T21:30:00Z"));
        // Summer time began at midnight.
        assert_eq!(at("2018-11-04", "America/Sao_Paulo"), utc("2018-11-04T03:00:00Z"));
    }
}
