//! One line of a file: its columns and the round in it.

use serde::{Deserialize, Serialize};

use crate::round::Round;
use crate::timestamp::{self, TimeError};
use crate::{Multiplier, MultiplierError};

/// Why a line is not a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// Bytes that are no text.
    #[error("not UTF-8 text")]
    NotText,
    /// Longer than any row can be.
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// A quotation mark is opened and not closed on this line.
    #[error("a quotation mark is not closed")]
    Quote,
    /// No header names the columns and the first rows do not show which they are.
    #[error(
        "which columns hold the time and the multiplier cannot be told; add the header line `timestamp,multiplier`"
    )]
    UnknownColumns,
    /// Too few fields to hold the time and the multiplier.
    #[error("too few fields: {found}")]
    TooFewFields {
        /// Fields of this line.
        found: usize,
    },
    /// More fields than columns: perhaps a decimal comma that is not quoted.
    #[error("too many fields: {found}, and {expected} columns")]
    TooManyFields {
        /// Fields of this line.
        found: usize,
        /// Columns of this file.
        expected: usize,
    },
    /// The field of the time holds something else.
    #[error("time: none of the accepted forms")]
    Time,
    /// Summer time began: the clocks of this machine never showed this time.
    #[error("time: the clocks of this machine skipped it")]
    SkippedTime,
    /// The field of the multiplier holds something else.
    #[error("multiplier: {0}")]
    Multiplier(#[from] MultiplierError),
}

impl RejectReason {
    /// The names of all reasons, as they are counted.
    pub const WORDS: [&'static str; 9] = [
        "not_text",
        "too_long",
        "quote",
        "unknown_columns",
        "too_few_fields",
        "too_many_fields",
        "time",
        "skipped_time",
        "multiplier",
    ];

    /// Its name among [`RejectReason::WORDS`].
    pub fn word(&self) -> &'static str {
        let at = match self {
            Self::NotText => 0,
            Self::TooLong => 1,
            Self::Quote => 2,
            Self::UnknownColumns => 3,
            Self::TooFewFields { .. } => 4,
            Self::TooManyFields { .. } => 5,
            Self::Time => 6,
            Self::SkippedTime => 7,
            Self::Multiplier(_) => 8,
        };
        Self::WORDS[at]
    }
}

/// The header line of the files we write.
pub(crate) const HEADER: &str = "timestamp,multiplier\n";

/// A longer line is rejected without being kept in memory.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// Where time and multiplier stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Columns {
    delimiter: u8,
    time: usize,
    multiplier: usize,
    /// How many columns there are; a line with more fields is not understood.
    count: usize,
}

impl Columns {
    /// Those of the files we write.
    pub(crate) const OURS: Self = Self { delimiter: b',', time: 0, multiplier: 1, count: 2 };

    /// The columns named by a header line.
    pub(crate) fn named(line: &[u8]) -> Option<Self> {
        DELIMITERS.iter().find_map(|&delimiter| {
            let fields = fields(line, delimiter).ok()?;
            let names: Vec<String> = fields.iter().map(|name| name.trim().to_lowercase()).collect();
            let time = position(&names, &TIME_NAMES)?;
            let multiplier = position(&names, &MULTIPLIER_NAMES)?;
            Some(Self { delimiter, time, multiplier, count: names.len() })
        })
    }

    /// The columns that the first lines show: exactly one of times, exactly one of multipliers.
    ///
    /// A column counts as soon as two lines have such a field in it (or the only line has), and
    /// the one chosen must be right in more than half of the lines.
    pub(crate) fn shown_by(lines: &[&[u8]]) -> Option<Self> {
        let mut found = DELIMITERS.iter().filter_map(|&delimiter| shown_with(lines, delimiter));
        let columns = found.next()?;
        found.next().is_none().then_some(columns)
    }
}

/// In the order in which they are tried.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Names a header may give to the column of the time; ours first.
const TIME_NAMES: [&str; 9] = [
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "date time",
    "ended_at",
    "recorded_at",
    "created_at",
    "date",
];

/// Names a header may give to the column of the multiplier; ours first.
const MULTIPLIER_NAMES: [&str; 10] = [
    "multiplier",
    "payout",
    "crash_point",
    "crash point",
    "crashpoint",
    "crash_multiplier",
    "crash",
    "bust",
    "odds",
    "coefficient",
];

/// The one column with one of these names; our own name beats the others.
fn position(names: &[String], known: &[&str]) -> Option<usize> {
    let at = |wanted: &dyn Fn(&str) -> bool| {
        let mut places = names.iter().enumerate().filter(|(_, name)| wanted(name));
        let (place, _) = places.next()?;
        places.next().is_none().then_some(place)
    };
    at(&|name| name == known[0]).or_else(|| at(&|name| known.contains(&name)))
}

