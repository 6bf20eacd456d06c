//! Times as people and programs write them.
//!
//! Reading has two steps: [`read`] finds the parts of a text, [`TimeText::stamp`] turns them into a time once
//! it is known whether the file puts the day or the month first.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rounds::utc_offset;

/// Which of two numbers of a date is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// `31/12/2025`
    DayFirst,
    /// `12/31/2025`
    MonthFirst,
}

/// The date of a text, before the order of day and month is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateText {
    /// None: the text is a time of day.
    None,
    /// The form distinguishes year, month and day.
    Known(NaiveDate),
    /// Two numbers followed by a year.
    Either(u32, u32, i32),
}

/// The parts of a text that is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeText {
    pub(crate) date: DateText,
    /// Absent in a text that is only a date.
    pub(crate) clock: Option<NaiveTime>,
    /// Seconds east of UTC.
    pub(crate) offset: Option<i32>,
}

/// Why a text is not a usable time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TimeProblem {
    /// None of the accepted forms.
    NotATime,
    /// `25/12/10`: any of the numbers may be the year.
    TwoDigitYear,
    /// No such day, such as 31 February, or a day and a month in the other order.
    NoSuchDate,
    /// A date without a time of day.
    NoClock,
}

/// A time as written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// An instant, in microseconds since 1970.
    Instant(i64),
    /// What a wall clock showed, in microseconds since 1970 of that clock.
    WallClock(i64),
    /// A time of day, in microseconds since midnight.
    TimeOfDay(i64),
}

impl Stamp {
    /// Returns the number of microseconds, whatever it counts from.
    pub(crate) fn micros(self) -> i64 {
        match self {
            Self::Instant(micros) | Self::WallClock(micros) | Self::TimeOfDay(micros) => micros,
        }
    }
}

/// What a column of numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumericTime {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// Days since 30 December 1899, as spreadsheets count.
    ExcelDays,
}

impl NumericTime {
    /// Returns what a number counts if it is a time between 2009 and 2100.
    pub(crate) fn of(value: f64) -> Option<Self> {
        const FROM: f64 = 1.230_768e9;
        const TO: f64 = 4.102_444_8e9;
        let in_unit = |unit: f64| (FROM * unit..TO * unit).contains(&value);
        match value {
            _ if in_unit(1.0) => Some(Self::Seconds),
            _ if in_unit(1e3) => Some(Self::Millis),
            _ if in_unit(1e6) => Some(Self::Micros),
            _ if in_unit(1e9) => Some(Self::Nanos),
            39_814.0..73_051.0 => Some(Self::ExcelDays),
            _ => None,
        }
    }

    /// Returns how many of the unit are a second.
    pub(crate) fn per_second(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Millis => 1e3,
            Self::Micros => 1e6,
            Self::Nanos => 1e9,
            Self::ExcelDays => 1.0 / 86_400.0,
        }
    }

    /// Reads a number of this unit.
    pub(crate) fn stamp(self, text: &str) -> Result<Stamp, TimeProblem> {
        let text = text.trim();
        let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = whole.bytes().chain(decimals.bytes());
        if whole.is_empty() || whole.len() > 19 || !digits.into_iter().all(|b| b.is_ascii_digit()) {
            return Err(TimeProblem::NotATime);
        }
        let number: i64 = whole.parse().map_err(|_| TimeProblem::NotATime)?;
        let fraction =
            if decimals.is_empty() { 0.0 } else { format!("0.{decimals}").parse().unwrap_or(0.0) };
        let micros_per_unit = match self {
            Self::Seconds => 1e6,
            Self::Millis => 1e3,
            Self::Micros => 1.0,
            Self::Nanos => return Ok(Stamp::Instant(number / 1000)),
            Self::ExcelDays => return excel(number, fraction),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below one unit, and micros fit into i64"
        )]
        let micros = (fraction * micros_per_unit).round() as i64;
        #[expect(clippy::cast_possible_truncation, reason = "one of three whole numbers")]
        let whole = number.checked_mul(micros_per_unit as i64).ok_or(TimeProblem::NotATime)?;
        Ok(Stamp::Instant(whole + micros))
    }
}

