//! The time zone of times without an offset.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The time zone of times without an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeZoneOfRows {
    /// That of this machine, which the variable `TZ` sets.
    #[default]
    Machine,
    /// A zone of the IANA database, such as `Europe/Berlin`.
    Named(Tz),
    /// A fixed offset from UTC.
    Offset(FixedOffset),
}

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time zone; use a name such as Europe/Berlin, an offset such as +02:00, or UTC"
)]
pub struct TimeZoneError(String);

/// Which of two instants a clock reading means when the clocks show an hour twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Neighbour {
    /// The time of the row before.
    pub(crate) time: DateTime<Utc>,
    /// The rows are newest first.
    pub(crate) is_descending: bool,
}

impl TimeZoneOfRows {
    /// Returns the instant at which a clock of this zone showed `reading`; `None` if it never did.
    ///
    /// When summer time ends an hour is shown twice. The order of rows decides which pass is meant:
    /// the first one, unless the row before is later than that; without a row before, the first.
    pub(crate) fn instant(
        self,
        reading: &NaiveDateTime,
        before: Option<Neighbour>,
    ) -> Option<DateTime<Utc>> {
        match self {
            Self::Machine => resolve(Local.from_local_datetime(reading), before),
            Self::Named(zone) => resolve(zone.from_local_datetime(reading), before),
            Self::Offset(offset) => resolve(offset.from_local_datetime(reading), before),
        }
    }
}

fn resolve<Z: TimeZone>(
    found: LocalResult<DateTime<Z>>,
    before: Option<Neighbour>,
) -> Option<DateTime<Utc>> {
    match found {
        LocalResult::None => None,
        LocalResult::Single(time) => Some(time.to_utc()),
        LocalResult::Ambiguous(one, other) => {
            // chrono orders them by offset, and not always by time.
            let (one, other) = (one.to_utc(), other.to_utc());
            let (first, second) = (one.min(other), one.max(other));
            Some(match before {
                Some(Neighbour { time, is_descending: false }) if time > first => second,
                Some(Neighbour { time, is_descending: true }) if time >= second => second,
                _ => first,
            })
        }
    }
}

impl FromStr for TimeZoneOfRows {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        let name = text.trim();
        if let Some(seconds) = crate::timestamp::offset_seconds(name) {
            let offset = i32::try_from(seconds).ok().and_then(FixedOffset::east_opt);
            return offset.map(Self::Offset).ok_or_else(|| TimeZoneError(text.to_owned()));
        }
        Tz::from_str_insensitive(name).map(Self::Named).map_err(|_| TimeZoneError(text.to_owned()))
    }
}

impl fmt::Display for TimeZoneOfRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("local time of this machine"),
            Self::Named(zone) => f.write_str(zone.name()),
            Self::Offset(offset) => offset.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instants of readings of one file, in its order.
    #[track_caller]
    fn check(zone: &str, is_descending: bool, rows: &[(&str, &str)]) {
        let zone: TimeZoneOfRows = zone.parse().unwrap();
        let mut before = None;
        for (reading, utc) in rows {
            let found = zone.instant(&reading.parse().unwrap(), before);
            assert_eq!(found, Some(utc.parse().unwrap()), "{reading} in {zone}");
            before = found.map(|time| Neighbour { time, is_descending });
        }
    }

    /// Clock readings and instants around the end of summer time; half an hour on Lord Howe.
    const BERLIN: [(&str, &str); 5] = [
        ("2025-10-26T01:50:00", "2025-10-25T23:50:00Z"),
        ("2025-10-26T02:30:00", "2025-10-26T00:30:00Z"),
        ("2025-10-26T02:10:00", "2025-10-26T01:10:00Z"),
        ("2025-10-26T02:50:00", "2025-10-26T01:50:00Z"),
        ("2025-10-26T03:10:00", "2025-10-26T02:10:00Z"),
    ];
    const LONDON: [(&str, &str); 3] = [
        ("2025-10-26T01:30:00", "2025-10-26T00:30:00Z"),
        ("2025-10-26T01:05:00", "2025-10-26T01:05:00Z"),
        ("2025-10-26T02:00:00", "2025-10-26T02:00:00Z"),
    ];
    const NEW_YORK: [(&str, &str); 3] = [
        ("2025-11-02T01:40:00", "2025-11-02T05:40:00Z"),
        ("2025-11-02T01:20:00", "2025-11-02T06:20:00Z"),
        ("2025-11-02T02:20:00", "2025-11-02T07:20:00Z"),
    ];
    const LORD_HOWE: [(&str, &str); 3] = [
        ("2025-04-06T01:45:00", "2025-04-05T14:45:00Z"),
        ("2025-04-06T01:35:00", "2025-04-05T15:05:00Z"),
        ("2025-04-06T02:10:00", "2025-04-05T15:40:00Z"),
    ];

    #[test]
    fn an_hour_shown_twice_is_told_by_the_order_of_rows() {
        check("Europe/Berlin", false, &BERLIN);
        check("Europe/London", false, &LONDON);
        check("America/New_York", false, &NEW_YORK);
        check("Australia/Lord_Howe", false, &LORD_HOWE);
    }

    #[test]
    fn rows_that_are_newest_first_are_told_too() {
        for (zone, rows) in [("Europe/Berlin", &BERLIN[..]), ("America/New_York", &NEW_YORK)] {
            let mut rows = rows.to_vec();
            rows.reverse();
            check(zone, true, &rows);
        }
    }

    #[test]
    fn a_skipped_hour_is_no_time() {
        let zone: TimeZoneOfRows = "europe/berlin".parse().unwrap();
        assert_eq!(zone.instant(&"2025-03-30T02:30:00".parse().unwrap(), None), None);
    }

    #[test]
    fn zones_are_named_or_offsets() {
        check("+05:30", false, &[("2025-10-26T02:30:00", "2025-10-25T21:00:00Z")]);
        check("utc", false, &[("2025-10-26T02:30:00", "2025-10-26T02:30:00Z")]);
        assert_eq!("-03:00".parse::<TimeZoneOfRows>().unwrap().to_string(), "-03:00");
        let error = "Mars/Base".parse::<TimeZoneOfRows>().unwrap_err().to_string();
        assert!(error.starts_with("`Mars/Base` is not a time zone; use a name such as"), "{error}");
    }
}
