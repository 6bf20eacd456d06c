//! The time zone of times without an offset.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::timestamp::number;

/// The time zone of times without an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeZoneOfRows {
    /// The zone of this machine, which the variable `TZ` sets.
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
    "`{0}` is not a time zone; use a name such as Europe/Berlin, an offset such as +02:00, or local"
)]
pub struct TimeZoneError(String);

/// The instants at which a clock may have shown a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockReading {
    /// Exactly one.
    Once(DateTime<Utc>),
    /// Two, because summer time ended.
    Twice {
        /// The earlier instant.
        first: DateTime<Utc>,
        /// The later one.
        second: DateTime<Utc>,
    },
    /// None, because summer time began.
    Never,
}

/// The row above a row, which decides between the two passes of a repeated hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Neighbour {
    /// Its time.
    pub(crate) time: DateTime<Utc>,
    /// Whether the rows are newest first.
    pub(crate) is_descending: bool,
}

impl TimeZoneOfRows {
    /// Returns the instants at which a clock of this zone showed `reading`.
    pub fn instants(self, reading: &NaiveDateTime) -> ClockReading {
        match self {
            Self::Machine => instants(Local.from_local_datetime(reading)),
            Self::Named(zone) => instants(zone.from_local_datetime(reading)),
            Self::Offset(offset) => instants(offset.from_local_datetime(reading)),
        }
    }

    /// Returns the instant at which a clock of this zone showed `reading`; `None` if it never did.
    ///
    /// In a repeated hour the row above decides which pass is meant, because times ascend, or descend
    /// in a file that is newest first; without a row above it is the first pass.
    pub(crate) fn instant(
        self,
        reading: &NaiveDateTime,
        above: Option<Neighbour>,
    ) -> Option<DateTime<Utc>> {
        match (self.instants(reading), above) {
            (ClockReading::Never, _) => None,
            (ClockReading::Once(time), _) => Some(time),
            (ClockReading::Twice { first, second }, Some(Neighbour { time, is_descending })) => {
                let is_second = if is_descending { time >= second } else { time > first };
                Some(if is_second { second } else { first })
            }
            (ClockReading::Twice { first, .. }, None) => Some(first),
        }
    }
}

fn instants<Z: TimeZone>(found: LocalResult<DateTime<Z>>) -> ClockReading {
    match found {
        LocalResult::None => ClockReading::Never,
        LocalResult::Single(time) => ClockReading::Once(time.to_utc()),
        LocalResult::Ambiguous(one, other) => {
            // chrono orders them by offset, and not always by time.
            let (one, other) = (one.to_utc(), other.to_utc());
            ClockReading::Twice { first: one.min(other), second: one.max(other) }
        }
    }
}

/// Returns the seconds east of UTC that `Z`, `UTC`, `GMT+0200`, `+02:00` or `-3` stand for.
pub fn utc_offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let named = text
        .get(..3)
        .filter(|name| name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("GMT"));
    let text = named.map_or(text, |name| text[name.len()..].trim_start());
    let text = text.strip_prefix(['Z', 'z']).unwrap_or(text);
    let sign = match text.bytes().next() {
        None => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    let (hours, minutes) = match &text.as_bytes()[1..] {
        &[b] => ([b'0', b], [b'0', b'0']),
        &[a, b] => ([a, b], [b'0', b'0']),
        &[a, b, c, d] | &[a, b, b':', c, d] => ([a, b], [c, d]),
        _ => return None,
    };
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
    (hours <= 18 && minutes <= 59).then_some(sign * seconds)
}

impl FromStr for TimeZoneOfRows {
    type Err = TimeZoneError;

    /// Parses `Europe/Berlin`, `+02:00`, `UTC` and `local`.
    fn from_str(text: &str) -> Result<Self, TimeZoneError> {
        let name = text.trim();
        if name.eq_ignore_ascii_case("local") {
            return Ok(Self::Machine);
        }
        if let Some(offset) = utc_offset(name).and_then(FixedOffset::east_opt)
            && !name.is_empty()
        {
            return Ok(Self::Offset(offset));
        }
        Tz::from_str_insensitive(name).map(Self::Named).map_err(|_| TimeZoneError(text.to_owned()))
    }
}

impl TryFrom<String> for TimeZoneOfRows {
    type Error = TimeZoneError;

    fn try_from(text: String) -> Result<Self, TimeZoneError> {
        text.parse()
    }
}

impl From<TimeZoneOfRows> for String {
    fn from(zone: TimeZoneOfRows) -> Self {
        zone.to_string()
    }
}

impl fmt::Display for TimeZoneOfRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("local"),
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

    #[test]
    fn the_hour_that_comes_twice_is_two_instants_in_order() {
        for (zone, wall, first, second) in [
            (
                "Europe/Berlin",
                "2025-10-26T02:30:00Z",
                "2025-10-26T00:30:00Z",
                "2025-10-26T01:30:00Z",
            ),
            (
                "Europe/London",
                "2025-10-26T01:30:00Z",
                "2025-10-26T00:30:00Z",
                "2025-10-26T01:30:00Z",
            ),
            (
                "America/New_York",
                "2025-11-02T01:30:00Z",
                "2025-11-02T05:30:00Z",
                "2025-11-02T06:30:00Z",
            ),
            (
                "Australia/Lord_Howe",
                "2026-04-05T01:45:00Z",
                "2026-04-04T14:45:00Z",
                "2026-04-04T15:15:00Z",
            ),
        ] {
            let zone: TimeZoneOfRows = zone.parse().unwrap();
            let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
            let found = zone.instants(&time(wall).naive_utc());
            let twice = ClockReading::Twice { first: time(first), second: time(second) };
            assert_eq!(found, twice, "{zone}");
        }
    }

    #[test]
    fn a_zone_reads_back_as_it_is_shown() {
        for (text, shown) in [
            ("America/Sao_Paulo", "America/Sao_Paulo"),
            ("-03:00", "-03:00"),
            ("local", "local"),
            ("UTC", "+00:00"),
        ] {
            let zone = text.parse::<TimeZoneOfRows>().map(|zone| zone.to_string());
            assert_eq!(zone, Ok(shown.to_owned()));
        }
        assert!("".parse::<TimeZoneOfRows>().is_err());
    }
}
