//! The time zone of times that are written without an offset.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, LocalResult, TimeZone, Utc};
use chrono_tz::Tz;

use crate::time_forms;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// That of this machine.
    Machine,
    /// A zone of the IANA database.
    Named(Tz),
    /// A fixed distance from UTC.
    Fixed(FixedOffset),
}

/// The instants that a reading of a wall clock may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    One(DateTime<Utc>),
    /// Summer time ended: the clock showed this twice, here with the earlier instant first.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// Summer time began: no clock showed this.
    Never,
}

impl Zone {
    /// Returns what a reading of a wall clock means, given in microseconds since 1970 of that clock.
    pub(crate) fn meant(self, wall_micros: i64) -> Meant {
        let Some(wall) = DateTime::from_timestamp_micros(wall_micros) else { return Meant::Never };
        let wall = wall.naive_utc();
        match self {
            Self::Machine => instants(Local.from_local_datetime(&wall)),
            Self::Named(zone) => instants(zone.from_local_datetime(&wall)),
            Self::Fixed(zone) => instants(zone.from_local_datetime(&wall)),
        }
    }
}

/// The order in which a zone gives the two instants is its own affair, so they are sorted here.
fn instants<Z: TimeZone>(found: LocalResult<DateTime<Z>>) -> Meant {
    match found {
        LocalResult::Single(time) => Meant::One(time.to_utc()),
        LocalResult::Ambiguous(a, b) => {
            let (a, b) = (a.to_utc(), b.to_utc());
            Meant::Twice(a.min(b), a.max(b))
        }
        LocalResult::None => Meant::Never,
    }
}

impl FromStr for Zone {
    type Err = String;

    /// Takes `Europe/Berlin`, `+02:00`, `UTC` and `local`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("local") {
            return Ok(Self::Machine);
        }
        if let Some(zone) = time_forms::offset(text).and_then(FixedOffset::east_opt)
            && !text.is_empty()
        {
            return Ok(Self::Fixed(zone));
        }
        text.parse().map(Self::Named).map_err(|_| {
            format!("`{text}` is no time zone: give a name such as America/Sao_Paulo, an offset such as -03:00, or local")
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("local"),
            Self::Named(zone) => f.write_str(zone.name()),
            Self::Fixed(zone) => zone.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let zone: Zone = zone.parse().unwrap();
            let micros = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
            let meant = zone.meant(micros(wall).timestamp_micros());
            assert_eq!(meant, Meant::Twice(micros(first), micros(second)), "{zone}");
        }
    }

    #[test]
    fn a_time_that_no_clock_showed_means_nothing() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let wall: DateTime<Utc> = "2026-03-29T02:30:00Z".parse().unwrap();
        assert_eq!(zone.meant(wall.timestamp_micros()), Meant::Never);
    }

    #[test]
    fn zones_are_names_or_offsets() {
        for (text, shown) in [
            ("America/Sao_Paulo", "America/Sao_Paulo"),
            ("-03:00", "-03:00"),
            ("local", "local"),
            ("UTC", "+00:00"),
        ] {
            assert_eq!(text.parse::<Zone>().map(|zone| zone.to_string()), Ok(shown.to_owned()));
        }
        assert!("Mars/Base".parse::<Zone>().is_err());
        assert!("".parse::<Zone>().is_err());
    }
}