/// Spreadsheets keep days as a float, whose last digits are noise: milliseconds are what it can hold.
fn excel(days: i64, fraction: f64) -> Result<Stamp, TimeProblem> {
    #[expect(clippy::cast_possible_truncation, reason = "below the milliseconds of one day")]
    let millis = (fraction * 86_400_000.0).round() as i64;
    let days = days.checked_sub(25_569).ok_or(TimeProblem::NotATime)?;
    let micros = days.checked_mul(86_400_000_000).ok_or(TimeProblem::NotATime)?;
    Ok(Stamp::WallClock(micros + millis * 1000))
}

impl TimeText {
    /// Combines the parts into a time. Without an order, an ambiguous date is not a time.
    pub(crate) fn stamp(self, order: Option<DateOrder>) -> Result<Stamp, TimeProblem> {
        let clock = self.clock.ok_or(TimeProblem::NoClock)?;
        let date = match (self.date, order) {
            (DateText::None, _) => {
                let since = clock.signed_duration_since(NaiveTime::MIN);
                return Ok(Stamp::TimeOfDay(since.num_microseconds().unwrap_or_default()));
            }
            (DateText::Known(date), _) => date,
            (DateText::Either(day, month, year), Some(DateOrder::DayFirst))
            | (DateText::Either(month, day, year), Some(DateOrder::MonthFirst)) => {
                NaiveDate::from_ymd_opt(year, month, day).ok_or(TimeProblem::NoSuchDate)?
            }
            (DateText::Either(..), None) => return Err(TimeProblem::NoSuchDate),
        };
        let written = NaiveDateTime::new(date, clock).and_utc();
        Ok(match self.offset {
            None => Stamp::WallClock(written.timestamp_micros()),
            Some(east) => {
                let utc = written.checked_sub_signed(TimeDelta::seconds(i64::from(east)));
                Stamp::Instant(utc.map_or(Err(TimeProblem::NoSuchDate), |utc: DateTime<_>| {
                    Ok(utc.timestamp_micros())
                })?)
            }
        })
    }
}

/// Finds the parts of a text that is a time, a date or a time of day.
pub(crate) fn read(text: &str) -> Result<TimeText, TimeProblem> {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    if let Some(iso) = iso(text.as_bytes()) {
        return Ok(iso);
    }
    if text.is_empty() || text.len() > 100 || !text.contains(|c: char| c.is_ascii_digit()) {
        return Err(TimeProblem::NotATime);
    }
    // JavaScript puts the zone's name after its offset.
    let has_name = text.contains('(');
    let name = if has_name { text.split_once(" (") } else { None };
    let text = name.map_or(text, |(before, _)| before);
    let text = without_weekday(text);
    let (date, rest) = date(text)?;
    let rest = match date {
        DateText::None => rest,
        _ => without_joint(rest),
    };
    if rest.is_empty() {
        return match date {
            DateText::None => Err(TimeProblem::NotATime),
            _ => Ok(TimeText { date, clock: None, offset: None }),
        };
    }
    let (clock, rest) = clock(rest).ok_or(TimeProblem::NotATime)?;
    // `Sun Mar  1 11:00:24 2026`, as C and Twitter write it, has its year at the end.
    let offset = match rest.trim() {
        "" => None,
        zone => Some(utc_offset(zone).ok_or(TimeProblem::NotATime)?),
    };
    Ok(TimeText { date, clock: Some(clock), offset })
}

