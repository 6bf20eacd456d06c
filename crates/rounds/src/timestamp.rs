//! Times as they are written in files.
//!
//! Two readers must agree: [`quick`] takes the two usual forms at fixed places, [`general`] takes everything.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// A time as written: with an offset it is an instant, without one it is what a wall clock showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// An instant.
    Instant(DateTime<Utc>),
    /// A reading of a wall clock.
    WallClock(NaiveDateTime),
}

/// The order of day and month in dates such as `03-09-2026`: one for a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) enum DateOrder {
    /// Not settled yet: no date had a number above 12.
    #[default]
    Open,
    /// `24-07-2026`.
    DayFirst,
    /// `07-24-2026`.
    MonthFirst,
}

/// Why a text is not a time, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// None of the accepted forms.
    NotATime,
    /// `03-09-2026` while the order is open.
    Ambiguous,
}

/// Reads `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, perhaps `.mmm`, perhaps `Z` at the start of `bytes`.
///
/// Returns the time and its length in bytes; `None` for any other form, even a valid one.
pub(crate) fn quick(bytes: &[u8]) -> Option<(Written, usize)> {
    let head: &[u8; 19] = bytes.first_chunk()?;
    if [head[4], head[7], head[13], head[16]] != *b"--::" || !matches!(head[10], b'T' | b' ') {
        return None;
    }
    let (year, month) = (number(&head[..4])?, number(&head[5..7])?);
    let (day, hour) = (number(&head[8..10])?, number(&head[11..13])?);
    let (minute, second) = (number(&head[14..16])?, number(&head[17..])?);
    let mut taken = head.len();
    let mut millis = 0;
    if bytes.get(taken) == Some(&b'.') {
        millis = number(bytes.get(taken + 1..taken + 4)?)?;
        taken += 4;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let time = date.and_hms_milli_opt(hour, minute, second, millis)?;
    if bytes.get(taken) == Some(&b'Z') {
        return Some((Written::Instant(time.and_utc()), taken + 1));
    }
    Some((Written::WallClock(time), taken))
}

/// Returns the number that ASCII digits stand for.
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    let mut sum = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        sum = sum * 10 + u32::from(digit - b'0');
    }
    Some(sum)
}

/// Reads any of the accepted forms, white space around it aside.
pub(crate) fn general(text: &str, order: DateOrder) -> Result<Written, TimeError> {
    let text = text.trim();
    // chrono takes years of any length and months of one digit, so the shape is checked first:
    // `25-12-10` is not a day of the year 25.
    let shape: String =
        text.chars().take(19).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let date = match shape.as_str() {
        "0000-00-00 00:00:00" | "0000-00-00T00:00:00" => "%Y-%m-%d",
        "00-00-0000 00:00:00" | "00-00-0000T00:00:00" => match order_of(text, order)? {
            DateOrder::MonthFirst => "%m-%d-%Y",
            DateOrder::DayFirst | DateOrder::Open => "%d-%m-%Y",
        },
        _ => return Err(TimeError::NotATime),
    };
    let separator = &shape[10..11];
    let rest = &text[19..];
    let offset = rest.find(['Z', 'z', '+', '-', ' ']).map_or("", |at| &rest[at..]);
    let fraction = &rest[..rest.len() - offset.len()];
    if !matches!(fraction.as_bytes(), [] | [b'.', _, ..]) {
        return Err(TimeError::NotATime);
    }
    let format = format!("{date}{separator}%H:%M:%S%.f");
    let naive = NaiveDateTime::parse_from_str(&text[..19 + fraction.len()], &format)
        .map_err(|_| TimeError::NotATime)?;
    match offset.trim_start() {
        "" if offset.is_empty() => Ok(Written::WallClock(naive)),
        "Z" | "z" => Ok(Written::Instant(naive.and_utc())),
        offset => {
            let seconds = offset_seconds(offset).ok_or(TimeError::NotATime)?;
            let shifted = naive.and_utc().checked_sub_signed(chrono::TimeDelta::seconds(seconds));
            shifted.map(Written::Instant).ok_or(TimeError::NotATime)
        }
    }
}

/// The order that a date with the year at its end is read in.
fn order_of(text: &str, order: DateOrder) -> Result<DateOrder, TimeError> {
    match (order, settled_order(text)) {
        (DateOrder::Open, None) => Err(TimeError::Ambiguous),
        (DateOrder::Open, Some(shown)) => Ok(shown),
        (settled, _) => Ok(settled),
    }
}