fn shown_with(lines: &[&[u8]], delimiter: u8) -> Option<Columns> {
    let mut times: Vec<usize> = Vec::new();
    let mut multipliers: Vec<usize> = Vec::new();
    let mut count = 0;
    for line in lines {
        let Ok(fields) = fields(line, delimiter) else { continue };
        let width = fields.len().max(times.len());
        times.resize(width, 0);
        multipliers.resize(width, 0);
        for (column, field) in fields.iter().enumerate() {
            times[column] += usize::from(timestamp::general(field).is_ok());
            multipliers[column] += usize::from(field.parse::<Multiplier>().is_ok());
        }
        count = count.max(fields.len());
    }
    let only = |hits: &[usize]| {
        let mut columns = (0..hits.len()).filter(|&column| hits[column] >= lines.len().min(2));
        let column = columns.next()?;
        (columns.next().is_none() && hits[column] * 2 > lines.len()).then_some(column)
    };
    let (time, multiplier) = (only(&times)?, only(&multipliers)?);
    let count = lines
        .iter()
        .filter_map(|line| fields(line, delimiter).ok())
        .filter(|fields| parse_fields(fields, time, multiplier).is_ok())
        .map(|fields| fields.len())
        .max()?;
    Some(Columns { delimiter, time, multiplier, count })
}

/// The round in a line, which comes without its line end.
pub(crate) fn parse(line: &[u8], columns: Columns) -> Result<Round, RejectReason> {
    let fields = fields(line, columns.delimiter)?;
    if fields.len() > columns.count {
        return Err(RejectReason::TooManyFields { found: fields.len(), expected: columns.count });
    }
    parse_fields(&fields, columns.time, columns.multiplier)
}

fn parse_fields(fields: &[String], time: usize, multiplier: usize) -> Result<Round, RejectReason> {
    let too_few = RejectReason::TooFewFields { found: fields.len() };
    let written = fields.get(time).ok_or(too_few)?;
    let multiplier = fields.get(multiplier).ok_or(too_few)?;
    let time = timestamp::general(written).and_then(timestamp::Written::instant);
    let time = time.map_err(|error| match error {
        TimeError::NotATime => RejectReason::Time,
        TimeError::Skipped => RejectReason::SkippedTime,
    })?;
    Ok(Round { time, multiplier: multiplier.parse()? })
}

/// The fields of a line, empty ones at its end left out.
fn fields(line: &[u8], delimiter: u8) -> Result<Vec<String>, RejectReason> {
    let line = std::str::from_utf8(line).map_err(|_| RejectReason::NotText)?;
    let mut fields: Vec<String> = if line.contains('"') {
        quoted_fields(line, delimiter)?
    } else {
        line.split(char::from(delimiter)).map(str::to_owned).collect()
    };
    while fields.last().is_some_and(|field| field.trim().is_empty()) {
        fields.pop();
    }
    Ok(fields)
}

fn quoted_fields(line: &str, delimiter: u8) -> Result<Vec<String>, RejectReason> {
    // A record never spans lines here: one stray quotation mark must not swallow the rest of a file.
    if !line.matches('"').count().is_multiple_of(2) {
        return Err(RejectReason::Quote);
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(_) => Ok(record.iter().map(str::to_owned).collect()),
        Err(_) => Err(RejectReason::NotText),
    }
}

/// Reads a row in the form we write at the start of `bytes`, its newline included.
///
/// Only for [`Columns::OURS`]; returns the round and how many bytes it took.
/// `None` means another form, for [`parse`] to judge.
pub(crate) fn quick(bytes: &[u8]) -> Option<(Round, usize)> {
    let (written, taken) = timestamp::quick(bytes)?;
    let digits = bytes.get(taken..)?.strip_prefix(b",")?;
    let (multiplier, length) = quick_multiplier(digits)?;
    let end = digits.get(length..)?;
    let line_end = if end.starts_with(b"\n") {
        1
    } else if end.starts_with(b"\r\n") {
        2
    } else {
        return None;
    };
    Some((Round { time: written.instant().ok()?, multiplier }, taken + 1 + length + line_end))
}

/// Digits, perhaps a point and digits: at most 15 in all, so that the result is exact.
fn quick_multiplier(bytes: &[u8]) -> Option<(Multiplier, usize)> {
    let mut mantissa = 0u64;
    let mut point = None;
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate().take(17) {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => break,
        }
        length = at + 1;
    }
    let decimals = point.map_or(0, |point| length - point - 1);
    let whole = length - decimals - usize::from(point.is_some());
    let is_plain = whole > 0
        && (whole == 1 || bytes[0] != b'0')
        && whole + decimals <= 15
        && (point.is_none() || decimals > 0);
    if !is_plain {
        return None;
    }
    // Both are whole numbers below 2^53, so the division rounds as parsing the text would.
    Multiplier::new(mantissa as f64 / POWERS_OF_TEN[decimals]).ok().map(|m| (m, length))
}