/// `2026-03-01 11:00:24`, with `T` or a space, a fraction and `Z` or not: the most common form, with fixed positions.
fn iso(bytes: &[u8]) -> Option<TimeText> {
    let head: &[u8; 19] = bytes.first_chunk()?;
    if [head[4], head[7], head[13], head[16]] != *b"--::" || !matches!(head[10], b'T' | b' ') {
        return None;
    }
    let year = i32::try_from(number(&head[..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&head[5..7])?, number(&head[8..10])?)?;
    let mut rest = &bytes[19..];
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        nanos = number(&fraction[..digits])? * 10_u32.pow(9 - u32::try_from(digits).ok()?);
        rest = &fraction[digits..];
    }
    let offset = match rest {
        b"" => None,
        b"Z" | b"+00:00" => Some(0),
        _ => return None,
    };
    let (hour, minute) = (number(&head[11..13])?, number(&head[14..16])?);
    let clock = NaiveTime::from_hms_nano_opt(hour, minute, number(&head[17..])?, nanos)?;
    Some(TimeText { date: DateText::Known(date), clock: Some(clock), offset })
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn without_weekday(text: &str) -> &str {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let is_weekday = |start: &str| WEEKDAYS.iter().any(|day| day.eq_ignore_ascii_case(start));
    if letters >= 3 && is_weekday(&text[..3]) {
        text[letters..].trim_start_matches([',', '.', ' '])
    } else {
        text
    }
}

/// Strips the separator between a date and the time of day.
fn without_joint(text: &str) -> &str {
    let text = text.strip_prefix(['T', 't']).unwrap_or(text);
    let text = text.trim_start_matches([',', ' ', '\u{a0}', '\u{202f}']);
    let text = text.strip_prefix("at ").or_else(|| text.strip_prefix("às ")).unwrap_or(text);
    text.strip_prefix("- ").unwrap_or(text)
}

/// Reads the date at the start of a text and returns the rest.
fn date(text: &str) -> Result<(DateText, &str), TimeProblem> {
    if let Some(found) = named_month(text) {
        return Ok(found);
    }
    let (first, rest) = digits(text).ok_or(TimeProblem::NotATime)?;
    let separator = rest.bytes().next();
    let Some(separator) = separator.filter(|byte| matches!(byte, b'-' | b'/' | b'.')) else {
        return Ok((DateText::None, text));
    };
    let Some((second, rest)) = digits(&rest[1..]) else { return Err(TimeProblem::NotATime) };
    if rest.bytes().next() != Some(separator) {
        return Err(TimeProblem::NotATime);
    }
    let Some((third, rest)) = digits(&rest[1..]) else { return Err(TimeProblem::NotATime) };
    if rest.starts_with(|c: char| c.is_alphanumeric() && !matches!(c, 'T' | 't')) {
        return Err(TimeProblem::NotATime);
    }
    let value = |digits: &str| number(digits.as_bytes()).ok_or(TimeProblem::NotATime);
    let (a, b, c) = (value(first)?, value(second)?, value(third)?);
    let year = |value: u32| i32::try_from(value).map_err(|_| TimeProblem::NotATime);
    match (first.len(), second.len(), third.len()) {
        (4, 1..=2, 1..=2) => {
            let date = NaiveDate::from_ymd_opt(year(a)?, b, c).ok_or(TimeProblem::NoSuchDate)?;
            Ok((DateText::Known(date), rest))
        }
        (1..=2, 1..=2, 4) => Ok((DateText::Either(a, b, year(c)?), rest)),
        (1..=2, 1..=2, 2) => Err(TimeProblem::TwoDigitYear),
        _ => Err(TimeProblem::NotATime),
    }
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&count).then(|| text.split_at(count))
}

/// The first three letters of the months in English, and the differing ones of Portuguese, Spanish, French, German and
/// Turkish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "oca"],
    &["feb", "fev", "fév", "şub"],
    &["mar", "mär"],
    &["apr", "abr", "avr", "nis"],
    &["may", "mai"],
    &["jun", "juin", "haz"],
    &["jul", "juil", "tem"],
    &["aug", "ago", "aoû", "aou", "ağu"],
    &["sep", "set", "eyl"],
    &["oct", "out", "okt", "eki"],
    &["nov", "kas"],
    &["dec", "dez", "dic", "déc", "ara"],
];

fn month(word: &str) -> Option<u32> {
    let word = word.to_lowercase();
    let is_named = |names: &&[&str]| names.iter().any(|name| word.starts_with(name));
    // `juin` and `juil` begin alike, so the longer names are tried first.
    let exact = |wanted: &str| word.starts_with(wanted);
    let at = match () {
        () if exact("juin") => 5,
        () if exact("juil") => 6,
        () => MONTHS.iter().position(is_named)?,
    };
    u32::try_from(at + 1).ok()
}