/// Returns the order of day and month that a date with the year at its end shows by a number above 12.
pub(crate) fn settled_order(text: &str) -> Option<DateOrder> {
    let bytes: &[u8; 11] = text.trim().as_bytes().first_chunk()?;
    if bytes[2] != b'-' || bytes[5] != b'-' || !matches!(bytes[10], b' ' | b'T') {
        return None;
    }
    match (number(&bytes[..2])?, number(&bytes[3..5])?) {
        (13..=31, 1..=12) => Some(DateOrder::DayFirst),
        (1..=12, 13..=31) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// `+02:00`, `+0200` or `+02`, in seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match &text.as_bytes()[1..] {
        &[a, b] => ([a, b], [b'0', b'0']),
        &[a, b, c, d] | &[a, b, b':', c, d] => ([a, b], [c, d]),
        _ => return None,
    };
    let (hours, minutes) = (i64::from(number(&hours)?), i64::from(number(&minutes)?));
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, utc: &str) {
        let expected = Written::Instant(utc.parse().unwrap());
        assert_eq!(general(text, DateOrder::DayFirst), Ok(expected), "{text}");
    }

    #[track_caller]
    fn check_wall_clock(text: &str, naive: &str) {
        let expected = Written::WallClock(naive.parse().unwrap());
        assert_eq!(general(text, DateOrder::DayFirst), Ok(expected), "{text}");
    }

    #[test]
    fn times_with_an_offset_are_instants() {
        check("2025-12-10T19:32:35.123Z", "2025-12-10T19:32:35.123Z");
        check(" 2025-12-10T19:32:35z ", "2025-12-10T19:32:35Z");
        check("2026-03-17T15:09:55+00:00", "2026-03-17T15:09:55Z");
        check("2026-03-17 15:09:55.1234567+02:00", "2026-03-17T13:09:55.1234567Z");
        check("2026-03-17 15:09:55 -0330", "2026-03-17T18:39:55Z");
        check("2026-03-17T15:09:55+05", "2026-03-17T10:09:55Z");
        check("17-03-2026 15:09:55Z", "2026-03-17T15:09:55Z");
    }

    #[test]
    fn times_without_one_are_wall_clock_readings() {
        check_wall_clock("2025-12-10 19:32:35", "2025-12-10T19:32:35");
        check_wall_clock("2025-12-10T19:32:35.5", "2025-12-10T19:32:35.5");
        check_wall_clock("10-12-2025 19:32:35", "2025-12-10T19:32:35");
        check_wall_clock("2025-12-10 19:32:35.123456789", "2025-12-10T19:32:35.123456789");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "19:32:35",
            "2025-12-10",
            "25-12-10 19:32:35",
            "2025-13-10 19:32:35",
            "2025-02-30 19:32:35",
            "2025-12-10 24:00:00",
            "2025-12-10 19:60:35",
            "2025/12/10 19:32:35",
            "10.12.2025 19:32:35",
            "2025-12-10 19:32",
            "1765395155000",
            "2025-12-10 19:32:35.",
            "2025-12-10 19:32:35,123",
            "2025-12-10 19:32:35 UTC",
            "2025-12-10 19:32:35+2",
            "2025-12-10 19:32:35+24:00",
            "2025-12-10 19:32:35 PM",
            "12-31-2025 19:32:35",
            "2025-12-10  9:32:35",
            "٢٠٢٥-12-10 19:32:35",
            "2025-12-10é19:32:35",
            "2025-12-10 19:32:3é",
        ] {
            assert_eq!(general(text, DateOrder::DayFirst), Err(TimeError::NotATime), "{text:?}");
        }
    }

    #[test]
    fn day_and_month_are_told_by_a_number_above_twelve() {
        let read = |text, order| general(text, order).map(|it| format!("{it:?}"));
        let september = Ok("WallClock(2026-09-03T10:00:00)".to_owned());
        let march = Ok("WallClock(2026-03-09T10:00:00)".to_owned());
        assert_eq!(read("03-09-2026 10:00:00", DateOrder::DayFirst), september);
        assert_eq!(read("03-09-2026 10:00:00", DateOrder::MonthFirst), march);
        assert_eq!(read("03-09-2026 10:00:00", DateOrder::Open), Err(TimeError::Ambiguous));
        for (text, order) in [
            ("24-07-2026 10:00:00", Some(DateOrder::DayFirst)),
            ("07-24-2026T10:00:00Z", Some(DateOrder::MonthFirst)),
            ("07-07-2026 10:00:00", None),
            ("2026-07-24 10:00:00", None),
            ("32-07-2026 10:00:00", None),
        ] {
            assert_eq!(settled_order(text), order, "{text}");
            assert!(order.is_none_or(|order| general(text, order).is_ok()), "{text}");
        }
        let other = general("07-24-2026 10:00:00", DateOrder::DayFirst);
        assert_eq!(other, Err(TimeError::NotATime));
    }

    proptest! {
        #[test]
        fn the_quick_reader_agrees_with_the_general_one(
            text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z?",
        ) {
            let quick = quick(text.as_bytes()).filter(|(_, taken)| *taken == text.len());
            if let Some((time, _)) = quick {
                prop_assert_eq!(general(&text, DateOrder::DayFirst), Ok(time));
            } else if general(&text, DateOrder::DayFirst).is_ok() {
                // A leap second: rare enough for the general reader.
                prop_assert_eq!(&text[17..19], "60");
            }
        }

        #[test]
        fn no_text_breaks_the_readers(text in "\\PC{0,40}") {
            let general = general(&text, DateOrder::DayFirst);
            if let Some((time, taken)) = quick(text.as_bytes()) && taken == text.len() {
                prop_assert_eq!(general, Ok(time));
            }
        }
    }
}