const POWERS_OF_TEN: [f64; 15] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_agreement(line: &[u8]) -> Option<Round> {
        let ended = [line, b"\n2025"].concat();
        let (round, taken) = quick(&ended)?;
        assert_eq!(taken, line.len() + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert_eq!(parse(line, Columns::OURS), Ok(round), "{}", line.escape_ascii());
        Some(round)
    }

    #[test]
    fn the_quick_reader_takes_both_usual_forms() {
        for line in [
            "2025-12-10T19:32:35.123Z,2.31",
            "2025-12-10T19:32:35Z,2.3",
            "2025-12-10 19:32:35,1",
            "2025-12-10 19:32:35.123,10250.4012345\r",
        ] {
            assert!(check_agreement(line.as_bytes()).is_some(), "{line}");
        }
    }

    #[test]
    fn the_quick_reader_leaves_the_rest_to_the_general_one() {
        for line in [
            "2025-12-10T19:32:35.123Z,2.31x",
            "2025-12-10T19:32:35.123Z,2,31",
            "2025-12-10T19:32:35.123Z,02.31",
            "2025-12-10T19:32:35.123Z,2.",
            "2025-12-10T19:32:35.123Z,.5",
            "2025-12-10T19:32:35.123Z,0.5",
            "2025-12-10T19:32:35.123Z,",
            "2025-12-10T19:32:35.1Z,2.31",
            "2025-12-10T19:32:35+00:00,2.31",
            "2025-12-10T19:32:35.123Z,1.0000000000000001",
            "2025-12-10T19:32:35.123Z,\"2.31\"",
        ] {
            assert!(check_agreement(line.as_bytes()).is_none(), "{line}");
        }
        // Without its newline a row does not exist.
        assert_eq!(quick(b"2025-12-10T19:32:35.123Z,2.31"), None);
        assert_eq!(quick(b"2025-12-10T19:32:35.123Z,2.31\r"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_quick_reader_agrees_with_the_general_one(
            line in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?Z?,[0-9]{1,9}(\\.[0-9]{0,9})?x?\r?",
        ) {
            check_agreement(line.as_bytes());
        }

        #[test]
        fn the_quick_reader_agrees_on_damaged_rows(
            time in 0i64..4_000_000_000_000,
            cents in 100u64..100_000_000,
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(b"0159.,:-TZ x+\"\r\xff".to_vec()),
        ) {
            let round = Round {
                time: chrono::DateTime::from_timestamp_millis(time).unwrap(),
                multiplier: Multiplier::from_cents(cents).unwrap(),
            };
            let mut line = round.to_row().trim_end().to_owned().into_bytes();
            prop_assert_eq!(check_agreement(&line), Some(round));
            let at = at.index(line.len());
            line[at] = byte;
            check_agreement(&line);
        }

        #[test]
        fn no_line_breaks_the_reader(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let line: Vec<u8> = line.into_iter().filter(|&byte| byte != b'\n').collect();
            for columns in [Some(Columns::OURS), Columns::named(&line), Columns::shown_by(&[&line])] {
                if let Some(columns) = columns
                    && let Ok(round) = parse(&line, columns)
                {
                    prop_assert!(round.multiplier >= Multiplier::ONE);
                }
            }
        }
    }

    #[test]
    fn columns_are_named_only_without_doubt() {
        let columns = |line: &str| {
            Columns::named(line.as_bytes()).map(|columns| (columns.time, columns.multiplier))
        };
        assert_eq!(columns("timestamp,multiplier"), Some((0, 1)));
        assert_eq!(columns("Payout;ID;\"Created_At\""), Some((2, 0)));
        // Our own names beat other known ones, two others leave a doubt.
        assert_eq!(columns("date,timestamp,crash,multiplier"), Some((1, 3)));
        assert_eq!(columns("date,time,multiplier"), None);
        assert_eq!(columns("timestamp,timestamp,multiplier"), None);
        assert_eq!(columns("timestamp,crash,bust"), None);
        assert_eq!(columns("multiplier"), None);
    }

    #[test]
    fn columns_are_shown_only_without_doubt() {
        let shown = |lines: &[&str]| {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            Columns::shown_by(&lines).map(|columns| (columns.time, columns.multiplier))
        };
        let row = "2025-12-10 19:32:35,2.31";
        assert_eq!(shown(&[row]), Some((0, 1)));
        // One odd line among others raises no doubt, two do.
        assert_eq!(shown(&[row, "2025-12-10 19:32:59,2,31"]), Some((0, 1)));
        assert_eq!(shown(&[row, "2025-12-10 19:32:59,2,31", "2025-12-10 19:33:59,2,31"]), None);
        // What is right in half of the lines only may be something else.
        assert_eq!(shown(&[row, row, "a,b", "c,d"]), None);
        assert_eq!(shown(&[row, row, "a,b"]), Some((0, 1)));
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&["2.31,7.00"]), None);
        assert_eq!(shown(&["2025-12-10 19:32:35;2025-12-10 19:32:35;2.31"]), None);
    }
}