/// `Mar 01 2026`, `March 1, 2026`, `01 Mar 2026`, `1-Mar-2026`, `1 de março de 2026`.
fn named_month(text: &str) -> Option<(DateText, &str)> {
    let mut rest = text;
    let (mut day, mut named, mut year) = (None, None, None);
    while day.is_none() || named.is_none() || year.is_none() {
        rest = rest.trim_start_matches([' ', ',', '-', '.', '/']);
        rest = rest.strip_prefix("de ").unwrap_or(rest);
        if let Some((number, after)) = digits(rest) {
            let value: u32 = number.parse().ok()?;
            match number.len() {
                1..=2 if day.is_none() => day = Some(value),
                4 if year.is_none() => year = i32::try_from(value).ok(),
                _ => return None,
            }
            rest = after;
        } else {
            let letters: usize =
                rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
            if letters < 3 || named.is_some() {
                return None;
            }
            named = Some(month(&rest[..letters])?);
            rest = &rest[letters..];
        }
    }
    let date = NaiveDate::from_ymd_opt(year?, named?, day?)?;
    Some((DateText::Known(date), rest))
}

/// Reads the time of day at the start of a text and returns the rest.
fn clock(text: &str) -> Option<(NaiveTime, &str)> {
    let (hour, rest) = digits(text)?;
    let (minute, mut rest) = digits(rest.strip_prefix(':')?)?;
    let mut second = 0;
    let mut nanos = 0;
    if let Some((digits_of_second, after)) = rest.strip_prefix(':').and_then(digits) {
        second = digits_of_second.parse().ok()?;
        rest = after;
        if digits_of_second.len() != 2 {
            return None;
        }
        if let Some((fraction, after)) = rest.strip_prefix(['.', ',', ':']).and_then(digits) {
            nanos =
                number(fraction.as_bytes())? * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?);
            rest = after;
        }
    }
    if hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let mut hour: u32 = hour.parse().ok()?;
    if let Some((is_afternoon, after)) = half_of_day(rest) {
        if !(1..=12).contains(&hour) {
            // Some programs write `14:05 PM`; the hour is clear there.
            return (hour > 12 && is_afternoon || hour == 0 && !is_afternoon)
                .then(|| NaiveTime::from_hms_nano_opt(hour, minute.parse().ok()?, second, nanos))
                .flatten()
                .map(|time| (time, after));
        }
        hour = hour % 12 + if is_afternoon { 12 } else { 0 };
        rest = after;
    }
    Some((NaiveTime::from_hms_nano_opt(hour, minute.parse().ok()?, second, nanos)?, rest))
}

/// `AM`, `p.m.`; true for the afternoon.
fn half_of_day(text: &str) -> Option<(bool, &str)> {
    let rest = text.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let forms = [
        ("am", false),
        ("pm", true),
        ("a.m.", false),
        ("p.m.", true),
        ("a. m.", false),
        ("p. m.", true),
    ];
    let (form, is_afternoon) = forms.into_iter().find(|(form, _)| {
        rest.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form))
    })?;
    Some((is_afternoon, &rest[form.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, instant: &str) {
        let expected = instant.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros();
        let stamp = read(text).and_then(|parts| parts.stamp(Some(DateOrder::DayFirst)));
        assert_eq!(stamp, Ok(Stamp::Instant(expected)), "{text}");
    }

    #[track_caller]
    fn check_wall(text: &str, wall: &str) {
        let expected = wall.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros();
        let stamp = read(text).and_then(|parts| parts.stamp(Some(DateOrder::DayFirst)));
        assert_eq!(stamp, Ok(Stamp::WallClock(expected)), "{text}");
    }

    #[test]
    fn times_with_an_offset_are_instants() {
        check("2026-03-01T11:00:24.5Z", "2026-03-01T11:00:24.5Z");
        check("2026-03-01 11:00:24.714983+00:00", "2026-03-01T11:00:24.714983Z");
        check("2026-03-01T11:00:24+0200", "2026-03-01T09:00:24Z");
        check("2026/03/01 11:00:24 UTC", "2026-03-01T11:00:24Z");
        check(
            "Sun Mar 01 2026 11:00:24 GMT+0200 (Central European Standard Time)",
            "2026-03-01T09:00:24Z",
        );
        check("Sun, 01 Mar 2026 11:00:24 +0200", "2026-03-01T09:00:24Z");
        check("Sun, 01 Mar 2026 11:00:24 GMT", "2026-03-01T11:00:24Z");
        check("01/03/2026 11:00:24-03:00", "2026-03-01T14:00:24Z");
        check("01-03-2026T11:00:24Z", "2026-03-01T11:00:24Z");
        check("2026-03-01 11:00:24 UTC+3", "2026-03-01T08:00:24Z");
    }

    #[test]
    fn times_without_one_are_what_a_wall_clock_showed() {
        check_wall("2026-03-01 11:00:24", "2026-03-01T11:00:24");
        check_wall("2026-03-01 11:00:24,714", "2026-03-01T11:00:24.714");
        check_wall("2026-03-01 11:00", "2026-03-01T11:00:00");
        check_wall("2026-03-01 11:00:24 PM", "2026-03-01T23:00:24");
        check_wall("01/03/2026, 12:05:09 a.m.", "2026-03-01T00:05:09");
        check_wall("1.3.2026 9:05:09", "2026-03-01T09:05:09");
        check_wall("31/12/2025 19:32:35", "2025-12-31T19:32:35");
        check_wall("Mar 1, 2026 9:05:09 PM", "2026-03-01T21:05:09");
        check_wall("1-Mar-2026 21:05:09", "2026-03-01T21:05:09");
        check_wall("1 de março de 2026 às 21:05:09", "2026-03-01T21:05:09");
        check_wall("01/03/2026 - 21:05:09", "2026-03-01T21:05:09");
    }

    #[test]
    fn other_texts_are_not_times() {
        for text in [
            "",
            "2.31",
            "1.02.3",
            "abc",
            "2026-13-01 11:00:24",
            "2026-03-01 25:00:00",
            "12:61",
            "1:2:3:4",
            "2026-03-01 11:00:24 XX",
            "192.168.0.1",
            "1772362824714",
            "2026-03-01x11:00:24",
            "é-1",
            "1.10.100.7",
        ] {
            let stamp = read(text).and_then(|parts| parts.stamp(Some(DateOrder::DayFirst)));
            assert!(stamp.is_err(), "{text}: {stamp:?}");
        }
        assert_eq!(read("25/12/10 19:32:35"), Err(TimeProblem::TwoDigitYear));
        assert_eq!(read("2026-03-01").unwrap().clock, None);
        let late = read("13/31/2025 10:00:00").unwrap();
        assert_eq!(late.stamp(Some(DateOrder::DayFirst)), Err(TimeProblem::NoSuchDate));
    }

    #[test]
    fn a_time_of_day_counts_from_midnight() {
        let stamp = |text| read(text).and_then(|parts| parts.stamp(None));
        assert_eq!(stamp("11:00:24"), Ok(Stamp::TimeOfDay(39_624_000_000)));
        assert_eq!(stamp("9:05 PM"), Ok(Stamp::TimeOfDay(75_900_000_000)));
    }

    #[test]
    fn numbers_count_what_their_size_says() {
        let stamp = |text: &str| {
            let unit = NumericTime::of(text.parse().unwrap()).unwrap();
            unit.stamp(text).unwrap()
        };
        let micros = 1_772_362_824_714_000;
        assert_eq!(stamp("1772362824714"), Stamp::Instant(micros));
        assert_eq!(stamp("1772362824"), Stamp::Instant(micros - 714_000));
        assert_eq!(stamp("1772362824.714"), Stamp::Instant(micros));
        assert_eq!(stamp("1772362824714000"), Stamp::Instant(micros));
        assert_eq!(stamp("1772362824714000000"), Stamp::Instant(micros));
        // 2026-03-01 11:00:24
        assert_eq!(stamp("46082.4586111111"), Stamp::WallClock(1_772_362_824_000_000));
        assert_eq!(NumericTime::of(2.31), None);
    }
}
